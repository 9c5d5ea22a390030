"""Pipelines and arguments that tests have in common, for both packages of the name."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from copypaste_rs import Instances, RleMasks, Sample

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # no call home from a test
os.environ.setdefault("ALBUMENTATIONS_NO_TELEMETRY", "1")


def pipeline(transforms: Any, form: str = "pascal_voc", fields: Any = ("labels",), **options: Any) -> Any:
    """A pipeline with boxes; the two packages name their format otherwise."""
    import albumentations as A

    from copypaste_rs.integrations.albumentations import IS_X

    params = A.BboxParams(**{"coord_format" if IS_X else "format": form}, label_fields=list(fields))
    return A.Compose(transforms, bbox_params=params, **options)


def arguments(sample: Sample, **fields: Any) -> dict[str, Any]:
    """Arguments of a call: arrays of a sample, with label fields, which are the labels where none are given."""
    instances = sample.instances
    assert instances.masks is not None
    dense = instances.masks.to_dense()
    boxes = np.zeros((0, 4), np.float32) if instances.boxes is None else instances.boxes
    return {"image": sample.image, "masks": dense, "bboxes": boxes.copy(), **(fields or {"labels": instances.labels})}


def donor(sample: Sample, **fields: Any) -> dict[str, Any]:
    """A donor, for `metadata_key`."""
    given = arguments(sample, **fields)
    del given["bboxes"]
    return given


def discs(number: int, size: tuple[int, int] = (40, 56), n: int = 3, crowd: bool = False) -> Sample:
    """Discs that overlap no other, each of one colour, which is its label: ``10 * number`` and on."""
    ys, xs = np.mgrid[: size[0], : size[1]]
    image = np.full((*size, 3), (number, 2 * number, 200 + number), np.uint8)
    dense = np.zeros((n, *size), np.uint8)
    labels = np.arange(n) + 10 * number
    for k in range(n):
        radius = 5 + k
        dense[k] = (ys - 9 - 9 * k) ** 2 + (xs - 4 - 3 * number - 14 * k) ** 2 < radius**2
        dense[k] &= ~dense[:k].any(axis=0)
        image[dense[k] == 1] = (labels[k], 100 + labels[k], 50)
    flags = {"iscrowd": np.arange(n) == 1} if crowd else {}
    return Sample(image, Instances(masks=RleMasks.from_dense(dense), labels=labels, **flags))


def tight(mask: Any) -> list[int]:
    """Smallest box around a mask, half-open."""
    ys, xs = np.nonzero(mask)
    return [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1]

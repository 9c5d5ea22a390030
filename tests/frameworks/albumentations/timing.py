"""A sample of a pipeline: from arrays in memory to arrays, beside `CopyAndPaste` of AlbumentationsX."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.frameworks.albumentations.pipelines import arguments, donor, pipeline  # isort: skip  # no calls home

import albumentations as A

from copypaste_rs.datasets import sample_data
from copypaste_rs.integrations.albumentations import IS_X, CopyPaste

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = "CopyAndPaste" if IS_X else ""
CANVAS = (512, 512)


def ours() -> Callable[[], object]:
    photos, draw = [*sample_data()], random.Random(0)
    given, donors = [arguments(photo) for photo in photos], [donor(photo) for photo in photos]
    transform = pipeline([CopyPaste(CANVAS, min_area=16)], seed=0)
    return lambda: transform(**draw.choice(given), copy_paste_metadata=[draw.choice(donors)])


def own() -> Callable[[], object]:
    photos, draw = [*sample_data()], random.Random(0)
    given = [bound(arguments(photo)) for photo in photos]
    binding: dict[str, Any] = {
        "instance_binding": ["masks", "bboxes"]
    }  # without it, rows that a crop drops break CopyAndPaste
    source = pipeline(jitter(), seed=1, **binding)
    target = pipeline([*jitter(), A.CopyAndPaste(min_paste_area=16, p=1)], seed=0, **binding)

    def sample() -> object:
        other = source(**draw.choice(given))
        objects = [
            {"image": other["image"], "mask": each["mask"], "bbox_labels": each["bbox_labels"]}
            for each in draw.sample(other["instances"], draw.randint(0, len(other["instances"])))
        ]
        return target(**draw.choice(given), copy_paste_metadata=objects)

    return sample


def bound(given: dict[str, Any]) -> dict[str, Any]:
    """Arguments with rows as AlbumentationsX binds them."""
    rows = zip(given["masks"], given["bboxes"], given["labels"], strict=True)
    instances = [{"mask": mask, "bbox": box, "bbox_labels": {"labels": label}} for mask, box, label in rows]
    return {"image": given["image"], "instances": instances}


def jitter() -> list[Any]:
    """Scale jitter on a canvas, by its own transforms, in the ranges of ours."""
    h, w = CANVAS
    return [
        A.LongestMaxSize(max_size=w),
        A.RandomScale((-0.9, 1.0), p=1),
        A.HorizontalFlip(p=0.5),
        A.PadIfNeeded(h, w, position="top_left", fill=128),
        A.RandomCrop(h, w),
    ]

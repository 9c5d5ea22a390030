"""Tar files that tests read, written by WebDataset's own writer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets import encode_image
from copypaste_rs.integrations.webdataset import Decode
from tests.fixtures.photos import photo

if TYPE_CHECKING:
    from copypaste_rs import Sample

SIZES = (7, 3, 5, 3)
"""Samples in each tar file."""

PLACES = [(shard, place) for shard, n in enumerate(SIZES) for place in range(n)]
"""Tar file and place in it, of each sample in the order of their numbers."""


def coco_rows(sample: Sample) -> list[dict[str, Any]]:
    """COCO annotations of a sample, with RLE whose counts are text."""
    masks, labels, crowds = sample.instances.masks, sample.instances.labels, sample.instances.iscrowd
    assert masks is not None
    assert labels is not None
    return [
        {
            "id": 1 + row,
            "category_id": int(labels[row]),
            "segmentation": {**coded, "counts": coded["counts"].decode()},
            "iscrowd": int(crowds is not None and crowds[row]),
        }
        for row, coded in enumerate(masks.to_coco())
    ]


def write(path: Path, samples: dict[str, Sample]) -> str:
    """A tar file of samples, by WebDataset's own writer."""
    from webdataset import TarWriter

    with TarWriter(str(path)) as writer:
        for key, sample in samples.items():
            h, w = sample.size
            record = {"id": sample.info["image_id"], "file_name": f"{key}.png", "height": h, "width": w}
            content = {"image": record, "annotations": coco_rows(sample)}
            writer.write(
                {"__key__": key, "png": encode_image(sample.image, "png"), "json": json.dumps(content).encode()}
            )
    return str(path)


def numbered(folder: Path) -> list[str]:
    """Tar files of photos whose number is their label and their colour; every fourth has no object."""
    number, urls = 0, []
    for i, n in enumerate(SIZES):
        numbers = range(number, number + n)
        samples = {f"{k:04d}": photo(1 + k, 0 if k % 4 == 3 else 2) for k in numbers}
        urls.append(write(folder / f"train-{i}.tar", samples))
        number += n
    return urls


def stream(tars: list[str], stage: Any, **options: Any) -> Any:
    """Samples of tar files, and what a stage makes of them."""
    import webdataset

    return webdataset.WebDataset(tars, **{"shardshuffle": False, **options}).map(Decode()).compose(stage)


def as_is(items: Any) -> Any:
    """A stage that does nothing."""
    return items

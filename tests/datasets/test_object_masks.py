"""Masks of the objects of one image, made of the tables of a set, against those of pycocotools, one by one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco

from copypaste_rs import Instances, RleMasks
from copypaste_rs.datasets import CocoDataset
from copypaste_rs.datasets.segmentations import Segmentations, SegmentationsBuilder
from tests.fixtures.coco_files import box_polygon, write

SIZE = (23, 31)


def coco_mask(parts: list[list[float]]) -> NDArray[np.uint8]:
    """The pixels of the parts of one object."""
    pixels: NDArray[np.uint8] = coco.decode(coco.merge(coco.frPyObjects(parts, *SIZE)))
    return pixels


def hundredths(given: Segmentations) -> Segmentations:
    """The tables with coordinates in hundredths of a pixel."""
    return given._replace(coordinates=np.rint(100 * given.coordinates).astype(np.int32))


def objects(rng: np.random.Generator, n: int) -> tuple[Segmentations, NDArray[np.uint8]]:
    """Rows of polygons of one or several parts, runs, and nothing, in disorder; and their pixels."""
    builder, planes = SegmentationsBuilder(), np.zeros((n, *SIZE), np.uint8)
    for row in range(n):
        kind = rng.integers(4)
        if kind < 2:
            parts = [
                (rng.integers(-200, 3500, 2 * rng.integers(3, 9)) / 100).tolist() for _ in range(rng.integers(1, 4))
            ]
            builder.add(parts, SIZE)
            planes[row] = coco_mask(parts)
        elif kind == 2:
            planes[row] = rng.random(SIZE) < rng.random()
            builder.add_mask(RleMasks.from_dense(planes[row : row + 1]), SIZE)
        else:
            builder.add(None, SIZE)
    order = rng.permutation(n)
    return builder.finish().take(order), planes[order]


@pytest.mark.parametrize("seed", range(20))
def test_masks_boxes_and_covers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 12))
    given, planes = objects(rng, n)
    start, stop = sorted(rng.integers(0, n + 1, 2).tolist())
    for tables in (given, hundredths(given)):
        masks, boxes, covers = tables.masks((start, stop), SIZE)
        assert np.array_equal(masks.to_dense(), planes[start:stop])
        any_pixel = planes[start:stop].any(axis=(1, 2))
        assert (covers is None) == any_pixel.all()
        assert covers is None or covers.tolist() == any_pixel.tolist()
        for box, plane in zip(boxes.tolist(), planes[start:stop], strict=True):
            y, x = plane.nonzero()
            assert box == ([x.min(), y.min(), x.max() + 1, y.max() + 1] if len(x) else [0, 0, 0, 0])


def test_tables_that_do_not_fit_are_errors() -> None:
    given, _ = objects(np.random.default_rng(1), 9)
    for rows, wrong in [
        ((0, 10), given),
        ((0, 9), given._replace(first_part=given.first_part + 1000)),
        ((0, 9), given._replace(first_run=given.first_run - 1000)),
        ((0, 9), given._replace(counts=given.counts[:-1])),
    ]:
        with pytest.raises(ValueError, match="segmentations: expected"):
            wrong.masks(rows, SIZE)


def test_instances_are_what_the_constructor_makes_of_their_columns(tmp_path: Path) -> None:
    point = [5, 6, 2] * 2
    rows: list[dict[str, Any]] = [
        {"segmentation": [box_polygon(3, 4, 20, 10)], "keypoints": point, "pseudo": 1, "word": "a", "score": 0.5},
        {"segmentation": [box_polygon(8, 9, 0.1, 0.1)], "word": "flat"},  # covers no pixel
        {"segmentation": {"size": [40, 60], "counts": [9, 40 * 60 - 9]}, "iscrowd": 1, "word": "b"},
    ]
    annotations = [{"iscrowd": 0, **row, "image_id": 10, "category_id": 1, "id": 5 + i} for i, row in enumerate(rows)]
    categories = [{"id": 1, "name": "a", "keypoints": ["left", "right"]}]
    found = CocoDataset(*write(tmp_path, annotations, categories=categories)).instances(0)
    assert found.masks is not None
    given = {name: column for name, column in found.columns.items() if name != "boxes"}
    made = Instances(**given)
    assert found == made
    assert [*found.columns] == [*made.columns]
    assert found.id.tolist() == [5, 7]
    assert found.pseudo.dtype == np.bool_
    assert found.pseudo.tolist() == [True, False]
    assert all(column.flags.writeable for name, column in found.columns.items() if name != "masks")


@pytest.mark.parametrize("boxes", [False, True])
def test_columns_are_nobody_elses(tmp_path: Path, boxes: bool) -> None:
    rows: list[dict[str, Any]] = [{"segmentation": [box_polygon(3, 4, 20, 10)], "score": 0.5, "word": "a"}] * 3
    rows += [{"bbox": [1, 2, 3, 4], "score": 0.25, "word": "b"}] * boxes
    annotations = [{"iscrowd": 0, **row, "image_id": 10, "category_id": 1, "id": i} for i, row in enumerate(rows)]
    photos = CocoDataset(*write(tmp_path, annotations, categories=[{"id": 1, "name": "a"}]), boxes="keep")
    before, found = photos.instances(0), photos.instances(0)
    for name, column in found.columns.items():
        if name != "masks":
            column[...] = column[-1] if column.dtype.kind == "U" else 1
    assert photos.instances(0) == before


def test_no_code_of_numpy_runs_in_the_kernel() -> None:
    """Python code that the extension calls by the way, to put an error into words say, loses an interruption."""
    polygon = SegmentationsBuilder()
    polygon.add([box_polygon(3, 4, 20, 10)], (30, 40))
    found = polygon.finish()
    assert found.coordinates.dtype == np.float64
    called: list[str] = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, _: called.append(frame.f_code.co_filename) if event == "call" else None)
    try:
        found.masks((0, 1), (30, 40))
    finally:
        sys.setprofile(before)
    assert not [name for name in called if "numpy" in name]

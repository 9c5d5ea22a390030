"""Masks as pixels in the place of polygons: refused wherever segmentations are read, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pycocotools import mask as coco

from copypaste_rs import Instances, RleMasks, functional, reference
from copypaste_rs.datasets import CocoDataset, ResultsDataset, open_dataset
from copypaste_rs.errors import ArgumentError
from tests.fixtures.coco_files import Files, annotation, box_polygon, write
from tests.fixtures.strategies import may_be_pixels

SIZE = (40, 60)
SQUARE = [box_polygon(2, 2, 9, 9)]


def disc(size: tuple[int, int]) -> Any:
    ys, xs = np.mgrid[: size[0], : size[1]]
    return ((ys - size[0] / 2) ** 2 + (xs - size[1] / 2) ** 2 < min(size) ** 2 / 9).astype(np.uint8)


PIXELS = {
    "integers": disc(SIZE).tolist(),
    "floats": disc(SIZE).astype(float).tolist(),
    "0 and 255": (disc(SIZE) * 255).tolist(),
    "probabilities": (disc(SIZE) * 0.75 + 0.125).tolist(),
    "ones": np.ones(SIZE, int).tolist(),
}


def files_with(folder: Path, segmentation: Any, **more: Any) -> Files:
    return write(folder, [annotation(1, SQUARE), annotation(2, segmentation, **more), annotation(3, SQUARE)])


@pytest.mark.parametrize("name", PIXELS)
@pytest.mark.parametrize("more", [{}, {"iscrowd": 0.0}])  # read by the extension, and in Python
def test_in_files(tmp_path: Path, name: str, more: Any) -> None:
    files = files_with(tmp_path, PIXELS[name], **more)
    expected = (
        r"annotations\[1\]: segmentation: expected run lengths or polygons, got an array of shape \(40, 60\); "
        r"RleMasks\.from_dense\(masks\)\.to_coco\(\) makes them"
    )
    with pytest.raises(ValueError, match=expected):
        CocoDataset(*files)
    results = [{"image_id": 10, "category_id": 1, "score": 0.5, "segmentation": PIXELS[name]}]
    (tmp_path / "results.json").write_text(json.dumps(results))
    with pytest.raises(ValueError, match=expected.replace(r"annotations\[1\]", r"results\[0\]")):
        ResultsDataset(tmp_path / "results.json", *files_with(tmp_path / "plain", SQUARE))


@pytest.mark.parametrize("name", PIXELS)
def test_in_memory(name: str) -> None:
    pixels = PIXELS[name]
    says = r"got pixels of shape \(40, 60\); RleMasks\.from_dense reads them$"
    forms: list[Any] = [pixels, np.array(pixels), [np.array(row) for row in pixels], tuple(map(tuple, pixels))]
    for form in forms:
        with pytest.raises(ArgumentError, match=rf"^segmentations\[1\]: expected a list of parts, {says}"):
            RleMasks.from_segmentations([SQUARE, form], SIZE)
        with pytest.raises(
            ArgumentError, match=rf"^annotations\[0\]\['segmentation'\]: expected a list of parts, {says}"
        ):
            Instances.from_coco([{"segmentation": form}], SIZE)
        for rasterize in (RleMasks.from_polygons, functional.rasterize, reference.rasterize):
            with pytest.raises(ArgumentError, match=rf"^polygons\[1\]: expected a list of parts, {says}"):
                rasterize([SQUARE, form], SIZE)
    with pytest.raises(ArgumentError, match=rf"^polygons\[0\]: .*{says}"):
        RleMasks.from_polygons(np.array([pixels]), SIZE)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"^polygons\[0\]: .* got pixels of shape \(3, 7\)"):
        RleMasks.from_polygons([np.eye(3, 7) > 0], (3, 7))  # type: ignore[list-item]


@given(
    size=st.tuples(st.integers(1, 5), st.integers(1, 8)),
    parts=st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=8).filter(lambda p: len(p) % 2 == 0), max_size=5),
)
def test_all_else_is_read_as_pycocotools_reads_it(size: tuple[int, int], parts: list[list[int]]) -> None:
    h, w = size
    assume(not may_be_pixels([[*map(float, part)] for part in parts], size))
    found = RleMasks.from_segmentations([parts], size)
    expected = np.zeros(size, np.uint8)
    if parts:
        expected = coco.decode(coco.merge(coco.frPyObjects(parts, h, w)))
    np.testing.assert_array_equal(found.to_dense()[0], expected)


def test_polygons_of_as_many_parts_as_the_image_is_high(tmp_path: Path) -> None:
    turns = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    circle = np.stack([20 + 9 * np.cos(turns), 15 + 9 * np.sin(turns)], axis=1)
    parts = [
        (circle + np.array([k % 20, k % 7])).ravel().tolist() for k in range(40)
    ]  # as long as the image is wide, too
    for name, more in (("plain", {}), ("odd", {"iscrowd": 0.0})):
        files = files_with(tmp_path / name, parts, **more)
        photos = open_dataset(files.annotations)
        expected = coco.decode(coco.merge(coco.frPyObjects(parts, *SIZE)))
        np.testing.assert_array_equal(photos.instances(0).masks.to_dense()[1], expected)  # type: ignore[union-attr]

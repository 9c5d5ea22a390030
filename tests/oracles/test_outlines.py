"""Outlines through pixel centres, against fillers of others that fill the border of a polygon too."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from copypaste_rs import Instances, RleMasks
from tests.fixtures.ascii import mask, masks, rle
from tests.fixtures.strategies import dense_masks, sizes


def filled_by_opencv(rings: list[NDArray[np.float64]], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Pixels of a mask whose outlines OpenCV fills, cut to integers as YOLO's tools do."""
    canvas = np.zeros(size, np.uint8)
    for ring in rings:
        cv2.fillPoly(canvas, [ring.reshape(-1, 2).astype(np.int32)], [1])
    return canvas


def filled_by_pillow(rings: list[NDArray[np.float64]], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Pixels of a mask whose outlines Pillow fills, as LabelMe does."""
    canvas = Image.new("L", size[::-1], 0)
    for ring in rings:
        ImageDraw.Draw(canvas).polygon(ring.tolist(), fill=1, outline=1)
    return np.asarray(canvas)


def test_a_square_and_a_hole(kernels: ModuleType) -> None:
    found = kernels.polygons(masks("..../.##."), vertices="centers")
    assert [ring.tolist() for ring in found[0]] == [[2.5, 1.5, 2.5, 1.5, 1.5, 1.5, 1.5, 1.5]]
    assert kernels.polygons(masks("..../...."), vertices="centers") == [[]]
    (ring,) = kernels.polygons(masks("####/#..#/####"), vertices="centers")[0]
    assert ring.dtype == np.float64
    assert {0.5, 1.5, 2.5, 3.5} == set(ring.tolist())


@pytest.mark.parametrize("fill", [filled_by_opencv, filled_by_pillow])
@given(dense=dense_masks(size=sizes(1, 20)))
def test_whoever_fills_borders_gets_the_mask_back(kernels: ModuleType, fill: Any, dense: NDArray[np.uint8]) -> None:
    for rings, pixels in zip(kernels.polygons(rle(dense), vertices="centers"), dense, strict=True):
        np.testing.assert_array_equal(fill(rings, pixels.shape), pixels)


@pytest.mark.parametrize("fill", [filled_by_opencv, filled_by_pillow])
@pytest.mark.parametrize(
    "picture", ["###/###/.##/###/#.#/###", "#####/#...#/#.#.#/#...#/#####", "#.#/.#./#.#", "####/#.##/##.#/####"]
)
def test_bays_beside_holes(kernels: ModuleType, fill: Any, picture: str) -> None:
    """A cut that ran down the side of a hole's column would fill what is open beside it."""
    pixels = mask(picture)
    np.testing.assert_array_equal(fill(kernels.polygons(masks(picture), vertices="centers")[0], pixels.shape), pixels)


def test_corners_come_back_and_centers_do_not(kernels: ModuleType) -> None:
    square = masks("...../.###./.###./.###.")
    assert kernels.rasterize(kernels.polygons(square, vertices="corners"), square.size) == square
    assert kernels.polygons(square)[0][0].tolist() == kernels.polygons(square, vertices="corners")[0][0].tolist()
    smaller = kernels.rasterize(kernels.polygons(square, vertices="centers"), square.size)
    assert kernels.area(smaller).tolist() == [4]


def test_rows_of_instances(kernels: ModuleType) -> None:
    two = masks("##./...", ".#./.#.")
    rows = Instances(masks=two, boxes=np.zeros((2, 4)), box_only=[False, True])
    assert [len(rings) for rings in rows.to_polygons(vertices="centers")] == [1, 0]
    assert (
        rows.to_polygons(vertices="centers")[0][0].tolist() == kernels.polygons(two, vertices="centers")[0][0].tolist()
    )
    with pytest.raises(ValueError, match=r"^vertices: expected one of 'corners', 'centers', got 'edges'$"):
        RleMasks.empty((2, 3)).to_polygons(vertices="edges")

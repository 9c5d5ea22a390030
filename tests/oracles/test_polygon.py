"""Polygons against pycocotools, bit for bit, and against pictures where pycocotools overflows."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from copypaste_rs import RleMasks
from tests.fixtures.ascii import dense, draw, mask, masks
from tests.fixtures.strategies import coordinates, far_coordinates, may_be_pixels, parts, sizes
from tests.oracles.coco_truth import coco_mask


def one(kernels: ModuleType, *polygon: Any, size: tuple[int, int]) -> str:
    """The picture of one instance."""
    return draw(dense(kernels.rasterize([polygon], size))[0])


@given(part=parts(coordinates()), size=sizes(1, 30))
@example(part=[1, 1, 1, 1, 1, 1], size=(3, 4))
@example(part=[0, 0, 3, 3, 0, 0], size=(5, 4))
@example(part=[-10, 1.3, 20, 1.3, 5, 1.3], size=(3, 9))
@example(part=[0.5, -0.1, 0.5, 3.0, -0.1, 2.9, 2.6, -0.6], size=(3, 4))
def test_one_part(kernels: ModuleType, part: list[float], size: tuple[int, int]) -> None:
    found = kernels.rasterize([[part]], size)
    np.testing.assert_array_equal(dense(found)[0], coco_mask([part], size))


@given(polygon=st.lists(parts(coordinates()), min_size=1, max_size=4), size=sizes(1, 30))
def test_parts_are_united(kernels: ModuleType, polygon: list[list[float]], size: tuple[int, int]) -> None:
    assume(not may_be_pixels(polygon, size))
    found = kernels.rasterize([polygon], size)
    np.testing.assert_array_equal(dense(found)[0], coco_mask(polygon, size))


def test_many_random_polygons(kernels: ModuleType) -> None:
    """Vertices on whole pixels, on tenths and anywhere, within the image and around it."""
    rng = np.random.default_rng(7)
    for i in range(300):
        size = int(rng.integers(1, 90)), int(rng.integers(1, 90))
        part: NDArray[Any] = (rng.random(2 * int(rng.integers(3, 12))) - 0.3) * rng.choice([5.0, 40.0, 120.0, 5000.0])
        part = (np.round(part), np.round(part * 10) / 10, part, part.astype(np.float32))[i % 4]
        found = kernels.rasterize([[part]], size)
        np.testing.assert_array_equal(kernels.decode(found)[0], coco_mask([part], size))


def test_many_edges_on_a_large_image(kernels: ModuleType) -> None:
    """So many edges cross its columns that these are not drawn all at once."""
    part = np.random.default_rng(8).uniform(-200, 2500, 400)
    found = kernels.rasterize([[part]], (1900, 2300))
    np.testing.assert_array_equal(kernels.decode(found)[0], coco_mask([part], (1900, 2300)))


def test_instances_stay_apart(kernels: ModuleType) -> None:
    square, far = [0, 0, 2, 0, 2, 2, 0, 2], [90, 90, 95, 90, 95, 95]
    found = kernels.rasterize([[square], [], [far], [far, square], [square, [2, 0, 4, 0, 4, 1, 2, 1]]], (3, 5))
    assert [draw(each) for each in dense(found)] == [
        "##.../##.../.....",
        "...../...../.....",
        "...../...../.....",
        "##.../##.../.....",
        "####./##.../.....",
    ]


def test_the_right_and_bottom_border_are_outside(kernels: ModuleType) -> None:
    """The square from 0 to 9 has 9 x 9 pixels: COCO's tools mean it so."""
    found = kernels.rasterize([[[0, 0, 9, 0, 9, 9, 0, 9]]], (10, 12))
    assert kernels.area(found).tolist() == [81]
    assert kernels.boxes(found).tolist() == [[0, 0, 9, 9]]


def test_what_a_part_covers_twice_is_not_set(kernels: ModuleType) -> None:
    # Once around the outside, once around the hole.
    ring = [0, 0, 5, 0, 5, 4, 0, 4, 0, 0, 1, 1, 4, 1, 4, 3, 1, 3, 1, 1]
    assert one(kernels, ring, size=(4, 6)) == "#####./#...#./#...#./#####."


@pytest.mark.parametrize("polygon", [[[0, 0, 4, 0, 4, 3, 0, 3]], np.array([[0, 0, 4, 0, 4, 3, 0, 3]], np.int16)])
def test_kinds_of_arrays(kernels: ModuleType, polygon: Any) -> None:
    expected = masks("####../####../####../......")
    assert kernels.rasterize([polygon], (4, 6)) == expected
    assert kernels.rasterize([[np.array(part, np.float32) for part in polygon]], (4, 6)) == expected
    assert kernels.rasterize(([tuple(part) for part in polygon],), (4, 6)) == expected
    strided = np.repeat(np.asarray(polygon[0], np.float64), 2)[::2]
    assert kernels.rasterize([[strided]], (4, 6)) == expected


@pytest.mark.parametrize("size", [(0, 5), (4, 0), (0, 0)])
def test_masks_without_pixels(kernels: ModuleType, size: tuple[int, int]) -> None:
    assert kernels.rasterize([[[0, 0, 2, 0, 2, 2]], []], size) == RleMasks(size, [0, 0], [0, 1, 2])


def test_no_instances(kernels: ModuleType) -> None:
    assert kernels.rasterize([], (2, 3)) == RleMasks.empty((2, 3))


# -- far away ----------------------------------------------------------------------------------------------------

FAR = [1e4, 1e9, 2.0**31]


@pytest.mark.parametrize("far", FAR)
def test_rectangles_that_end_far_away(kernels: ModuleType, far: float) -> None:
    size = (4, 6)
    around = [-far, -far, far, -far, far, far, -far, far]
    assert one(kernels, around, size=size) == "######/######/######/######"
    right = [2, -far, far, -far, far, far, 2, far]
    assert one(kernels, right, size=size) == "..####/..####/..####/..####"
    below = [-far, 3, far, 3, far, far, -far, far]
    assert one(kernels, below, size=size) == "....../....../....../######"
    corner = [-far, -far, 3, -far, 3, 2, -far, 2]
    assert one(kernels, corner, size=size) == "###.../###.../....../......"
    beside = [far / 2, 0, far / 2, 4, far, 4]
    assert one(kernels, beside, size=size) == "....../....../....../......"


@pytest.mark.parametrize("far", FAR)
def test_slanted_edges_that_end_far_away(kernels: ModuleType, far: float) -> None:
    """The diagonal passes the middles of pixels, and the part below it has them."""
    below = [-far, -far, far, far, -far, far]
    near = [-50, -50, 50, 50, -50, 50]
    assert one(kernels, below, size=(5, 7)) == draw(coco_mask([near], (5, 7)))


@pytest.mark.parametrize("far", [1e4, 1e6, 5e8])
@pytest.mark.parametrize(("rise", "run"), [(1, 2), (2, 1), (1, 4), (-1, 2), (-2, 1), (3, 1)])
def test_slopes_are_kept(kernels: ModuleType, far: float, rise: int, run: int) -> None:
    """An edge through the image looks the same however far away it ends."""

    def half_plane(k: float) -> list[float]:
        below = 1e4 if k < 1e4 else 2.0**31
        return [3 - run * k, 2 - rise * k, 3 + run * k, 2 + rise * k, 3 + run * k, below, 3 - run * k, below]

    assert one(kernels, half_plane(far), size=(9, 8)) == draw(coco_mask([half_plane(1000)], (9, 8)))


@given(polygon=st.lists(parts(far_coordinates()), min_size=1, max_size=3), size=sizes(0, 30))
def test_all_coordinates_up_to_the_farthest_work(
    kernels: ModuleType, polygon: list[list[float]], size: tuple[int, int]
) -> None:
    assume(not may_be_pixels(polygon, size))
    found = kernels.rasterize([polygon], size)
    assert len(found) == 1
    assert 0 <= kernels.area(found)[0] <= size[0] * size[1]


def test_a_vertex_where_pycocotools_overflows(kernels: ModuleType) -> None:
    assert one(kernels, [0, 0, 1e9, 0, 0, 1e9], size=(2, 3)) == "###/###"
    assert one(kernels, [1, 0, 1e9, 0, 1e9, 1e9, 1, 1e9], size=(2, 3)) == ".##/.##"


# -- refused -----------------------------------------------------------------------------------------------------

GOOD = [0, 0, 2, 0, 2, 2]


@pytest.mark.parametrize(
    ("polygons", "error", "message"),
    [
        ([[GOOD], [], [GOOD, [0, 0, 2, 0, 2, 2, 1]]], ValueError, "[2][1]: expected an even number of coordinates, got 7"),
        ([[[1.0]]], ValueError, "[0][0]: expected an even number of coordinates, got 1"),
        ([[GOOD], [[0, 0, 2, 2]]], ValueError, "[1][0]: expected at least 3 points, got 2"),
        ([[[]]], ValueError, "[0][0]: expected at least 3 points, got 0"),
        ([[GOOD, [0, 0, 2, np.nan, 2, 2]]], ValueError, "[0][1]: expected finite coordinates, got nan"),
        ([[[0, 0, 2, -np.inf, np.nan, 2]]], ValueError, "[0][0]: expected finite coordinates, got -inf"),
        ([[GOOD, [0, 0, 2, 3e9, 2, 2]]], ValueError, "[0][1]: expected coordinates from -2147483648 to 2147483648, got 3000000000.0"),
        ([[[0, 0, -2147483649, 2, 2, 2]]], ValueError, "[0][0]: expected coordinates from -2147483648 to 2147483648, got -2147483649.0"),
        ([[np.array([0, 0, 2, 1.7e308, 2, 2])]], ValueError, "[0][0]: expected coordinates from -2147483648 to 2147483648, got 1.7e+308"),
        ([[[0, 0, 2, 10**400, 2, 2]]], ValueError, "[0][0]: expected finite coordinates, got an integer too large for float64"),
        ([[[[0, 0], [2, 0], [2, 2]]]], ValueError, "[0][0]: expected flat coordinates [x, y, x, y, ...], got shape (3, 2)"),
        ([[[[0, 0], [2]]]], ValueError, "[0][0]: expected flat coordinates [x, y, x, y, ...], got nested lists"),
        ([GOOD], TypeError, "[0][0]: expected flat coordinates [x, y, x, y, ...], got int"),
        ([[["0", "0", "2", "0", "2", "2"]]], TypeError, "[0][0]: expected numbers, got dtype <U1"),
        ([[[True] * 6]], TypeError, "[0][0]: expected numbers, got dtype bool"),
        ([[[0, 0, 2, None, 2, 2]]], TypeError, "[0][0]: expected numbers, got dtype object"),
        ([[GOOD], {"size": [2, 3], "counts": [6]}], TypeError, "[1]: expected a list of parts, got dict"),
        ([[GOOD], 3], TypeError, "[1]: expected a list of parts, got int"),
        (None, TypeError, ": expected a list of parts for each instance, got NoneType"),
        ("0 0 2 2", TypeError, ": expected a list of parts for each instance, got str"),
        (np.array(3), TypeError, ": expected a list of parts for each instance, got a single value"),
    ],
)  # fmt: skip
def test_malformed_polygons(kernels: ModuleType, polygons: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as info:
        kernels.rasterize(polygons, (4, 6))
    assert str(info.value) == f"polygons{message}"


@pytest.mark.parametrize("size", [(2**32, 1), (2**16, 2**16), (-1, 4), "ab", None])
def test_sizes_there_are_not(kernels: ModuleType, size: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^size"):
        kernels.rasterize([[GOOD]], size)


def test_the_largest_image(kernels: ModuleType) -> None:
    found = kernels.rasterize([[[1, 0, 3, 0, 3, 2**31, 1, 2**31]]], (2**31 - 1, 2))
    assert found == RleMasks((2**31 - 1, 2), [2**31 - 1, 2**31 - 1], [0, 2])


def test_inputs_are_not_written(kernels: ModuleType) -> None:
    part = np.array([0, 0, 4, 0, 4, 3, 0, 3], np.float64)
    part.flags.writeable = False
    assert draw(kernels.decode(kernels.rasterize([[part]], (3, 5)))[0]) == draw(mask("####./####./####."))


def test_real_polygons(kernels: ModuleType, test_data: Path) -> None:
    for folder in ("coco_free56", "fruits_nuts18"):
        data = json.loads((test_data / folder / "annotations.json").read_text())
        sizes_by_id = {image["id"]: (image["height"], image["width"]) for image in data["images"]}
        for annotation in data["annotations"][:150]:
            polygon, size = annotation["segmentation"], sizes_by_id[annotation["image_id"]]
            if isinstance(polygon, list):
                found = kernels.rasterize([polygon], size)
                np.testing.assert_array_equal(kernels.decode(found)[0], coco_mask(polygon, size))

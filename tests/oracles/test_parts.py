"""Connected parts against OpenCV's connected components, on dense arrays."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from copypaste_rs import RleMasks
from tests.fixtures.ascii import masks, pictures, rle
from tests.fixtures.strategies import dense_masks, sizes


def large_parts(mask: NDArray[np.uint8], least: int, connectivity: int) -> NDArray[np.uint8]:
    """The mask without the components that OpenCV counts fewer pixels of."""
    if mask.size == 0:
        return mask
    _, numbers, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    keep = statistics[:, cv2.CC_STAT_AREA] >= least
    keep[0] = False  # the background
    kept: NDArray[np.uint8] = keep[numbers].astype(np.uint8)
    return kept


@given(pixels=dense_masks(size=sizes(0, 25)), least=st.integers(0, 12), connectivity=st.sampled_from([4, 8]))
def test_parts_are_those_of_opencv(
    kernels: ModuleType, pixels: NDArray[np.uint8], least: int, connectivity: int
) -> None:
    expected = np.array([large_parts(mask, least, connectivity) for mask in pixels], np.uint8).reshape(pixels.shape)
    assert kernels.without_small_parts(rle(pixels), least, connectivity=connectivity) == rle(expected)


@pytest.mark.parametrize("seed", range(4))
def test_parts_of_noise_are_those_of_opencv(kernels: ModuleType, seed: int) -> None:
    """Of all densities: specks, mazes in which nearly everything hangs together, and holes."""
    rng = np.random.default_rng(seed)
    pixels = (rng.random((6, 37, 53)) < rng.random((6, 1, 1))).astype(np.uint8)
    for least, connectivity in [(2, 8), (5, 4), (40, 4), (40, 8)]:
        expected = np.array([large_parts(mask, least, connectivity) for mask in pixels])
        assert kernels.without_small_parts(rle(pixels), least, connectivity=connectivity) == rle(expected)


def test_parts_of_pictures(kernels: ModuleType) -> None:
    found = masks("##..#/##.#./.....", "###../#.#../####.")
    assert pictures(kernels.without_small_parts(found, 3)) == ["##.../##.../.....", "###../#.#../####."]
    assert pictures(kernels.without_small_parts(found, 2)) == ["##..#/##.#./.....", "###../#.#../####."]
    assert pictures(kernels.without_small_parts(found, 2, connectivity=4))[0] == "##.../##.../....."
    assert kernels.without_small_parts(found, 99) == masks("...../...../.....", "...../...../.....")
    assert kernels.without_small_parts(found, 0) == kernels.without_small_parts(found, np.int64(1)) == found
    assert kernels.without_small_parts(found[:0], 5) == found[:0]


def test_the_end_of_a_column_does_not_touch_the_start_of_the_next(kernels: ModuleType) -> None:
    """Though it is one run of pixels: so are whole columns, which do touch."""
    run = masks("..#/.../.#.")
    assert len(run.counts) == 3
    assert kernels.without_small_parts(run, 2) == masks(".../.../...")
    whole = masks(".###./.###./####.")
    assert kernels.without_small_parts(whole, 10, connectivity=4) == whole


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((-1,), {}, ValueError, "min_area: expected an integer from 0 to 4294967295, got -1"),
        ((0.5,), {}, TypeError, "min_area: expected an integer, got 0.5"),
        ((2,), {"connectivity": 6}, ValueError, "connectivity: expected 4 or 8, got 6"),
        ((2,), {"connectivity": 2}, ValueError, "connectivity: expected an integer from 4 to 8, got 2"),
    ],
)
def test_what_is_refused(kernels: ModuleType, arguments: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as info:
        kernels.without_small_parts(RleMasks.empty((2, 3)), *arguments, **options)
    assert str(info.value) == message

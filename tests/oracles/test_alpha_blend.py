"""Soft edges: the blur against OpenCV's in float64 and against pictures, the mixture against exact rounding."""

from __future__ import annotations

from fractions import Fraction
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from copypaste_rs import Placement, RleMasks
from tests.fixtures.arrays import DTYPES, LAYOUTS, pixels, random_weights
from tests.fixtures.ascii import masks, rle, stack
from tests.fixtures.geometry import nearest
from tests.fixtures.strategies import dense_masks, placements, sizes

SMALL = np.array([1024, 2048, 1024], np.uint16)
NONE = np.array([4096], np.uint16)


def expected_alpha(dense: NDArray[np.uint8], p: Placement, weights: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The union on a wider canvas, blurred by OpenCV in float64, which holds these sums exactly."""
    radius = len(weights) // 2
    h, w = p.canvas_size
    wide = np.zeros((h + 2 * radius, w + 2 * radius), np.float64)
    reached = np.zeros((h, w), np.bool_)
    for y in range(-radius, h + radius):
        for x in range(-radius, w + radius):
            i, k = y - p.offset[0], x - p.offset[1]
            if not (0 <= i < p.resized_size[0] and 0 <= k < p.resized_size[1]):
                continue
            row = nearest(i, p.input_size[0], p.resized_size[0])
            column = nearest(k, p.input_size[1], p.resized_size[1], p.hflip)
            wide[y + radius, x + radius] = dense[:, row, column].any()
            if 0 <= y < h and 0 <= x < w:
                reached[y, x] = True
    kernel = weights.astype(np.float64)
    blurred = cv2.sepFilter2D(wide, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_CONSTANT)
    blurred = blurred[radius : radius + h, radius : radius + w]
    return np.where(reached, np.floor(blurred * 255 / 2**24 + 0.5), 0).astype(np.uint8)


@given(data=st.data())
def test_the_blurred_union(kernels: ModuleType, data: st.DataObject) -> None:
    size = data.draw(sizes(1, 8))
    dense = data.draw(dense_masks(st.integers(0, 3), st.just(size)))
    placement = data.draw(placements(size, 10))
    weights = random_weights(data.draw(st.integers(0, 999)), data.draw(st.integers(0, 4)))
    found = kernels.alpha(rle(dense), placement, weights)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected_alpha(dense, placement, weights))


def test_no_blur_is_the_mask(kernels: ModuleType) -> None:
    some = masks("..#./.##.", "#.../....")
    found = kernels.alpha(some, Placement((2, 4), (2, 4), (0, 0), (2, 4)), NONE)
    np.testing.assert_array_equal(found, 255 * stack("#.#./.##.")[0])


def test_an_object_cut_by_the_canvas_stays_solid_there(kernels: ModuleType) -> None:
    everything = RleMasks((4, 6), [0, 24], [0, 2])
    found = kernels.alpha(everything, Placement((4, 6), (4, 6), (-1, -1), (2, 4)), SMALL)
    np.testing.assert_array_equal(found, np.full((2, 4), 255))


def test_an_object_cut_by_its_own_photo_has_a_soft_edge(kernels: ModuleType) -> None:
    everything = RleMasks((3, 4), [0, 12], [0, 2])
    found = kernels.alpha(everything, Placement((3, 4), (3, 4), (1, 1), (5, 6)), SMALL)
    # A quarter is missing at an edge: 255 * 3/4 = 191.25; at a corner 255 * 9/16 = 143.4. Nothing shows outside.
    edge, corner = 191, 143
    assert found.tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, corner, edge, edge, corner, 0],
        [0, edge, 255, 255, edge, 0],
        [0, corner, edge, edge, corner, 0],
        [0, 0, 0, 0, 0, 0],
    ]


def test_the_canvas_sees_objects_beside_it(kernels: ModuleType) -> None:
    """An object that lies wholly off the canvas, by less than the radius, still reaches in."""
    found = kernels.alpha(
        masks("##..../##..../##..../##..../##...."), Placement((5, 6), (5, 6), (-1, -2), (3, 4)), SMALL
    )
    np.testing.assert_array_equal(found, [[64, 0, 0, 0]] * 3)


def test_no_masks(kernels: ModuleType) -> None:
    placement = Placement((3, 4), (6, 2), (-1, 1), (5, 2), True)
    np.testing.assert_array_equal(kernels.alpha(RleMasks.empty((3, 4)), placement, SMALL), np.zeros((5, 2)))
    np.testing.assert_array_equal(kernels.alpha(masks("..../..../...."), placement, SMALL), np.zeros((5, 2)))


def test_a_radius_larger_than_everything(kernels: ModuleType) -> None:
    weights = random_weights(3, 60)
    placement = Placement((2, 3), (2, 3), (0, 1), (2, 5))
    found = kernels.alpha(masks("##./.#."), placement, weights)
    np.testing.assert_array_equal(found, expected_alpha(stack("##./.#."), placement, weights))


def test_a_huge_resized_side_costs_what_the_canvas_costs(kernels: ModuleType) -> None:
    side = 2**31 - 1
    found = kernels.alpha(masks("#./#./#."), Placement((3, 2), (side, side), (-7, -(side // 2) + 2), (3, 5)), SMALL)
    np.testing.assert_array_equal(found, [[255, 191, 64, 0, 0]] * 3)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1024, 2048, 1024], TypeError, "weights: expected a NumPy array, got list"),
        (SMALL.astype(np.int64), TypeError, "weights: expected dtype uint16, got int64"),
        (SMALL.astype(np.float32) / 4096, TypeError, "weights: expected dtype uint16, got float32"),
        (SMALL[np.newaxis], ValueError, "weights: expected shape (n,), got (1, 3)"),
        (np.array([2048, 2048], np.uint16), ValueError, "weights: expected an odd number of weights, got 2"),
        (np.zeros(0, np.uint16), ValueError, "weights: expected an odd number of weights, got 0"),
        (np.array([1024, 2048, 1023], np.uint16), ValueError, "weights: expected weights that sum to 4096, got 4095"),
        (np.full(17, 65535, np.uint16), ValueError, "weights: expected weights that sum to 4096, got 1114095"),
        (np.array([61440, 4096, 4096], np.uint16), ValueError, "weights: expected weights that sum to 4096, got 69632"),
    ],
)
def test_weights_that_are_refused(kernels: ModuleType, weights: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as info:
        kernels.alpha(masks("#."), Placement((1, 2), (1, 2), (0, 0), (1, 2)), weights)
    assert str(info.value) == message


def test_weights_of_any_layout(kernels: ModuleType) -> None:
    placement = Placement((2, 4), (3, 7), (-1, 0), (4, 5))
    some, weights = masks(".##./##.."), random_weights(1, 3)
    expected = kernels.alpha(some, placement, weights)
    for layout in LAYOUTS:
        np.testing.assert_array_equal(kernels.alpha(some, placement, layout(weights)), expected)


def test_alpha_refuses_another_input_size(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^placement: expected input_size \(1, 2\) as masks has, got \(2, 1\)$"):
        kernels.alpha(masks("#."), Placement((2, 1), (1, 2), (0, 0), (1, 2)), SMALL)
    with pytest.raises(TypeError, match=r"^masks: expected RleMasks, got NoneType$"):
        kernels.alpha(None, Placement((2, 1), (1, 2), (0, 0), (1, 2)), SMALL)


# -- blend -------------------------------------------------------------------------------------------------------


def test_blend_of_every_pair_of_bytes(kernels: ModuleType) -> None:
    """All 2^24 cases, a share at a time; 255 is odd, so the nearest whole number is never in doubt."""
    source, target = (each.astype(np.uint8) for each in np.mgrid[0:256, 0:256][:, :, 1:])
    shares = range(256) if "functional" in kernels.__name__ else (0, 1, 2, 77, 127, 128, 200, 253, 254, 255)
    for a in shares:
        expected = np.rint((source.astype(np.float64) * a + target.astype(np.float64) * (255 - a)) / 255)
        found = kernels.blend(source, target, np.full(source.shape, a, np.uint8))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_blend_of_fractions(kernels: ModuleType, dtype: Any, channels: int | None) -> None:
    shape = (5, 9) if channels is None else (5, 9, channels)
    source, target = pixels(1, shape, dtype), pixels(2, shape, dtype)
    alpha = pixels(3, shape[:2], np.uint8)
    alpha[0, 0], alpha[0, 1] = 0, 255
    found = kernels.blend(source, target, alpha)
    assert found.dtype == dtype
    assert found.shape == shape
    for where in np.ndindex(shape):
        a = int(alpha[where[:2]])
        exact = (Fraction(source[where].item()) * a + Fraction(target[where].item()) * (255 - a)) / 255
        if dtype == np.float32:
            assert found[where] == np.float32(float(exact))
        else:
            assert found[where] == round(exact)


@pytest.mark.parametrize("dtype", DTYPES)
def test_blending_equal_values_changes_nothing(kernels: ModuleType, dtype: Any) -> None:
    image = pixels(5, (256, 7), dtype)
    alpha = np.repeat(np.arange(256, dtype=np.uint8)[:, np.newaxis], 7, axis=1)
    np.testing.assert_array_equal(kernels.blend(image, image, alpha), image)


def test_the_ends_copy(kernels: ModuleType) -> None:
    source, target = np.array([[-0.0, 1e-45, 3e38]], np.float32), np.array([[1.0, -0.0, -3e38]], np.float32)
    nothing, all_of_it = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)
    assert kernels.blend(source, target, nothing).tobytes() == target.tobytes()
    assert kernels.blend(source, target, all_of_it).tobytes() == source.tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [None, 3])
def test_blend_of_any_layout(kernels: ModuleType, layout: Any, dtype: Any, channels: int | None) -> None:
    shape = (6, 19) if channels is None else (6, 19, channels)
    source, target, alpha = pixels(1, shape, dtype), pixels(2, shape, dtype), pixels(3, shape[:2], np.uint8)
    expected = kernels.blend(source, target, alpha)
    given_arrays = layout(source), layout(target), layout(alpha)
    found = kernels.blend(*given_arrays)
    assert found.tobytes() == expected.tobytes()
    assert found.flags.c_contiguous
    assert not any(np.may_share_memory(found, each) for each in given_arrays)
    np.testing.assert_array_equal(given_arrays[1], target)


IMAGE = np.zeros((2, 3, 3), np.uint8)
ALPHA = np.zeros((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("source", "target", "alpha", "error", "message"),
    [
        ([], IMAGE, ALPHA, TypeError, "source: expected a NumPy array, got list"),
        (IMAGE, None, ALPHA, TypeError, "target: expected a NumPy array, got NoneType"),
        (IMAGE, IMAGE, 7, TypeError, "alpha: expected a NumPy array, got int"),
        (IMAGE.astype(int), IMAGE, ALPHA, TypeError, "source: expected dtype uint8, uint16 or float32, got int64"),
        (
            IMAGE,
            IMAGE[:, :, 0],
            ALPHA,
            ValueError,
            "target: expected shape (2, 3, 3) and dtype uint8 as in source, got (2, 3) and uint8",
        ),
        (
            IMAGE,
            IMAGE.astype(np.uint16),
            ALPHA,
            ValueError,
            "target: expected shape (2, 3, 3) and dtype uint8 as in source, got (2, 3, 3) and uint16",
        ),
        (IMAGE, IMAGE, ALPHA.T, ValueError, "alpha: expected shape (2, 3), got (3, 2)"),
        (IMAGE, IMAGE, IMAGE, ValueError, "alpha: expected shape (2, 3), got (2, 3, 3)"),
        (IMAGE, IMAGE, ALPHA.astype(np.float32), TypeError, "alpha: expected dtype uint8, got float32"),
        (IMAGE, IMAGE, ALPHA.astype(bool), TypeError, "alpha: expected dtype uint8, got bool"),
    ],
)
def test_blend_refuses(kernels: ModuleType, source: Any, target: Any, alpha: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as info:
        kernels.blend(source, target, alpha)
    assert str(info.value) == message

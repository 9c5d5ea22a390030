"""Positions and masks of a canvas, back on the image that was placed there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import Placement, RleMasks
from tests.fixtures.arrays import LAYOUTS
from tests.fixtures.ascii import dense, masks, pictures, rle
from tests.fixtures.strategies import dense_masks, placements, rle_masks, sizes

DOUBLED = Placement((2, 3), (4, 6), (-1, 2), (5, 7))
MIRRORED = Placement((2, 3), (4, 6), (-1, 2), (5, 7), hflip=True)


def test_positions_by_hand() -> None:
    # The image's corner x = 1, y = 0.5 lands at x = 2 * 1 + 2, y = 2 * 0.5 - 1.
    assert DOUBLED.to_input([[4.0, 0.0]]).tolist() == [[1.0, 0.5]]
    assert DOUBLED.to_input([[4.0, 0.0, 6.0, 1.0]]).tolist() == [[1.0, 0.5, 2.0, 1.0]]
    # Mirrored, x = 1 lies at 3 - 1, which lands at 2 * 2 + 2.
    assert MIRRORED.to_input([[6.0, 0.0]]).tolist() == [[1.0, 0.5]]
    assert MIRRORED.to_input([[4.0, 0.0, 6.0, 1.0]]).tolist() == [[1.0, 0.5, 2.0, 1.0]]
    assert DOUBLED.to_input([4, 0]).dtype == np.float64
    assert DOUBLED.to_input(np.array([4, 0], np.float32)).dtype == np.float32
    assert DOUBLED.to_input(np.zeros((0, 4), np.float32)).shape == (0, 4)
    assert DOUBLED.to_input(np.zeros((2, 5, 2))).shape == (2, 5, 2)


def test_keypoints_by_hand() -> None:
    points = np.array([[[4, 0, 2], [6, 1, 1], [0, 0, 0], [5, 5, 0]]], np.float32)
    assert DOUBLED.to_input(points).tolist() == [[[1, 0.5, 2], [2, 1, 1], [0, 0, 0], [5, 5, 0]]]
    assert MIRRORED.to_input(points, flip_pairs=[(0, 1)]).tolist() == [[[1, 1, 1], [2, 0.5, 2], [0, 0, 0], [5, 5, 0]]]
    assert MIRRORED.to_input(points, flip_pairs=()).tolist() == [[[2, 0.5, 2], [1, 1, 1], [0, 0, 0], [5, 5, 0]]]
    assert MIRRORED.to_input(points[:, :2, :2]).tolist() == [[[2, 0.5], [1, 1]]]  # points know no left and right


@pytest.mark.parametrize("layout", LAYOUTS)
@given(data=st.data())
def test_positions_that_were_moved_come_back(layout: Any, data: st.DataObject) -> None:
    placement = data.draw(placements(data.draw(sizes(1, 30))))
    h, w = placement.input_size
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    points = rng.uniform(-3, 30, (4, 2))
    moved = np.empty_like(points)
    for i, (x, y) in enumerate(points):
        mirrored = w - x if placement.hflip else x
        moved[i, 0] = mirrored * (placement.resized_size[1] / w) + placement.offset[1]
        moved[i, 1] = y * (placement.resized_size[0] / h) + placement.offset[0]
    # What float64 loses by a far offset.
    near = 1e-12 + 1e-15 * 2**31 * max(h / placement.resized_size[0], w / placement.resized_size[1])
    np.testing.assert_allclose(placement.to_input(layout(moved)), points, rtol=1e-12, atol=near * 10)
    boxes = np.concatenate([np.sort(points[:2], axis=0)[:1], np.sort(points[:2], axis=0)[1:]], axis=1)
    corners = np.sort(np.array([moved[:2].min(axis=0), moved[:2].max(axis=0)]), axis=0).reshape(1, 4)
    back = placement.to_input(layout(corners))
    np.testing.assert_allclose(back, boxes, rtol=1e-12, atol=near * 10)


def test_masks_by_hand() -> None:
    canvas = masks("..##.../..##.../......./......./.......")
    assert pictures(Placement((2, 3), (4, 6), (0, 2), (5, 7)).to_input(canvas)) == ["#../..."]
    assert pictures(Placement((2, 3), (4, 6), (0, 2), (5, 7), hflip=True).to_input(canvas)) == ["..#/..."]
    full = masks("#######/#######/#######/#######/#######")
    # Rows 0 and 1 of four, and columns 0 to 2 of six, were cropped.
    assert pictures(Placement((2, 3), (4, 6), (-2, -3), (5, 7)).to_input(full)) == [".../.##"]
    assert pictures(Placement((2, 3), (4, 6), (90, 0), (5, 7)).to_input(full)) == [".../..."]
    assert len(DOUBLED.to_input(RleMasks.empty((5, 7)))) == 0


@given(data=st.data())
def test_pixels_come_from_the_nearest(data: st.DataObject) -> None:
    placement = data.draw(placements(data.draw(sizes(1, 20))).filter(lambda each: max(each.resized_size) < 1000))
    found = data.draw(rle_masks(size=st.just(placement.canvas_size)))
    (h, w), (resized_h, resized_w) = placement.input_size, placement.resized_size
    canvas = dense(found)
    expected = np.zeros((len(found), h, w), np.uint8)
    for y in range(h):
        for x in range(w):
            row, column = ((2 * y + 1) * resized_h) // (2 * h), ((2 * x + 1) * resized_w) // (2 * w)
            if placement.hflip:
                column = resized_w - 1 - column
            row, column = row + placement.offset[0], column + placement.offset[1]
            if 0 <= row < placement.canvas_size[0] and 0 <= column < placement.canvas_size[1]:
                expected[:, y, x] = canvas[:, row, column]
    assert placement.to_input(found) == rle(expected)


@given(dense_masks=dense_masks(size=sizes(1, 12)), data=st.data())
def test_enlarged_masks_come_back_as_they_were(dense_masks: Any, data: st.DataObject) -> None:
    h, w = dense_masks.shape[1:]
    resized = (data.draw(st.integers(h, 40)), data.draw(st.integers(w, 40)))
    y, x = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    placement = Placement((h, w), resized, (y, x), (resized[0] + y, resized[1] + x + 3), data.draw(st.booleans()))
    found = rle(dense_masks)
    assert placement.to_input(found.place(placement)) == found


def test_far_and_huge_placements() -> None:
    huge = 2**31 - 1
    placement = Placement((2, 3), (huge, huge), (-huge // 2, -huge // 2), (5, 7))
    np.testing.assert_allclose(placement.to_input([[0.0, 0.0]]), [[1.5, 1.0]], rtol=1e-8)
    with pytest.raises(ValueError, match=r"^placed: expected masks of a placement whose image has at most 4294967295"):
        placement.to_input(RleMasks.empty((5, 7)))
    tall = Placement((2, 1), (huge, 2), (-huge // 2, 0), (5, 1))
    assert tall.to_input(masks("#/#/#/#/#")) == masks("./.")


@pytest.mark.parametrize(
    ("placed", "options", "error", "message"),
    [
        (RleMasks.empty((2, 3)), {}, ValueError, "placed: expected masks of size (5, 7) as the canvas has, got (2, 3)"),
        (np.zeros((2, 5)), {}, ValueError, "placed: expected shape (..., 4) or (..., 2) or (..., 3), got (2, 5)"),
        ([1, 2, 2], {"flip_pairs": ()}, ValueError, "placed: expected shape (..., 4), (..., 2) or (..., k, 3), got (3,)"),
        ([[np.inf, 0]], {}, ValueError, "placed: expected finite numbers, got NaN or infinity"),
        ("text", {}, ValueError, "placed: expected shape (..., 4) or (..., 2) or (..., 3), got ()"),
        ([["a", "b"]], {}, TypeError, "placed: expected float32, float64 or integers, got dtype <U1"),
        (np.zeros((1, 2, 3)), {}, ValueError, "flip_pairs: expected the pairs of points that a mirror image exchanges, () for none, got None"),
        (np.zeros((1, 2, 3)), {"flip_pairs": [(0, 2)]}, ValueError, "flip_pairs: expected numbers of points from 0 to 1, since keypoints have 2 each, got 2"),
    ],
)  # fmt: skip
def test_what_is_refused(placed: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        MIRRORED.to_input(placed, **options)
    assert str(caught.value) == message

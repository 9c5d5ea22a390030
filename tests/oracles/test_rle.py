"""Kernels on masks against pycocotools, drawn pictures and one-line truths on dense arrays."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco

from copypaste_rs import RleMasks
from tests.fixtures.arrays import LAYOUTS
from tests.fixtures.ascii import dense, draw, mask, masks, pictures, rle, stack
from tests.fixtures.strategies import dense_masks, rle_masks, sizes
from tests.oracles.coco_truth import coco_encode

HUGE = (65536, 65535)
HUGE_PIXELS = 65536 * 65535


# -- encode and decode -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picture", "counts"),
    [
        (".#./#..", [1, 2, 3]),
        ("###/###", [0, 6]),
        (".../...", [6]),
        ("#../..#", [0, 1, 4, 1]),
        ("#.#", [0, 1, 1, 1]),
        (".#/#./##", [1, 3, 1, 1]),
    ],
)
def test_runs_of_pictures(kernels: ModuleType, picture: str, counts: list[int]) -> None:
    found = kernels.encode(mask(picture)[np.newaxis])
    assert found.counts.tolist() == counts
    assert found.counts.dtype == np.uint32
    assert found.offsets.tolist() == [0, len(counts)]
    assert found.offsets.dtype == np.int64
    assert draw(kernels.decode(found)[0]) == picture


@given(pixels=dense_masks())
def test_encode_groups_equal_pixels(kernels: ModuleType, pixels: NDArray[np.uint8]) -> None:
    assert kernels.encode(pixels) == rle(pixels)


@given(pixels=dense_masks())
def test_decode_gives_back_what_was_encoded(kernels: ModuleType, pixels: NDArray[np.uint8]) -> None:
    found = kernels.decode(rle(pixels))
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.uint8, np.bool_])
def test_encode_reads_any_layout(kernels: ModuleType, layout: Any, dtype: Any) -> None:
    pixels = stack("..##./#.#../##..#", "#####/...../#.#.#")
    before = pixels.copy()
    assert kernels.encode(layout(pixels.astype(dtype))) == rle(pixels)
    np.testing.assert_array_equal(pixels, before)


def test_encode_takes_any_value_but_zero_for_set(kernels: ModuleType) -> None:
    found = kernels.encode(np.array([[[0, 1, 2], [255, 2, 1]]], np.uint8))
    assert pictures(found) == [".##/###"]


def test_decode_into_a_given_array(kernels: ModuleType) -> None:
    out = np.full((2, 2, 3), 77, np.uint8)
    assert kernels.decode(masks(".#./#..", "##./..#"), out) is out
    np.testing.assert_array_equal(out, stack(".#./#..", "##./..#"))


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ([], TypeError, "out: expected a NumPy array, got list"),
        (np.zeros((2, 3), np.uint8), ValueError, "out: expected shape (1, 2, 3) and dtype uint8, got (2, 3) and '|u1'"),
        (np.zeros((1, 3, 2), np.uint8), ValueError, "out: expected shape (1, 2, 3) and dtype uint8, got (1, 3, 2) and '|u1'"),
        (np.zeros((1, 2, 3), np.int8), ValueError, "out: expected shape (1, 2, 3) and dtype uint8, got (1, 2, 3) and '|i1'"),
    ],
)  # fmt: skip
def test_decode_refuses_an_array_that_does_not_fit(kernels: ModuleType, out: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as info:
        kernels.decode(masks(".#./#.."), out)
    assert str(info.value) == message


@pytest.mark.parametrize(
    "out",
    [np.zeros((1, 2, 6), np.uint8)[..., ::2], np.zeros((1, 3, 2), np.uint8).transpose(0, 2, 1), np.zeros((1, 2, 3), np.uint8)],
)  # fmt: skip
def test_decode_refuses_an_array_it_cannot_fill(kernels: ModuleType, out: NDArray[np.uint8]) -> None:
    if out.flags.c_contiguous:
        out.flags.writeable = False
    with pytest.raises(ValueError, match=r"^out: expected a C-contiguous, writable array"):
        kernels.decode(masks(".#./#.."), out)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([[[0, 1]]], TypeError, "dense: expected a NumPy array, got list"),
        (np.zeros((1, 2, 3), np.int64), TypeError, "dense: expected dtype uint8 or bool, got int64"),
        (np.zeros((1, 2, 3), np.float32), TypeError, "dense: expected dtype uint8 or bool, got float32"),
        (np.zeros((2, 3), np.uint8), ValueError, "dense: expected shape (n, h, w), got (2, 3)"),
        (
            np.broadcast_to(np.uint8(0), (1, 65536, 65536)),
            ValueError,
            "dense.shape[1:]: expected at most 4294967295 pixels, got (65536, 65536)",
        ),
    ],
)
def test_encode_refuses(kernels: ModuleType, value: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as info:
        kernels.encode(value)
    assert str(info.value) == message


# -- area and boxes ----------------------------------------------------------------------------------------------


@given(pixels=dense_masks(size=sizes(1, 15)))
def test_area_and_boxes_are_those_of_pycocotools(kernels: ModuleType, pixels: NDArray[np.uint8]) -> None:
    objects = coco_encode(pixels)
    area, boxes = kernels.area(rle(pixels)), kernels.boxes(rle(pixels))
    assert area.dtype == np.int64
    assert boxes.dtype == np.float32
    assert boxes.shape == (len(pixels), 4)
    np.testing.assert_array_equal(area, coco.area(objects) if objects else [])
    for box, each in zip(boxes, objects, strict=True):
        x, y, w, h = coco.toBbox(each)
        np.testing.assert_array_equal(box, [x, y, x + w, y + h])


@given(pixels=dense_masks())
def test_area_and_boxes_from_pixels(kernels: ModuleType, pixels: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(kernels.area(rle(pixels)), pixels.sum(axis=(1, 2), dtype=np.int64))
    for box, each in zip(kernels.boxes(rle(pixels)).tolist(), pixels, strict=True):
        ys, xs = np.nonzero(each)
        assert box == ([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1] if len(xs) else [0, 0, 0, 0])


@pytest.mark.parametrize(
    ("picture", "box"),
    [
        ("...../...../.....", [0, 0, 0, 0]),
        ("...../..##./.....", [2, 1, 4, 2]),
        ("..#../...../#....", [0, 0, 3, 3]),
        ("...../#..../#....", [0, 1, 1, 3]),
        (".#.../...../..#..", [1, 0, 3, 3]),
        # One run that goes on at the top of the next column.
        ("..#../...../.#...", [1, 0, 3, 3]),
        ("....#/...../.....", [4, 0, 5, 1]),
        ("...../...../....#", [4, 2, 5, 3]),
        ("#####/#####/#####", [0, 0, 5, 3]),
    ],
)
def test_boxes_of_pictures(kernels: ModuleType, picture: str, box: list[int]) -> None:
    assert kernels.boxes(masks(picture)).tolist() == [box]


def test_a_run_of_two_pixels_over_the_column_border_spans_the_height(kernels: ModuleType) -> None:
    found = kernels.boxes(RleMasks((3, 5), [5, 2, 8], [0, 3]))
    assert found.tolist() == [[1, 0, 3, 3]]


# -- algebra -----------------------------------------------------------------------------------------------------


@given(pixels=dense_masks(st.integers(1, 5), sizes(1, 12)))
def test_union_and_intersection_are_those_of_pycocotools(kernels: ModuleType, pixels: NDArray[np.uint8]) -> None:
    objects = coco_encode(pixels)
    for name, intersect in (("union", False), ("intersection", True)):
        found = getattr(kernels, name)(rle(pixels))
        np.testing.assert_array_equal(dense(found)[0], coco.decode(coco.merge(objects, intersect=intersect)))


@given(pixels=dense_masks(st.integers(1, 5)))
def test_union_and_intersection_of_pixels(kernels: ModuleType, pixels: NDArray[np.uint8]) -> None:
    assert kernels.union(rle(pixels)) == rle(pixels.any(axis=0)[np.newaxis])
    assert kernels.intersection(rle(pixels)) == rle(pixels.all(axis=0)[np.newaxis])


def test_union_of_none_is_empty(kernels: ModuleType) -> None:
    assert kernels.union(RleMasks.empty((2, 3))) == RleMasks((2, 3), [6], [0, 1])


def test_intersection_of_none_is_refused(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^masks: expected at least one mask to intersect, got none$"):
        kernels.intersection(RleMasks.empty((2, 3)))


@given(data=st.data())
def test_difference_of_pixels(kernels: ModuleType, data: st.DataObject) -> None:
    size = data.draw(sizes())
    n = data.draw(st.integers(0, 4))
    mine = data.draw(dense_masks(st.just(n), st.just(size)))
    theirs = data.draw(dense_masks(st.sampled_from([1, n]), st.just(size)))
    assert kernels.difference(rle(mine), rle(theirs)) == rle(mine & (1 - theirs))


def test_difference_of_pictures(kernels: ModuleType) -> None:
    both = masks("###./###.", ".###/....")
    assert pictures(kernels.difference(both, masks("..##/#..."))) == ["##../.##.", ".#../...."]
    assert pictures(kernels.difference(both, masks("..##/#...", "...#/####"))) == ["##../.##.", ".##./...."]


@given(data=st.data())
def test_iou_is_that_of_pycocotools(kernels: ModuleType, data: st.DataObject) -> None:
    size = data.draw(sizes(1, 12))
    rows = data.draw(dense_masks(st.integers(1, 4), st.just(size)))
    columns = data.draw(dense_masks(st.integers(1, 4), st.just(size)))
    crowd = data.draw(st.lists(st.booleans(), min_size=len(columns), max_size=len(columns)))
    found = kernels.iou(rle(rows), rle(columns), crowd)
    assert found.dtype == np.float64
    expected = coco.iou(coco_encode(rows), coco_encode(columns), [int(each) for each in crowd])
    np.testing.assert_array_equal(found, expected)
    expected = coco.iou(coco_encode(rows), coco_encode(columns), [0] * len(columns))
    np.testing.assert_array_equal(kernels.iou(rle(rows), rle(columns)), expected)


def test_iou_by_hand(kernels: ModuleType) -> None:
    rows, columns = masks("##../##..", "..../...."), masks(".##./.##.", "####/####", "..../....")
    np.testing.assert_array_equal(kernels.iou(rows, columns), [[2 / 6, 4 / 8, 0], [0, 0, 0]])
    # A crowd divides by the area of the row's mask.
    np.testing.assert_array_equal(kernels.iou(rows, columns, [True, 1, 0]), [[2 / 4, 4 / 4, 0], [0, 0, 0]])
    flags = np.array([0, 1, 0], np.int32)
    np.testing.assert_array_equal(kernels.iou(rows, columns, flags), [[2 / 6, 4 / 4, 0], [0, 0, 0]])


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (2, 0)])
def test_iou_of_none(kernels: ModuleType, n: int, m: int) -> None:
    some = masks("##../##..", "..../....", "#..#/....")
    assert kernels.iou(some[:n], some[:m]).shape == (n, m)
    assert kernels.iou(some[:n], some[:m], [False] * m).shape == (n, m)


# -- what nothing may stumble over -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(0, 3), (4, 0), (0, 0)])
def test_masks_without_pixels(kernels: ModuleType, size: tuple[int, int]) -> None:
    pixels = np.zeros((2, *size), np.uint8)
    found = kernels.encode(pixels)
    assert found == RleMasks(size, [0, 0], [0, 1, 2])
    assert kernels.decode(found).shape == (2, *size)
    assert kernels.area(found).tolist() == [0, 0]
    assert kernels.boxes(found).tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert kernels.union(found) == kernels.intersection(found) == found[0]
    assert kernels.difference(found, found[0]) == found
    assert kernels.iou(found, found).tolist() == [[0, 0], [0, 0]]


def test_no_masks_at_all(kernels: ModuleType) -> None:
    none = RleMasks.empty((2, 3))
    assert kernels.encode(np.zeros((0, 2, 3), np.uint8)) == none
    assert kernels.decode(none).shape == (0, 2, 3)
    assert kernels.area(none).shape == (0,)
    assert kernels.boxes(none).shape == (0, 4)
    assert kernels.difference(none, none) == none
    assert kernels.difference(none, masks("#../...")) == none


def test_runs_of_zero_in_any_place(kernels: ModuleType) -> None:
    split = RleMasks((2, 3), [1, 1, 0, 1, 3, 0, 0, 0, 6, 0], [0, 5, 10])
    assert kernels.area(split).tolist() == [2, 6]
    assert pictures(split) == [".#./#..", "###/###"]
    assert kernels.union(split) == masks("###/###")


def test_masks_of_billions_of_pixels(kernels: ModuleType) -> None:
    full = RleMasks(HUGE, [0, HUGE_PIXELS], [0, 2])
    empty = RleMasks(HUGE, [HUGE_PIXELS], [0, 1])
    # The last pixel but one, and the last.
    corner = RleMasks(HUGE, [HUGE_PIXELS - 2, 1, 1, HUGE_PIXELS - 1, 1], [0, 3, 5])
    assert kernels.area(full).tolist() == [HUGE_PIXELS]
    assert kernels.area(corner).tolist() == [1, 1]
    assert kernels.boxes(full).tolist() == [[0, 0, 65535, 65536]]
    assert kernels.boxes(corner).tolist() == [[65534, 65534, 65535, 65535], [65534, 65535, 65535, 65536]]
    assert kernels.union(RleMasks.concat([full, empty, corner])) == full
    assert kernels.intersection(RleMasks.concat([full, corner[0]])) == corner[0]
    assert kernels.difference(full, corner[1]) == RleMasks(HUGE, [0, HUGE_PIXELS - 1, 1], [0, 3])
    np.testing.assert_array_equal(kernels.iou(full, corner), [[1 / HUGE_PIXELS, 1 / HUGE_PIXELS]])
    np.testing.assert_array_equal(kernels.iou(full, full), [[1.0]])


def test_the_largest_sides(kernels: ModuleType) -> None:
    row = RleMasks((1, 2**32 - 1), [2**32 - 3, 2], [0, 2])
    column = RleMasks((2**32 - 1, 1), [2**29, 2**31, 2**32 - 1 - 2**29 - 2**31], [0, 3])
    assert kernels.area(row).tolist() == [2]
    assert kernels.area(column).tolist() == [2**31]
    np.testing.assert_array_equal(kernels.boxes(row), np.array([[2**32 - 3, 0, 2**32 - 1, 1]], np.float32))
    np.testing.assert_array_equal(kernels.boxes(column), np.array([[0, 2**29, 1, 2**29 + 2**31]], np.float32))


@pytest.mark.parametrize("name", ["decode", "area", "boxes", "union", "intersection", "format_counts"])
def test_one_mask_argument_of_another_type(kernels: ModuleType, name: str) -> None:
    with pytest.raises(TypeError) as info:
        getattr(kernels, name)([[0, 6]])
    assert str(info.value) == "masks: expected RleMasks, got list"


@pytest.mark.parametrize("name", ["difference", "iou"])
def test_two_mask_arguments_that_do_not_fit(kernels: ModuleType, name: str) -> None:
    kernel = getattr(kernels, name)
    here, there = masks("#../..."), masks("#./../..")
    cases: list[tuple[Any, Any, Any, str]] = [
        (None, here, TypeError, "masks: expected RleMasks, got NoneType"),
        (here, {"size": [2, 3]}, TypeError, "other: expected RleMasks, got dict"),
        (here, there, ValueError, "other: expected masks of size (2, 3), got (3, 2)"),
    ]
    for mine, other, error, message in cases:
        with pytest.raises(error) as info:
            kernel(mine, other)
        assert str(info.value) == message


def test_difference_refuses_another_number(kernels: ModuleType) -> None:
    three = masks("#../...", ".../...", "###/###")
    with pytest.raises(ValueError, match=r"^other: expected one mask or 3, as many as in masks, got 2$"):
        kernels.difference(three, three[:2])
    with pytest.raises(ValueError, match=r"^other: expected one mask or 3, as many as in masks, got 0$"):
        kernels.difference(three, three[:0])


@pytest.mark.parametrize(
    ("iscrowd", "error", "message"),
    [
        ([0], ValueError, "iscrowd: expected shape (2,), got (1,)"),
        (1, ValueError, "iscrowd: expected shape (2,), got ()"),
        ([[0, 1]], ValueError, "iscrowd: expected shape (2,), got (1, 2)"),
        ([0.0, 1.0], TypeError, "iscrowd: expected bools, got dtype float64"),
        ([0, 2], ValueError, "iscrowd: expected 0 and 1 or bools, got another number"),
    ],
)
def test_iou_refuses_crowd_flags(kernels: ModuleType, iscrowd: Any, error: Any, message: str) -> None:
    two = masks("#../...", ".../...")
    with pytest.raises(error) as info:
        kernels.iou(two, two, iscrowd)
    assert str(info.value) == message


@given(found=rle_masks())
def test_results_are_canonical_and_their_own(kernels: ModuleType, found: RleMasks) -> None:
    for made in (kernels.union(found), kernels.difference(found, kernels.union(found))):
        again = RleMasks(made.size, made.counts, made.offsets)
        assert made == again
        assert made.counts.dtype == np.uint32
        assert made.offsets.dtype == np.int64
        assert not np.may_share_memory(made.counts, found.counts)


def test_real_masks(kernels: ModuleType, test_data: Path) -> None:
    video = json.loads((test_data / "results" / "sav_000001_manual.json").read_text())
    objects = [each for frame in video["masklet"][::10] for each in frame]
    size = tuple(objects[0]["size"])
    found = kernels.parse_counts([each["counts"] for each in objects], size)
    np.testing.assert_array_equal(kernels.area(found), [coco.area(each) for each in objects])
    x, y, w, h = np.array([coco.toBbox(each) for each in objects]).T
    np.testing.assert_array_equal(kernels.boxes(found), np.stack([x, y, x + w, y + h], axis=1))
    np.testing.assert_array_equal(kernels.iou(found[:9], found[9:20]), coco.iou(objects[:9], objects[9:20], [0] * 11))
    np.testing.assert_array_equal(kernels.decode(kernels.union(found))[0], coco.decode(coco.merge(objects)))

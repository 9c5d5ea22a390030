"""Masks as one array of a model, against plain loops."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Placement, RleMasks


def test_label_maps_number_the_last_mask(kernels: ModuleType) -> None:
    rng = np.random.default_rng(5)
    for n, h, w in ((0, 3, 4), (1, 1, 1), (3, 5, 130), (9, 33, 7), (4, 0, 5)):
        dense = rng.random((n, h, w)) < 0.4
        masks = RleMasks.from_dense(dense)
        expected = np.zeros((h, w), np.int32)
        for y in range(h):
            for x in range(w):
                expected[y, x] = max((i + 1 for i in range(n) if dense[i, y, x]), default=0)
        found = kernels.label_map(masks)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(masks.to_label_map(), expected)
        out = np.full((h, w), -1, np.int32)
        assert kernels.label_map(masks, out) is out
        np.testing.assert_array_equal(out, expected)
    with pytest.raises(ValueError, match=r"out: expected shape \(4, 5\) and dtype int32"):
        kernels.label_map(RleMasks.empty((4, 5)), np.zeros((4, 5), np.int64))


@pytest.mark.parametrize("order", ["rows", "area"])
@pytest.mark.parametrize("stride", [1, 2, 3, 4, 7, 2**31 - 1])
def test_order_and_stride(kernels: ModuleType, order: str, stride: int) -> None:
    rng = np.random.default_rng(6)
    for n, h, w in ((0, 3, 4), (1, 1, 1), (4, 5, 130), (9, 33, 7), (4, 0, 5), (3, 12, 16)):
        dense = rng.random((n, h, w)) < rng.choice([0.1, 0.5, 0.5, 0.9], n)[:, None, None]
        if n > 3:
            dense[3] = dense[2, ::-1]  # as large as the one before
        expected: list[list[int]] = []
        for y in (y for y in range(h) if y % stride == stride // 2):
            expected.append([])
            for x in (x for x in range(w) if x % stride == stride // 2):
                there = [i for i in range(n) if dense[i, y, x]]
                if order == "area":
                    smallest = min((int(dense[i].sum()) for i in there), default=0)
                    there = [i for i in there if dense[i].sum() == smallest]
                expected[-1].append(max(there, default=-1) + 1)
        width = len(range(stride // 2, w, stride))
        masks = RleMasks.from_dense(dense)
        found = kernels.label_map(masks, order=order, stride=stride)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, np.reshape(expected, (len(expected), width)))
        np.testing.assert_array_equal(masks.to_label_map(order=order, stride=stride), found)
        out = np.full(found.shape, -1, np.int32)
        assert kernels.label_map(masks, out, order=order, stride=stride) is out
        np.testing.assert_array_equal(out, found)


def test_a_stride_takes_the_pixels_that_resizing_takes(kernels: ModuleType) -> None:
    masks = RleMasks.from_dense(np.random.default_rng(2).random((3, 24, 36)) < 0.4)
    for stride in (2, 3, 4, 6):
        small = (24 // stride, 36 // stride)
        resized = masks.place(Placement((24, 36), small, (0, 0), small))
        np.testing.assert_array_equal(kernels.label_map(masks, stride=stride), resized.to_label_map())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"order": "size"}, ValueError, "order: expected one of 'rows', 'area', got 'size'"),
        ({"order": None}, TypeError, "order: expected one of 'rows', 'area', got None"),
        ({"stride": 0}, ValueError, "stride: expected an integer from 1 to 2147483647, got 0"),
        ({"stride": 2.0}, TypeError, "stride: expected an integer, got 2.0"),
        ({"stride": 2, "out": np.zeros((4, 5), np.int32)}, ValueError, "out: expected shape (2, 2) and dtype int32, got (4, 5) and '<i4'"),
    ],
)  # fmt: skip
def test_options_that_are_none(kernels: ModuleType, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        kernels.label_map(RleMasks.empty((4, 5)), **options)
    assert str(caught.value) == message


def test_masks_are_decoded_into_bools(kernels: ModuleType) -> None:
    dense = np.random.default_rng(1).random((3, 8, 9)) < 0.5
    out = np.ones((3, 8, 9), np.bool_)
    assert kernels.decode(RleMasks.from_dense(dense), out) is out
    np.testing.assert_array_equal(out, dense)

"""Masks of label maps, against masks drawn one number at a time."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.fixtures.arrays import LAYOUTS
from tests.fixtures.ascii import dense, pictures, rle

DTYPES = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.longlong, np.ulonglong]


def test_a_map_by_hand(kernels: ModuleType) -> None:
    labels = np.array([[0, 7, 7], [3, 3, 7]], np.int32)
    masks, ids = kernels.from_label_map(labels)
    assert ids.tolist() == [3, 7]
    assert pictures(masks) == [".../##.", ".##/..#"]
    masks, ids = kernels.from_label_map(labels, background=None)
    assert ids.tolist() == [0, 3, 7]
    assert pictures(masks) == ["#../...", ".../##.", ".##/..#"]
    assert kernels.from_label_map(labels, background=7)[1].tolist() == [0, 3]
    assert kernels.from_label_map(labels, background=99)[1].tolist() == [0, 3, 7]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_number_is_a_mask(kernels: ModuleType, dtype: Any, layout: Any) -> None:
    rng = np.random.default_rng(8)
    limits = np.iinfo(dtype)
    for h, w in ((0, 0), (0, 3), (4, 0), (1, 1), (5, 130), (33, 7), (1, 9), (9, 1)):
        few = np.array([0, 1, 5, limits.max, limits.min], dtype)
        labels = few[rng.integers(0, 5, (h, w)) * (rng.random((h, w)) < 0.4)]
        before = labels.copy()
        for background in (0, None, 1, int(limits.max), int(limits.min)):
            numbers = sorted({int(each) for each in labels.ravel()} - {background})
            expected = [[[int(value) == number for value in row] for row in labels] for number in numbers]
            masks, ids = kernels.from_label_map(layout(labels), background=background)
            assert ids.dtype == dtype
            assert ids.tolist() == numbers
            assert masks == rle(np.array(expected, np.bool_).reshape(len(numbers), h, w))
        np.testing.assert_array_equal(labels, before)


def test_as_many_numbers_as_pixels(kernels: ModuleType) -> None:
    labels = np.random.default_rng(3).permutation(7 * 40).astype(np.int16).reshape(7, 40) - 100
    masks, ids = kernels.from_label_map(labels, background=None)
    assert ids.tolist() == list(range(-100, 180))
    found = dense(masks)
    assert all(found[i][labels == number].all() and found[i].sum() == 1 for i, number in enumerate(ids.tolist()))


def test_a_read_only_map_and_one_at_odd_addresses(kernels: ModuleType) -> None:
    labels = np.array([[0, 2, 2], [1, 1, 2]], np.int32)
    expected = kernels.from_label_map(labels)
    labels.flags.writeable = False
    odd = np.zeros(labels.nbytes + 1, np.uint8)[1:].view(np.int32).reshape(labels.shape)
    odd[...] = labels
    for each in (labels, odd):
        masks, ids = kernels.from_label_map(each)
        assert masks == expected[0]
        assert ids.tolist() == expected[1].tolist()
        assert not np.may_share_memory(ids, each)


@pytest.mark.parametrize(
    ("value", "background", "error", "message"),
    [
        ([[0, 1]], 0, TypeError, "array: expected a NumPy array, got list"),
        (np.zeros((2, 3)), 0, TypeError, "array: expected an integer dtype, got float64"),
        (np.zeros((2, 3), bool), 0, TypeError, "array: expected an integer dtype; RleMasks.from_dense takes bools, got bool"),
        (np.zeros((2, 3), ">i4"), 0, TypeError, "array: expected the machine's byte order, got dtype '>i4'"),
        (np.zeros((1, 2, 3), np.uint8), 0, ValueError, "array: expected shape (h, w), got (1, 2, 3)"),
        (np.broadcast_to(np.uint8(0), (65536, 65536)), 0, ValueError, "array.shape: expected at most 4294967295 pixels, got (65536, 65536)"),
        (np.zeros((2, 3), np.uint8), 0.0, TypeError, "background: expected an integer, got 0.0"),
        (np.zeros((2, 3), np.uint8), False, TypeError, "background: expected an integer, got False"),
        (np.zeros((2, 3), np.uint8), 2**64, ValueError, f"background: expected an integer from {-2**63} to {2**64 - 1}, got {2**64}"),
    ],
)  # fmt: skip
def test_what_is_no_label_map_is_refused(
    kernels: ModuleType, value: Any, background: Any, error: Any, message: str
) -> None:
    with pytest.raises(error) as caught:
        kernels.from_label_map(value, background=background)
    assert str(caught.value) == message

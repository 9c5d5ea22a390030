"""Masks as one array of a model, against plain loops."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from copypaste_rs import RleMasks


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


def test_masks_are_decoded_into_bools(kernels: ModuleType) -> None:
    dense = np.random.default_rng(1).random((3, 8, 9)) < 0.5
    out = np.ones((3, 8, 9), np.bool_)
    assert kernels.decode(RleMasks.from_dense(dense), out) is out
    np.testing.assert_array_equal(out, dense)

"""Flat arrays of pieces, and their order."""

from __future__ import annotations

import numpy as np
import pytest

from copypaste_rs._ragged import stable_order


@pytest.mark.parametrize("most", [1, 2, 300, 2**16 - 1, 2**16, 2**16 + 1, 2**31, 2**33, 2**62])
@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_the_order_is_stable(most: int, n: int) -> None:
    numbers = np.random.default_rng(most % 1000 + n).integers(0, most, n, dtype=np.int64)
    numbers[n // 2 :] = numbers[: n - n // 2]  # each twice
    expected = sorted(range(n), key=numbers.tolist().__getitem__)
    assert stable_order(numbers).tolist() == expected

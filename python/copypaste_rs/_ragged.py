"""Ragged arrays: pieces of differing length, one after the other in a flat array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def offsets_of(lengths: Sequence[int] | NDArray[Any]) -> NDArray[np.int64]:
    """Offsets of n pieces of the given lengths, shape (n + 1,): where each begins, and where the last ends."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def picked(first: NDArray[np.int64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the elements of some pieces, which begin at `first`, and the offsets of these pieces then."""
    offsets = offsets_of(lengths)
    return np.repeat(first - offsets[:-1], lengths) + np.arange(offsets[-1]), offsets


def stable_order(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices that sort whole numbers from 0 on, equal ones in the order in which they stand."""
    # NumPy sorts 16 bits by counting, several times as fast as wider ones.
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    for shift in range(16, int(numbers.max(initial=0)).bit_length(), 16):
        order = order[np.argsort((numbers >> shift).astype(np.uint16)[order], kind="stable")]
    return order

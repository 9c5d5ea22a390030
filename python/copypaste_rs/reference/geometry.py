"""Geometry of one axis: which canvas positions an image reaches, and from where in it they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def landing(offset: int, resized: int, canvas: int) -> tuple[slice, NDArray[np.int64]]:
    """Canvas positions along one axis that the resized image reaches, and its samples that land there."""
    start = min(max(offset, 0), canvas)
    stop = min(max(offset + resized, start), canvas)
    return slice(start, stop), np.arange(start - offset, stop - offset, dtype=np.int64)


def nearest_on_canvas(offset: int, resized: int, canvas: int) -> tuple[slice, NDArray[np.int64]]:
    """Canvas positions along one axis, all of them, and the sample of the resized image that is nearest to each."""
    return slice(0, canvas), np.arange(-offset, canvas - offset, dtype=np.int64).clip(0, resized - 1)


def nearest_sample(i: NDArray[np.int64], n_in: int, n_out: int) -> NDArray[np.int64]:
    """The input samples nearest to resized samples `i`."""
    return ((2 * i + 1) * n_in) // (2 * n_out)


def first_resized(k: NDArray[np.int64], n_in: int, n_out: int) -> NDArray[np.int64]:
    """The first resized samples whose nearest input sample is `k` or a later one; `k` lies in 0..n_in."""
    return (2 * n_out * k + n_in - 1) // (2 * n_in)

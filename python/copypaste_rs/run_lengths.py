"""Run lengths as they are given: checked, and made canonical."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._ragged import offsets_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks import Place


def integers(name: Place, values: ArrayLike, high: int) -> NDArray[Any]:
    """`values` as a one-dimensional array of integers from 0 to `high`."""
    array = _checks.converted(name, values, "a one-dimensional array")
    if array.ndim != 1:
        raise wrong(name, "a one-dimensional array", f"shape {array.shape}")
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise wrong_type(name, "integers", f"dtype {array.dtype}")
    if array.min() < 0 or array.max() > high:
        raise wrong(name, f"numbers from 0 to {high}", f"{array.min()} to {array.max()}")
    return array


def canonical(
    size: tuple[int, int], counts: NDArray[np.uint32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Check that the runs of every mask fill it, and merge what a run of zero splits."""
    pixels = size[0] * size[1]
    total = np.zeros(len(counts) + 1, np.uint64)
    np.cumsum(counts, out=total[1:])
    sums = np.diff(total[offsets])
    unequal = np.flatnonzero(sums != pixels)
    if len(unequal):
        i = unequal[0]
        raise wrong("counts", f"counts of mask {i} that sum to {pixels} for size {size}", str(sums[i]))
    zero = counts == 0
    zero[offsets[:-1][offsets[:-1] < len(counts)]] = False
    if pixels > 0 and not zero.any():
        return counts, offsets
    runs = [_merge_zero_runs(counts[a:b], pixels) for a, b in itertools.pairwise(offsets)]
    merged = np.concatenate([*runs, np.zeros(0, np.int64)]).astype(np.uint32)
    return merged, offsets_of(np.array([len(run) for run in runs], np.int64))


def _merge_zero_runs(runs: NDArray[np.uint32], pixels: int) -> NDArray[np.int64]:
    # A mask is the sorted pixels at which it changes; a pixel named twice does not change at all.
    toggles, times = np.unique(np.cumsum(runs[:-1], dtype=np.int64), return_counts=True)
    toggles = toggles[(times % 2 == 1) & (toggles < pixels)]
    merged: NDArray[np.int64] = np.diff(toggles, prepend=0, append=pixels)
    return merged


def coco_counts(name: Place, item: Mapping[str, Any], size: tuple[int, int]) -> Any:
    """Counts of a COCO dict for masks of a size: bytes, str, or what should be a sequence of integers."""
    if not isinstance(item, Mapping) or "counts" not in item or "size" not in item:
        raise wrong_type(name, "a dict with 'size' and 'counts'", type(item).__name__)
    place = _checks.item(name, "size")
    if (given := _checks.size(place, item["size"], 0, _checks.MAX_PIXELS)) != size:
        raise wrong(place, str(size), str(given))
    counts = item["counts"]
    # Before anything is taken for a sequence of numbers: bytes are one too.
    return bytes(counts) if isinstance(counts, bytearray | memoryview) else counts

"""Memory that large results lie in: what nobody refers to any more is used again for the next ones.

The system clears each page of memory that is new to the process. Where other code of a loop allocates large arrays
between two calls, or the allocator gives freed memory back, that would be every page of every result.
"""

from __future__ import annotations

import functools
import os
import sys
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs._core import ResultMemory

VARIABLE = "COPYPASTE_RS_POOL"
"""Environment variable: the most bytes that are kept; 0 keeps none."""

BOUND = 256 << 20
"""Bytes that are kept at most where the environment does not say: the dense masks of a few large images."""

IDLE = 30.0
"""Seconds after which a piece that was not lent again is let go, at the next call."""

LEAST = 64 << 10
"""Bytes of the smallest result that lies there: lending takes a microsecond, which smaller ones would notice."""

BYTES = np.dtype(np.uint8)
"""Dtype of most results."""


def bound() -> int:
    """Bytes that are kept at most, as the environment says.

    Raises
    ------
    ValueError
        When it says something else than a number.
    """
    text = os.environ.get(VARIABLE, "")
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(f"{VARIABLE}: expected a number of bytes, 0 or more, got {text!r}")
    # Without a GIL nobody can say for certain that an array is not referred to.
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return 0
    return min(int(text), sys.maxsize) if text else BOUND


MOST = bound()
"""Bytes that this process keeps at most."""


@functools.cache
def memory() -> ResultMemory | None:
    """Memory of this process, of which a child made by fork has nothing; None where the extension is not there."""
    try:
        from copypaste_rs import _core
    except ImportError:  # the reference does without
        return None
    return _core.ResultMemory(MOST, IDLE)


def empty(shape: tuple[int, ...], dtype: np.dtype[Any] = BYTES) -> NDArray[Any]:
    """An array for a result, as `numpy.empty`; a large one may be a view into memory that was used before."""
    size = prod(shape) * dtype.itemsize
    lent = None if size < LEAST else _lent(size)
    if lent is None:
        return np.empty(shape, dtype)
    owner, start = lent
    # Owners are shown to nobody: a weak reference to one could be made a full one when another result lies there, and
    # one that is made read-only, as some do with whatever an array is a view of, would be no use.
    return np.frombuffer(memoryview(owner), dtype, size // dtype.itemsize, start).reshape(shape)


def _lent(size: int) -> tuple[NDArray[np.uint8], int] | None:
    kept = memory()
    return None if kept is None or size > sys.maxsize else kept.lend(size)

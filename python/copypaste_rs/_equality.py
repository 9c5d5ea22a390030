"""Equality of whatever a sample or a transform may hold: arrays anywhere, NaN equal to NaN."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def same(a: object, b: object) -> bool:
    """Whether two values are equal. Arrays are compared as wholes, by value; containers item by item."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and _same_arrays(a, b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return isinstance(a, list) == isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if a is b:
        return True
    # What is unequal to itself is a NaN of some kind.
    return bool(a == b) or (bool(a != a) and bool(b != b) and type(a) is type(b))  # noqa: PLR0124


def _same_arrays(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype.names is not None or b.dtype.names is not None:
        return a.dtype.names == b.dtype.names and all(_same_arrays(a[name], b[name]) for name in a.dtype.names or ())
    if a.dtype.kind == "O" or b.dtype.kind == "O":
        return all(map(same, a.ravel().tolist(), b.ravel().tolist()))
    if a.dtype.kind in "fcmM" and b.dtype.kind in "fcmM":
        return np.array_equal(a, b, equal_nan=True)
    return np.array_equal(a, b)

"""Masks as pixels in the place of polygons: rows of a mask would be read as parts of a polygon, in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def are_pixels(parts: Any, size: tuple[int, int]) -> bool:
    """Whether the parts of a polygon in an image of this size are the rows of a mask.

    There are as many as the image is high, each has as many numbers as it is wide, and these are two values at most, of
    which one is 0, or lie in 0..1. One row may be a polygon; several such ones cover a pixel at most.

    Examples
    --------
    >>> are_pixels([[0, 1, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0]], (2, 6)), are_pixels([[0, 1, 4, 1, 4, 3]] * 2, (2, 6))
    (True, False)
    """
    h, w = size
    if len(parts) != h or h < 2:  # nearly always
        return False
    if not all(_is_row(row) and len(row) == w for row in parts):
        return False
    try:
        return are_of_a_mask(np.asarray(parts))
    except ValueError:  # rows of rows
        return False


def _is_row(row: object) -> bool:
    if isinstance(row, np.ndarray):
        return row.ndim == 1
    return isinstance(row, Sequence) and not isinstance(row, str | bytes)


def are_of_a_mask(values: NDArray[Any], one: float = 1) -> bool:
    """Whether numbers are those of a mask: 0 and another one, or in 0..1; `one` is what 1 is among them."""
    if values.dtype.kind == "b":
        return True
    if values.dtype.kind not in "iuf" or not values.size:
        return False
    least, most = values.min(), values.max()
    return bool((least >= 0 and most <= one) or (np.isin(values, (0, most)).all()))

"""Masks as pixels in lists of results in memory, which are no segmentation of COCO's."""

from __future__ import annotations

from typing import Any

import numpy as np

from copypaste_rs.datasets.segmentations import pixels_of


def pixels_in_memory(value: Any) -> str | None:
    """Pixels that stand for a segmentation in memory, in the words of an error; None where it may be one.

    Arrays of flags or of more than two axes, tensors, rows of flags, and several rows of only 0 and 1 are pixels.
    Other arrays may be polygons.

    Examples
    --------
    >>> pixels_in_memory(np.zeros((2, 3), bool))
    'an array of shape (2, 3); RleMasks.from_dense(masks).to_coco() makes them'
    >>> pixels_in_memory([[True, False]])
    'an array of shape (1, 2); RleMasks.from_dense(masks).to_coco() makes them'
    >>> pixels_in_memory(np.array([[1.5, 2, 9, 2, 9, 8]]))
    """
    if isinstance(value, np.ndarray):
        several_rows = value.ndim == 2 and len(value) > 1 and value.dtype.kind in "iuf"
        if value.dtype == np.bool_ or value.ndim > 2 or (several_rows and bool(np.isin(value, (0, 1)).all())):
            return pixels_of(value.shape)
        return None
    if isinstance(value, list | tuple) and len(value):
        row = value[0]
        if isinstance(row, list | tuple | np.ndarray) and len(row) and isinstance(row[0], bool | np.bool_):
            return pixels_of((len(value), len(row)))
        return None
    if hasattr(value, "shape") and hasattr(value, "__array__"):
        return pixels_of(tuple(value.shape), type(value).__name__)
    return None

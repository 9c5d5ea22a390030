"""Masks as pixels, which are no segmentation of COCO's: named as such, where they would be read as polygons."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from copypaste_rs.datasets.segmentations import SegmentationsBuilder

EXPECTED = "run lengths or polygons"


def pixels_of(shape: tuple[int, ...], kind: str = "an array") -> str:
    """Pixels of this shape in the words of an error, with what makes run lengths of them."""
    return f"{kind} of shape {shape}; RleMasks.from_dense(masks).to_coco() makes them"


class ResultSegmentations(SegmentationsBuilder):
    """Collects segmentations of results, and refuses pixels among them."""

    def add(self, segmentation: Any, size: tuple[int, int]) -> None:
        """Add the segmentation of an object in an image of the given size; what is malformed is a ValueError."""
        if _are_pixels(segmentation, size):
            raise ValueError(f"segmentation: expected {EXPECTED}, got {pixels_of(size)}")
        super().add(segmentation, size)


def _are_pixels(value: Any, size: tuple[int, int]) -> bool:
    """Whether lists are as long as the image is high and wide, with two values at most, or values up to 1.

    One row may be a polygon. Several of them, each with as many coordinates as the image is wide, and such ones, cover
    a pixel at most.
    """
    h, w = size
    if not isinstance(value, list) or len(value) != h or h < 2:
        return False
    if any(not isinstance(row, list) or len(row) != w for row in value):
        return False
    found = set(itertools.chain.from_iterable(value))
    return found <= {0.0, max(found)} or (min(found) >= 0 and max(found) <= 1)


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

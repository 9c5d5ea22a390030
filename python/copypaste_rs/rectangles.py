"""Boxes without outlines: rectangles in the place of masks, for rows that are marked `box_only`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs._checks import wrong
from copypaste_rs._ragged import offsets_of
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_order(boxes: NDArray[np.float32], box_only: NDArray[np.bool_]) -> None:
    """Check that boxes that stand for masks are not upside down."""
    upside_down = box_only & ((boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1]))
    if upside_down.any():
        row = int(np.flatnonzero(upside_down)[0])
        raise wrong(("boxes", row), "x0 <= x1 and y0 <= y1", str(boxes[row].tolist()))


def pixel_edges(
    boxes: NDArray[np.float32], h: int | NDArray[np.int64], w: int | NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """First column and row whose pixel centres lie in each box (n, 4), and those behind the last, inside the image."""
    # The centre of pixel i is i + 0.5: the first one inside is the smallest i that is not below x0 - 0.5.
    edges = np.ceil(boxes.astype(np.float64) - 0.5).T
    x0, y0, x1, y1 = (np.clip(edge, 0, side).astype(np.int64) for edge, side in zip(edges, (w, h, w, h), strict=True))
    return x0, y0, x1, y1


def rectangle_masks(boxes: NDArray[np.float32], size: tuple[int, int]) -> RleMasks:
    """Masks of boxes (n, 4): pixels whose centre lies in the half-open box, as far as they are in the image.

    Examples
    --------
    >>> rectangle_masks(np.array([[0.5, 0.0, 2.5, 1.0]], np.float32), (2, 4)).to_dense()[0]
    array([[1, 1, 0, 0],
           [0, 0, 0, 0]], dtype=uint8)
    """
    h, w = size
    x0, y0, x1, y1 = pixel_edges(boxes, h, w)
    rows, columns = y1 - y0, x1 - x0
    filled = (rows > 0) & (columns > 0)
    whole = filled & (rows == h)  # whole columns are one run
    pairs = np.where(whole, 1, np.where(filled, columns, 0))
    runs = np.zeros((2 * pairs + 1).sum(), np.int64)
    offsets = offsets_of(2 * pairs + 1)
    row_of = np.repeat(np.arange(len(boxes)), pairs)
    number = np.arange(len(row_of)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    place = offsets[row_of] + 2 * number
    runs[place] = np.where(number == 0, (x0 * h + y0)[row_of], (h - rows)[row_of])
    runs[place + 1] = np.where(whole, rows * columns, rows)[row_of]
    runs[offsets[1:] - 1] = np.where(filled, h * w - ((x1 - 1) * h + y1), h * w)
    # A mask that reaches the last pixel ends with it: no run of zero follows.
    kept = np.ones(len(runs), np.bool_)
    kept[offsets[1:] - 1] = ~(filled & (x1 == w) & (y1 == h))
    lengths = 2 * pairs + kept[offsets[1:] - 1]
    return RleMasks._trusted(size, runs[kept].astype(np.uint32), offsets_of(lengths))


def with_rectangles(masks: RleMasks, boxes: NDArray[np.float32], box_only: NDArray[np.bool_]) -> RleMasks:
    """The masks, with the rectangles of their boxes in the rows that are `box_only`."""
    rows = np.arange(len(masks))
    rows[box_only] = len(masks) + np.arange(box_only.sum())
    return RleMasks.concat([masks, rectangle_masks(boxes[box_only], masks.size)])[rows]

"""Kernels on masks: counting, combining and placing what is run-length encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.masks import RleMasks, check_masks
from copypaste_rs.plan import check_placement
from copypaste_rs.reference.geometry import landing, nearest_sample
from copypaste_rs.reference.runs import (
    edges_of,
    from_toggles,
    is_set,
    pixels_of,
    runs_of,
    toggles_of,
    toggles_of_pixels,
    toggles_of_states,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs.plan import Placement


def encode(dense: NDArray[Any]) -> RleMasks:
    """Run lengths of dense masks.

    Parameters
    ----------
    dense : array, shape (n, h, w), dtype uint8 or bool
        A pixel is set where it is not zero. Any memory layout; sides may be zero.

    Returns
    -------
    RleMasks
        n masks of size (h, w), their runs canonical.

    Raises
    ------
    TypeError
        When `dense` is not an array of such a dtype.
    ValueError
        When it has not three axes, or more than 2^32 - 1 pixels a mask.

    Examples
    --------
    >>> encode(np.array([[[0, 1, 0], [1, 0, 0]]], np.uint8)).counts
    array([1, 2, 3], dtype=uint32)
    """
    checked = _checks.dense_masks("dense", dense)
    _, h, w = checked.shape
    return from_toggles((h, w), (toggles_of_pixels(mask != 0) for mask in checked))


def decode(masks: RleMasks, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Dense masks.

    Parameters
    ----------
    masks : RleMasks
        n masks of size (h, w).
    out : array, shape (n, h, w), dtype uint8 or bool, optional
        Where to write, C-contiguous and writable.

    Returns
    -------
    array, shape (n, h, w), dtype uint8 or that of `out`
        1 where a mask is set, 0 elsewhere; `out` when it was given.

    Raises
    ------
    ValueError
        When `out` has another shape, dtype or layout.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> decode(RleMasks((2, 3), [1, 2, 3], [0, 3]))
    array([[[0, 1, 0],
            [1, 0, 0]]], dtype=uint8)
    """
    shape = (len(check_masks("masks", masks)), *masks.size)
    dense = np.empty(shape, np.uint8) if out is None else _checks.mask_output("out", out, shape)
    for i in range(len(masks)):
        dense[i] = pixels_of(masks, i)
    return dense


def area(masks: RleMasks) -> NDArray[np.int64]:
    """Number of pixels of each mask.

    Parameters
    ----------
    masks : RleMasks
        n masks.

    Returns
    -------
    array, shape (n,), dtype int64
        How many pixels are set.

    Raises
    ------
    TypeError
        When `masks` is of another type.

    Examples
    --------
    >>> area(RleMasks((2, 3), [1, 2, 3], [0, 3]))
    array([2])
    """
    runs = runs_of(check_masks("masks", masks))
    return np.array([foreground.sum(dtype=np.int64) for foreground in (run[1::2] for run in runs)], np.int64)


def boxes(masks: RleMasks) -> NDArray[np.float32]:
    """Box of each mask.

    Parameters
    ----------
    masks : RleMasks
        n masks.

    Returns
    -------
    array, shape (n, 4), dtype float32
        x0, y0, x1, y1 in pixels, half-open: the mask lies in columns x0 to x1 - 1 and rows y0 to y1 - 1.
        Zeros for an empty mask.

    Raises
    ------
    TypeError
        When `masks` is of another type.

    Examples
    --------
    >>> boxes(RleMasks((2, 3), [1, 2, 3], [0, 3]))
    array([[0., 0., 2., 2.]], dtype=float32)
    """
    return pixel_boxes(check_masks("masks", masks)).astype(np.float32)


def pixel_boxes(masks: RleMasks) -> NDArray[np.int64]:
    """`boxes` in whole pixels, exact for images so large that float32 rounds."""
    h = masks.size[0]
    table = np.zeros((len(masks), 4), np.int64)
    for i, run in enumerate(runs_of(masks)):
        ends = np.cumsum(run, dtype=np.int64)
        first, last = ends[:-1:2], ends[1::2] - 1  # of each foreground run, as pixel numbers
        if len(first) == 0:
            continue
        (x_first, y_first), (x_last, y_last) = divmod(first, h), divmod(last, h)
        # A run that goes on in the next column has passed the bottom row and the top row.
        turns = bool((x_first < x_last).any())
        y0, y1 = (0, h) if turns else (y_first.min(), y_last.max() + 1)
        table[i] = x_first.min(), y0, x_last.max() + 1, y1
    return table


def union(masks: RleMasks) -> RleMasks:
    """Pixels that any of the masks has.

    Parameters
    ----------
    masks : RleMasks
        Any number of masks.

    Returns
    -------
    RleMasks
        One mask; empty when there are no masks.

    Raises
    ------
    TypeError
        When `masks` is of another type.

    Examples
    --------
    >>> union(RleMasks((2, 3), [1, 2, 3, 2, 2, 2], [0, 3, 6])).counts
    array([1, 3, 2], dtype=uint32)
    """
    check_masks("masks", masks)
    edges = edges_of(toggles_of(masks))
    inside = np.zeros(len(edges), np.bool_)
    for toggles in toggles_of(masks):
        inside |= is_set(toggles, edges)
    return from_toggles(masks.size, [toggles_of_states(edges, inside)])


def intersection(masks: RleMasks) -> RleMasks:
    """Pixels that all of the masks have.

    Parameters
    ----------
    masks : RleMasks
        At least one mask.

    Returns
    -------
    RleMasks
        One mask.

    Raises
    ------
    ValueError
        When there are no masks: it could be the full mask or the empty one.
    TypeError
        When `masks` is of another type.

    Examples
    --------
    >>> intersection(RleMasks((2, 3), [1, 2, 3, 2, 2, 2], [0, 3, 6])).counts
    array([2, 1, 3], dtype=uint32)
    """
    if len(check_masks("masks", masks)) == 0:
        raise wrong("masks", "at least one mask to intersect", "none")
    edges = edges_of(toggles_of(masks))
    inside = np.ones(len(edges), np.bool_)
    for toggles in toggles_of(masks):
        inside &= is_set(toggles, edges)
    return from_toggles(masks.size, [toggles_of_states(edges, inside)])


def difference(masks: RleMasks, other: RleMasks) -> RleMasks:
    """Each mask without the pixels of another.

    Parameters
    ----------
    masks : RleMasks
        n masks.
    other : RleMasks
        What is taken away: one mask from all, or n masks, each from the one of its number.

    Returns
    -------
    RleMasks
        n masks.

    Raises
    ------
    ValueError
        When `other` has another size, or another number of masks.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> difference(RleMasks((2, 3), [1, 3, 2], [0, 3]), RleMasks((2, 3), [1, 2, 3], [0, 3])).counts
    array([3, 1, 2], dtype=uint32)
    """
    check_masks("masks", masks)
    check_masks("other", other, masks.size)
    if len(other) not in (1, len(masks)):
        raise wrong("other", f"one mask or {len(masks)}, as many as in masks", str(len(other)))
    taken = toggles_of(other)
    if len(other) == 1:
        taken *= len(masks)
    left = []
    for mine, theirs in zip(toggles_of(masks), taken, strict=True):
        edges = edges_of([mine, theirs])
        left.append(toggles_of_states(edges, is_set(mine, edges) & ~is_set(theirs, edges)))
    return from_toggles(masks.size, left)


def iou(masks: RleMasks, other: RleMasks, iscrowd: ArrayLike | None = None) -> NDArray[np.float64]:
    """Intersection over union of every pair.

    Parameters
    ----------
    masks : RleMasks
        n masks, the rows.
    other : RleMasks
        m masks of the same size, the columns.
    iscrowd : array of bool (or 0 and 1), shape (m,), optional
        Which of `other` are crowds. There the denominator is the area of the row's mask: an object that lies
        within a crowd matches it fully.

    Returns
    -------
    array, shape (n, m), dtype float64
        From 0 to 1; 0 for two empty masks.

    Raises
    ------
    ValueError
        When sizes differ, or `iscrowd` has another length.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> iou(RleMasks((2, 3), [1, 4, 1], [0, 3]), RleMasks((2, 3), [1, 2, 3], [0, 3]))
    array([[0.5]])
    """
    check_masks("masks", masks)
    check_masks("other", other, masks.size)
    crowd = np.zeros(len(other), np.bool_) if iscrowd is None else _checks.crowd_flags("iscrowd", iscrowd, len(other))
    table = np.zeros((len(masks), len(other)), np.float64)
    mine_area, other_area = area(masks), area(other)
    columns = toggles_of(other)
    for i, mine in enumerate(toggles_of(masks)):
        for j, theirs in enumerate(columns):
            edges = edges_of([mine, theirs])
            lengths = np.diff(edges, append=masks.size[0] * masks.size[1])
            common = lengths[is_set(mine, edges) & is_set(theirs, edges)].sum()
            whole = mine_area[i] if crowd[j] else mine_area[i] + other_area[j] - common
            if common > 0:
                table[i, j] = common / whole
    return table


def place_masks(masks: RleMasks, placement: Placement) -> RleMasks:
    """The masks mirrored, resized and cropped or padded onto the canvas.

    Resizing takes the nearest pixel: pixel i of n_out comes from pixel ``((2 * i + 1) * n_in) // (2 * n_out)``
    of n_in, the one its centre falls into, in integers, so that no rounding decides.

    Parameters
    ----------
    masks : RleMasks
        n masks of the placement's input size.
    placement : Placement
        Where they land.

    Returns
    -------
    RleMasks
        n masks of the canvas size; nothing is set where the input does not reach.

    Raises
    ------
    ValueError
        When the masks are of another size than the placement's input.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> from copypaste_rs import Placement
    >>> area(place_masks(RleMasks((2, 3), [1, 2, 3], [0, 3]), Placement((2, 3), (4, 6), (0, 0), (4, 6))))
    array([8])
    """
    check_placement(placement, check_masks("masks", masks).size, "masks")
    y, rows = landing(placement.offset[0], placement.resized_size[0], placement.canvas_size[0])
    x, columns = landing(placement.offset[1], placement.resized_size[1], placement.canvas_size[1])
    rows = nearest_sample(rows, placement.input_size[0], placement.resized_size[0])
    columns = nearest_sample(columns, placement.input_size[1], placement.resized_size[1])
    placed = []
    canvas = np.zeros(placement.canvas_size, np.bool_)
    for i in range(len(masks)):
        mask = pixels_of(masks, i)
        if placement.hflip:
            mask = mask[:, ::-1]
        canvas[y, x] = mask[np.ix_(rows, columns)]
        placed.append(toggles_of_pixels(canvas))
    return from_toggles(placement.canvas_size, placed)

"""Label maps: one number for each pixel, made of masks and made into masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.masks import RleMasks, check_masks
from copypaste_rs.reference.rle import area
from copypaste_rs.reference.runs import from_toggles, pixels_of, toggles_of_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_map(
    masks: RleMasks, out: NDArray[np.int32] | None = None, *, order: str = "rows", stride: SupportsIndex = 1
) -> NDArray[np.int32]:
    """One map of numbers for all masks.

    Parameters
    ----------
    masks : RleMasks
        n masks of size (h, w).
    out : array, dtype int32, optional
        Where to write, of the result's shape, C-contiguous and writable.
    order : {"rows", "area"}
        Which mask is uppermost where several are: the last, or the smallest, of equally large ones the last.
    stride : int
        Only every so many pixels of a column and of a row are in the map, from number ``stride // 2`` on: those that
        ``[stride // 2 :: stride, stride // 2 :: stride]`` takes of the whole map.

    Returns
    -------
    array, shape (h, w) with a stride of 1, dtype int32
        1 + the number of the uppermost mask that a pixel is in, 0 where it is in none; `out` when it was given.

    Raises
    ------
    ValueError
        When `out` has another shape, dtype or layout, or an option is none of these.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> label_map(RleMasks((2, 3), [1, 2, 3, 2, 3, 1], [0, 3, 6]))
    array([[0, 2, 2],
           [1, 2, 0]], dtype=int32)
    """
    by_area, step, numbers = _checks.label_map_output(check_masks("masks", masks).size, out, order, stride)
    rows = np.argsort(-area(masks), kind="stable") if by_area else np.arange(len(masks))
    numbers[...] = 0
    for i in rows.tolist():
        numbers[pixels_of(masks, i)[step // 2 :: step, step // 2 :: step]] = i + 1
    return numbers


def from_label_map(array: NDArray[Any], *, background: SupportsIndex | None = 0) -> tuple[RleMasks, NDArray[Any]]:
    """Masks of a map of integers, one for each number in it.

    Parameters
    ----------
    array : array, shape (h, w), any integer dtype
        The number of each pixel. Any memory layout; sides may be zero.
    background : int, optional
        Number whose pixels are in no mask; None makes a mask of every number.

    Returns
    -------
    RleMasks
        n masks of size (h, w), in the order of their numbers.
    array, shape (n,), dtype that of `array`
        The numbers, ascending.

    Raises
    ------
    TypeError
        When `array` is not an array of integers, or `background` not an integer.
    ValueError
        When `array` has not two axes, or more than 2^32 - 1 pixels.

    Examples
    --------
    >>> masks, ids = from_label_map(np.array([[0, 7, 7], [3, 3, 7]], np.int32))
    >>> ids, masks.area
    (array([3, 7], dtype=int32), array([2, 3]))
    """
    labels, label = _checks.label_map("array", array, background)
    ids = np.unique(labels)
    if label is not None:
        ids = ids[ids != label]
    return from_toggles(labels.shape, (toggles_of_pixels(labels == each) for each in ids)), ids

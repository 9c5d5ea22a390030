"""Connected parts of masks, flooded pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.masks import RleMasks, check_masks
from copypaste_rs.reference.runs import from_pixels, pixels_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def without_small_parts(masks: RleMasks, min_area: SupportsIndex, *, connectivity: SupportsIndex = 8) -> RleMasks:
    """Each mask without its small connected parts.

    Parameters
    ----------
    masks : RleMasks
        n masks.
    min_area : int
        Parts of fewer pixels are taken away, 0 to 2^32 - 1.
    connectivity : {8, 4}
        Whether pixels that share a corner alone are connected (8), or only those that share a side (4).

    Returns
    -------
    RleMasks
        n masks; those without a large part are empty.

    Raises
    ------
    ValueError
        When a number is out of range.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> corner = RleMasks((2, 3), [0, 1, 2, 3], [0, 4])
    >>> without_small_parts(corner, 2).area, without_small_parts(corner, 2, connectivity=4).area
    (array([4]), array([3]))
    """
    least, diagonal = _checks.parts_arguments(min_area, connectivity)
    n = len(check_masks("masks", masks))
    return from_pixels(masks.size, (_large_parts(pixels_of(masks, i), least, diagonal) for i in range(n)))


def _large_parts(mask: NDArray[np.bool_], least: int, diagonal: bool) -> NDArray[np.bool_]:
    """The mask without parts of fewer than `least` pixels."""
    steps = [(-1, 0), (1, 0), (0, -1), (0, 1)]
    if diagonal:
        steps += [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    left = set(zip(*(each.tolist() for each in np.nonzero(mask)), strict=True))
    large = np.zeros(mask.shape, np.bool_)
    while left:
        part = ahead = {left.pop()}
        while ahead:
            ahead = {(y + dy, x + dx) for y, x in ahead for dy, dx in steps} & left
            left -= ahead
            part = part | ahead
        if len(part) >= least:
            large[tuple(zip(*part, strict=True))] = True
    return large

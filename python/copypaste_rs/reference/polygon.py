"""Polygons to masks, pixel for pixel as COCO's own tools have them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.masks import RleMasks
from copypaste_rs.reference.rle import union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks import Size

_STEPS = 5
"""Outlines are walked on a grid that is so many times as fine as the pixels."""

_FAR = 2.0**40
"""Coordinates beyond this count as this: float64 still tells fine steps apart there, and no image is as large."""


def rasterize(polygons: Sequence[Sequence[ArrayLike]], size: Size) -> RleMasks:
    """Masks of polygons, bit-equal to pycocotools wherever its 32-bit integers do not overflow.

    An outline is walked in steps of a fifth of a pixel. Where it passes the middle of a pixel column it toggles
    that column, from the row it is at, downwards. As a consequence the right and bottom borders of a polygon are
    outside: the square from 0 to 9 has 9 x 9 pixels. Time and memory depend on vertices and image width, not on how
    far away vertices are; coordinates beyond 2^40 count as 2^40.

    Parameters
    ----------
    polygons : sequence of sequences of array
        For each instance its parts, each flat: x, y, x, y, ... in pixels, at least three points. An instance is
        the union of its parts, and empty without any; where a part covers itself twice, it is not set.
    size : (int, int) or int
        Height and width of the masks; either may be zero.

    Returns
    -------
    RleMasks
        One mask for each instance.

    Raises
    ------
    ValueError
        When a part has an odd number of coordinates, fewer than three points, or coordinates that are not finite.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> rasterize([[[1, 0, 3, 0, 3, 2, 1, 2]]], (2, 4)).counts
    array([2, 4, 2], dtype=uint32)
    """
    h, w = _checks.size("size", size, 0, _checks.MAX_PIXELS)
    coordinates, part_offsets, instance_offsets = _checks.polygon_parts("polygons", polygons)
    parts = [_part(coordinates[a:b], h, w) for a, b in pairwise(part_offsets)]
    masks = [RleMasks.empty((h, w))]
    for a, b in pairwise(instance_offsets):
        masks.append(union(RleMasks.concat([RleMasks.empty((h, w)), *parts[a:b]])))
    return RleMasks.concat(masks)


def _part(coordinates: NDArray[np.float64], h: int, w: int) -> RleMasks:
    # Conversions to integers truncate towards zero, here and below, as C's do.
    fine = (_STEPS * coordinates.clip(-_FAR, _FAR) + 0.5).astype(np.int64)
    points = list(zip(fine[0::2].tolist(), fine[1::2].tolist(), strict=True))
    toggles = [_edge_toggles(a, b, h, w) for a, b in pairwise([*points, points[0]])]
    # A pixel that is toggled twice stays as it was.
    pixels, times = np.unique(np.concatenate(toggles), return_counts=True)
    pixels = pixels[(times % 2 == 1) & (pixels < h * w)]
    runs = np.diff(pixels, prepend=0, append=h * w)
    return RleMasks((h, w), runs, [0, len(runs)])


def _edge_toggles(a: tuple[int, int], b: tuple[int, int], h: int, w: int) -> NDArray[np.int64]:
    """The pixels, numbered column by column, from which on an edge toggles their columns."""
    dx, dy = abs(a[0] - b[0]), abs(a[1] - b[1])
    flat = dx >= dy
    # Edges are walked in the direction of their longer axis, step by step, whichever way they were given.
    (xs, ys), (xe, ye) = sorted([a, b], key=lambda point: point[0 if flat else 1])
    # A column is passed in the step from 5 * column + 2 to 5 * column + 3.
    first, last = max(-((2 - min(xs, xe)) // _STEPS), 0), min((max(xs, xe) - 3) // _STEPS, w - 1)
    column = np.arange(first, last + 1)
    if len(column) == 0:
        return column
    before = _STEPS * column + 2
    if flat:
        slope = (ye - ys) / dx
        step = before - xs
        fine_y = np.minimum(_at(ys, slope, step), _at(ys, slope, step + 1))
    else:
        slope = (xe - xs) / dy
        fine_y = ys + _step_before(xs, slope, dy, before)
    row = ((fine_y + 2) // _STEPS).clip(0, h)
    return np.asarray(column * h + row, np.int64)


def _at(start: int, slope: float, step: NDArray[np.int64]) -> NDArray[np.int64]:
    position = start + slope * step.astype(np.float64) + 0.5
    return position.astype(np.int64)


def _step_before(start: int, slope: float, steps: int, before: NDArray[np.int64]) -> NDArray[np.int64]:
    """The last step of an edge at which it has not passed yet from one side of `before` + 0.5 to the other."""
    low, high = np.zeros_like(before), np.full_like(before, steps)
    while (high - low > 1).any():
        middle = (low + high) // 2
        position = _at(start, slope, middle)
        passed = position > before if slope > 0 else position <= before
        low, high = np.where(passed, low, middle), np.where(passed, middle, high)
    return low

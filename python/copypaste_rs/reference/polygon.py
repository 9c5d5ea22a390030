"""Polygons to masks, pixel for pixel as COCO's own tools have them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

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

_FAR = 2**31
"""Up to here COCO's tools, which have 32-bit integers, say what is right."""

Point: TypeAlias = tuple[int, int]
"""x and y in steps."""


def rasterize(polygons: Sequence[Sequence[ArrayLike]], size: Size) -> RleMasks:
    """Masks of polygons, bit-equal to pycocotools wherever its 32-bit integers do not overflow.

    An outline is walked in steps of a fifth of a pixel. Where it passes the middle of a pixel column it toggles
    that column, from the row it is at, downwards. As a consequence the right and bottom borders of a polygon are
    outside: the square from 0 to 9 has 9 x 9 pixels. Vertices may lie up to 2^31 pixels away; they cost no more for
    it, and edges for which 32 bits are too few are computed exactly.

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
        When a part has an odd number of coordinates, fewer than three points, or coordinates that are not
        finite or beyond 2^31; when an instance is a mask as pixels.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> rasterize([[[1, 0, 3, 0, 3, 2, 1, 2]]], (2, 4)).counts
    array([2, 4, 2], dtype=uint32)
    """
    h, w = _checks.size("size", size, 0, _checks.MAX_PIXELS)
    coordinates, part_offsets, instance_offsets = _checks.polygon_parts("polygons", polygons, (h, w))
    parts = [_part(coordinates[a:b].tolist(), h, w) for a, b in pairwise(part_offsets)]
    masks = [RleMasks.empty((h, w))]
    for a, b in pairwise(instance_offsets):
        masks.append(union(RleMasks.concat([RleMasks.empty((h, w)), *parts[a:b]])))
    return RleMasks.concat(masks)


def _part(coordinates: list[float], h: int, w: int) -> RleMasks:
    points = [(_fine(x), _fine(y)) for x, y in zip(coordinates[0::2], coordinates[1::2], strict=True)]
    toggles = [_edge_toggles(a, b, h, w) for a, b in pairwise([*points, points[0]])]
    # A pixel that is toggled twice stays as it was.
    pixels, times = np.unique(np.concatenate(toggles), return_counts=True)
    pixels = pixels[(times % 2 == 1) & (pixels < h * w)]
    runs = np.diff(pixels, prepend=0, append=h * w)
    return RleMasks((h, w), runs, [0, len(runs)])


def _fine(coordinate: float) -> int:
    """The coordinate in steps. Conversions to integers truncate towards zero, here and below, as C's do."""
    fine = _STEPS * coordinate + 0.5
    if abs(fine) < _FAR:
        return int(fine)
    numerator, denominator = coordinate.as_integer_ratio()
    numerator, denominator = 2 * _STEPS * numerator + denominator, 2 * denominator
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def _edge_toggles(a: Point, b: Point, h: int, w: int) -> NDArray[np.int64]:
    """The pixels, numbered column by column, from which on an edge toggles their columns."""
    dx, dy = abs(a[0] - b[0]), abs(a[1] - b[1])
    # A column is passed in the step from 5 * column + 2 to 5 * column + 3; of the two points the upper one counts.
    first = max((min(a[0], b[0]) + 2) // _STEPS, 0)
    last = min((max(a[0], b[0]) - 3) // _STEPS, w - 1)
    if first > last:
        return np.zeros(0, np.int64)
    column = np.arange(first, last + 1, dtype=np.int64)
    # Edges are walked along their longer axis, in ascending order, whichever way they were given.
    longer = 0 if dx >= dy else 1
    start, end = sorted([a, b], key=lambda point: point[longer])
    near = max(*map(abs, (*a, *b)), dx, dy) < _FAR
    if near:
        upper = (_near_flat if longer == 0 else _near_steep)(start, end, _STEPS * column + 2)
        row = ((upper + 2) // _STEPS).clip(0, h)
    else:
        exact = _far_flat if longer == 0 else _far_steep
        rows = [(exact(start, end, _STEPS * k + 2) + 2) // _STEPS for k in range(first, last + 1)]
        row = np.array([min(max(each, 0), h) for each in rows], np.int64)
    return np.asarray(column * h + row, np.int64)


# -- edges as COCO's tools compute them: in float64 --------------------------------------------------------------


def _near_flat(start: Point, end: Point, before: NDArray[np.int64]) -> NDArray[np.int64]:
    """The upper y of the steps that begin at x = `before`, of an edge with one point for each x."""
    slope = (end[1] - start[1]) / (end[0] - start[0])
    step = before - start[0]
    return np.minimum(_at(start[1], slope, step), _at(start[1], slope, step + 1))


def _near_steep(start: Point, end: Point, before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Last y before x passes `before` + 0.5, of an edge with one point for each y."""
    steps = end[1] - start[1]
    slope = (end[0] - start[0]) / steps
    low, high = np.zeros_like(before), np.full_like(before, steps)
    while (high - low > 1).any():
        middle = (low + high) // 2
        x = _at(start[0], slope, middle)
        passed = x > before if slope > 0 else x <= before
        low, high = np.where(passed, low, middle), np.where(passed, middle, high)
    return start[1] + low


def _at(start: int, slope: float, step: NDArray[np.int64]) -> NDArray[np.int64]:
    position = start + slope * step.astype(np.float64) + 0.5
    return position.astype(np.int64)


# -- edges for which their integers are too small: in whole numbers, exactly ----------------------------------------


def _far_flat(start: Point, end: Point, before: int) -> int:
    span, rise = end[0] - start[0], end[1] - start[1]
    x = before if rise >= 0 else before + 1
    return start[1] + (2 * rise * (x - start[0]) + span) // (2 * span)


def _far_steep(start: Point, end: Point, before: int) -> int:
    span, rise = end[1] - start[1], end[0] - start[0]
    # Up to here, in half steps of x, the edge has not passed; beyond it has.
    room = 2 * (before - start[0]) + 1
    if rise > 0:
        return start[1] - (-room * span // (2 * rise)) - 1
    return start[1] + room * span // (2 * rise)

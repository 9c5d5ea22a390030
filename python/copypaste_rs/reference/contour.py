"""Masks to polygons: the outlines of each mask along pixel edges, holes joined to those around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs.masks import RleMasks, check_masks
from copypaste_rs.reference.runs import pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def polygons(masks: RleMasks) -> list[list[NDArray[np.float64]]]:
    """Outlines of each mask, which `rasterize` turns back exactly.

    Vertices lie on pixel corners. Each 4-connected part of a mask has one outline. COCO polygons cannot say
    "hole", so a hole is joined to the outline around it by a cut of no width: no pixel is lost or gained.

    Parameters
    ----------
    masks : RleMasks
        n masks.

    Returns
    -------
    list of list of array
        For each mask its outlines, each flat: x, y, x, y, ... in pixels, float64.

    Raises
    ------
    TypeError
        When `masks` is of another type.

    Examples
    --------
    >>> polygons(RleMasks((2, 4), [2, 4, 2], [0, 3]))
    [[array([3., 0., 3., 2., 1., 2., 1., 0.])]]
    """
    check_masks("masks", masks)
    return [_Outline(pixels_of(masks, i)).rings() for i in range(len(masks))]


class _Outline:
    """The horizontal pixel edges of a mask, and the vertical ones that join their ends.

    Edges are numbered column by column, from the top: even ones are tops of vertical spans, odd ones bottoms. Edge i
    has the ends 2 * i at its left and 2 * i + 1 at its right.
    """

    def __init__(self, pixels: NDArray[np.bool_]) -> None:
        h, w = pixels.shape
        framed = np.zeros((h + 2, w), np.bool_)
        framed[1:-1] = pixels
        columns, rows = np.nonzero(np.diff(framed, axis=0).T)
        self.x: list[int] = columns.tolist()
        self.y: list[int] = rows.tolist()
        self.joined = [0] * (2 * len(self.x))
        for x in range(w + 1):
            self._join(x)

    def _join(self, x: int) -> None:
        """Join the ends on one vertical line. Down it, the two columns differ between one end and the next."""
        left, right = (range(*np.searchsorted(self.x, (column, column + 1))) for column in (x - 1, x))
        ends = [2 * edge + 1 for edge in left] + [2 * edge for edge in right]
        # Where two pixels meet at a corner, the edge below the upper comes first, which keeps them apart.
        ends.sort(key=lambda end: (self.y[end // 2], end // 2 % 2 == 0))
        for a, b in zip(ends[0::2], ends[1::2], strict=True):
            self.joined[a], self.joined[b] = b, a

    def rings(self) -> list[NDArray[np.float64]]:
        """The outlines."""
        tops = [min((end // 2 for end in loop), key=lambda edge: (self.y[edge], self.x[edge])) for loop in self.loops()]
        for edge in tops:
            # The topmost edge of a hole is the bottom of a span, whose top belongs to an outline that reaches higher.
            # Crossing over between their left ends, both on one vertical line, makes one loop of both.
            if edge % 2 == 1:
                hole, around = 2 * edge, 2 * (edge - 1)
                after_hole, after_around = self.joined[hole], self.joined[around]
                for a, b in ((hole, around), (after_hole, after_around)):
                    self.joined[a], self.joined[b] = b, a
        return [self._ring(loop) for loop in self.loops()]

    def loops(self) -> Iterator[list[int]]:
        """The ends at which each loop enters its edges."""
        seen: set[int] = set()
        for first in range(len(self.x)):
            loop, end = [], 2 * first
            while end // 2 not in seen:
                seen.add(end // 2)
                loop.append(end)
                end = self.joined[end ^ 1]
            if loop:
                yield loop

    def _ring(self, loop: list[int]) -> NDArray[np.float64]:
        """The corners of a loop; edges at one height are one side."""
        ring: list[int] = []
        for end in loop:
            leave = end ^ 1
            x, y, y_next = self.x[leave // 2] + leave % 2, self.y[leave // 2], self.y[self.joined[leave] // 2]
            if y != y_next:
                ring += [x, y, x, y_next]
        return np.array(ring, np.float64)

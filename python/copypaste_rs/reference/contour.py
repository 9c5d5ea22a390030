"""Masks to polygons: the outlines of each mask along pixel edges, holes joined to those around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.masks import VERTICES, RleMasks, check_masks
from copypaste_rs.reference.runs import pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def polygons(masks: RleMasks, *, vertices: str = "corners") -> list[list[NDArray[np.float64]]]:
    """Outlines of each mask.

    Each 4-connected part of a mask has one outline. COCO polygons cannot say "hole", so a hole is joined to the
    outline around it by a cut of no width.

    Parameters
    ----------
    masks : RleMasks
        n masks.
    vertices : {"corners", "centers"}
        Where vertices lie. On pixel corners, outlines are the borders of the parts, and `rasterize` turns them back
        exactly: no pixel is lost or gained. On pixel centres, each of these vertices is moved into the mask by half
        a pixel on both axes, and cuts run through the centres of a column: for tools that fill borders too.

    Returns
    -------
    list of list of array
        For each mask its outlines, each flat: x, y, x, y, ... in pixels, float64.

    Raises
    ------
    ValueError
        When `vertices` is none of these.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> polygons(RleMasks((2, 4), [2, 4, 2], [0, 3]))
    [[array([3., 0., 3., 2., 1., 2., 1., 0.])]]
    """
    check_masks("masks", masks)
    centers = _checks.choice("vertices", vertices, VERTICES) == "centers"
    return [_Outline(pixels_of(masks, i), centers).rings() for i in range(len(masks))]


class _Outline:
    """The horizontal pixel edges of a mask, and the vertical ones that join their ends.

    Edges are numbered column by column, from the top: even ones are tops of vertical spans, odd ones bottoms. Edge i
    has the ends 2 * i at its left and 2 * i + 1 at its right.
    """

    def __init__(self, pixels: NDArray[np.bool_], centers: bool) -> None:
        self.inwards = 0.5 if centers else 0.0
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
            self._join_ends(a, b)

    def rings(self) -> list[NDArray[np.float64]]:
        """The outlines."""
        tops = [min((end // 2 for end in loop), key=lambda edge: (self.y[edge], self.x[edge])) for loop in self.loops()]
        for edge in tops:
            # The topmost edge of a hole is the bottom of a span, whose top belongs to an outline that reaches higher.
            if edge % 2 == 1:
                if self.inwards:
                    self._cut_through(edge, edge - 1)
                else:
                    self._cross_over(2 * edge, 2 * (edge - 1))
        return [self._ring(loop) for loop in self.loops()]

    def _cross_over(self, hole: int, around: int) -> None:
        """Cross over between two ends on one vertical line, which makes one loop of two."""
        after_hole, after_around = self.joined[hole], self.joined[around]
        self._join_ends(hole, around)
        self._join_ends(after_hole, after_around)

    def _cut_through(self, hole: int, around: int) -> None:
        """Make one loop of those of a hole and of the outline around it, by a cut down the column of two edges.

        Both edges are parted, and the cut runs through the centres of the column, there and back: along the left side
        of the column it would run through whatever lies beside it.
        """
        parted_around, parted_hole = len(self.x), len(self.x) + 1
        self.x += [self.x[around], self.x[hole]]
        self.y += [self.y[around], self.y[hole]]
        self.joined += [0] * 4
        self._join_ends(2 * parted_around, self.joined[2 * around])
        self._join_ends(2 * parted_hole, self.joined[2 * hole])
        self._join_ends(2 * parted_around + 1, 2 * parted_hole + 1)
        self._join_ends(2 * around, 2 * hole)

    def _join_ends(self, one: int, other: int) -> None:
        self.joined[one], self.joined[other] = other, one

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
        """The vertices of a loop; edges at one height are one side.

        Tops run to the right, bottoms back: the mask lies below a top, left of what runs down, and so on.
        """
        ring: list[float] = []
        for end in loop:
            leave = end ^ 1
            edge, edge_next = leave // 2, self.joined[leave] // 2
            x, y, y_next = self.x[edge] + leave % 2, self.y[edge], self.y[edge_next]
            if y != y_next:
                into = -self.inwards if y_next > y else self.inwards
                down, down_next = ((1 - 2 * (each % 2)) * self.inwards for each in (edge, edge_next))
                ring += [x + into, y + down, x + into, y_next + down_next]
        return np.array(ring, np.float64)

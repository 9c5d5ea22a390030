"""Masks as one outline each, for formats without holes and parts, from which several rules make the same pixels.

Outlines lie a little inside the edges of their pixels. COCO's rule rounds to a fifth of a pixel, and so finds the
edges. Tools that cut fractions off and draw the border too, as Ultralytics does, find the pixels along the edges,
whether these are to the left or to the right of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.masks import RleMasks

INSET = 0.05
"""Pixels between an outline and the edges of its pixels."""

_PAIRS = 1 << 20
"""Pairs of points whose distances are computed at a time."""

_POINTS = 1 << 13
"""Points of a mask between which the nearest are looked for; of more, only some begin or end bridges."""


def inset_outlines(masks: RleMasks) -> list[list[NDArray[np.float64]]]:
    """Outlines of the 4-connected parts of each mask, a little inside the edges of its pixels, each (n, 2).

    Holes are joined to the outline around them by cuts of no width along the pixels of a row.
    """
    return [_parts(rings) for rings in masks.to_polygons()]


class _Sides(NamedTuple):
    """Sides of a mask that run along the lines of one axis, with the mask to the right of each, seen along it."""

    line: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    sign: NDArray[np.int64]
    """1 for one that runs towards larger coordinates, else -1."""

    @classmethod
    def of(cls, line: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]) -> _Sides:
        """Sides without those that run there and back: cuts."""
        sign = np.sign(end - start)
        lines = np.concatenate([line, line])
        places = np.concatenate([start, end])
        order = np.lexsort((places, lines))
        lines, places, turns = lines[order], places[order], np.concatenate([np.ones_like(sign), -np.ones_like(sign)])
        change = turns[order]  # a side is +1 from where it starts, in its own direction
        new = np.ones(len(lines), np.bool_)
        new[1:] = (lines[1:] != lines[:-1]) | (places[1:] != places[:-1])
        at = np.flatnonzero(new)
        total = np.add.reduceat(change, at) if len(at) else change
        lines, places, total = lines[at][total != 0], places[at][total != 0], total[total != 0]
        level = np.cumsum(total)
        inside = np.flatnonzero(level[:-1] != 0)
        return cls(lines[inside], places[inside], places[inside + 1], level[inside])

    @property
    def start(self) -> NDArray[np.int64]:
        return np.where(self.sign > 0, self.low, self.high)

    @property
    def end(self) -> NDArray[np.int64]:
        return np.where(self.sign > 0, self.high, self.low)


class _Loop(NamedTuple):
    """A ring of sides, down or up and right or left by turns."""

    down: NDArray[np.int64]
    """Numbers of the sides that run down or up."""
    points: NDArray[np.float64]
    """The point that each of these starts from and that it ends in, one after the other."""
    is_hole: bool


def _parts(rings: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Outlines of the parts of a mask, of its outlines through corners, which have cuts anywhere."""
    if not rings:
        return []
    # Each ring is the two points of a side that runs down or up, and so on.
    sides = np.concatenate([ring.reshape(-1, 4) for ring in rings]).astype(np.int64)
    across = np.concatenate([np.concatenate([ring[2:], ring[:2]]).reshape(-1, 4) for ring in rings]).astype(np.int64)
    vertical = _Sides.of(sides[:, 0], sides[:, 1], sides[:, 3])
    horizontal = _Sides.of(across[:, 1], across[:, 0], across[:, 2])
    loops = _loops(vertical, horizontal)
    if not any(loop.is_hole for loop in loops):
        return [loop.points for loop in loops]
    return _cut_open(loops, vertical)


def _loops(vertical: _Sides, horizontal: _Sides) -> list[_Loop]:
    begins = {key: i for i, key in enumerate(zip(vertical.line.tolist(), vertical.start.tolist(),
                                                vertical.sign.tolist(), strict=True))}  # fmt: skip
    turns = {key: i for i, key in enumerate(zip(horizontal.start.tolist(), horizontal.line.tolist(),
                                               horizontal.sign.tolist(), strict=True))}  # fmt: skip
    x, down, y = vertical.line.tolist(), vertical.sign.tolist(), vertical.end.tolist()
    right, end, row = horizontal.sign.tolist(), horizontal.end.tolist(), horizontal.line.tolist()
    following, between = [0] * len(x), [0] * len(x)
    for i, (column, sign, place) in enumerate(zip(x, down, y, strict=True)):
        # Where two parts meet at a corner, each turns right, along its own pixel.
        k = turns.get((column, place, -sign), -1)
        k = turns[column, place, sign] if k < 0 else k
        n = begins.get((end[k], row[k], right[k]), -1)
        following[i], between[i] = begins[end[k], row[k], -right[k]] if n < 0 else n, k
    loops, seen = [], [False] * len(x)
    for first in range(len(x)):
        ring = []
        while not seen[first]:
            seen[first] = True
            ring.append(first)
            first = following[first]  # noqa: PLW2901
        if ring:
            loops.append(_loop(np.array(ring), np.array([between[i] for i in ring]), vertical, horizontal))
    return loops


def _loop(ring: NDArray[np.int64], across: NDArray[np.int64], vertical: _Sides, horizontal: _Sides) -> _Loop:
    x = vertical.line[ring] - INSET * vertical.sign[ring]
    y = horizontal.line[across] + INSET * horizontal.sign[across]
    points = np.stack([x, np.roll(y, 1), x, y], axis=1).reshape(-1, 2)
    leftmost = vertical.line[ring].argmin()
    return _Loop(ring, points, bool(vertical.sign[ring[leftmost]] > 0))  # the mask is to the left of what runs down


def _cut_open(loops: list[_Loop], vertical: _Sides) -> list[NDArray[np.float64]]:
    """Outlines of the parts: each hole is joined to what bounds the pixels of a row to its left."""
    owner = np.zeros(len(vertical.line), np.int64)
    for number, loop in enumerate(loops):
        owner[loop.down] = number
    cuts: list[tuple[int, int, int, float]] = []
    for number, loop in enumerate(loops):
        if loop.is_hole:
            here = int(loop.down[vertical.line[loop.down].argmin()])
            row = vertical.low[here] + 0.5
            spans = (vertical.sign < 0) & (vertical.low < row) & (vertical.high > row)
            ahead = np.flatnonzero(spans & (vertical.line < vertical.line[here]))
            cuts.append((int(ahead[vertical.line[ahead].argmax()]), here, number, row))
    places: list[list[tuple[int, float]]] = [[] for _ in loops]
    for there, here, number, row in cuts:
        places[owner[there]].append((there, row))
        places[number].append((here, row))
    rings: list[NDArray[np.float64]] = []
    numbers: dict[tuple[int, float], int] = {}
    for number, loop in enumerate(loops):
        rings.append(_with_points(loop, places[number], numbers, vertical))
    bridges: list[list[_Bridge]] = [[] for _ in loops]
    for there, here, number, row in cuts:
        bridges[owner[there]].append(_Bridge(numbers[there, row], number, numbers[here, row]))
    return [_walked(rings, bridges, number) for number, loop in enumerate(loops) if not loop.is_hole]


def _with_points(
    loop: _Loop, places: list[tuple[int, float]], numbers: dict[tuple[int, float], int], vertical: _Sides
) -> NDArray[np.float64]:
    """Points of a loop with further ones on some of its sides, whose numbers are noted."""
    position = {side: k for k, side in enumerate(loop.down.tolist())}
    distinct = sorted({*places}, key=lambda place: (position[place[0]], place[1] * vertical.sign[place[0]]))
    before = [2 * position[side] + 1 for side, _ in distinct]
    for k, place in enumerate(distinct):
        numbers[place] = before[k] + k
    added = [(loop.points[at][0], row) for at, (_, row) in zip(before, distinct, strict=True)]
    return np.insert(loop.points, before, np.reshape(added, (-1, 2)), axis=0) if added else loop.points


def joined(rings: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """One outline of several, joined by bridges there and back, which have no area, where they are nearest.

    Examples
    --------
    >>> squares = [np.array([[x, 0.0], [x + 2, 0], [x + 2, 2], [x, 2]]) for x in (0, 5)]
    >>> joined(squares).astype(int).tolist()
    [[0, 0], [2, 0], [5, 0], [7, 0], [7, 2], [5, 2], [5, 0], [2, 0], [2, 2], [0, 2]]
    """
    return rings[0] if len(rings) == 1 else _walked(rings, _bridges(rings), 0)


class _Bridge(NamedTuple):
    here: int
    """Point of the outline that it begins at."""
    ring: int
    """Number of the outline that it leads to."""
    there: int
    """Point of that."""


def _walked(rings: list[NDArray[np.float64]], bridges: list[list[_Bridge]], first: int) -> NDArray[np.float64]:
    """One outline: along one of several, and over each bridge, around what is there, and back."""
    points: list[NDArray[np.float64]] = []
    walks = [_around(rings[first], 0, bridges[first])]
    while walks:
        step = next(walks[-1], None)
        if step is None:
            walks.pop()
        elif isinstance(step, _Bridge):
            walks.append(_around(rings[step.ring], step.there, bridges[step.ring], comes_back=True))
        else:
            points.append(step)
    return np.concatenate(points)


def _around(
    ring: NDArray[np.float64], start: int, bridges: list[_Bridge], *, comes_back: bool = False
) -> Iterator[NDArray[np.float64] | _Bridge]:
    """Points of an outline from one of them on, in pieces, and the bridges between."""
    turned = np.roll(ring, -start, axis=0)
    turned = np.concatenate([turned, turned[:1]]) if comes_back else turned
    done = 0
    for bridge in sorted(bridges, key=lambda bridge: (bridge.here - start) % len(ring)):
        at = (bridge.here - start) % len(ring)
        yield turned[done : at + 1]
        yield bridge
        done = at  # the point itself once more, after the way back
    yield turned[done:]


def _bridges(rings: list[NDArray[np.float64]]) -> list[list[_Bridge]]:
    """For each outline the bridges from it: a tree of the shortest, from the first outline."""
    stride = -(-sum(map(len, rings)) // _POINTS)
    some = [ring[::stride] for ring in rings]
    owner = np.repeat(np.arange(len(rings)), [len(ring) for ring in some])
    first = np.searchsorted(owner, np.arange(len(rings)))
    points = np.concatenate(some)
    left = np.flatnonzero(owner != 0)
    # How far each point of outlines that are not joined yet is from those that are, and from which point.
    distance, nearest = np.full(len(left), np.inf), np.zeros(len(left), np.int64)
    bridges: list[list[_Bridge]] = [[] for _ in rings]
    added = 0
    while len(left):
        step = max(1, _PAIRS // len(left))
        for start in range(0, len(some[added]), step):
            part = some[added][start : start + step]
            squares = (points[left, None, 0] - part[:, 0]) ** 2 + (points[left, None, 1] - part[:, 1]) ** 2
            best = squares.argmin(axis=1)
            value = squares[np.arange(len(left)), best]
            closer = value < distance
            distance[closer] = value[closer]
            nearest[closer] = first[added] + start + best[closer]
        at = distance.argmin()
        added, origin = int(owner[left[at]]), int(owner[nearest[at]])
        here, there = nearest[at] - first[origin], left[at] - first[added]
        bridges[origin].append(_Bridge(int(here) * stride, added, int(there) * stride))
        rest = owner[left] != added
        left, distance, nearest = left[rest], distance[rest], nearest[rest]
    return bridges

"""Columns of positions: moved with the images they belong to, and hidden by what is pasted later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._checks import wrong
from copypaste_rs.column_kinds import COLUMN_KINDS, Moves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from copypaste_rs._checks import FlipPairs
    from copypaste_rs._engine.call import Pasted
    from copypaste_rs._engine.columns import Layout
    from copypaste_rs.column_kinds import Covered, Geometry
    from copypaste_rs.plan import Plan


def check_flips(layout: Layout, plan: Plan, flip_pairs: FlipPairs) -> None:
    """Check that positions can be mirrored where a plan does so."""
    mirrored = plan.target.hflip or any(paste.placement.hflip for paste in plan.pastes)
    for column in layout.carried:
        if column.name in layout.geometry:
            mirrors = "the plan mirrors an image" if mirrored else None
            check_pairs(column.name, column.arrays, flip_pairs, mirrors)


def check_pairs(name: str, arrays: Iterable[NDArray[Any]], flip_pairs: FlipPairs, mirrors: str | None) -> None:
    """Check the pairs that a mirror image exchanges in a column; `mirrors` says what makes them needed, if anything."""
    check = geometry_of(name).check_pairs
    if check is None:
        return
    if flip_pairs is None and mirrors is not None:
        expected = f"pairs of {name} that a mirror image exchanges, () for none, since {mirrors}"
        raise wrong("flip_pairs", expected, "None; CocoDataset.flip_pairs finds them in the names of a file")
    for array in arrays:
        check(array, flip_pairs)


def moved(
    layout: Layout, plan: Plan, pasted: Pasted, kept: Mapping[str, NDArray[Any]], flip_pairs: FlipPairs
) -> dict[str, NDArray[Any]]:
    """Positions of the rows that are left, on the canvas, and what is counted of them; `kept` has them as they were."""
    moves, covered = _moves(plan, pasted.paste), _covered(pasted)
    columns: dict[str, NDArray[Any]] = {}
    for name in layout.geometry:
        geometry = geometry_of(name)
        columns[name] = geometry.hide(geometry.move(kept[name], moves, flip_pairs), covered)
        columns |= {other: count(columns[name]) for other, count in geometry.derived.items() if other in layout.found}
    return columns


def geometry_of(name: str) -> Geometry:
    """How a column of positions moves."""
    geometry = COLUMN_KINDS[name].geometry
    assert geometry is not None  # else it would not be one
    return geometry


def _moves(plan: Plan, paste: NDArray[np.int32]) -> Moves:
    """The placement of each row, whose paste is given; -1 is the target."""
    placements = [*(each.placement for each in plan.pastes), plan.target]  # so that -1 is the last

    def of_rows(values: Iterator[Any], dtype: type) -> NDArray[Any]:
        return np.array([*values], dtype)[paste]

    sides = of_rows((p.input_size[::-1] for p in placements), np.float64)
    resized = of_rows((p.resized_size[::-1] for p in placements), np.float64)
    offsets = of_rows((p.offset[::-1] for p in placements), np.float64)
    mirrored = of_rows((p.hflip for p in placements), np.bool_)
    return Moves(sides, resized / sides, offsets, mirrored, plan.canvas_size)


def _covered(pasted: Pasted) -> Covered:
    unions, h = pasted.unions, pasted.unions.size[0]

    def covered(rows: NDArray[np.int64], y: NDArray[np.int64], x: NDArray[np.int64]) -> NDArray[np.bool_]:
        pixel, below = x * h + y, pasted.paste[rows]
        hidden = np.zeros(len(rows), np.bool_)
        for number in range(len(unions)):
            runs = unions.counts[unions.offsets[number] : unions.offsets[number + 1]]
            # Runs of background and foreground take turns: a pixel in an odd one is covered.
            inside = np.searchsorted(np.cumsum(runs, dtype=np.int64), pixel, side="right") % 2 == 1
            hidden |= inside & (below < number)
        return hidden

    return covered

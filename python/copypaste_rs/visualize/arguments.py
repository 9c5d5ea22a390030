"""Checks of what is to be drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.sample import Sample
from copypaste_rs.visualize.looks import LOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from copypaste_rs._checks import Place

WRITTEN = ("source", "source_row", "visibility")
"""Columns by which a result says what became of what."""


def check_sample(name: Place, value: object) -> None:
    """Check that something is a sample."""
    if not isinstance(value, Sample):
        raise wrong_type(name, "a Sample", type(value).__name__)


def names_of(categories: object) -> dict[Any, str]:
    """The names of categories by their ids."""
    names = {}
    for i, category in enumerate(_checks.items("categories", categories)):
        if not isinstance(category, Mapping):
            raise wrong_type(("categories", i), "a dict", type(category).__name__)
        number = category.get("id")
        if not isinstance(number, int | float | str | np.generic | None):
            raise wrong_type(("categories", i), "a number or a string as id", repr(number))
        names[number] = str(category.get("name", number))
    return names


def skeletons_of(categories: Sequence[Mapping[str, Any]]) -> dict[Any, list[tuple[int, int]]]:
    """Pairs of keypoints, counted from 0, between which lines are drawn, by the ids of categories."""
    found = {}
    for i, category in enumerate(categories):
        pairs = []
        skeleton = category.get("skeleton")
        given = () if skeleton is None else _checks.items(("categories", i, "skeleton"), skeleton)
        for k, pair in enumerate(given):
            first, second = _checks.pair(("categories", i, "skeleton", k), pair, 1, _checks.MAX_SIDE)
            pairs.append((first - 1, second - 1))
        found[category.get("id")] = pairs
    return found


def checked_looks(looks: object, n: int) -> list[str]:
    """Looks of n instances."""
    given = _checks.items("looks", looks)
    if len(given) != n:
        raise wrong("looks", f"{n} of them, one for each instance", str(len(given)))
    return [_checks.choice(("looks", i), look, tuple(LOOKS)) for i, look in enumerate(given)]


def checked_rows(rows: object) -> Iterator[tuple[Sample, list[Sample], Sample]]:
    """Targets, sources and results of a sheet."""
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable) or getattr(rows, "ndim", 1) == 0:
        raise wrong_type("rows", "(target, sources, result) for each line", type(rows).__name__)
    for i, row in enumerate(rows):
        yield _checked_row(("rows", i), row)


def _checked_row(name: Place, row: object) -> tuple[Sample, list[Sample], Sample]:
    parts = _checks.items(name, row)
    if len(parts) != 3:
        raise wrong(name, "(target, sources, result)", f"{len(parts)} values")
    target, sources, result = parts
    check_sample(item(name, 0), target)
    given = _checks.items(item(name, 1), sources)
    for k, source in enumerate(given):
        check_sample(item(name, 1, k), source)
    check_sample(item(name, 2), result)
    for column, kinds in zip(WRITTEN, ("iu", "iu", "iuf"), strict=True):
        values = result.instances.columns.get(column)
        if len(result.instances) == 0:
            continue
        if values is None:
            raise wrong(item(name, 2), "a result of SimpleCopyPaste", f"one without a column {column!r}")
        if values.ndim != 1 or values.dtype.kind not in kinds:
            expected = f"numbers in column {column!r}, as SimpleCopyPaste writes them"
            raise wrong_type(item(name, 2), expected, f"shape {values.shape} and dtype {values.dtype}")
    return target, given, result

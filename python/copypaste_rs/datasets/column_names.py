"""Names of columns, as an argument."""

from __future__ import annotations

from collections.abc import Collection

from copypaste_rs._checks import wrong_type

ALWAYS = frozenset({"pseudo"})
"""Columns that are read whichever are asked for: without the flag a pseudo-label would be pasted as a true object."""


def read_with(columns: frozenset[str] | None) -> frozenset[str] | None:
    """Columns that are read where these, or all, are asked for."""
    return None if columns is None else columns | ALWAYS


def column_names(name: str, value: object) -> frozenset[str]:
    """`value` as names of columns; what is no collection of text is an error that names the argument."""
    if isinstance(value, str) or not isinstance(value, Collection) or getattr(value, "ndim", 1) == 0:
        raise wrong_type(name, "a collection of column names", repr(value))
    for one in value:
        if not isinstance(one, str):
            raise wrong_type(name, "column names", repr(one))
    return frozenset(value)

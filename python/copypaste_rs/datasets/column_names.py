"""Names of columns, as an argument."""

from __future__ import annotations

from collections.abc import Collection

from copypaste_rs._checks import wrong_type


def column_names(name: str, value: object) -> frozenset[str]:
    """`value` as names of columns; what is no collection of text is an error that names the argument."""
    if isinstance(value, str) or not isinstance(value, Collection) or getattr(value, "ndim", 1) == 0:
        raise wrong_type(name, "a collection of column names", repr(value))
    for one in value:
        if not isinstance(one, str):
            raise wrong_type(name, "column names", repr(one))
    return frozenset(value)

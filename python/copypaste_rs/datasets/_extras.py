"""Packages beyond NumPy: a sentence that says how to get them where they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import in this block what the extra `name` brings; what is missing is an ImportError that says so."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("copypaste_rs"):
            raise
        raise ImportError(
            f"{error.name} is not installed, which this part needs: pip install 'copypaste_rs[{name}]'", name=error.name
        ) from None

"""Packages beyond NumPy: a sentence that says how to get them where they are missing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import in this block what the extra `name` brings; what is missing is an ImportError that says so."""
    with needed(f"it comes with the extra {name}: pip install 'copypaste_rs[{name}]'"):
        yield


@contextmanager
def needed(way: str) -> Iterator[None]:
    """Import other packages in this block; one that is missing is an ImportError that says the way to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("copypaste_rs"):
            raise
        package = error.name.partition(".")[0]
        raise ImportError(f"{package} is not installed; {way}", name=package) from None

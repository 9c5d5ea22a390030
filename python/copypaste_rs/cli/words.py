"""Sentences that commands print, about results and errors."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.logs import naming

with extra("cli"):
    import click


if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def of_image(file_name: str) -> Iterator[None]:
    """Name the image in errors about what is done to it in this block."""
    try:
        yield
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError  # whatever their own ones are made from
        raise kind(f"{file_name}: {error}") from None


def say(text: str) -> None:
    """Print a line about what was done; an error of it names the standard output, for which nobody sees a file."""
    with naming(Path("standard output")):
        click.echo(text)


def complain(text: str, start: str = "") -> None:
    """Print an error or a warning; where nobody can read it, the exit status still says it."""
    if sys.stderr is not None:  # else it would go to the standard output
        with suppress(OSError):
            print(f"{start}copypaste-rs: {text}", file=sys.stderr)


def sentence(error: BaseException) -> str:
    """Sentence about an error."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__

"""Sentences that commands print, about results and errors."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.logs import naming
from copypaste_rs.errors import ArgumentError, ArgumentTypeError

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
            print(f"{start}copypaste-rs: {with_urls(text)}", file=sys.stderr)


def name_as(local: Path, url: str) -> None:
    """Let sentences name what was fetched to a local folder as people know it, by its URL."""
    _URLS[str(local)] = url


def with_urls(text: str) -> str:
    """A sentence with URLs in the place of the local folders that they are fetched to."""
    for local, url in _URLS.items():
        text = text.replace(local, url)
    return text


_URLS: dict[str, str] = {}
"""URLs by local folders."""


def sentence(error: BaseException) -> str:
    """Sentence about an error."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, ArgumentError | ArgumentTypeError) and error.argument in ARGUMENTS and error.item is None:
        return as_option(error)
    return in_options(str(error)) or type(error).__name__


def as_option(error: Exception) -> str:
    """The sentence about an argument as one about the option: ``blend_sigma[0]: ...`` is ``--blend-sigma: ...``."""
    name, colon, rest = str(error).partition(":")
    return in_options(f"{_option(name.partition('[')[0])}{colon}{rest}")


def in_options(text: str) -> str:
    """A sentence of the library, which names arguments of Python, in the options that say the same.

    Examples
    --------
    >>> in_options("a.jpg: its EXIF orientation is 6, which apply_exif=True would apply")
    'a.jpg: its EXIF orientation is 6, which --apply-exif would apply'
    >>> in_options("min_area=101: nothing will ever be pasted; crowds='objects' of CocoDataset takes crowds as objects")
    '--min-area 101: nothing will ever be pasted; --crowds objects takes crowds as objects'
    """
    return _GIVEN.sub(_as_given, text).replace("(max_pixels)", "(--max-pixels)")


ARGUMENTS = (
    *("apply_exif", "boxes", "columns", "crowds", "divisor", "dtype", "format", "max_pixels", "merge", "min_area"),
    *("min_visibility", "missing", "overwrite", "paste_boxes", "paste_pseudo", "resume", "split"),
)
"""Arguments of Python that sentences name, and that have an option."""

_RENAMED = {"columns": "column", "format": "input-format"}

_GIVEN = re.compile(
    rf"(?<![\w./\\-])({'|'.join(ARGUMENTS)})=(?:(True|False|None)|'([^']*)'|(\d+)|\{{'([^']*)': [^}}]*\}})"
    r"( of CocoDataset)?"
)
"""Values given to arguments, as sentences write them: no part of a path looks so."""


def _option(name: str) -> str:
    return f"--{_RENAMED.get(name, name).replace('_', '-')}"


def _as_given(found: re.Match[str]) -> str:
    name, flag, text, number, key, _ = found.groups()
    option = _option(name)
    if flag is not None:
        return {"True": option, "False": option.replace("--", "--no-", 1), "None": f"no {option}"}[flag]
    return f"{option} {key}=VALUE" if key is not None else f"{option} {number if text is None else text}"

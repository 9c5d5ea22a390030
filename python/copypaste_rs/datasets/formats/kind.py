"""Description of a format of annotations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from copypaste_rs.datasets.annotated import AnnotatedImages

ENDS = 1 << 16
"""Bytes at either end of a file that are looked at to tell its format."""


class Clue(NamedTuple):
    """A path, and what can be seen of it cheaply."""

    path: Path
    is_folder: bool
    head: str
    """First characters of a file."""
    tail: str
    """Last characters of a file."""
    split: str | None = None
    """The part that is asked for, of a set with several."""

    @classmethod
    def of(cls, path: Path, split: str | None = None) -> Clue:
        """Look at a path; a missing one is an OSError."""
        if path.is_dir():
            return cls(path, is_folder=True, head="", tail="", split=split)
        with path.open("rb") as file:
            head = file.read(ENDS)
            size = file.seek(0, 2) if file.seekable() else len(head)
            tail = b""
            if size > len(head):
                file.seek(max(len(head), size - ENDS))
                tail = file.read(ENDS)
        texts = [text.decode("utf-8", "replace") for text in (head, tail)]
        return cls(path, False, texts[0], texts[1], split)

    def has_keys(self, *names: str) -> bool:
        """Whether each name is seen as a key of JSON at either end of the file."""
        return all(re.search(rf'"{re.escape(name)}"\s*:', self.head + self.tail) is not None for name in names)

    @property
    def is_json_list(self) -> bool:
        """Whether the file looks like JSON whose outermost value is a list."""
        return self.head.lstrip("\ufeff \t\r\n").startswith("[")

    @property
    def is_json_object(self) -> bool:
        """Whether the file looks like JSON whose outermost value is an object."""
        return self.head.lstrip("\ufeff \t\r\n").startswith("{")


class Format(NamedTuple):
    """How files of one format are recognised, opened and written."""

    name: str
    title: str
    """Name in words, for a list of formats."""
    recognises: Callable[[Clue], bool]
    """Whether a path looks like one of this format, and of no other."""
    open: Callable[..., AnnotatedImages]
    """The data set of (path, images or None, split or None, keyword arguments of `DatasetOptions`)."""
    writer: Callable[..., Any] | None = None
    """The class that writes it, where it can be written."""
    turns: bool = False
    """Whether its outlines are those of images turned as their EXIF orientation says, wherever it is read."""

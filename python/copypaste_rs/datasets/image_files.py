"""Image files that lie in a folder, found by their names."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUFFIXES = frozenset({
    "avif", "bmp", "dds", "dib", "gif", "ico", "j2k", "jfif", "jp2", "jpe", "jpeg", "jpg", "mpo", "pbm", "pcx", "pgm",
    "png", "pnm", "ppm", "qoi", "sgi", "tga", "tif", "tiff", "webp",
})  # fmt: skip
"""Suffixes that image files have, without the dot, small."""

CACHE_SUFFIX = ".copypaste-rs"
"""Suffix of caches of tables, which may lie among the files of a set, and belong to none."""


_LEAVES_FOLDER = re.compile(r"[/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|$)|.*\0", re.DOTALL)
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)


def whole_file(path: str | Path) -> bytes:
    """The bytes of a file: what ``Path.read_bytes`` gives, by fewer calls of the system.

    Raises
    ------
    OSError
        When it cannot be read; the message names it.
    """
    descriptor = os.open(path, _READING)
    try:
        about = os.fstat(descriptor)
        content = os.read(descriptor, about.st_size) if stat.S_ISREG(about.st_mode) else b""
    finally:
        os.close(descriptor)
    if content and len(content) == about.st_size:
        return content
    return Path(path).read_bytes()  # no file of a known size, or one that changes


def is_inside(name: str) -> bool:
    """Whether a file name, folders included, stays in the folder it starts from, on any system."""
    if name and name[0] not in "/\\" and ":" not in name and ".." not in name and "\0" not in name:
        return True  # as nearly all: the pattern is out of the processor's caches by the next image
    return bool(name) and _LEAVES_FOLDER.match(name) is None


def is_image_name(name: str) -> bool:
    """Whether a file name has the suffix of an image.

    Examples
    --------
    >>> is_image_name("a/b.JPG"), is_image_name("b.txt")
    (True, False)
    """
    return name.rpartition(".")[2].lower() in SUFFIXES


def entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """Entries of a folder, sorted by name, without hidden ones and caches of tables.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not _is_hidden(entry.name)), key=lambda entry: entry.name)


def _is_hidden(name: str) -> bool:
    """Whether a file is of the file system, of our own writers, or a cache, perhaps one that is being written."""
    is_partial = name.endswith(".partial") and f"{CACHE_SUFFIX}." in name
    return name.startswith(".") or name.endswith(CACHE_SUFFIX) or is_partial


def files_below(folder: Path, entries: Callable[[Path], list[os.DirEntry[str]]] = entries_of) -> list[str]:
    """Names of all files in a folder and the folders in it, with ``/``, sorted; hidden ones are left out.

    Links to folders are followed, but for one that leads back to a folder that it lies in. Folders are listed by
    `entries`.

    Raises
    ------
    OSError
        When a folder cannot be read.
    """
    return sorted(_files(folder, "", (folder.resolve(),), entries))


def _files(
    folder: Path, prefix: str, above: tuple[Path, ...], entries: Callable[[Path], list[os.DirEntry[str]]]
) -> Iterator[str]:
    for entry in entries(folder):
        if not entry.is_dir():
            yield prefix + entry.name
        elif (real := Path(entry.path).resolve()) not in above:
            yield from _files(Path(entry.path), f"{prefix}{entry.name}/", (*above, real), entries)

"""Image files that lie in a folder, found by their names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = frozenset({
    "avif", "bmp", "dds", "dib", "gif", "ico", "j2k", "jfif", "jp2", "jpe", "jpeg", "jpg", "mpo", "pbm", "pcx", "pgm",
    "png", "pnm", "ppm", "qoi", "sgi", "tga", "tif", "tiff", "webp",
})  # fmt: skip
"""Suffixes that image files have, without the dot, small."""


def is_image_name(name: str) -> bool:
    """Whether a file name has the suffix of an image.

    Examples
    --------
    >>> is_image_name("a/b.JPG"), is_image_name("b.txt")
    (True, False)
    """
    return name.rpartition(".")[2].lower() in SUFFIXES


def files_below(folder: Path) -> list[str]:
    """Names of all files in a folder and the folders in it, with ``/``, sorted; hidden ones are left out.

    Links to folders are followed, but for one that leads back to a folder that it lies in.

    Raises
    ------
    OSError
        When a folder cannot be read.
    """
    return sorted(_files(folder, "", (folder.resolve(),)))


def _files(folder: Path, prefix: str, above: tuple[Path, ...]) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith("."):  # of file systems and of our own writers
            continue
        if not entry.is_dir():
            yield prefix + entry.name
        elif (real := Path(entry.path).resolve()) not in above:
            yield from _files(Path(entry.path), f"{prefix}{entry.name}/", (*above, real))

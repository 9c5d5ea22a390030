"""A single file, put in place whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from copypaste_rs.datasets.logs import naming
from copypaste_rs.datasets.places import check_link

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse a path that a file cannot be written to.

    Raises
    ------
    OSError
        When there is a file and nobody said to replace it; when something else is there, or its folder is not.
    """
    check_link(path, "a file")
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected the name of a file, got a folder")
    if path.exists() and not path.is_file():  # a device would be replaced, for every program
        raise FileExistsError(f"{path}: expected the name of a file, got a device or a pipe")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} is not there")
    if os.path.lexists(path) and not overwrite:
        raise FileExistsError(f"{path}: exists already; overwrite=True replaces it")


def write_whole(path: Path, pieces: Iterable[bytes], *, overwrite: bool = False) -> None:
    """Write a file in pieces, under another name that it loses when it is whole.

    Parameters
    ----------
    path : Path
        The file, or a link to it, which stays one.
    pieces : iterable of bytes
        What stands in it. When it, or a write, fails, or the program is interrupted, nothing is left.
    overwrite : bool
        Whether a file that is there is replaced, by one with its mode.

    Raises
    ------
    OSError
        As `check_free`; when it cannot be written.
    """
    check_free(path, overwrite=overwrite)
    place = Path(os.path.realpath(path))
    part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.partial")  # another process may write one too
    try:
        with naming(path):
            with part.open("xb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            check_free(path, overwrite=overwrite)
            with suppress(FileNotFoundError):
                part.chmod(stat.S_IMODE(place.stat().st_mode))
            part.replace(place)
    finally:
        with suppress(OSError):
            part.unlink()

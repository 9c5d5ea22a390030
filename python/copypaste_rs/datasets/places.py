"""Places of outputs: what is there already, and links that lead nowhere, are found before anything is written."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING, NamedTuple

from copypaste_rs._checks import wrong

if TYPE_CHECKING:
    from pathlib import Path

STATE = ".copypaste-rs"
"""Name of the folder that a run goes on from; an output without it was not written by this library."""


class OutputLayout(NamedTuple):
    """How the files of an output format lie below the root."""

    name: str
    """Name of the format, as the settings of a run note it."""
    images: str = "images"
    """The folder of images; empty for the root itself."""
    folders: tuple[str, ...] = ()
    """Further folders, which are there at the end, with or without files."""
    ends: tuple[str, ...] = ()
    """Files that are written at the end, as far as their names are known before."""


COCO = OutputLayout("coco", ends=("annotations.json",))


class NotEmptyError(FileExistsError):
    """The folder holds an earlier run."""


class ForeignFolderError(FileExistsError):
    """The folder holds files that were not written by this library."""


def check_place(root: Path, *, resume: bool, overwrite: bool, layout: OutputLayout = COCO) -> None:
    """Refuse a folder that a run cannot be written to.

    Parameters
    ----------
    root : Path
        The folder; it may be missing.
    resume : bool
        Whether to go on with what is there.
    overwrite : bool
        Whether to delete what is there, as far as it was written by this library, in whichever format.
    layout : OutputLayout
        Of the format that will be written.

    Raises
    ------
    OSError
        When something else than a folder is in the way, or the folder holds something and neither `resume` nor
        `overwrite` allows for it.
    ValueError
        When both are set.
    """
    if resume and overwrite:
        raise wrong("overwrite", "False where resume is True", "True")
    if not _is_folder(root) or not any(root.iterdir()):
        return
    if not (root / STATE).is_dir():
        raise ForeignFolderError(f"{root}: holds other files; choose another folder")
    if not (resume or overwrite):
        raise NotEmptyError(f"{root}: exists already and is not empty; resume goes on with it, overwrite replaces it")
    for folder in (layout.images, *layout.folders):
        _is_folder(root / folder)
    for end in layout.ends:
        if (root / end).is_dir():
            raise FileExistsError(f"{root / end}: expected a file, got a folder")


def check_link(path: Path, expected: str) -> None:
    """Refuse a link that leads nowhere; `expected` says what should be there, for the error."""
    if path.is_symlink():
        try:
            path.stat()
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FileExistsError(f"{path}: expected {expected}, got a link that leads back to itself") from None
            if isinstance(error, FileNotFoundError | NotADirectoryError):
                raise FileExistsError(
                    f"{path}: expected {expected}, got a link to {path.readlink()}, which is not there"
                ) from None
            raise


def _is_folder(path: Path) -> bool:
    """Whether a folder is there; what stands where it, or a folder above it, should be made is refused."""
    for place in (path, *path.parents):
        check_link(place, "a folder")
        try:
            found = place.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            if error.errno == errno.ELOOP:  # further up
                continue
            raise
        if not stat.S_ISDIR(found.st_mode):
            raise FileExistsError(f"{place}: expected a folder, got a file")
        return place is path
    return False

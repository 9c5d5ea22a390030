"""The folder of images that belongs to an annotation file, where nobody names it."""

from __future__ import annotations

import json
import mmap
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from copypaste_rs.datasets.file_names import name_of, possible_names
from copypaste_rs.datasets.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = rb'"\s*:\s*"((?:[^"\\]|\\.)*)"'
_NAMES = {name: re.compile(b'"' + name.encode() + _TEXT) for name in ("file_name", "coco_url")}
"""Fields that name an image; LVIS has its URL alone."""
_NO_SPLITS = ("instances", "panoptic", "annotations", "coco", "")


class NoImagesError(FileNotFoundError):
    """No folder beside an annotation file has its images."""


def folder_of_images(
    file: Path,
    split: str | None = None,
    *,
    name: str | None = None,
    but: Path | None = None,
    sources: Sources | None = None,
) -> Path:
    """The folder of images of an annotation file: the likeliest one that has an image of it.

    Looked at are ``images`` beside the file and a folder above it, folders named as the split (that of
    ``instances_train2017.json`` is ``train2017``) there and in ``images``, and the folder of the file itself.

    Parameters
    ----------
    file : Path
        The annotation file.
    split : str, optional
        The part of the set that it is.
    name : str, optional
        An image that the file names; None takes the first name that stands in it.
    but : Path, optional
        A folder that is none of images, whatever it holds.
    sources : Sources, optional
        Takes note of where it was looked for.

    Raises
    ------
    FileNotFoundError
        When none of them has the image.
    """
    sources = Sources() if sources is None else sources
    words = [split] if split else []
    words += [part for part in re.split(r"[_.]", file.stem) if part not in _NO_SPLITS]
    folders: list[Path] = []
    for base in (file.parent, file.parent.parent):
        named = [base / name for name in (file.stem, *words)]
        folders += [*named, base / "images", *(base / "images" / word for word in words), base]
    folders = [folder for folder in folders if folder != but]
    image = _first_image(file) if name is None else {"file_name": name}
    if not image:
        return next(folder for folder in folders if sources.is_folder(folder))
    # Images of one LVIS file lie in the folders of two splits: the folder above these has all of them.
    for is_above in (True, False) if "coco_url" in image else (False,):
        for folder in folders:
            names = [name for name in possible_names(image, folder) if "/" in name or not is_above]
            if any(sources.is_file(folder / name) for name in names):
                return folder
    tried = ", ".join(map(str, dict.fromkeys(folders)))
    raise NoImagesError(f"{file}: no folder beside it has the image {name_of(image)!r}; give the folder of its "
                            f"images (tried: {tried})")  # fmt: skip


def _first_image(file: Path) -> dict[str, str]:
    """The field of an annotation file that names the first image; empty where there is none."""
    if not file.stat().st_size:
        return {}
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for name, pattern in _NAMES.items():
            if (found := pattern.search(text)) is not None:
                with suppress(ValueError):
                    return {name: json.loads(b'"' + found[1] + b'"')}
    return {}

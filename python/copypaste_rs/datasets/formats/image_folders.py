"""The folder of images that belongs to an annotation file, where nobody names it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from copypaste_rs.datasets.file_names import possible_names

if TYPE_CHECKING:
    from pathlib import Path

_NO_SPLITS = ("instances", "panoptic", "annotations", "coco", "")
_NAME = re.compile(r'"file_name"\s*:\s*"((?:[^"\\]|\\.)*)"')


def folder_of_images(file: Path, split: str | None = None, *, name: str | None = None, but: Path | None = None) -> Path:
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

    Raises
    ------
    FileNotFoundError
        When none of them has the image.
    """
    words = [split] if split else []
    words += [part for part in re.split(r"[_.]", file.stem) if part not in _NO_SPLITS]
    folders: list[Path] = []
    for base in (file.parent, file.parent.parent):
        named = [base / name for name in (file.stem, *words)]
        folders += [*named, base / "images", *(base / "images" / word for word in words), base]
    folders = [folder for folder in folders if folder != but]
    name = _first_name(file) if name is None else name
    if name is None:  # perhaps images stand behind the annotations: what is there decides
        there = [folder for folder in folders if folder.is_dir()]
        return there[0]
    for folder in folders:
        if any((folder / each).is_file() for each in possible_names({"file_name": name}, folder)):
            return folder
    tried = ", ".join(map(str, dict.fromkeys(folders)))
    raise FileNotFoundError(f"{file}: no folder beside it has the image {name!r}; give the folder of its images "
                            f"(tried: {tried})")  # fmt: skip


def _first_name(file: Path) -> str | None:
    with file.open("rb") as opened:
        head = opened.read(1 << 20).decode("utf-8", "replace")
    found = _NAME.search(head)
    return None if found is None else re.sub(r"\\(.)", r"\1", found[1])

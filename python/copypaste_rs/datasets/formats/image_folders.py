"""The folder of images that belongs to an annotation file, where nobody names it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from copypaste_rs.datasets.file_names import possible_names

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r'"file_name"\s*:\s*"((?:[^"\\]|\\.)*)"')


def folder_of_images(file: Path, split: str | None = None) -> Path:
    """The folder of images of an annotation file: the likeliest one that has an image of it.

    Looked at are ``images`` beside the file and a folder above it, folders named as the split (that of
    ``instances_train2017.json`` is ``train2017``) there and in ``images``, and the folder of the file itself.

    Raises
    ------
    FileNotFoundError
        When none of them has the first image that the file names.
    """
    words = [split] if split else []
    words += [part for part in re.split(r"[_.]", file.stem) if part not in ("instances", "annotations", "coco", "")]
    folders: list[Path] = []
    for base in (file.parent, file.parent.parent):
        named = [base / name for name in (file.stem, *words)]
        folders += [*named, base / "images", *(base / "images" / word for word in words), base]
    with file.open("rb") as opened:
        head = opened.read(1 << 20).decode("utf-8", "replace")
    found = _NAME.search(head)
    if found is None:  # perhaps images stand behind the annotations: what is there decides
        there = [folder for folder in folders if folder.is_dir()]
        return there[0]
    name = re.sub(r"\\(.)", r"\1", found[1])
    for folder in folders:
        if any((folder / each).is_file() for each in possible_names({"file_name": name}, folder)):
            return folder
    tried = ", ".join(map(str, dict.fromkeys(folders)))
    raise FileNotFoundError(f"{file}: no folder beside it has the image {name!r}; give the folder of its images "
                            f"(tried: {tried})")  # fmt: skip

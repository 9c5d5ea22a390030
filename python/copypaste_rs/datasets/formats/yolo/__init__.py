"""YOLO: text files of outlines beside images, and ``data.yaml``."""

from __future__ import annotations

import itertools
import os
import re
from typing import TYPE_CHECKING

from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.formats.yolo.dataset import YoloDataset
from copypaste_rs.datasets.formats.yolo.layout import CLASSES, DESCRIPTIONS, description_file
from copypaste_rs.datasets.formats.yolo.writer import YoloWriter
from copypaste_rs.datasets.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions

_LABELS = ("labels", *(f"{split}/labels" for split in ("train", "val", "valid", "test")))
"""Folders of label files in a set whose files do not say where they are."""

_MANY = 1000
"""Entries of a folder that are looked at for label files."""


def _recognises(clue: Clue) -> bool:
    if not clue.is_folder:
        has_names = re.search(r"^[\"']?(names|nc)[\"']?\s*:", clue.head + clue.tail, re.MULTILINE) is not None
        has_split = re.search(r"^[\"']?(train|val|test)[\"']?\s*:", clue.head + clue.tail, re.MULTILINE) is not None
        if clue.path.suffix not in (".yaml", ".yml") or not has_names:
            return False
        return has_split or any(_has_text(clue.path.parent / name) for name in _LABELS)
    for name in DESCRIPTIONS:
        if (clue.path / name).is_file():
            return _recognises(Clue.of(clue.path / name))
    if any((clue.path / name).is_file() for name in CLASSES):
        return any(_has_text(clue.path / name) for name in _LABELS)
    try:
        file = description_file(clue.path, Sources())
    except ValueError:
        return False
    return file is not None and _recognises(Clue.of(file))


def _has_text(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    with os.scandir(folder) as entries:
        found = list(itertools.islice(entries, _MANY))
    inner = [entry for entry in found if entry.is_dir()]
    return any(entry.name.endswith(".txt") for entry in found) or any(_has_text(folder / each.name) for each in inner)


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> YoloDataset:
    if images is not None:
        raise ValueError(f"images: expected none for a YOLO set, which says where they are, got {images}")
    return YoloDataset(path, "train" if split is None else split, **options)


FORMAT = Format("yolo", "YOLO set for segmentation", _recognises, _open, YoloWriter, turns=True)

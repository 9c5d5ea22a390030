"""LabelMe: a JSON file of shapes beside each image."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.formats.labelme.dataset import LabelMeDataset
from copypaste_rs.datasets.formats.labelme.writer import LabelMeWriter

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions

_MANY = 3
"""JSON files of a folder that are looked at."""


def _recognises(clue: Clue) -> bool:
    if not clue.is_folder:
        return False
    base = clue.path if clue.split is None else clue.path / clue.split
    files = itertools.islice((path for path in base.glob("*.json") if not path.name.startswith(".")), _MANY)
    return any(Clue.of(path).has_keys("shapes") and Clue.of(path).has_keys("imagePath") for path in files)


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> LabelMeDataset:
    return LabelMeDataset(path if split is None else path / split, images, **options)


FORMAT = Format("labelme", "folder of LabelMe files", _recognises, _open, LabelMeWriter, turns=True)

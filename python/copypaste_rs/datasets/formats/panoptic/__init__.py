"""COCO panoptic: a JSON file of segments, and a PNG of their numbers for each image."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

from copypaste_rs.datasets.formats.coco import annotation_file
from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.formats.panoptic.dataset import PanopticDataset
from copypaste_rs.datasets.formats.panoptic.writer import PanopticWriter

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions

_IN_FOLDER = ("panoptic.json", "annotations/panoptic_*.json", "panoptic_*.json")
"""Annotation files by their names in the folder of a set."""
_OF_SPLIT = ("{0}/panoptic.json", "annotations/panoptic_{0}*.json", "panoptic_{0}*.json")
"""Annotation files of one split."""


def _panoptic_file(path: Path, split: str | None) -> Path | None:
    """The annotation file that a path is or, of a folder, holds; None where it holds none, or more than one."""
    if not path.is_dir():
        return path
    names = _IN_FOLDER if split is None else [name.format(glob.escape(split)) for name in _OF_SPLIT]
    for name in names:
        found = sorted(each for each in path.glob(name) if each.is_file())
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _recognises(clue: Clue) -> bool:
    if clue.is_folder:  # of a set that has instances too, these are meant
        file = _panoptic_file(clue.path, clue.split)
        return file is not None and annotation_file(clue.path, clue.split) is None and _recognises(Clue.of(file))
    return clue.is_json_object and clue.has_keys("segments_info")


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> PanopticDataset:
    file = _panoptic_file(path, split)
    if file is None:
        raise FileNotFoundError(f"{path}: expected one annotation file in the folder, as panoptic_val2017.json; "
                                "give its path, or split")  # fmt: skip
    return PanopticDataset(file, images, **options)


FORMAT = Format("panoptic", "COCO panoptic annotation file", _recognises, _open, PanopticWriter)

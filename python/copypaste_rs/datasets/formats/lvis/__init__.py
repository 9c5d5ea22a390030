"""LVIS: COCO's one JSON file, with more about categories and images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copypaste_rs.datasets.formats.coco import annotation_file, is_lvis
from copypaste_rs.datasets.formats.image_folders import folder_of_images
from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.formats.lvis.dataset import LvisDataset
from copypaste_rs.datasets.formats.lvis.writer import LvisWriter

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions

_IN_FOLDER = ("annotations.json", "lvis_v*.json", "annotations/lvis_v*.json")
"""Annotation files by their names in the folder of a set: ours, LVIS's."""
_OF_SPLIT = ("{0}/annotations.json", "lvis_v*_{0}.json", "annotations/lvis_v*_{0}.json", "{0}.json")
"""Annotation files of one split."""


def _file(path: Path, split: str | None) -> Path | None:
    return annotation_file(path, split, _IN_FOLDER, _OF_SPLIT)


def _recognises(clue: Clue) -> bool:
    if clue.is_folder:
        file = _file(clue.path, clue.split)
        return file is not None and _recognises(Clue.of(file))
    return clue.is_json_object and is_lvis(clue)


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> LvisDataset:
    file = _file(path, split)
    if file is None:
        raise FileNotFoundError(f"{path}: expected one annotation file in the folder, as lvis_v1_train.json; "
                                "give its path, or split")  # fmt: skip
    return LvisDataset(file, folder_of_images(file, split) if images is None else images, **options)


FORMAT = Format("lvis", "LVIS annotation file", _recognises, _open, LvisWriter)

"""COCO: one JSON file with images, annotations and categories."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

from copypaste_rs.datasets.coco import CocoDataset
from copypaste_rs.datasets.coco_writer import CocoWriter
from copypaste_rs.datasets.formats.image_folders import folder_of_images
from copypaste_rs.datasets.formats.kind import Clue, Format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions

_IN_FOLDER = ("annotations.json", "_annotations.coco.json", "annotations/instances_*.json")
"""Annotation files by their names in the folder of a set: ours, Roboflow's, COCO's."""
_OF_SPLIT = ("{0}/annotations.json", "{0}/_annotations.coco.json", "annotations/instances_{0}*.json",
             "annotations/{0}.json", "{0}.json")  # fmt: skip
"""Annotation files of one split."""


def annotation_file(
    path: Path, split: str | None, in_folder: Sequence[str] = _IN_FOLDER, of_split: Sequence[str] = _OF_SPLIT
) -> Path | None:
    """The annotation file that a path is or, of a folder, holds; None where it holds none, or more than one.

    Files are looked for in a folder by these patterns, in their order.
    """
    if not path.is_dir():
        return path
    names = in_folder if split is None else [name.format(glob.escape(split)) for name in of_split]
    for name in names:
        found = sorted(path.glob(name))
        if len(found) == 1:
            return found[0]
    return None


def is_lvis(clue: Clue) -> bool:
    """Whether a file has what LVIS adds to COCO."""
    return clue.has_keys("neg_category_ids") or clue.has_keys("frequency", "synset")


def _recognises(clue: Clue) -> bool:
    if clue.is_folder:
        file = annotation_file(clue.path, clue.split)
        return file is not None and _recognises(Clue.of(file))
    others = ("segments_info", "shapes")
    is_other = is_lvis(clue) or any(clue.has_keys(key) for key in others)
    return clue.is_json_object and clue.has_keys("images") and not is_other


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> CocoDataset:
    file = annotation_file(path, split)
    if file is None:
        raise FileNotFoundError(f"{path}: expected one annotation file in the folder, as annotations.json; "
                                "give its path, or split")  # fmt: skip
    return CocoDataset(file, folder_of_images(file, split) if images is None else images, **options)


FORMAT = Format("coco", "COCO annotation file", _recognises, _open, CocoWriter)

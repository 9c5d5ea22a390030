"""PASCAL VOC: folders of images, of rasters of objects and classes, and of XML files; lists of images by split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.formats.voc.dataset import VocDataset
from copypaste_rs.datasets.formats.voc.image_sets import is_voc, splits_of, voc_root
from copypaste_rs.datasets.formats.voc.writer import VocWriter

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions


def _recognises(clue: Clue) -> bool:
    return clue.is_folder and (
        is_voc(clue.path) or any(each.is_dir() and is_voc(each) for each in clue.path.glob("VOC*"))
    )


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> VocDataset:
    if split is None:
        splits = splits_of(voc_root(path))
        if len(splits) > 1 and "train" not in splits:
            raise ValueError(f"{path}: expected one split of images, got {', '.join(splits)}; split names one of them")
        split = "train" if "train" in splits else splits[0] if splits else None
    return VocDataset(path, split, images=images, **options)


FORMAT = Format("voc", "PASCAL VOC set", _recognises, _open, VocWriter)

"""Label images: two folders, of images and of rasters that hold the number of an object at each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.formats.label_maps.dataset import LabelMapDataset
from copypaste_rs.datasets.formats.label_maps.pairing import LABEL_SUFFIXES
from copypaste_rs.datasets.formats.label_maps.writer import LabelMapWriter

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions

_IMAGES = ("images", "image", "imgs", "img", "leftImg8bit")
_RASTERS = ("masks", "mask", "labels", "label_maps", "instances", "gtFine")
"""Names of the two folders."""
_BESIDE = ("_masks", "_cp_masks")
"""Ends of names of label images that lie beside their images, as Cellpose has them."""


def _folders(path: Path, split: str | None) -> tuple[Path, Path] | None:
    """The folders of images and of label images of a set; None where they are not there, or more than two."""
    base = path if split is None or not (path / split).is_dir() else path / split
    images, rasters = ([base / name for name in names if (base / name).is_dir()] for names in (_IMAGES, _RASTERS))
    if len(images) == len(rasters) == 1:
        found = images[0], rasters[0]
        if split is None or base != path:
            return found
        parts = found[0] / split, found[1] / split
        return parts if all(part.is_dir() for part in parts) else None
    is_known = split is None or base != path
    return (base, base) if is_known and not images and not rasters and _has_rasters(base, _BESIDE) else None


def _has_rasters(folder: Path, endings: tuple[str, ...] = ()) -> bool:
    """Whether a folder, or one in it, has a raster of such a name or, without endings, rasters and no text."""
    for each in folder.rglob("*"):
        suffix = each.suffix.lower()[1:]
        if suffix in LABEL_SUFFIXES and (not endings or each.stem.endswith(endings)):
            return True
        if suffix in ("txt", "json", "xml") and not endings:  # annotations of another kind
            return False
    return False


def _recognises(clue: Clue) -> bool:
    if not clue.is_folder or (clue.path / "annotations").is_dir():
        return False
    if any(each.suffix in (".json", ".yaml", ".yml") for each in clue.path.iterdir()):
        return False
    folders = _folders(clue.path, clue.split)
    if folders is None:
        return False
    images, rasters = folders
    return images == rasters or _has_rasters(rasters, ("_instanceIds",) if "gtFine" in rasters.parts[-2:] else ())


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> LabelMapDataset:
    if images is not None:
        return LabelMapDataset(images, path, **options)
    folders = _folders(path, split)
    if folders is None:
        raise FileNotFoundError(
            f"{path}: expected folders of images ({', '.join(_IMAGES)}) and of label images ({', '.join(_RASTERS)}); "
            "give path, that of label images, and images"
        )
    if "gtFine" in folders[1].parts[-2:]:
        return LabelMapDataset(*folders, categories="cityscapes", **options)
    return LabelMapDataset(*folders, **options)


FORMAT = Format("label-maps", "folders of images and of label images", _recognises, _open, LabelMapWriter)

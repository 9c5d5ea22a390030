"""Images and their label images, paired by the names of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from copypaste_rs.datasets.image_files import is_image_name
from copypaste_rs.datasets.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from copypaste_rs.datasets.sources import Sources

LABEL_SUFFIXES = ("png", "tif", "tiff", "npy", "bmp", "gif", "pgm")
"""Suffixes of label images, without the dot."""
LABEL_ENDINGS = (
    "_gtFine_instanceIds", "_gtCoarse_instanceIds", "_instanceIds", "_cp_masks", "_masks", "_mask", "_labels", "_label",
    "_instances", "_instance",
)  # fmt: skip
"""Ends of the names of label images, before the suffix; the longer ones first."""
IMAGE_ENDINGS = ("_leftImg8bit", "_image", "_img", "_rgb")
"""Ends of the names of images that have label images of other ends."""


class Pairs(NamedTuple):
    """Names of files below their folders."""

    pairs: list[tuple[str, str]]
    """Image and label image, sorted by the image."""
    without_labels: list[str]
    """Images that have no label image."""
    without_image: list[str]
    """Label images that have no image."""


def paired(images: Path, label_maps: Path, sources: Sources) -> Pairs:
    """Pairs of the files of two folders, which may be one.

    An image belongs to the label image of its name, or of its name and one of `LABEL_ENDINGS`; the end of an image's
    name that is among `IMAGE_ENDINGS` may be missing there. Folders inside count as part of the name or, where there
    is no label image of this name, are left out of account. Where some label images have such an ending, other files
    beside them are none; where both folders are one, all label images have one.

    Raises
    ------
    ValueError
        When it is not plain which label image belongs to an image.
    """
    is_one = images.resolve() == label_maps.resolve()
    rasters = [name for name in _own(label_maps, images, is_one, sources) if _parts(name)[2] in LABEL_SUFFIXES]
    ending = {name for name in rasters if _without(_parts(name)[1], LABEL_ENDINGS) is not None}
    exact = _Index(() if is_one else rasters, ())
    stripped = _Index(ending, LABEL_ENDINGS)
    problems = Problems(str(label_maps))
    found = Pairs([], [], [])
    owners: dict[str, str] = {}
    for name in _own(images, label_maps, is_one, sources):
        if not is_image_name(name) or (is_one and name in ending):
            continue
        fitting = next(filter(None, (index.find(name, form) for form in (0, 1) for index in (exact, stripped))), [])
        if len(fitting) > 1:
            problems.add(name, f"expected one label image, got {' and '.join(fitting[:3])}")
        elif not fitting:
            found.without_labels.append(name)
        elif (owner := owners.setdefault(fitting[0], name)) != name:
            problems.add(fitting[0], f"expected a label image of one image, got that of {owner} and {name}")
        else:
            found.pairs.append((name, fitting[0]))
    problems.tell()
    meant = ending if ending & owners.keys() or is_one else rasters
    found.without_image.extend(name for name in sorted(meant) if name not in owners)
    return found


class _Index:
    """Names of files by folder and stem, and by stem alone; of the stems the first of `endings` is cut off."""

    def __init__(self, names: Iterable[str], endings: tuple[str, ...]) -> None:
        self._whole: dict[str, list[str]] = {}
        self._alone: dict[str, list[str]] = {}
        for name in sorted(names):
            folder, stem, _ = _parts(name)
            stem = _without(stem, endings) or stem
            self._whole.setdefault(folder + stem, []).append(name)
            self._alone.setdefault(stem, []).append(name)

    def find(self, name: str, form: int) -> list[str]:
        """Names of the stem of an image: as it stands (form 0), or without its ending (form 1)."""
        folder, stem, _ = _parts(name)
        if form:
            stem = _without(stem, IMAGE_ENDINGS) or ""
        return self._whole.get(folder + stem) or self._alone.get(stem) or [] if stem else []


def _parts(name: str) -> tuple[str, str, str]:
    """Folder with its slash, stem, and suffix in small letters."""
    folder, slash, file = name.rpartition("/")
    stem, _, suffix = file.rpartition(".")
    return folder + slash, stem, suffix.lower()


def _without(stem: str, endings: tuple[str, ...]) -> str | None:
    """The stem without the first of the endings that it has; None where it has none, or is nothing else."""
    for ending in endings:
        if stem.endswith(ending) and stem != ending:
            return stem.removesuffix(ending)
    return None


def _own(folder: Path, other: Path, is_one: bool, sources: Sources) -> list[str]:
    """Files of a folder without those of the other one, where that lies in it."""
    names = sources.files_below(folder)
    try:
        inside = other.resolve().relative_to(folder.resolve()).as_posix() + "/"
    except ValueError:
        return names
    return names if is_one else [name for name in names if not name.startswith(inside)]

"""Images of one split of a YOLO set, and the label file of each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.formats.yolo.description import (
    Description,
    listed_names,
    names_of,
    numbered,
    read_description,
)
from copypaste_rs.datasets.image_files import is_image_name
from copypaste_rs.datasets.text_encoding import lines_of

if TYPE_CHECKING:
    from copypaste_rs.datasets.sources import Sources

DESCRIPTIONS = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
"""Names of the description in the folder of a set; else any one YAML file is it."""

CLASSES = ("classes.txt", "labels/classes.txt", "obj.names", "classes.names")
"""Files with a name a line, in a set that has no description."""


class YoloFiles(NamedTuple):
    """Files of one split."""

    names: dict[int, str]
    """Names of the classes by their numbers."""
    images: list[Path]
    """Image files, sorted."""
    folder: Path
    """The folder that holds all of them."""
    label_folders: frozenset[str]
    """Folders of label files that belong to these images alone."""


def yolo_files(data: Path, split: str, names: tuple[str, ...] | None, sources: Sources) -> YoloFiles:
    """Files of a split of the set at a path: its ``data.yaml``, or a folder.

    Raises
    ------
    OSError
        When there is no such set, split or image.
    ValueError
        When files say what cannot be; when the set has no such split, or no names.
    """
    file = description_file(data, sources)
    if file is None:
        return _found(_class_names(data, names, sources), _folders(data, split, sources), sources)
    found = read_description(file, sources.read(file))
    base = _root(file, found, sources)
    for name in names_of(split):
        if entries := found.splits.get(name):
            known = found.names if names is None else numbered(names)
            return _found(known, [_entry(file, name, base, entry, sources) for entry in entries], sources, base)
    if found.splits:
        there = ", ".join(map(repr, found.splits))
        raise ValueError(f"{file}: expected the split {split!r}, got the splits {there}")
    try:
        places = _folders(base, split, sources)
    except FileNotFoundError:
        raise ValueError(f"{file}: expected the split {split!r}, got no splits, and no images in {base / split} or "
                         f"{base / 'images' / split}") from None  # fmt: skip
    return _found(found.names if names is None else numbered(names), places, sources, base)


def description_file(data: Path, sources: Sources) -> Path | None:
    """The description that a path is or, of a folder, holds; None where it holds none."""
    if not data.is_dir():
        return data
    for name in DESCRIPTIONS:
        if sources.is_file(data / name):
            return data / name
    paths = [data / name for name in sources.names_in(data)]
    found = [path for path in paths if path.suffix in (".yaml", ".yml") and path.is_file()]
    if len(found) > 1:
        raise ValueError(f"{data}: expected one YAML file, as data.yaml, got {len(found)} ({found[0].name}, ...); give "
                         "its path")  # fmt: skip
    return found[0] if found else None


def _class_names(data: Path, names: tuple[str, ...] | None, sources: Sources) -> dict[int, str]:
    if names is not None:
        return numbered(names)
    for name in CLASSES:
        if sources.is_file(data / name):
            return listed_names(data / name, sources.read(data / name))
    raise FileNotFoundError(f"{data}: expected data.yaml in the folder, or classes.txt with a name a line; give names")


def _folders(data: Path, split: str, sources: Sources) -> list[Path]:
    """Images of a split in a folder without a description, or with one that has no splits."""
    tried: list[Path] = []
    for name in names_of(split):
        tried += [data / name / "images", data / "images" / name, data / name, data / f"{name}.txt"]
    if split == "train":  # a set without splits
        tried += [data / "images", data]
    for place in tried:
        if sources.is_file(place):
            return [place]
        if sources.is_folder(place) and place != data and any(map(is_image_name, sources.files_below(place))):
            return [place]
    if split == "train" and any(map(is_image_name, sources.names_in(data))):
        return [data]
    raise FileNotFoundError(f"{data}: expected images of the split {split!r} in {data.name}/{split}/images or "
                            f"{data.name}/images/{split}, got none")  # fmt: skip


def _root(file: Path, description: Description, sources: Sources) -> Path:
    """The folder that entries of a description start from.

    That which ``path`` names, relative to the file or to where the program runs; the file's own where neither is there,
    as in sets that were moved or come from another machine.
    """
    here = Path(os.path.abspath(file)).parent  # noqa: PTH100 (links stay, as in the rule for label files)
    if description.path is not None:
        path = description.path.replace("\\", "/")
        if sources.is_folder(here / path):
            return _plain(here / path)
        elsewhere = sources.working_folder() / path
        if sources.is_folder(elsewhere):
            return _plain(elsewhere)
    return here


def _plain(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _entry(file: Path, split: str, base: Path, entry: str, sources: Sources) -> Path:
    """The folder or file that an entry of a split means."""
    plain = entry.replace("\\", "/")
    names = [plain, *([plain[3:]] if plain.startswith("../") else [])]  # Roboflow's are one folder too high
    tried = [_plain(folder / name) for name in names for folder in dict.fromkeys([base, file.parent.absolute()])]
    for path in tried:
        if sources.exists(path):
            return path
    raise FileNotFoundError(f"{file}: {split}: no such folder or file: {entry!r} (tried: "
                            f"{', '.join(map(str, dict.fromkeys(tried)))})")  # fmt: skip


def _found(names: dict[int, str], places: list[Path], sources: Sources, base: Path | None = None) -> YoloFiles:
    images: dict[Path, None] = {}
    folders: list[Path] = []
    own: set[str] = set()
    for place in map(_plain, map(Path.absolute, places)):
        if sources.is_folder(place):
            found = [place / name for name in sources.files_below(place) if is_image_name(name)]
            folders.append(place)
            own.update(str(label_file(path).parent) for path in found)
        elif is_image_name(place.name):
            found = [place]
        else:
            found = _listed(place, base or place.parent, sources)
        folders += [] if place.is_dir() else [path.parent for path in found]
        images |= dict.fromkeys(found)
    if not images:
        raise FileNotFoundError(f"{places[0]}: expected images, got none")
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # on Windows
        raise ValueError(f"{places[0]}: expected images on one drive, got some on several") from None
    return YoloFiles(names, sorted(images), Path(common), frozenset(own))


def _listed(file: Path, base: Path, sources: Sources) -> list[Path]:
    """The images that a text file lists, relative to itself or to the root of the set."""
    lines = lines_of(file, sources.read(file))
    found, missing = [], []
    for number, line in enumerate(lines, 1):
        name = line.strip().replace("\\", "/")
        if not name or not is_image_name(name):
            continue
        shorter = name.removeprefix("./").partition("/")[2]  # CVAT's begin with a folder that is not there
        tried = [_plain(folder / each) for each in (name, shorter) if each for folder in (file.parent, base)]
        path = next((path for path in tried if sources.is_file(path)), None)
        if path is None:
            missing.append(f"line {number}: {name!r}")
        else:
            found.append(path)
    if missing:
        others = f", and {counted(len(missing) - 1, 'other', 'others')}" if missing[1:] else ""
        raise FileNotFoundError(f"{file}: {missing[0]}{others}: no such image")
    return found


def label_file(image: Path) -> Path:
    """The label file of an image: in ``labels`` for the last ``images`` among its folders, else beside it.

    Examples
    --------
    >>> label_file(Path("set/images/train/a.b.jpg")).as_posix()
    'set/labels/train/a.b.txt'
    """
    head, found, tail = str(image).rpartition(f"{os.sep}images{os.sep}")
    path = f"{head}{os.sep}labels{os.sep}{tail}" if found else str(image)
    if not found and image.parts[0] == "images":
        path = str(Path("labels", *image.parts[1:]))
    return Path(f"{path.rpartition('.')[0]}.txt")

"""Image sets of PASCAL VOC: which images belong to a split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copypaste_rs.datasets.image_files import is_inside
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.datasets.text_encoding import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from copypaste_rs.datasets.sources import Sources

_SETS = ("Segmentation", "Main")
"""Folders of lists, in the order in which a split is looked for."""
_PARTS = ("JPEGImages", "SegmentationObject", "SegmentationClass", "Annotations", "ImageSets")


def is_voc(path: Path) -> bool:
    """Whether a folder looks like the root of a set."""
    has = {name for name in _PARTS if (path / name).is_dir()}
    return "SegmentationObject" in has or {"JPEGImages", "Annotations"} <= has


def voc_root(path: Path) -> Path:
    """The root of a set: the folder itself or, of a folder such as ``VOCdevkit``, the one set that it holds."""
    if not path.is_dir():
        raise NotADirectoryError(f"{path}: expected a folder, which is not there")
    if is_voc(path):
        return path
    inside = sorted(each for each in path.iterdir() if each.is_dir() and is_voc(each))
    if len(inside) == 1:
        return inside[0]
    if inside:
        names = ", ".join(each.name for each in inside)
        raise ValueError(
            f"{path}: expected one PASCAL VOC set, got several folders of such ({names}); name one of them"
        )
    raise FileNotFoundError(
        f"{path}: expected a PASCAL VOC set: folders JPEGImages and SegmentationObject, or JPEGImages and Annotations"
    )


def splits_of(root: Path) -> list[str]:
    """Names of the splits that a set has, sorted."""
    return sorted({path.stem for name in _SETS for path in (root / "ImageSets" / name).glob("*.txt")})


def list_of_split(root: Path, split: str, sources: Sources) -> Path:
    """The file that lists the images of a split."""
    if not is_inside(split):
        raise ValueError(f"split: expected a name inside ImageSets, got {split!r}")
    for name in _SETS:
        path = root / "ImageSets" / name / f"{split}.txt"
        if sources.is_file(path):
            return path
    there = ", ".join(map(repr, splits_of(root))) or "none, so that split=None takes all images"
    wanted = root / "ImageSets" / _SETS[0] / f"{split}.txt"
    raise FileNotFoundError(f"{wanted}: no such file, which lists the images of a split (there are: {there})")


def listed_names(path: Path, data: bytes, is_there: Callable[[str], bool]) -> tuple[list[str], int]:
    """Names in a list, each once, and how often one stood there again.

    A line is a name, perhaps in double quotes. Where there is no such image (`is_there`), and 1, 0 or -1 stands at the
    end of the line, as in lists of one class, the name is what stands before it.
    """
    found: dict[str, None] = {}
    times = 0
    problems = Problems(str(path))
    for number, line in enumerate(lines_of(path, data), 1):
        name = _plain(line)
        if not name:
            continue
        start, _, flag = line.strip().rpartition(" ")
        if flag in ("1", "0", "-1") and not is_there(name) and is_there(_plain(start)):
            name = _plain(start)
        if not is_inside(name):
            problems.add(f"line {number}", f"expected a name inside the folder of images, got {name!r:.80}")
        found[name] = None
        times += 1
    problems.tell()
    return list(found), times - len(found)


def _plain(text: str) -> str:
    """A name without quotes around it, with slashes."""
    name = text.strip()
    if len(name) > 2 and name[0] == name[-1] == '"':
        name = name[1:-1]
    return name.replace("\\", "/")

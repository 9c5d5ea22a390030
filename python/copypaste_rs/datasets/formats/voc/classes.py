"""Classes of a PASCAL VOC set: their names, and what a value of a raster means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.formats.voc.palette import INDICES, PALETTE, VOID, number_of
from copypaste_rs.datasets.text_encoding import lines_of

if TYPE_CHECKING:
    from pathlib import Path

    from copypaste_rs.datasets.label_images import LabelImage
    from copypaste_rs.datasets.sources import Sources

NAMES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""Classes of PASCAL VOC, from 1."""
BACKGROUNDS = ("background", "_background_", "__background__")
VOIDS = ("void", "ignore", "ignored", "__ignore__", "border")
MOST_CLASSES = 254
"""Indices that are neither background nor void."""


class VocClasses(NamedTuple):
    """Classes, and the colours that mean them."""

    names: list[str]
    """Names of the ids 1, 2, ..."""
    colours: dict[int, int] | None = None
    """Ids of colours, which are given as numbers: 0 is background, `VOID` void. None: those of the palette."""

    @property
    def categories(self) -> list[dict[str, Any]]:
        """Classes as COCO has them."""
        return [{"id": i, "name": name} for i, name in enumerate(self.names, 1)]

    def id_of(self, value: int, raster: LabelImage) -> int | None:
        """Id of the class that a value of a raster means, 0 for background, `VOID` for void; None for none of these."""
        if self.colours is None:
            index = INDICES.get(value) if raster.has_colours else value
            return index if index is not None and (index <= len(self.names) or index == VOID) else None
        if raster.has_colours:
            return self.colours.get(value)
        own = raster.palette
        colour = PALETTE[value] if own is None or value >= len(own) else tuple(own[value].tolist())
        return self.colours.get(number_of(colour))


def classes_of(root: Path, names: list[str] | None, sources: Sources) -> VocClasses:
    """Classes of a set: those given or, in its folder, of ``labelmap.txt`` or ``class_names.txt``, or VOC's own."""
    if names is not None:
        return VocClasses(names)
    for file, parse in (("labelmap.txt", _of_label_map), ("class_names.txt", _of_class_names)):
        path = root / file
        if sources.is_file(path):
            return parse(path, lines_of(path, sources.read(path)))
    return VocClasses(list(NAMES))


def checked_names(names: object) -> list[str]:
    """Names of classes as given by hand, checked; a background that stands first is left out."""
    if isinstance(names, str | bytes) or not isinstance(names, Sequence):
        raise wrong_type("names", "a sequence of names of classes", type(names).__name__)
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise wrong_type(("names", i), "a string", repr(name))
    found = list(names[1:]) if names and names[0] in BACKGROUNDS else list(names)
    if problem := _wrong_with(found):
        raise wrong("names", *problem)
    return found


def _wrong_with(names: list[str]) -> tuple[str, str] | None:
    """Expectation that names fail, and what came; None where they are fine."""
    if len(names) > MOST_CLASSES:
        return f"at most {MOST_CLASSES} classes", str(len(names))
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        return "each name once", f"{twice[0]!r} more than once"
    return None


def _of_label_map(path: Path, lines: list[str]) -> VocClasses:
    """Classes of a ``labelmap.txt`` as CVAT writes it: lines of name:red,green,blue:parts:actions."""
    found: list[tuple[str, int | None]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, *others = line.split(":")
        found.append(
            (name.strip(), _colour(f"{path}: line {number}", others[0]) if others and others[0].strip() else None)
        )
    if any(colour is None for _, colour in found):  # colours are those of the palette, in order
        first = [] if any(name in BACKGROUNDS for name, _ in found) else [("background", None)]
        found = [(name, number_of(PALETTE[i % len(PALETTE)])) for i, (name, _) in enumerate([*first, *found])]
    names = [name for name, _ in found if name not in (*BACKGROUNDS, *VOIDS)]
    if problem := _wrong_with(names):
        raise ValueError(f"{path}: expected {problem[0]}, got {problem[1]}")
    colours: dict[int, int] = {}
    for name, colour in found:
        assert colour is not None
        if colour in colours:
            raise ValueError(f"{path}: expected a colour of its own for each class, got that of {name!r} twice")
        colours[colour] = 0 if name in BACKGROUNDS else VOID if name in VOIDS else names.index(name) + 1
    for index in (0, VOID):
        colours.setdefault(number_of(PALETTE[index]), index)
    return VocClasses(names, colours)


def _colour(place: str, text: str) -> int:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and int(part) < 256 for part in parts):
        raise ValueError(f"{place}: expected name:red,green,blue:parts:actions, got the colour {text!r:.80}")
    red, green, blue = map(int, parts)
    return number_of((red, green, blue))


def _of_class_names(path: Path, lines: list[str]) -> VocClasses:
    """Classes of a ``class_names.txt`` as LabelMe's script writes it: names of the indices 0, 1, ..."""
    names = [line.strip() for line in lines if line.strip() and line.strip() != "__ignore__"]
    if not names or names[0] not in BACKGROUNDS:
        got = repr(names[0]) if names else "no name"
        raise ValueError(f"{path}: expected _background_, the name of index 0, in the first line, got {got}")
    if problem := _wrong_with(names[1:]):
        raise ValueError(f"{path}: expected {problem[0]}, got {problem[1]}")
    return VocClasses(names[1:])

"""``data.yaml`` of a YOLO set: classes, and where the images of each split are."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.text_encoding import check_utf8, lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LARGEST = 1 << 22
"""Bytes of the largest description: one with ten thousand classes has a tenth of them."""

SPLITS = (("train",), ("val", "valid", "validation"), ("test",))
"""Names that splits go by."""

_ABSENT = ("", "~", "null")


class Description(NamedTuple):
    """The content of a ``data.yaml``."""

    names: dict[int, str]
    """Names of the classes by their numbers."""
    path: str | None
    """Root of the set as it stands there."""
    splits: dict[str, list[str]]
    """Folders, or files that list images, of each split, as they stand there."""


def names_of(split: str) -> tuple[str, ...]:
    """Names of a split, the given one first."""
    same = next((names for names in SPLITS if split in names), ())
    return split, *(name for name in same if name != split)


def read_description(file: Path, data: bytes) -> Description:
    """Read the bytes of a ``data.yaml``.

    Raises
    ------
    ImportError
        When PyYAML is missing.
    ValueError
        When it is no YAML, or its keys have other values than they should; the message names file and key.
    """
    if len(data) > LARGEST:
        raise ValueError(f"{file}: expected a description of at most {LARGEST} bytes, got {len(data)}")
    check_utf8(file, data)
    found = _mapping(file, data.removeprefix(codecs.BOM_UTF8))
    if "kpt_shape" in found:
        raise ValueError(
            f"{file}: expected a set with outlines, got one of poses: each line has a class, a box and "
            f"{_numbers_of_points(found['kpt_shape'])} (kpt_shape), and no outline to paste. Annotations of COCO hold "
            "both: CocoDataset reads segmentation and keypoints of one file"
        )
    path = found.get("path")
    if path is not None and not isinstance(path, str):
        raise ValueError(f"{file}: path: expected text, got {_kind(path)}")
    splits = {name: entries for names in SPLITS for name in names if (entries := _entries(file, found, name))}
    return Description(_names(file, found), None if path in _ABSENT else path, splits)


def _mapping(file: Path, data: bytes) -> dict[str, Any]:
    with extra("yolo"):
        import yaml

    class Loader(yaml.BaseLoader):  # type: ignore[misc,unused-ignore]  # scalars stay text: a class may be called "no" or "1.0"
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):  # a few of them stand for any number of values
                mark = self.peek_event().start_mark
                raise ValueError(f"{file}: expected no references (*name), got one in line {mark.line + 1}")
            return super().compose_node(parent, index)

    try:
        found = yaml.load(data.decode(), Loader)  # noqa: S506 (BaseLoader makes text, lists and dicts alone)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" (line {mark.line + 1})"
        words = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ValueError(f"{file}: cannot be read as YAML: {words}{where}") from None
    except RecursionError:
        raise ValueError(f"{file}: cannot be read as YAML: values lie too deep in others") from None
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise ValueError(f"{file}: expected keys and values, as names and train, got {_kind(found)}")
    return found


def _kind(value: object) -> str:
    """A value of YAML, in words."""
    if isinstance(value, str):
        return f"{value!r:.40}"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "nothing"


def _entries(file: Path, found: dict[str, Any], split: str) -> list[str]:
    value = found.get(split)
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        if entry is not None and not isinstance(entry, str):
            raise ValueError(f"{file}: {split}: expected a folder, a file that lists images, or a list of them, got "
                             f"{_kind(entry)}")  # fmt: skip
    return [entry for entry in entries if entry is not None and entry not in _ABSENT]


def _names(file: Path, found: dict[str, Any]) -> dict[int, str]:
    number, given = found.get("nc"), found.get("names")
    n = None
    if number is not None:
        if not (isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) < 10):
            raise ValueError(f"{file}: nc: expected the number of classes, got {_kind(number)}")
        n = int(number)
    if given is None or given in _ABSENT:
        if n is None:
            raise ValueError(f"{file}: expected the names of the classes under names, got none")
        if n > LARGEST:
            raise ValueError(f"{file}: nc: expected at most {LARGEST} classes, got {n}")
        return {i: f"class_{i}" for i in range(n)}
    names = _numbered(file, given)
    if n is not None and n != len(names):
        raise ValueError(f"{file}: names: expected {n} as nc says, got {len(names)}")
    return names


def _numbered(file: Path, given: object) -> dict[int, str]:
    if not isinstance(given, list | dict):
        raise ValueError(f"{file}: names: expected a list, or a mapping of numbers to names, got {_kind(given)}")
    names: dict[int, str] = {}
    for key, name in given.items() if isinstance(given, dict) else enumerate(given):
        text = str(key)
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise ValueError(f"{file}: names: expected numbers of classes as keys, got {_kind(key)}")
        if not isinstance(name, str):
            raise ValueError(f"{file}: names: {text}: expected a name, got {_kind(name)}")
        if int(text) in names:
            raise ValueError(f"{file}: names: expected each number once, got {text} more than once")
        names[int(text)] = name
    return dict(sorted(names.items()))


def listed_names(file: Path, data: bytes) -> dict[int, str]:
    """Names of classes in a file with one a line, as ``classes.txt``."""
    lines = lines_of(file, data)
    while lines and not lines[-1].strip():
        lines.pop()
    return {i: line.strip() for i, line in enumerate(lines)}


def classes(names: dict[int, str]) -> str:
    """The classes, in words for an error."""
    if list(names) == list(range(len(names))):
        return f"a class from 0 to {len(names) - 1}, as there are {counted(len(names), 'name', 'names')}"
    return f"one of the classes {', '.join(map(str, [*names][:10]))}{', ...' if len(names) > 10 else ''}"


def numbered(names: Sequence[str]) -> dict[int, str]:
    """Names as given by hand, by their numbers."""
    return dict(enumerate(names))


def _numbers_of_points(shape: Any) -> str:
    """Numbers behind a box by ``kpt_shape``, in words: keypoints, and values of each."""
    if isinstance(shape, list) and len(shape) == 2 and all(str(each).isdecimal() for each in shape):
        return f"{shape[0]} keypoints of {shape[1]} numbers"
    return "keypoints"

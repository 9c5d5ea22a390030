"""Annotation files of PASCAL VOC: the objects of an image in XML."""

from __future__ import annotations

import codecs
import math
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, NamedTuple

from copypaste_rs.datasets.text_encoding import check_utf8

if TYPE_CHECKING:
    from pathlib import Path

_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_CODECS = re.compile(
    r"utf-8|ascii|utf-16(-[bl]e)?|iso8859-\d+|cp\d+|mac-\w+|koi8-\w|gb\w+|big5\w*|shift_jis\w*|euc_\w+|hz"
)
"""Codecs of encodings that files may declare; Python has others, some of which are none of text."""
_FLAGS = {"0": False, "1": True, "false": False, "true": True}
FLAGS = ("difficult", "truncated", "occluded")
"""Fields of an object that are 0 or 1."""


class VocObject(NamedTuple):
    """An object as an annotation file has it."""

    place: str
    """File and place in it, for errors."""
    name: str
    """Name of its class."""
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in pixels, half-open; the file counts pixels from 1 and includes the last."""
    fields: dict[str, bool | str]
    """``difficult``, ``truncated``, ``occluded`` and ``pose``, those that are there."""


class VocAnnotation(NamedTuple):
    """Content of an annotation file."""

    size: tuple[int, int] | None
    """Height and width of the image; None where they are not there, or 0."""
    objects: list[VocObject]


def read_annotation(path: Path, data: bytes) -> VocAnnotation:
    """Parse an annotation file.

    Raises
    ------
    ValueError
        When it is no well-formed XML, declares a document type, or misses something; the message names file and place.
    """
    root = _parsed(path, data)
    if root.tag != "annotation":
        raise ValueError(f"{path}: expected an element 'annotation', got {root.tag!r:.80}")
    sides = [_text(root.find(f"size/{name}")) for name in ("height", "width")]
    h, w = (int(float(side)) if _is_number(side) else 0 for side in sides)
    objects = [_object(f"{path}: object[{i}]", each) for i, each in enumerate(root.findall("object"))]
    return VocAnnotation((h, w) if h > 0 and w > 0 else None, objects)


def _parsed(path: Path, data: bytes) -> ET.Element:
    declared = _ENCODING.match(data.removeprefix(codecs.BOM_UTF8)[:200])
    encoding = declared[1].decode() if declared else "utf-8"
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        codec = ""
    if _CODECS.fullmatch(codec) is None:
        raise ValueError(f"{path}: expected text in UTF-8, got the encoding {encoding!r:.80}")
    is_utf8 = codec in ("utf-8", "ascii")
    if is_utf8:
        check_utf8(path, data)
    try:
        text = data.decode("utf-8-sig" if is_utf8 else encoding)
    except ValueError as error:
        raise ValueError(f"{path}: expected text in {encoding}, as the file says: {error}") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError(f"{path}: expected XML without a document type, which may hold entities that grow without end")
    try:
        return ET.fromstring(text)  # noqa: S314  # no entities, see above
    except ET.ParseError as error:
        raise ValueError(f"{path}: expected well-formed XML: {error}") from None


def _text(element: ET.Element | None) -> str:
    return "" if element is None or element.text is None else element.text.strip()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and abs(float(text)) < 2**31
    except ValueError:
        return False


def _object(place: str, element: ET.Element) -> VocObject:
    name = _text(element.find("name"))
    if not name:
        raise ValueError(f"{place}: expected a name, got none")
    sides = []
    for side in ("xmin", "ymin", "xmax", "ymax"):
        text = _text(element.find(f"bndbox/{side}"))
        if not _is_number(text):
            raise ValueError(f"{place}: bndbox: {side}: expected a number, got {text!r:.80}")
        sides.append(float(text))
    x0, y0, x1, y1 = sides
    if x1 < x0 or y1 < y0:
        raise ValueError(f"{place}: bndbox: expected xmax and ymax of at least xmin and ymin, got {sides}")
    fields: dict[str, bool | str] = {}
    for flag in FLAGS:
        if text := _text(element.find(flag)):
            if text.lower() not in _FLAGS:
                raise ValueError(f"{place}: {flag}: expected 0 or 1, got {text!r:.80}")
            fields[flag] = _FLAGS[text.lower()]
    if pose := _text(element.find("pose")):
        fields["pose"] = pose
    return VocObject(place, name, (max(x0 - 1, 0.0), max(y0 - 1, 0.0), x1, y1), fields)

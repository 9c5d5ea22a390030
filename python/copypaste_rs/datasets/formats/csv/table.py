"""Tables of runs as text: their columns by what they mean, and their rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from copypaste_rs.datasets.text_encoding import check_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = ("imageid", "image", "imagename", "imagefile", "filename", "file", "imgid", "img", "name", "id")
RUNS = ("encodedpixels", "rle", "rlemask", "maskrle", "rleencoding", "encoding", "segmentation", "annotation",
        "annotations", "mask", "predicted", "pixels")  # fmt: skip
CLASS = ("class", "classid", "classname", "label", "labelid", "labelname", "category", "categoryid", "categoryname",
         "celltype", "type")  # fmt: skip
BOTH = ("imageidclassid", "imageclassid", "imageclass")
"""Columns of a table, small and without signs, the likelier first: the image, the runs, the class, image and class."""


class Columns(NamedTuple):
    """Positions of the columns of a table; -1 for one that is not there."""

    header: list[str]
    image: int
    runs: int
    label: int
    width: int
    height: int
    both: bool
    """Whether the class stands behind the image, after an underscore."""

    @property
    def further(self) -> dict[int, str]:
        """Names of the other columns; numbers of rows, as pandas writes them, have none."""
        known = (self.image, self.runs, self.label, self.width, self.height)
        names = {k: name.strip() for k, name in enumerate(self.header) if k not in known}
        return {k: name for k, name in names.items() if name and not name.startswith("Unnamed: ")}


class Row(NamedTuple):
    """A row of a table."""

    line: int
    """Number of its last line in the file, from 1."""
    cells: list[str]


def columns_of(header: list[str]) -> Columns | None:
    """The columns of a header; None where none is known for images, or none for runs."""
    names = [re.sub(r"[^a-z]", "", name.lower()) for name in header]

    def first(known: tuple[str, ...]) -> int:
        return next((names.index(name) for name in known if name in names), -1)

    both = -1 if IMAGE[0] in names else first(BOTH)
    image, runs = both if both >= 0 else first(IMAGE), first(RUNS)
    if image < 0 or runs < 0:
        return None
    label = -1 if both >= 0 else first(CLASS)
    return Columns(header, image, runs, label, first(("width", "imagewidth")), first(("height", "imageheight")),
                   both >= 0)  # fmt: skip


def first_line(text: str) -> tuple[str, Columns] | None:
    """Separator and columns of a table, by its first line; None where it is no such table."""
    for line in text.removeprefix("\ufeff").splitlines():
        if line.strip():
            for separator in ",;\t":
                header = next(csv.reader([line], delimiter=separator), [])
                if (found := columns_of(header)) is not None:
                    return separator, found
            break
    return None


def read_table(path: Path, data: bytes) -> tuple[Columns, list[Row]]:
    """Columns and rows of the bytes of a file, without empty ones.

    Raises
    ------
    ValueError
        When it is no table, or one without a column of images or of runs, or when a row has more or fewer cells than
        the header.
    """
    check_utf8(path, data)
    text = data.removeprefix(codecs.BOM_UTF8).decode()
    found = first_line(text[: 1 << 16])
    if found is None:
        start = text.lstrip()[:60].splitlines()
        raise ValueError(f"{path}: expected a header with a column of images, as ImageId, and one of runs, as "
                         f"EncodedPixels, got {start[0] if start else ''!r}")  # fmt: skip
    separator, columns = found
    if repeated := {name for name in columns.header if name.strip() and columns.header.count(name) > 1}:
        raise ValueError(f"{path}: expected each column once, got {min(repeated)!r} more than once")
    rows = []
    for line, cells in _rows(path, text, separator):
        if len(cells) != len(columns.header):
            raise ValueError(f"{path}: line {line}: expected {len(columns.header)} cells as in the header, got "
                             f"{len(cells)}")  # fmt: skip
        rows.append(Row(line, cells))
    return columns, rows[1:]


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    limit = csv.field_size_limit(sys.maxsize)  # which is one for the whole process; runs may be long
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise ValueError(f"{path}: line {reader.line_num}: cannot be read as CSV: {error}") from None
    finally:
        csv.field_size_limit(limit)
    yield from rows

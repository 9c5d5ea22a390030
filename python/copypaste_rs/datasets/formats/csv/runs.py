"""Runs of a table into annotation tables: images found, sizes taken, classes named."""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.building import TableBuilder, one_by_one
from copypaste_rs.datasets.formats.csv.table import Columns, Row, read_table
from copypaste_rs.datasets.image_files import is_image_name
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.errors import ArgumentError
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables

_NOTHING = frozenset({"", "-1", "nan", "NaN", "None", "null"})
"""Cells of runs in the row of an image without objects."""

_WHOLE = re.compile(r"-?[0-9]{1,18}(\.0)?")


class _Listed(NamedTuple):
    """An image that a table lists."""

    file: str
    size: tuple[int, int]
    rows: list[Row]
    """Rows of objects."""


def read_runs(
    path: Path, folder: Path, options: CheckedOptions, order: str, category: str, sources: Sources
) -> AnnotationTables:
    """Read a table, whose images are in a folder.

    Raises
    ------
    OSError
        When a file cannot be read.
    ValueError
        When the table says what cannot be, with lines of up to ten.
    """
    data = sources.read(path)
    columns, rows = read_table(path, data)
    problems = Problems(str(path))
    files = [name for name in sources.files_below(folder) if is_image_name(name)]
    images = _images(
        columns, rows, folder, files, functools.partial(sources.image_size, options=options.images), problems
    )
    problems.tell()
    objects = [row for image in images.values() for row in image.rows]
    labels, categories = _classes(columns, objects, category)
    builder = TableBuilder(str(path), categories, options, sources)
    fields = _fields(columns, objects, options)
    masks = _masks(columns, images, order, problems)
    problems.tell()
    number = 0
    for image in images.values():
        builder.add_image(image.file, image.size)
        for row in image.rows:
            values = {name: cells[number] for name, cells in fields.items() if cells[number] is not None}
            label = labels[number] if labels is not None else 1
            if isinstance(label, str):
                label = builder.label_of(label)
            builder.add(f"{path}: line {row.line}", label, masks[id(row)], fields=values)
            number += 1
    others = {*files} - {image.file for image in images.values()}
    if others:
        builder.skipped.append(counted(len(others), "image", "images") + f" that the table does not name ({min(others)}"
                               f"{', ...' if len(others) > 1 else ''})")  # fmt: skip
    return builder.finish()


class _Folder:
    """Images of a folder by all that a table may call them."""

    def __init__(self, files: Sequence[str]) -> None:
        self._by_name: dict[str, list[str]] = {}
        for file in files:
            path = PurePosixPath(file)
            for name in {file, path.name, str(path.with_suffix("")), path.stem}:
                self._by_name.setdefault(name, []).append(file)
        self._there = frozenset(files)

    def find(self, name: str) -> str:
        """The file that a name means; none, and several, are a ValueError."""
        plain = name.replace("\\", "/")
        if plain in self._there:
            return plain
        found = self._by_name.get(plain, [])
        if len(found) > 1:
            raise ValueError(f"image {name!r}: could be {found[0]} or {found[1]}")
        if not found:
            raise ValueError(f"image {name!r}: no such image in the folder")
        return found[0]


def _images(
    columns: Columns,
    rows: list[Row],
    folder: Path,
    files: Sequence[str],
    size_of: Callable[[Path], tuple[int, int]],
    problems: Problems,
) -> dict[str, _Listed]:
    """Images in the order of the table, each with the rows of its objects."""
    there = _Folder(files)
    images: dict[str, _Listed] = {}
    known: dict[str, str] = {}
    for row in rows:
        name = row.cells[columns.image].strip()
        if columns.both:
            name = name.rpartition("_")[0]
        try:
            if name not in known:
                known[name] = there.find(name)
            file = known[name]
            given = _given_size(columns, row)
            if file not in images:
                size = size_of(folder / file) if given is None else given
                images[file] = _Listed(file, size, [])
            image = images[file]
        except ValueError as error:
            problems.add(f"line {row.line}", error)
            continue
        if given is not None and given != image.size:
            problems.add(f"line {row.line}", f"expected width {image.size[1]} and height {image.size[0]} as in a row "
                         f"before, got {given[1]} and {given[0]}")  # fmt: skip
        if row.cells[columns.runs].strip() not in _NOTHING:
            image.rows.append(row)
    return images


def _given_size(columns: Columns, row: Row) -> tuple[int, int] | None:
    """Height and width of the image as a row has them, which saves looking for them in the file."""
    if columns.height < 0 or columns.width < 0:
        return None
    texts = [row.cells[k].strip() for k in (columns.height, columns.width)]
    if not all(texts):
        return None
    for name, text in zip(("height", "width"), texts, strict=True):
        if not (_WHOLE.fullmatch(text) and 0 < float(text) < 1 << 31):
            raise ValueError(f"{name}: expected a whole number of pixels, got {text:.20}")
    return int(float(texts[0])), int(float(texts[1]))


def _classes(
    columns: Columns, objects: list[Row], category: str
) -> tuple[Sequence[int | str] | None, list[dict[str, Any]] | None]:
    """The class of each object, a number or a name, and the categories; None where these are made of names."""
    if columns.label < 0 and not columns.both:
        return None, [{"id": 1, "name": category}]
    at = columns.image if columns.both else columns.label
    names = [row.cells[at].strip() for row in objects]
    if columns.both:
        names = [name.rpartition("_")[2] for name in names]
    distinct = {*names}
    if all(_WHOLE.fullmatch(name) for name in distinct):
        ids = sorted({int(float(name)) for name in distinct})
        return [int(float(name)) for name in names], [{"id": number, "name": str(number)} for number in ids]
    return names, None


def _fields(columns: Columns, objects: list[Row], options: CheckedOptions) -> dict[str, list[Any]]:
    """Values of further columns, each of the kind that all of its cells are: whole numbers, numbers or text."""
    asked = options.columns
    found = {}
    for k, name in columns.further.items():
        if asked is None or name in asked:
            found[name] = _values([row.cells[k].strip() for row in objects])
    return found


def _values(cells: list[str]) -> list[Any]:
    given = {cell for cell in cells if cell}
    made: dict[str, Any]
    if given <= {"True", "False", "true", "false"}:
        made = {cell: cell in ("True", "true") for cell in given}
    elif all(re.fullmatch(r"-?[0-9]{1,18}", cell) for cell in given):
        made = {cell: int(cell) for cell in given}
    else:
        try:
            made = {cell: float(cell) for cell in given}
        except ValueError:
            made = {cell: cell for cell in given}
    return [made.get(cell) for cell in cells]


def _masks(columns: Columns, images: dict[str, _Listed], order: str, problems: Problems) -> dict[int, RleMasks]:
    """The mask of each row of an object, by the identity of the row; those of one size are read at once."""
    by_size: dict[tuple[int, int], list[Row]] = {}
    for image in images.values():
        by_size.setdefault(image.size, []).extend(image.rows)
    masks: dict[int, RleMasks] = {}
    for size, rows in by_size.items():
        texts = [row.cells[columns.runs] for row in rows]
        try:
            read = RleMasks.from_starts_lengths(texts, size if order == "F" else size[::-1])
        except ArgumentError:
            for row, text in zip(rows, texts, strict=True):
                _check(columns, row, text, size, order, problems)
            continue
        for row, mask in zip(rows, one_by_one(read), strict=True):
            masks[id(row)] = mask if order == "F" else transposed(mask)
    return masks


def _check(columns: Columns, row: Row, text: str, size: tuple[int, int], order: str, problems: Problems) -> None:
    try:
        RleMasks.from_starts_lengths(text, size if order == "F" else size[::-1])
    except ArgumentError as error:
        name = columns.header[columns.runs]
        pair = f"pair {error.index + 1}: " if isinstance(error.index, int) else ""
        problems.add(f"line {row.line}", f"{name}: {pair}expected {error.expected}, got {error.got}")


def transposed(mask: RleMasks) -> RleMasks:
    """One mask with its axes exchanged; only what is in its box is looked at.

    Examples
    --------
    >>> transposed(RleMasks((2, 3), [1, 3, 2], [0, 3])).to_dense()[0].tolist()
    [[0, 1], [1, 1], [0, 0]]
    """
    h, w = mask.size
    x0, y0, x1, y1 = (int(side) for side in mask.boxes[0])
    if x0 == x1:
        return RleMasks((w, h), [w * h], [0, 1])
    inside = mask.place(Placement((h, w), (h, w), (-y0, -x0), (y1 - y0, x1 - x0)))
    turned = RleMasks.from_dense(np.ascontiguousarray(inside.to_dense().transpose(0, 2, 1)))
    return turned.place(Placement(turned.size, turned.size, (x0, y0), (w, h)))

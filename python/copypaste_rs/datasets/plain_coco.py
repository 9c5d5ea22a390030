"""Reading a COCO annotation file by the extension: fast, and for plain files alone.

Whatever is not plain, errors among it, is for the reader of `coco_json`, which gives equal tables.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._core import AnnotationFile, AnnotationReader
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.assembly import Head, ImageRows, assembled
from copypaste_rs.datasets.boxes import Boxes
from copypaste_rs.datasets.categories import category_ids, keypoint_names, plain_categories
from copypaste_rs.datasets.coco_rows import COUNTED, KNOWN, ReadAnnotations, counted_with
from copypaste_rs.datasets.column_names import ALWAYS
from copypaste_rs.datasets.fields import FORMS, Field, TextTable, TypedValues, typed_columns
from copypaste_rs.datasets.segmentations import Segmentations

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.datasets.file_window import FileWindow
    from copypaste_rs.datasets.tables import AnnotationTables

LARGEST = 1 << 22
"""Bytes that one image or annotation may have: so many are always in sight, and what has more is not plain."""

THREADS = 4
"""Threads that read annotations, at most: with more, the one that digests the file would take longest."""
WORTH_IT = 1 << 21
"""Bytes of a file from which several threads take part; fewer are read in a moment."""


def read_plain(
    window: FileWindow,
    boxes: str,
    crowds: str,
    columns: frozenset[str] | None,
    settle: Callable[[Sequence[NDArray[Any]]], None] = lambda _: None,
) -> AnnotationTables | None:
    """Tables of an annotation file, as `coco_json.read_coco` makes them; None where it is not plain."""
    wanted = None if columns is None else sorted(columns - KNOWN | ALWAYS)
    lists = [name for name in FORMS if columns is None or name in columns]
    counts = counted_with(columns)
    ignored = [name for name in (*FORMS, *COUNTED) if name not in lists and name not in counts]
    threads = THREADS if len(window.data) >= WORTH_IT else 1
    reader = AnnotationReader(lists, counts, ignored, wanted, threads)
    at = len(codecs.BOM_UTF8) if window.data[:3].tobytes() == codecs.BOM_UTF8 else 0
    while not (window.is_last and at == len(window.data)):
        ahead = len(window.data) - at - (0 if window.is_last else LARGEST)
        reached = reader.read(window.data, at, ahead) if ahead > 0 else None
        if reached is None or reached == at:
            return None
        at = reached
        if not window.is_last:
            window.move(at)
            at = 0
    found = reader.finish()
    return None if found is None else _tables(found, window, (boxes, crowds), lists, counts, columns, settle)


def _tables(
    found: AnnotationFile,
    window: FileWindow,
    choices: tuple[str, str],
    lists: Sequence[str],
    counts: Sequence[str],
    columns: frozenset[str] | None,
    settle: Callable[[Sequence[NDArray[Any]]], None],
) -> AnnotationTables | None:
    try:
        top = {name: msgspec.json.decode(text) for name, text in found.head}
        categories, _ = plain_categories(msgspec.convert(top.get("categories", []), list[dict[str, Any]]))
        category_ids("categories", categories)
        names = keypoint_names("categories", categories)
        n = len(found.ids)
        further, left_out = typed_columns([_typed(*column) for column in found.columns], n)
        forms = {
            name: _formed(name, names if name == "keypoints" else None, n, *numbers)
            for name, numbers in zip(lists, found.lists, strict=True)
        }
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, TypeError):
        return None
    how_boxes, crowds = choices
    alone = len(found.box_rows)
    if alone and how_boxes == "error":
        return None
    kept = alone > 0 and how_boxes == "keep"
    images = ImageRows(
        found.image_ids, found.sizes.reshape(-1, 2), found.image_text, found.image_offsets, found.names_differ
    )
    outlines = Segmentations(
        found.coordinates, found.part_offsets, found.first_part, found.parts, found.counts, found.first_run, found.runs
    )
    if outlines.has_pixels(found.image, images.sizes):
        return None
    settle([outlines.coordinates, outlines.part_offsets, outlines.counts, *images[:-1]])
    read = ReadAnnotations(
        found.image,
        found.ids,
        found.labels,
        found.iscrowd,
        outlines,
        Boxes.of(n, found.box_rows, found.boxes) if kept else None,
        0 if kept else alone,
        further,
        left_out,
        forms,
        dict(zip(counts, found.counted, strict=True)),
        found.short_parts,
        found.unknown,
    )  # fmt: skip
    skipped: list[str] = []
    remarks: list[str] = []
    rows = read.rows(columns, skipped, remarks)
    head = Head(categories, names, window.digest(), top.get("info"), top.get("licenses"))
    return assembled(head, images, rows, crowds, skipped, remarks)


def _typed(name: str, rows: Any, values: Any) -> TypedValues:
    if values is None:
        return TypedValues(name, rows, None, None)
    array, texts = values
    return TypedValues(name, rows, array, None if texts is None else TextTable(*texts))


def _formed(name: str, names: Sequence[str] | None, n: int, rows: Any, numbers: Any) -> Field | None:
    """The column of a field of `FORMS`; what is wrong with it, in any row, is a ValueError."""
    form = FORMS[name]
    if len(rows) == 0:
        return None
    each = len(numbers) // len(rows)
    if names is not None and form.per_name is not None and each != form.per_name * len(names):
        raise ValueError(name)
    for row in numbers.reshape(len(rows), each).tolist():
        form.read(row)
    column = form.column(numbers.reshape(len(rows), each))
    values = np.zeros((n, *column.shape[1:]), column.dtype)
    values[rows] = column
    return Field(values)

"""COCO annotations of one image, as columns of its instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs._field_values import InexactError, as_float, as_text
from copypaste_rs.column_kinds import COLUMN_KINDS, DERIVED, kind_of
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place, Size

_FARTHEST = float(np.finfo(np.float32).max)

_FORMS = {name: kind.form for name, kind in COLUMN_KINDS.items() if kind.form is not None}
"""Fields whose value is more than a number or a text."""

_READ = {"segmentation", "bbox", "category_id", "iscrowd", "image_id", *_FORMS} | {
    name for name in DERIVED if COLUMN_KINDS[name].of is not None
}
"""Fields that are no columns of their own: read by themselves, counted anew, or those of the image."""


def coco_columns(annotations: object, size: Size, reserved: Collection[str]) -> dict[str, Any]:
    """Columns of annotations, one row for each, as `Instances` takes them; fields of `reserved` names are left out."""
    checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
    rows = _checks.items("annotations", annotations)
    for i, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise wrong_type(("annotations", i), "a dict", type(row).__name__)
    columns: dict[str, Any] = {"masks": _masks(rows, checked)}
    if not rows:
        return columns | {"labels": np.zeros(0, np.int64)}
    if any("category_id" in row for row in rows):
        labels = [
            _checks.integer(("annotations", i, "category_id"), row.get("category_id"), -(2**63), 2**63 - 1)
            for i, row in enumerate(rows)
        ]
        columns["labels"] = np.array(labels, np.int64)
    columns |= _boxes(rows)
    values = {name: _values(rows, name) for name in dict.fromkeys(name for row in rows for name in row)}
    if any(each is not None for each in values.get("iscrowd", ())):
        columns["iscrowd"] = _flags("iscrowd", values["iscrowd"])
    for name, form in _FORMS.items():
        found = {i: _numbers(("annotations", i, name), form.read, row.get(name)) for i, row in enumerate(rows)}
        columns |= _formed(name, {i: numbers for i, numbers in found.items() if numbers}, values)
    for name, each in values.items():
        scalar = all(value is None or isinstance(value, bool | int | float | str) for value in each)
        private = not isinstance(name, str) or name in reserved or name.startswith("_")
        if scalar and not private and name not in _READ and any(value is not None for value in each):
            columns[name] = _flags(name, each) if kind_of(name).absent is False else _column(name, each)
    return columns


def _masks(rows: list[Mapping[str, Any]], size: tuple[int, int]) -> RleMasks:
    try:
        return RleMasks.from_segmentations([row.get("segmentation") for row in rows], size)
    except (ArgumentError, ArgumentTypeError) as error:
        index = error.index if isinstance(error.index, tuple) else (error.index,)
        if error.argument != "segmentations":
            raise
        raise error.renamed("annotations", (index[0], "segmentation", *index[1:])) from None  # type: ignore[arg-type]


def _boxes(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Boxes and `box_only`, where rows have a box with an area and no segmentation; else nothing."""
    boxes, box_only = np.zeros((len(rows), 4)), np.zeros(len(rows), np.bool_)
    for i, row in enumerate(rows):
        segmentation, bbox = row.get("segmentation"), row.get("bbox")
        if bbox is None or (segmentation is not None and len(segmentation) > 0):
            continue
        place = ("annotations", i, "bbox")
        sides = _checks.converted(place, bbox, "x, y, width and height")
        if sides.shape != (4,):
            raise wrong(place, "x, y, width and height", f"shape {sides.shape}")
        if sides.dtype.kind not in "iuf":
            raise wrong_type(place, "numbers", f"dtype {sides.dtype}")
        x, y, w, h = sides.astype(np.float64).tolist()
        corners = np.array([x, y, x + w, y + h])
        if not (np.abs(corners) <= _FARTHEST).all():
            raise wrong(place, "finite numbers that float32 holds", str(sides.tolist()))
        if w < 0 or h < 0:
            raise wrong(place, "a width and a height of at least 0", str(sides.tolist()))
        if w and h:
            boxes[i], box_only[i] = corners, True
    return {"boxes": boxes, "box_only": box_only} if box_only.any() else {}


def _numbers(place: tuple[Any, ...], read: Callable[[Any], list[float]], value: Any) -> list[float]:
    if value is None:
        return []
    try:
        return read(np.ravel(value).tolist() if isinstance(value, tuple | np.ndarray) else value)
    except ValueError as error:  # a sentence about a field of a file
        expected, _, got = str(error).partition(": expected ")[2].partition(", got ")
        raise wrong(place, expected, got) from None


def _formed(name: str, found: dict[int, list[float]], values: dict[str, list[Any]]) -> dict[str, NDArray[Any]]:
    """The column of a form, and those counted from it that annotations have; rows without values are zeros."""
    if not found:
        return {}
    length = len(next(iter(found.values())))
    for i, numbers in found.items():
        if len(numbers) != length:
            place = ("annotations", i, name)
            raise wrong(place, f"{length} numbers as in other annotations", str(len(numbers)))
    rows = _FORMS[name].column(np.array(list(found.values()), np.float64))
    column = np.zeros((len(values[name]), *rows.shape[1:]), rows.dtype)
    column[list(found)] = rows
    geometry = COLUMN_KINDS[name].geometry
    derived = {} if geometry is None else geometry.derived
    return {name: column} | {other: count(column) for other, count in derived.items() if other in values}


def _values(rows: list[Mapping[str, Any]], name: str) -> list[Any]:
    given = (row.get(name) for row in rows)
    return [value.item() if isinstance(value, np.generic) else value for value in given]


def _flags(name: str, values: list[Any]) -> NDArray[np.bool_]:
    for i, value in enumerate(values):
        if value is not None and (not isinstance(value, bool | int | float) or value not in (0, 1)):
            raise wrong(("annotations", i, name), "0, 1, true or false", repr(value))
    return np.array([bool(value) for value in values])


def _column(name: str, values: list[Any]) -> NDArray[Any]:
    """A column of one dtype: text where there is any, else bools, else integers where none is missing, else floats."""
    kinds = {type(value) for value in values if value is not None}
    if str in kinds:
        return np.array(["" if value is None else as_text(value) for value in values])
    if kinds == {bool}:
        return np.array([bool(value) for value in values])
    missing = any(value is None for value in values)
    if float not in kinds and not missing and all(-(2**63) <= value < 2**63 for value in values):
        return np.array(values, np.int64)
    return np.array([_float(item("annotations", i, name), value) for i, value in enumerate(values)], np.float64)


def _float(place: Place, value: float | None) -> float:
    if value is None:
        return float("nan")
    try:
        return as_float(value)
    except InexactError:
        expected = "an integer that float64 holds, as not all there are integers of 64 bits"
        raise wrong(place, expected, str(value)) from None

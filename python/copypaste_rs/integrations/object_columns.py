"""Further columns of objects, in one dtype for all images of a batch or of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.column_kinds import MADE, absent_value
from copypaste_rs.errors import ArgumentError
from copypaste_rs.instances import Instances

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray


def checked_names(names: object, taken: Collection[str]) -> tuple[str, ...]:
    """Names of columns, none of which is `taken` by the form of the batch."""
    given = _checks.items("columns", names)
    for i, name in enumerate(given):
        if not isinstance(name, str):
            raise wrong_type(("columns", i), "a name of a column", type(name).__name__)
        if name in taken:
            raise wrong(("columns", i), "a column beyond those that the batch has anyway", repr(name))
    return tuple(given)


def object_columns(names: Sequence[str], rows: Sequence[Instances]) -> list[dict[str, NDArray[Any]]]:
    """Columns (n, ...) of these names, of the instances of each image: bool, int64 or float32, as all of them hold.

    Where some images lack a column, its rows there get the value that it has for them: a true object is not a
    pseudo-label, and has the score 1.

    Raises
    ------
    ValueError
        When an image with objects lacks a column for which there is no such value, or rows differ in shape.
    TypeError
        When a column holds something other than numbers.
    """
    found: list[dict[str, NDArray[Any]]] = [{} for _ in rows]
    for name in names:
        holders = [(i, each.columns[name]) for i, each in enumerate(rows) if name in each.columns and len(each)]
        absent = absent_value(name, [rows[i].columns for i, _ in holders])
        dtype, shape = _form(name, holders, absent)
        for i, each in enumerate(rows):
            if not len(each):
                found[i][name] = np.zeros((0, *shape), dtype)
            elif name in each.columns:
                found[i][name] = np.array(each.columns[name], dtype)
            elif absent is None:
                raise wrong(("samples", i), f"the column {name!r} of its {len(each)} objects", "none")
            else:
                found[i][name] = np.full((len(each), *shape), absent, dtype)
    return found


def _form(
    name: str, holders: Sequence[tuple[int, NDArray[Any]]], absent: object
) -> tuple[type[np.generic], tuple[int, ...]]:
    """Dtype and shape of the rows of a column, in all images of a batch."""
    kinds, shape = {"b" if isinstance(absent, bool) else "f"} if not holders else set(), None
    for i, values in holders:
        if values.dtype.kind not in "biuf":
            raise wrong_type(("samples", i), f"numbers in the column {name!r}", str(values.dtype))
        if shape is not None and values.shape[1:] != shape:
            raise wrong(("samples", i), f"rows of shape {shape} in the column {name!r}, as others of the batch have",
                        str(values.shape[1:]))  # fmt: skip
        kinds.add(values.dtype.kind)
        shape = values.shape[1:]
    dtype = np.float32 if "f" in kinds else np.bool_ if kinds == {"b"} else np.int64
    return dtype, shape or ()


def columns_alike(argument: str, rows: Sequence[Instances]) -> list[Instances]:
    """The instances of the images of `argument`, where attributes that only some have are columns of all with objects.

    An attribute is a number, a bool or a text of each object. Rows that lack one get what `Instances.from_coco` gives
    those of one image: NaN, False or an empty text.

    Raises
    ------
    ValueError
        When numbers of an attribute are no float64, which they have to be: image and attribute are named.

    Examples
    --------
    >>> one, other = Instances(labels=[1], occluded=[True]), Instances(labels=[2, 2])
    >>> columns_alike("samples", [one, other])[1].occluded
    array([False, False])
    """
    filled = [i for i, each in enumerate(rows) if len(each)]
    holders: dict[str, list[NDArray[Any] | None]] = {}
    for k, i in enumerate(filled):
        for name, values in rows[i].columns.items():
            if name not in MADE and name != "labels" and np.ndim(values) == 1:
                holders.setdefault(name, [None] * len(filled))[k] = values
    made = list(rows)
    starts = np.cumsum([len(rows[i]) for i in filled])
    for name, found in holders.items():
        if len({None if values is None else values.dtype.kind for values in found}) == 1:
            continue
        having = [rows[i].columns for i in filled if name in rows[i].columns]
        if len(having) < len(filled) and absent_value(name, having) is not None:
            continue  # which the transform fills in
        flat = [
            value
            for values, i in zip(found, filled, strict=True)
            for value in ([None] * len(rows[i]) if values is None else values.tolist())
        ]
        try:
            column = Instances.from_coco([{name: value} for value in flat], (1, 1)).columns[name]
        except ArgumentError as error:
            row, _ = cast("tuple[int, str]", error.index)
            image = filled[int(np.searchsorted(starts, row, "right"))]
            raise wrong((argument, image, name), error.expected, error.got) from None
        for i, part in zip(filled, np.split(column, starts[:-1]), strict=True):
            made[i] = made[i].replace(**{name: part})
    return made

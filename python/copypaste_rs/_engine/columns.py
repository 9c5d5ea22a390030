"""Columns of the result: which there are, of which dtype, and their rows gathered from all sides."""

from __future__ import annotations

import cmath
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._checks.places import part
from copypaste_rs._engine.dtypes import common_dtype
from copypaste_rs._equality import same
from copypaste_rs.column_kinds import COLUMN_KINDS, GEOMETRY, MADE, POSITIONS, Origin, absent_value, kind_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs._checks import Place
    from copypaste_rs._engine.call import Composition
    from copypaste_rs.instances import Instances


class Carried(NamedTuple):
    """One column of the result that is gathered row by row."""

    name: str
    arrays: list[NDArray[Any]]
    """The rows of each side that has any, all of one dtype and shape."""


class Layout(NamedTuple):
    """The columns of the result."""

    carried: list[Carried]
    found: Mapping[str, Any]
    """Columns of the samples that have rows, by name."""
    geometry: list[str]
    """Names of the carried columns that are positions."""


def check_missing(missing: Mapping[str, Any] | None) -> dict[str, Any]:
    """The stand-ins for columns that only one side has."""
    if missing is None:
        return {}
    if not isinstance(missing, Mapping):
        raise wrong_type("missing", "a mapping of column names to values", type(missing).__name__)
    for name in missing:
        if not isinstance(name, str):
            raise wrong_type("missing", "column names", repr(name))
    return {name: _stand_in(name, _scalar(value)) for name, value in missing.items()}


def not_taken(missing: Mapping[str, Any]) -> list[str]:
    """Names of columns that are never taken from a value, so that maps must be meant."""
    return [name for name in missing if name in MADE or kind_of(name).origin is Origin.UNMOVABLE]


def _stand_in(name: str, value: Any) -> Any:
    """The stand-in for a column, which is one of a few where its kind says so."""
    allowed = kind_of(name).stand_ins
    if allowed is None:
        return value
    if isinstance(value, bool | int | float):
        for one in allowed:
            if value == one:
                return one
    raise wrong("missing", f"{' or '.join(map(repr, allowed))} for {name!r}", repr(value))


def _scalar(value: Any) -> Any:
    """A number of NumPy as Python's; what has a unit, or is no number, as it is."""
    if isinstance(value, np.timedelta64) or not isinstance(value, np.number | np.bool_):
        return value
    number = value.item()
    if isinstance(number, np.longdouble):
        return float(number)
    return complex(number) if isinstance(number, np.clongdouble) else number


def layout(names: Sequence[Place], sides: Sequence[Instances], missing: Mapping[str, Any]) -> Layout:
    """The columns of a result made from `sides`, the target first; `names` say how errors call the sides.

    It depends on all sides given, whatever is pasted, so that a data set gives the same columns throughout.
    """
    columns = [side._columns for side in sides]
    moving = False
    for name, side, held in zip(names, sides, columns, strict=True):
        if not POSITIONS.isdisjoint(held):
            _check_movable(name, held)
            moving = True
        if side._n and "masks" not in held:
            raise wrong(name, f"masks or boxes for its {side._n} instances", "none")
    with_rows = [i for i, side in enumerate(sides) if side._n] or [0]
    found = columns[with_rows[0]]
    for i in with_rows[1:]:
        found = found | columns[i]
    carried = []
    for column in found:
        if column in MADE:
            continue
        arrays = [columns[i].get(column) for i in with_rows]
        if _alike(arrays):
            carried.append(Carried(column, arrays))
            continue
        lacking = [i for i in with_rows if column not in columns[i]]
        if lacking and column not in missing:
            holders = [i for i in with_rows if column in columns[i]]
            value = absent_value(column, [columns[i] for i in holders])
            if value is None:
                given = f"none; missing={{{column!r}: ...}} gives a value for it"
                raise wrong(names[lacking[0]], f"the column {column!r}, which {part(names[holders[0]])} has", given)
            missing = {**missing, column: value}
        carried.append(_carried(column, names, columns, with_rows, missing))
    return Layout(carried, found, [name for name in found if name in GEOMETRY] if moving else [])


def _check_movable(name: Place, held: Mapping[str, Any]) -> None:
    """Refuse a column that would be carried stale."""
    for column in sorted(POSITIONS.intersection(held) - GEOMETRY):
        of = COLUMN_KINDS[column].of
        if of is None or of not in held:
            without = "" if of is None else f" without {of!r}"
            raise wrong(name, "no column that this operation cannot move", f"{column!r}{without}; leave it out")


def _carried(
    column: str,
    names: Sequence[Place],
    columns: Sequence[Mapping[str, Any]],
    with_rows: Sequence[int],
    missing: Mapping[str, Any],
) -> Carried:
    arrays = {i: columns[i][column] for i in with_rows if column in columns[i]}
    first = next(iter(arrays))
    shape = arrays[first].shape[1:]
    for i, array in arrays.items():
        if array.shape[1:] != shape:
            expected = f"rows of shape {shape} in column {column!r} as in {part(names[first])}"
            raise wrong(names[i], expected, str(array.shape[1:]))
    stand_ins = [missing[column]] if len(arrays) < len(with_rows) else []
    if column == "labels":
        dtype = arrays[first].dtype
        for i, array in arrays.items():
            _check_labels(names[i], array, dtype, names[first])
        for value in stand_ins:
            _check_labels("missing", np.asarray(value), dtype, names[first])
    else:
        dtype = common_dtype(column, {names[i]: array.dtype for i, array in arrays.items()}, stand_ins)
    for i, array in arrays.items():
        arrays[i] = _converted(names[i], column, array, dtype)
    for value in stand_ins:
        if not _fits(value, dtype, shape):
            raise wrong("missing", f"a value for column {column!r} of dtype {dtype} and shape {shape}", repr(value))
    found = [
        arrays[i] if i in arrays else _repeated(missing[column], (len(columns[i]["masks"]), *shape), dtype)
        for i in with_rows
    ]
    return Carried(column, found)


def _repeated(value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    values = np.empty(shape, dtype)
    values[...] = value
    return values


def _alike(arrays: list[NDArray[Any] | None]) -> TypeGuard[list[NDArray[Any]]]:
    """Whether all are there, of one dtype and shape of rows: the usual case, and the quick one."""
    first = arrays[0]
    if first is None or not first.dtype.isnative:
        return False
    dtype, shape = first.dtype, first.shape[1:]
    for each in arrays[1:]:  # noqa: SIM110  # a generator takes longer to set up
        if each is None or each.dtype != dtype or each.shape[1:] != shape:
            return False
    return True


def _converted(name: Place, column: str, array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    # Between text, bytes, dates and objects a conversion can fail by value.
    try:
        return array.astype(dtype, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        got = f"values of dtype {array.dtype} that do not convert: {error}"
        raise wrong_type(name, f"column {column!r} of dtype {dtype}", got) from None


def _fits(value: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    if isinstance(value, int) and dtype.kind in "iu" and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        return False  # NumPy 1 would wrap
    try:
        with np.errstate(over="ignore"):
            taken = np.broadcast_to(np.asarray(value).astype(dtype), shape)
    except (TypeError, ValueError, OverflowError):
        return False
    if isinstance(value, int | float | complex) and dtype.kind in "fc":
        finite = isinstance(value, int) or cmath.isfinite(value)
        return bool(np.isfinite(taken).all()) or not finite
    return True


def _check_labels(name: Place, labels: NDArray[Any], dtype: np.dtype[Any], holder: Place) -> None:
    if not np.can_cast(labels.dtype, dtype, "safe") and not _labels_fit(labels, dtype):
        expected = f"labels that fit dtype {dtype} of {part(holder)}"
        raise wrong_type(name, expected, f"values of dtype {labels.dtype} that do not")


def _labels_fit(labels: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    kinds = {labels.dtype.kind, dtype.kind}
    # Dates never equal text, but NumPy raises a RuntimeError where the text is short, and NumPy 1 crashes on bytes;
    # of a complex number made real it warns.
    if (kinds & set("mM") and kinds & set("SU")) or (labels.dtype.kind == "c" and dtype.kind != "c"):
        return False
    try:
        with np.errstate(invalid="ignore", over="ignore"):
            taken = labels.astype(dtype)
            # There and back: compared as they are, whole numbers beyond 2^53 would become floats that are equal.
            return same(taken.astype(labels.dtype), labels) and same(taken, labels)
    except (TypeError, ValueError, OverflowError):
        return False


def gather(plan: Layout, made: Composition, kept: dict[str, Any], *, crowd: bool) -> dict[str, Any]:
    """The columns of the result: what the kernel made, and the rows that are left of those of `plan`."""
    rows = made.rows
    # The order of the constructor: masks, labels, boxes, iscrowd, then the rest.
    result: dict[str, Any] = {"masks": made.masks}
    if "labels" in kept:
        result["labels"] = kept.pop("labels")
    result["boxes"] = rows.boxes
    if crowd:
        result["iscrowd"] = rows.crowd
    result |= kept
    if "area" in plan.found:
        result["area"] = rows.area
    result["source"], result["source_row"], result["visibility"] = rows.source, rows.source_row, rows.visibility
    return result


def pick(arrays: Sequence[NDArray[Any]], row: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of a column, whose arrays are those of all sides, one after the other."""
    return (arrays[0] if len(arrays) == 1 else np.concatenate(arrays)).take(row, 0)

"""Columns of the result: which there are, of which dtype, and their rows gathered from all sides."""

from __future__ import annotations

import cmath
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np

from copypaste_rs._equality import same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.masks import RleMasks
    from copypaste_rs.sample import Instances

GEOMETRY = frozenset({"keypoints", "num_keypoints", "segmentation", "bbox"})
"""Columns that would have to move with the image and cannot yet: refused rather than carried stale."""

DERIVED = frozenset({"area", "source", "source_row", "visibility"})
"""Columns that every operation writes afresh, so that given ones never conflict."""

_KERNEL = frozenset({"masks", "boxes", "iscrowd"})
_WRITTEN = _KERNEL | DERIVED


class Carried(NamedTuple):
    """One column of the result that is gathered row by row."""

    name: str
    arrays: list[NDArray[Any]]
    """The rows of each side that has any, all of one dtype and shape."""


class Layout(NamedTuple):
    """The columns of the result."""

    carried: list[Carried]
    has_area: bool
    has_crowd: bool


def check_missing(missing: Mapping[str, Any] | None) -> dict[str, Any]:
    """The stand-ins for columns that only one side has."""
    if missing is None:
        return {}
    if not isinstance(missing, Mapping):
        raise TypeError(f"missing: expected a mapping of column names to values, got {type(missing).__name__}")
    for name in missing:
        if not isinstance(name, str):
            raise TypeError(f"missing: expected column names, got {name!r}")
        if name in _WRITTEN or name in GEOMETRY:
            raise ValueError(
                f"missing: expected names of carried columns, got {name!r}, which is never taken from a value"
            )
    return {name: _scalar(value) for name, value in missing.items()}


def _scalar(value: Any) -> Any:
    """A number of NumPy as Python's; what has a unit, or is no number, as it is."""
    if isinstance(value, np.timedelta64) or not isinstance(value, np.number | np.bool_):
        return value
    number = value.item()
    if isinstance(number, np.longdouble):
        return float(number)
    return complex(number) if isinstance(number, np.clongdouble) else number


def layout(names: Sequence[str], sides: Sequence[Instances], missing: Mapping[str, Any]) -> Layout:
    """The columns of a result made from `sides`, the target first; `names` say how errors call the sides.

    It depends on all sides given, whatever is pasted, so that a data set gives the same columns throughout.
    """
    columns = [side._columns for side in sides]
    for name, side, held in zip(names, sides, columns, strict=True):
        if not GEOMETRY.isdisjoint(held):
            column = min(GEOMETRY.intersection(held))
            raise ValueError(f"{name}: expected no column {column!r}, which this operation cannot move; leave it out")
        if side._n and "masks" not in held:
            raise ValueError(
                f"{name}: expected masks for its {side._n} instances, got none (boxes alone are not supported)"
            )
    with_rows = [i for i, side in enumerate(sides) if side._n] or [0]
    found = columns[with_rows[0]]
    for i in with_rows[1:]:
        found = found | columns[i]
    carried = []
    for column in found:
        if column in _WRITTEN:
            continue
        arrays = [columns[i].get(column) for i in with_rows]
        if _alike(arrays):
            carried.append(Carried(column, arrays))
            continue
        for i in with_rows:
            if column not in columns[i] and column not in missing:
                holder = next(names[j] for j in with_rows if column in columns[j])
                raise ValueError(
                    f"{names[i]}: expected the column {column!r}, which {holder} has; "
                    f"missing={{{column!r}: ...}} gives a value for it"
                )
        carried.append(_carried(column, names, columns, with_rows, missing))
    return Layout(carried, "area" in found, "iscrowd" in found)


def _carried(
    column: str,
    names: Sequence[str],
    columns: Sequence[Mapping[str, Any]],
    with_rows: Sequence[int],
    missing: Mapping[str, Any],
) -> Carried:
    arrays = {i: columns[i][column] for i in with_rows if column in columns[i]}
    first = next(iter(arrays))
    shape = arrays[first].shape[1:]
    for i, array in arrays.items():
        if array.shape[1:] != shape:
            raise ValueError(f"{names[i]}: expected rows of shape {shape} in column {column!r}, got {array.shape[1:]}")
    stand_ins = [missing[column]] if len(arrays) < len(with_rows) else []
    if column == "labels":
        dtype = arrays[first].dtype
        for i, array in arrays.items():
            _check_labels(names[i], array, dtype)
        for value in stand_ins:
            _check_labels("missing", np.asarray(value), dtype)
    else:
        dtype = _common_dtype(column, list(arrays.values()), stand_ins)
    for i, array in arrays.items():
        arrays[i] = _converted(names[i], column, array, dtype)
    for value in stand_ins:
        if not _fits(value, dtype, shape):
            raise ValueError(
                f"missing: expected a value for column {column!r} of dtype {dtype} and shape {shape}, got {value!r}"
            )
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


def _converted(name: str, column: str, array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    # Between text, bytes, dates and objects a conversion can fail by value.
    try:
        return array.astype(dtype, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(
            f"{name}: column {column!r} of dtype {array.dtype} does not convert to {dtype}: {error}"
        ) from None


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


def _common_dtype(column: str, arrays: Sequence[NDArray[Any]], stand_ins: Sequence[Any]) -> np.dtype[Any]:
    dtypes = [array.dtype for array in arrays]
    try:
        common = np.result_type(*dtypes)
        for value in stand_ins:
            common = _with_number(common, value)
    except TypeError:
        kinds = ", ".join(dict.fromkeys(map(str, [*dtypes, *stand_ins])))
        raise TypeError(f"column {column!r}: expected dtypes that combine, got {kinds}") from None
    return common


def _with_number(dtype: np.dtype[Any], value: Any) -> np.dtype[Any]:
    """The dtype for a column with `value` in it: a Python number widens its kind, never its precision.

    NumPy 2 has this rule; NumPy 1 looks at the value instead, and what comes out must not depend on which it is.
    """
    number = next((kind for kind in _KINDS if isinstance(value, kind) and not isinstance(value, bool)), None)
    if number is None or dtype.kind not in "biufc":
        return np.result_type(dtype, np.asarray(value).dtype)
    if _KINDS[number] <= "biufc".index(dtype.kind.replace("u", "i")):
        return dtype
    if number is complex and dtype.kind == "f":
        return np.result_type(dtype, np.complex64)
    return np.result_type(dtype, {int: np.int64, float: np.float64, complex: np.complex128}[number])


_KINDS: dict[type, int] = {int: "biufc".index("i"), float: "biufc".index("f"), complex: "biufc".index("c")}


def _check_labels(name: str, labels: NDArray[Any], dtype: np.dtype[Any]) -> None:
    if not np.can_cast(labels.dtype, dtype, "safe") and not _labels_fit(labels, dtype):
        raise TypeError(
            f"{name}: expected labels that fit dtype {dtype}, got values of dtype {labels.dtype} that do not"
        )


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


def gather(
    plan: Layout,
    *,
    masks: RleMasks,
    boxes: NDArray[np.float32],
    area: NDArray[np.int64],
    crowd: NDArray[np.bool_] | None,
    source: NDArray[np.int32],
    source_row: NDArray[np.int32],
    visibility: NDArray[np.float32],
    carried: Sequence[NDArray[Any]],
) -> dict[str, Any]:
    """The columns of the result: what the kernel made, and the rows that are left of those of `plan`."""
    kept = {column.name: values for column, values in zip(plan.carried, carried, strict=True)}
    # The order of the constructor: masks, labels, boxes, iscrowd, then the rest.
    result: dict[str, Any] = {"masks": masks}
    if "labels" in kept:
        result["labels"] = kept.pop("labels")
    result["boxes"] = boxes
    if crowd is not None:
        result["iscrowd"] = crowd
    result |= kept
    if plan.has_area:
        result["area"] = area
    result["source"], result["source_row"], result["visibility"] = source, source_row, visibility
    return result


def pick(columns: Sequence[Sequence[NDArray[Any]]], row: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Rows of each column, whose arrays are those of all sides, one after the other."""
    return [(arrays[0] if len(arrays) == 1 else np.concatenate(arrays)).take(row, 0) for arrays in columns]

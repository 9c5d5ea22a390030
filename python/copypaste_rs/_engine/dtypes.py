"""One dtype for a column whose rows come from several sides, or the error that names the sides that do not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._checks import wrong_type
from copypaste_rs._checks.places import part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from copypaste_rs._checks import Place

    DType = np.dtype[Any]


def common_dtype(column: str, dtypes: Mapping[Place, DType], missing: Sequence[Any]) -> DType:
    """The dtype that holds the rows of all sides, whose names and dtypes are given, and the values for missing rows."""
    try:
        common: DType = np.result_type(*dtypes.values())
    except TypeError:
        raise _clash(column, [*dtypes], [*dtypes.values()]) from None
    for value in missing:
        try:
            common = _with_number(common, value)
        except TypeError:
            other = _first_clash(dtypes, lambda dtype, value=value: _with_number(dtype, value))  # type: ignore[misc]
            raise wrong_type(
                "missing", f"a value that combines in column {column!r} with {other}", repr(value)
            ) from None
    return common


def _clash(column: str, names: list[Place], dtypes: list[DType]) -> TypeError:
    """The error for dtypes that do not all combine: about the first side that does not go with those before it."""
    i = next(i for i in range(1, len(dtypes)) if _fails(np.result_type, *dtypes[: i + 1]))
    before = dict(zip(names[:i], dtypes[:i], strict=True))
    other = _first_clash(before, lambda dtype: np.result_type(dtype, dtypes[i]))
    return wrong_type(names[i], f"a dtype that combines in column {column!r} with {other}", str(dtypes[i]))


def _first_clash(dtypes: Mapping[Place, DType], combine: Callable[[DType], object]) -> str:
    """The first dtype that fails to combine, with the name of its side; the last dtype where none fails alone."""
    name = next((name for name, dtype in dtypes.items() if _fails(combine, dtype)), [*dtypes][-1])
    return f"{dtypes[name]} of {part(name)}"


def _fails(combine: Callable[..., object], *dtypes: DType) -> bool:
    try:
        combine(*dtypes)
    except TypeError:
        return True
    return False


def _with_number(dtype: DType, value: Any) -> DType:
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

"""Checks of fills: the values of canvas pixels that no image reaches."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, SupportsFloat, TypeAlias

import numpy as np

from copypaste_rs._checks.places import item, wrong, wrong_type
from copypaste_rs._checks.scalars import real

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs._checks.places import Place

Fill: TypeAlias = "SupportsFloat | Sequence[SupportsFloat] | NDArray[Any] | str | None"
MapValue: TypeAlias = "SupportsFloat | Sequence[SupportsFloat] | NDArray[Any]"


NAMED = ("edge", "min")
"""Fills that each image decides: its outermost pixels go on, or the smallest value of each of its channels."""


def fill(value: object) -> float | tuple[float, ...] | str | None:
    """`value` as a fill: None, a finite number, a tuple of them, or one of `NAMED`."""
    if value is None:
        return None
    if isinstance(value, str):
        if value in NAMED:
            return value
        raise wrong_type("fill", f"a number, {' or '.join(map(repr, NAMED))}", repr(value))
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes):
        values = value.tolist() if isinstance(value, np.ndarray) else list(value)
        if isinstance(values, list):
            return tuple(real(("fill", i), each, -math.inf, math.inf) for i, each in enumerate(values))
        value = values
    return real("fill", value, -math.inf, math.inf)  # type: ignore[arg-type]  # refuses what is no number


def image_fills(value: object, images: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], bool]:
    """The fill of each of some images of one dtype and number of channels, and whether their edge goes on instead.

    Fills have the shape (n, C).
    """
    if isinstance(value, str) and value == "min":
        return np.stack([image_fill(value, image) for image in images]), False
    values = image_fill(value, images[0])
    fills = values[np.newaxis] if len(images) == 1 else np.tile(values, (len(images), 1))
    return fills, isinstance(value, str) and value == "edge"


def image_fill(value: object, image: NDArray[Any]) -> NDArray[Any]:
    """The fill of one image, a value for each channel; where its edge goes on instead, mid-grey."""
    grey_image = image.ndim == 2
    if isinstance(value, str) and value == "min":
        # Rows first: NumPy is ten times as slow over the pixels of few channels.
        return np.atleast_1d(image.min(axis=0).min(axis=0))
    return fill_values(value, image.dtype, 1 if grey_image else image.shape[2], grey_image)


def fill_values(value: object, dtype: np.dtype[Any], channels: int, grey_image: bool) -> NDArray[Any]:
    """The fill as one value of `dtype` for each channel; None, and what an image decides, is mid-grey."""
    given = fill(value)
    if given is None or isinstance(given, str):
        return _grey(dtype, channels)
    if isinstance(given, tuple):
        if len(given) != channels:
            of = "an image without channel axis" if grey_image else f"an image of {channels} channels"
            raise wrong("fill", f"a number or {channels} of them for {of}", str(len(given)))
        numbers = np.array(given)
    else:
        numbers = np.full(channels, given)
    with np.errstate(over="ignore", invalid="ignore"):
        values = numbers.astype(dtype)
    if dtype.kind == "f":
        if not np.isfinite(values).all():
            limit = float(np.finfo(np.float32).max)
            raise wrong("fill", f"numbers within {limit:g} for dtype float32", f"{numbers[~np.isfinite(values)][0]:g}")
        return values
    outside = (numbers < 0) | (numbers > np.iinfo(dtype).max) | (numbers != np.trunc(numbers))
    if outside.any():
        top = np.iinfo(dtype).max
        raise wrong("fill", f"whole numbers from 0 to {top} for dtype {dtype}", f"{numbers[outside][0]:g}")
    return values


@functools.lru_cache(16)
def _grey(dtype: np.dtype[Any], channels: int) -> NDArray[Any]:
    values = np.full(channels, {"u1": 128, "u2": 32768, "f4": 0.5}[dtype.str[1:]], dtype)
    values.flags.writeable = False
    return values


def map_values(name: Place, value: object, dtype: np.dtype[Any], channels: tuple[int, ...]) -> NDArray[Any]:
    """`value`, a number or one for each channel of a map, as one value of `dtype` for each channel."""
    number = channels[0] if channels else 1
    given = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        if len(given) != number:
            of = f"{number} channels" if channels else "no channel axis"
            raise wrong(name, f"a number or {number} of them for a map with {of}", str(len(given)))
        numbers = [_held(item(name, i), each, dtype) for i, each in enumerate(given)]
    else:
        numbers = [_held(name, given, dtype)] * number
    values = np.array(numbers, dtype)
    values.flags.writeable = False
    return values


def _held(name: Place, value: Any, dtype: np.dtype[Any]) -> Any:
    """`value`, a number, as one that `dtype` holds: exactly where it is of integers, else rounded."""
    if isinstance(value, bool | np.bool_ | str | bytes | complex | np.complexfloating):
        raise wrong_type(name, "a number", repr(value))
    exact: Any
    try:
        exact = value if isinstance(value, np.floating) else operator.index(value)
    except TypeError:
        try:
            exact = float(value)
        except (TypeError, ValueError):
            raise wrong_type(name, "a number", repr(value)) from None
    if dtype.kind == "f":
        return _rounded(name, exact, dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    whole = isinstance(exact, int) or (math.isfinite(exact) and exact == np.trunc(exact))
    if not (whole and low <= int(exact) <= high):
        raise wrong(name, f"a whole number from {low} to {high} for dtype {dtype}", repr(value))
    return int(exact)


def _rounded(name: Place, value: Any, dtype: np.dtype[Any]) -> Any:
    try:
        with np.errstate(over="ignore"):
            rounded = dtype.type(value)
        fits = bool(np.isfinite(rounded) or not np.isfinite(value))  # a longdouble may be beyond float64
    except OverflowError:  # a whole number beyond all floats
        fits = False
    if not fits:
        raise wrong(name, f"a number within {float(np.finfo(dtype).max):g} for dtype {dtype}", repr(value))
    return rounded

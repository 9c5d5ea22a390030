"""Checks of masks in COCO's encodings: strings of run lengths, polygons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from copypaste_rs._checks.arrays import converted
from copypaste_rs._checks.pixels import are_pixels
from copypaste_rs._checks.places import item, wrong, wrong_type

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks.places import Place

FARTHEST = 2**31
"""Largest coordinate of a polygon, in pixels: up to there, edges are followed exactly in integers of 128 bits."""


def counts_strings(name: Place, strings: Sequence[bytes | str]) -> list[bytes]:
    """`strings` as a list of bytes, one for each mask; text must be ASCII."""
    if type(strings) is list:
        # As they nearly always come: all of one type.
        types = set(map(type, strings))
        if types == {bytes}:
            return cast("list[bytes]", strings)
        if types == {str} and all(map(str.isascii, cast("list[str]", strings))):
            return [*map(str.encode, cast("list[str]", strings))]
    # One string is a sequence too, of numbers or of characters: it would pass as many masks.
    one = isinstance(strings, bytes | bytearray | memoryview | str) or getattr(strings, "ndim", 1) == 0
    if one or not isinstance(strings, Sequence | np.ndarray):
        raise wrong_type(name, "a sequence of bytes or str", type(strings).__name__)
    checked = []
    for i, string in enumerate(strings):
        if not isinstance(string, bytes | str):
            raise wrong_type(item(name, i), "bytes or str", type(string).__name__)
        if isinstance(string, str) and not string.isascii():
            position = next(k for k, letter in enumerate(string) if not letter.isascii())
            raise wrong(item(name, i), "ASCII characters", f"{string[position]!r} at position {position}")
        checked.append(string.encode("ascii") if isinstance(string, str) else string)
    return checked


def polygon_parts(
    name: Place, polygons: Sequence[Sequence[ArrayLike]], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Polygons in flat arrays: all coordinates, where parts start among them, where instances start among the parts.

    Masks as pixels of an image of this size are refused.
    """
    instances = _list_of(name, polygons, "a list of parts for each instance")
    parts: list[NDArray[np.float64]] = []
    part_offsets, instance_offsets = [0], [0]
    for i, instance in enumerate(instances):
        listed = instance if type(instance) is list else _list_of(item(name, i), instance, "a list of parts")
        if are_pixels(listed, size):
            raise wrong(item(name, i), "a list of parts", f"pixels of shape {size}; RleMasks.from_dense reads them")
        for k, part in enumerate(listed):
            coordinates = _plain_coordinates(part)
            if coordinates is None:
                coordinates = _coordinates(item(name, i, k), part)
            parts.append(coordinates)
            part_offsets.append(part_offsets[-1] + len(coordinates))
        instance_offsets.append(len(parts))
    flat = np.concatenate([np.zeros(0), *parts])
    if not (np.abs(flat) <= FARTHEST).all():
        # One by one, to name the part.
        for i, instance in enumerate(instances):
            for k, part in enumerate(instance):
                _coordinates(item(name, i, k), part)
    return flat, np.array(part_offsets, np.int64), np.array(instance_offsets, np.int64)


def _plain_coordinates(part: Any) -> NDArray[np.float64] | None:
    """`part` as coordinates, finite or not, where it is an array or a list of floats or integers; None otherwise."""
    if type(part) is list and set(map(type, part)) <= {float, int}:
        try:
            part = np.array(part, np.float64)
        except OverflowError:
            return None
    if type(part) is not np.ndarray or part.dtype.char != "d" or part.ndim != 1 or part.size % 2 or part.size < 6:
        return None
    return part


def _list_of(name: Place, values: object, expected: str) -> list[Any]:
    if isinstance(values, np.ndarray) and values.ndim == 0:
        raise wrong_type(name, expected, "a single value")
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise wrong_type(name, expected, type(values).__name__)
    return list(values)


def _coordinates(name: Place, part: ArrayLike) -> NDArray[np.float64]:
    numbers = converted(name, part, "flat coordinates [x, y, x, y, ...]")
    if numbers.ndim != 1:
        got = f"shape {numbers.shape}" if numbers.ndim else type(part).__name__
        error = wrong if numbers.ndim else wrong_type
        raise error(name, "flat coordinates [x, y, x, y, ...]", got)
    if numbers.size and numbers.dtype.kind not in "iufO":
        raise wrong_type(name, "numbers", f"dtype {numbers.dtype}")
    if numbers.size % 2:
        raise wrong(name, "an even number of coordinates", str(numbers.size))
    if numbers.size < 6:
        raise wrong(name, "at least 3 points", str(numbers.size // 2))
    try:
        with np.errstate(over="ignore"):
            # One by one where they are objects: NumPy takes None for NaN.
            values = np.array([float(each) for each in numbers] if numbers.dtype == object else numbers, np.float64)
    except OverflowError:
        raise wrong(name, "finite coordinates", "an integer too large for float64") from None
    except (TypeError, ValueError):
        raise wrong_type(name, "numbers", f"dtype {numbers.dtype}") from None
    if not np.isfinite(values).all():
        raise wrong(name, "finite coordinates", str(values[~np.isfinite(values)][0]))
    if (far := np.abs(values) > FARTHEST).any():
        raise wrong(name, f"coordinates from -{FARTHEST} to {FARTHEST}", str(values[far][0]))
    return values

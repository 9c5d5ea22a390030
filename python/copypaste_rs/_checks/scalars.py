"""Checks of numbers, choices, sizes and sequences."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, TypeAlias

import numpy as np

from copypaste_rs._checks.places import item, wrong, wrong_type

if TYPE_CHECKING:
    from copypaste_rs._checks.places import Place

Size: TypeAlias = "SupportsIndex | tuple[SupportsIndex, SupportsIndex]"
FlipPairs: TypeAlias = "tuple[tuple[int, int], ...] | None"
"""Numbers of points that a mirror image exchanges, by pairs; None where nobody said, () for none."""

MAX_SIDE = 2**31 - 1
MAX_PIXELS = 2**32 - 1


def integer(name: Place, value: SupportsIndex, low: int, high: int) -> int:
    """`value` as an int in low..high; bools and floats are refused."""
    if type(value) is int and low <= value <= high:
        return value
    if isinstance(value, bool | np.bool_):
        raise wrong_type(name, "an integer", repr(value))
    try:
        number = operator.index(value)
    except TypeError:
        raise wrong_type(name, "an integer", repr(value)) from None
    if not low <= number <= high:
        raise wrong(name, f"an integer from {low} to {high}", str(number))
    return number


def position(index: SupportsIndex, n: int, of: str) -> int:
    """Position from 0 of an index into a sequence of `n`, which may count from the end; `of` names what lies there."""
    try:
        i = operator.index(index)
    except TypeError:
        raise wrong_type("index", "an integer", repr(index)) from None
    if not -n <= i < n:
        raise IndexError(f"index {i} is out of range for {n} {of}")
    return i % n


def real(name: Place, value: SupportsFloat, low: float, high: float) -> float:
    """`value` as a finite float in low..high; bools and strings are refused."""
    several = isinstance(value, np.ndarray) and value.ndim > 0  # of one element, NumPy 1 takes them for a number
    if several or isinstance(value, bool | np.bool_ | str | bytes | complex | np.complexfloating):
        raise wrong_type(name, "a number", repr(value))
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise wrong_type(name, "a number", repr(value)) from None
    except OverflowError:
        number = math.inf
    if not (math.isfinite(number) and low <= number <= high):
        bounds = f"a number from {low:g} to {high:g}"
        if math.isinf(high):
            bounds = "a finite number" if math.isinf(low) else f"a finite number of at least {low:g}"
        raise wrong(name, bounds, repr(value))
    return number


def flag(name: Place, value: object) -> bool:
    """`value` as a bool; numbers are refused, so that a misplaced argument is seen."""
    if value is True or value is False:
        return value
    if not isinstance(value, np.bool_):
        raise wrong_type(name, "True or False", repr(value))
    return bool(value)


def choice(name: Place, value: object, options: Sequence[str]) -> str:
    """`value`, which must be one of `options`."""
    if not isinstance(value, str):
        raise wrong_type(name, f"one of {', '.join(map(repr, options))}", repr(value))
    if value not in options:
        raise wrong(name, f"one of {', '.join(map(repr, options))}", repr(value))
    return value


def pair(name: Place, value: object, low: int, high: int) -> tuple[int, int]:
    """`value` as two ints in low..high."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray) or getattr(value, "ndim", 1) == 0:
        raise wrong_type(name, "a pair of integers", repr(value))
    if len(value) != 2:
        raise wrong(name, "a pair of integers", f"{len(value)} values")
    return integer(item(name, 0), value[0], low, high), integer(item(name, 1), value[1], low, high)


def size(name: Place, value: object, minimum: int = 1, maximum: int = MAX_SIDE) -> tuple[int, int]:
    """`value` as (height, width); one int is a square. At most 2^32 - 1 pixels."""
    if type(value) is tuple and len(value) == 2 and type(value[0]) is type(value[1]) is int:
        # As it nearly always comes: the checks below take longer than small kernels.
        h, w = value
        if minimum <= h <= maximum and minimum <= w <= maximum and h * w <= MAX_PIXELS:
            return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        side = integer(name, value, minimum, maximum)
        h, w = side, side
    else:
        h, w = pair(name, value, minimum, maximum)
    if h * w > MAX_PIXELS:
        raise wrong(name, f"at most {MAX_PIXELS} pixels", f"({h}, {w})")
    return h, w


def flip_pairs(value: object) -> FlipPairs:
    """`value` as pairs of numbers of points, each number in one pair at most."""
    if value is None:
        return None
    pairs = tuple(pair(("flip_pairs", i), each, 0, MAX_SIDE) for i, each in enumerate(items("flip_pairs", value)))
    seen: set[int] = set()
    for i, numbers in enumerate(pairs):
        for number in numbers:
            if number in seen:
                raise wrong(("flip_pairs", i), "each point in one pair at most", f"point {number} twice")
            seen.add(number)
    return pairs


def items(name: Place, values: object) -> list[Any]:
    """`values` as a list, which must be iterable."""
    if type(values) is list or type(values) is tuple:
        return list(values)  # as it nearly always comes: what can be iterated takes a while to find out
    if isinstance(values, np.ndarray) and values.ndim == 0:
        raise wrong_type(name, "a sequence", "a single value")
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise wrong_type(name, "a sequence", type(values).__name__)
    return list(values)


def are_words(values: tuple[Any, ...]) -> bool:
    """Whether all are ints of 64 bits, and of no other type."""
    for each in values:  # noqa: SIM110 (a generator would take longer than all else here)
        if type(each) is not int or not 0 <= each < 2**64:
            return False
    return True


def words64(name: Place, values: object, n: int) -> tuple[int, ...]:
    """`values` as n integers of 64 bits."""
    if type(values) is tuple and len(values) == n and are_words(values):
        return values
    found = items(name, values)
    if len(found) != n:
        raise wrong(name, f"{n} integers", str(len(found)))
    return tuple(integer(item(name, i), value, 0, 2**64 - 1) for i, value in enumerate(found))


def parts_arguments(min_area: SupportsIndex, connectivity: SupportsIndex, name: str = "min_area") -> tuple[int, bool]:
    """The least number of pixels of a part, an argument called `name`, and whether pixels at a corner are connected."""
    least = integer(name, min_area, 0, MAX_PIXELS)
    neighbours = integer("connectivity", connectivity, 4, 8)
    if neighbours not in (4, 8):
        raise wrong("connectivity", "4 or 8", str(neighbours))
    return least, neighbours == 8


def philox_arguments(key: object, counter: object, n: SupportsIndex) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Key, counter and number of words."""
    return words64("key", key, 2), words64("counter", counter, 4), integer("n", n, 0, MAX_PIXELS)

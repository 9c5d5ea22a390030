"""Checks of arguments: each failure is one sentence that names the argument, what was expected and what came."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex, TypeAlias, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Size: TypeAlias = "SupportsIndex | tuple[SupportsIndex, SupportsIndex]"
Image: TypeAlias = "NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]"

MAX_SIDE = 2**31 - 1
MAX_PIXELS = 2**32 - 1
WEIGHT_SUM = 4096
IMAGE_DTYPES = frozenset({np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)})


def integer(name: str, value: SupportsIndex, low: int, high: int) -> int:
    """`value` as an int in low..high; bools and floats are refused."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: expected an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected an integer, got {value!r}") from None
    if not low <= number <= high:
        raise ValueError(f"{name}: expected an integer from {low} to {high}, got {number}")
    return number


def real(name: str, value: SupportsFloat, low: float, high: float) -> float:
    """`value` as a finite float in low..high; bools and strings are refused."""
    if isinstance(value, bool | np.bool_ | str | bytes):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected a number, got {value!r}") from None
    except OverflowError:
        number = math.inf
    if not (math.isfinite(number) and low <= number <= high):
        bounds = "a finite number" if math.isinf(low) else f"a number from {low:g} to {high:g}"
        raise ValueError(f"{name}: expected {bounds}, got {value!r}")
    return number


def flag(name: str, value: object) -> bool:
    """`value` as a bool; numbers are refused, so that a misplaced argument is seen."""
    if value is True or value is False:
        return value
    if not isinstance(value, np.bool_):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def choice(name: str, value: object, options: Sequence[str]) -> str:
    """`value`, which must be one of `options`."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected one of {', '.join(map(repr, options))}, got {value!r}")
    if value not in options:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, options))}, got {value!r}")
    return value


def pair(name: str, value: object, low: int, high: int) -> tuple[int, int]:
    """`value` as two ints in low..high."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray) or getattr(value, "ndim", 1) == 0:
        raise TypeError(f"{name}: expected a pair of integers, got {value!r}")
    if len(value) != 2:
        raise ValueError(f"{name}: expected a pair of integers, got {len(value)} values")
    return integer(f"{name}[0]", value[0], low, high), integer(f"{name}[1]", value[1], low, high)


def size(name: str, value: object, minimum: int = 1, maximum: int = MAX_SIDE) -> tuple[int, int]:
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
        raise ValueError(f"{name}: expected at most {MAX_PIXELS} pixels, got ({h}, {w})")
    return h, w


def array(name: str, value: object) -> NDArray[Any]:
    """`value`, which must be a NumPy array in the machine's byte order."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(value).__name__}")
    if not value.dtype.isnative:
        raise TypeError(f"{name}: expected the machine's byte order, got dtype {value.dtype.str!r}")
    # A subclass may mean something else by indexing or comparing; its memory is what counts here.
    return value if type(value) is np.ndarray else np.asarray(value)


def items(name: str, values: object) -> list[Any]:
    """`values` as a list, which must be iterable."""
    if type(values) is list or type(values) is tuple:
        return list(values)  # as it nearly always comes: what can be iterated takes a while to find out
    if isinstance(values, np.ndarray) and values.ndim == 0:
        raise TypeError(f"{name}: expected a sequence, got a single value")
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{name}: expected a sequence, got {type(values).__name__}")
    return list(values)


def image(name: str, value: object) -> NDArray[Any]:
    """`value` as an image array: (H, W) or (H, W, C), no side zero, dtype uint8, uint16 or float32."""
    pixels = value if type(value) is np.ndarray else array(name, value)
    if pixels.dtype not in IMAGE_DTYPES:
        array(name, pixels)  # it may be the byte order
        raise TypeError(f"{name}: expected dtype uint8, uint16 or float32, got {pixels.dtype}")
    if pixels.ndim not in (2, 3):
        raise ValueError(f"{name}: expected shape (H, W) or (H, W, C), got {pixels.shape}")
    values = pixels.size
    if values == 0:
        raise ValueError(f"{name}: expected no side of length zero, got shape {pixels.shape}")
    if values > MAX_SIDE:  # else no side can be longer, nor the pixels more than there may be
        size(f"{name}.shape", pixels.shape[:2])
    return pixels


def dense_masks(name: str, value: object) -> NDArray[Any]:
    """`value` as dense masks (n, h, w), dtype uint8 or bool, viewed as uint8."""
    dense = array(name, value)
    if dense.dtype not in (np.dtype(np.uint8), np.dtype(np.bool_)):
        raise TypeError(f"{name}: expected dtype uint8 or bool, got {dense.dtype}")
    if dense.ndim != 3:
        raise ValueError(f"{name}: expected shape (n, h, w), got {dense.shape}")
    size(f"{name}.shape[1:]", dense.shape[1:], 0, MAX_PIXELS)
    return dense.view(np.uint8)


def output(
    name: str, value: object, shape: tuple[int, ...], dtype: np.dtype[Any], inputs: Sequence[NDArray[Any]] = ()
) -> NDArray[Any]:
    """`value`, which must be able to take a result: shape, dtype, C order, writable, apart from `inputs`."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(value).__name__}")
    if value.shape != shape or (value.dtype is not dtype and value.dtype != dtype):
        raise ValueError(f"{name}: expected shape {shape} and dtype {dtype}, got {value.shape} and {value.dtype.str!r}")
    if not value.flags.carray:
        raise ValueError(f"{name}: expected a C-contiguous, writable array, got another layout or a read-only one")
    apart(name, value, inputs)
    return value


def apart(name: str, value: NDArray[Any], inputs: Iterable[NDArray[Any]]) -> None:
    """Checks that an array to be written shares no memory with those that are read."""
    if may_overlap(value, inputs):
        raise ValueError(f"{name}: expected memory of its own, got an array that overlaps an input")


def may_overlap(array: NDArray[Any], others: Iterable[NDArray[Any]]) -> bool:
    """Whether an array may share memory with any of the others, as `np.may_share_memory` says it."""
    alone = array.base is None and array.flags.owndata
    for other in others:
        if alone and other.base is None and other.flags.owndata:
            if other is array:  # each has memory of its own: asking NumPy takes longer
                return True
        elif np.may_share_memory(array, other):
            return True
    return False


def mask_output(name: str, value: object, shape: tuple[int, ...]) -> NDArray[Any]:
    """`value`, which must be able to take dense masks: dtype uint8 or bool."""
    boolean = isinstance(value, np.ndarray) and value.dtype == np.bool_
    return output(name, value, shape, np.dtype(np.bool_ if boolean else np.uint8))


def row_index(name: str, rows: object, n: int) -> NDArray[np.int64]:
    """The row numbers that `rows` (int, slice, int array, bool array) picks of n, as int64 in 0..n-1."""
    if isinstance(rows, slice):
        return np.arange(n, dtype=np.int64)[rows]
    if isinstance(rows, bool):
        raise TypeError(f"{name}: expected row numbers, a slice or a bool array, got {rows!r}")
    try:
        index = np.asarray(rows)
    except ValueError:  # ragged
        raise TypeError(f"{name}: expected row numbers, a slice or a bool array, got {rows!r}") from None
    if index.size == 0 and index.ndim == 1 and index.dtype.kind != "b":
        return np.zeros(0, np.int64)
    if index.dtype.kind == "b" and index.ndim == 1:
        if len(index) != n:
            raise IndexError(f"{name}: expected a bool array of length {n}, got {len(index)}")
        return np.flatnonzero(index)
    if index.dtype.kind not in "iu" or index.ndim > 1:
        raise TypeError(f"{name}: expected row numbers, a slice or a bool array, got {rows!r}")
    index = np.atleast_1d(index)
    wrong = (index < -n) | (index >= n) if index.dtype.kind == "i" else index >= n
    if wrong.any():
        raise IndexError(f"{name}: row {index[wrong][0]} is out of range for {n} rows")
    index = index.astype(np.int64)
    return np.where(index < 0, index + n, index)


def counts_strings(name: str, strings: Sequence[bytes | str]) -> list[bytes]:
    """`strings` as a list of bytes, one for each mask; text must be ASCII."""
    if type(strings) is list:
        # As they nearly always come: all of one type.
        types = set(map(type, strings))
        if types == {bytes}:
            return cast("list[bytes]", strings)
        if types == {str} and all(map(str.isascii, cast("list[str]", strings))):
            return [*map(str.encode, cast("list[str]", strings))]
    # One string is a sequence too, of numbers or of characters: it would pass as many masks.
    if isinstance(strings, bytes | bytearray | memoryview | str) or not isinstance(strings, Sequence | np.ndarray):
        raise TypeError(f"{name}: expected a sequence of bytes or str, got {type(strings).__name__}")
    checked = []
    for i, string in enumerate(strings):
        if not isinstance(string, bytes | str):
            raise TypeError(f"{name}[{i}]: expected bytes or str, got {type(string).__name__}")
        if isinstance(string, str) and not string.isascii():
            position = next(k for k, letter in enumerate(string) if not letter.isascii())
            raise ValueError(f"{name}[{i}]: expected ASCII characters, got {string[position]!r} at position {position}")
        checked.append(string.encode("ascii") if isinstance(string, str) else string)
    return checked


def polygon_parts(
    name: str, polygons: Sequence[Sequence[ArrayLike]]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Polygons in flat arrays: all coordinates, where parts start among them, where instances start among the parts."""
    instances = _list_of(name, polygons, "a list of parts for each instance")
    parts: list[NDArray[np.float64]] = []
    part_offsets, instance_offsets = [0], [0]
    for i, instance in enumerate(instances):
        for k, part in enumerate(
            instance if type(instance) is list else _list_of(f"{name}[{i}]", instance, "a list of parts")
        ):
            coordinates = _plain_coordinates(part)
            if coordinates is None:
                coordinates = _coordinates(f"{name}[{i}][{k}]", part)
            parts.append(coordinates)
            part_offsets.append(part_offsets[-1] + len(coordinates))
        instance_offsets.append(len(parts))
    flat = np.concatenate([np.zeros(0), *parts])
    if not np.isfinite(flat).all():
        # One by one, to name the part.
        for i, instance in enumerate(instances):
            for k, part in enumerate(instance):
                _coordinates(f"{name}[{i}][{k}]", part)
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


def _list_of(name: str, values: object, expected: str) -> list[Any]:
    if isinstance(values, np.ndarray) and values.ndim == 0:
        raise TypeError(f"{name}: expected {expected}, got a single value")
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise TypeError(f"{name}: expected {expected}, got {type(values).__name__}")
    return list(values)


def _coordinates(name: str, part: ArrayLike) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(part)
    except ValueError:  # ragged
        raise ValueError(f"{name}: expected flat coordinates [x, y, x, y, ...], got nested lists") from None
    if numbers.ndim != 1:
        got = f"shape {numbers.shape}" if numbers.ndim else type(part).__name__
        error = ValueError if numbers.ndim else TypeError
        raise error(f"{name}: expected flat coordinates [x, y, x, y, ...], got {got}")
    if numbers.size and numbers.dtype.kind not in "iufO":
        raise TypeError(f"{name}: expected numbers, got dtype {numbers.dtype}")
    if numbers.size % 2:
        raise ValueError(f"{name}: expected an even number of coordinates, got {numbers.size}")
    if numbers.size < 6:
        raise ValueError(f"{name}: expected at least 3 points, got {numbers.size // 2}")
    try:
        with np.errstate(over="ignore"):
            # One by one where they are objects: NumPy takes None for NaN.
            values = np.array([float(each) for each in numbers] if numbers.dtype == object else numbers, np.float64)
    except OverflowError:
        raise ValueError(f"{name}: expected finite coordinates, got an integer too large for float64") from None
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected numbers, got dtype {numbers.dtype}") from None
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: expected finite coordinates, got {values[~np.isfinite(values)][0]}")
    return values


def weights(name: str, value: object) -> NDArray[np.uint16]:
    """`value` as the weights of a blur: an odd number of them, uint16, adding up to 4096."""
    checked = array(name, value)
    if checked.dtype != np.uint16:
        raise TypeError(f"{name}: expected dtype uint16, got {checked.dtype}")
    if checked.ndim != 1:
        raise ValueError(f"{name}: expected shape (n,), got {checked.shape}")
    if len(checked) % 2 == 0:
        raise ValueError(f"{name}: expected an odd number of weights, got {len(checked)}")
    if (total := int(checked.sum(dtype=np.uint64))) != WEIGHT_SUM:
        raise ValueError(f"{name}: expected weights that sum to {WEIGHT_SUM}, got {total}")
    return np.require(checked, requirements=["C", "A"])


def crowd_flags(name: str, value: ArrayLike, n: int) -> NDArray[np.bool_]:
    """`value` as one bool for each of n masks; 0 and 1 are taken for bools."""
    try:
        flags = np.asarray(value)
    except ValueError:  # ragged
        raise ValueError(f"{name}: expected shape ({n},), got nested lists") from None
    if flags.shape != (n,):
        raise ValueError(f"{name}: expected shape ({n},), got {flags.shape}")
    if flags.size and flags.dtype.kind not in "biu":
        raise TypeError(f"{name}: expected bools, got dtype {flags.dtype}")
    if not np.isin(flags, (0, 1)).all():
        raise ValueError(f"{name}: expected 0 and 1 or bools, got another number")
    return np.ascontiguousarray(flags, np.bool_)


def blend_arguments(
    source: object, target: object, alpha: object
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.uint8]]:
    """The two images of a blend, of one shape and dtype, and one weight for each pixel."""
    above, below = image("source", source), image("target", target)
    if below.shape != above.shape or below.dtype != above.dtype:
        raise ValueError(
            f"target: expected shape {above.shape} and dtype {above.dtype} as in source, "
            f"got {below.shape} and {below.dtype}"
        )
    share = array("alpha", alpha)
    if share.dtype != np.uint8:
        raise TypeError(f"alpha: expected dtype uint8, got {share.dtype}")
    if share.shape != above.shape[:2]:
        raise ValueError(f"alpha: expected shape {above.shape[:2]}, got {share.shape}")
    return above, below, share


def words64(name: str, values: object, n: int) -> tuple[int, ...]:
    """`values` as n integers of 64 bits."""
    found = items(name, values)
    if len(found) != n:
        raise ValueError(f"{name}: expected {n} integers, got {len(found)}")
    return tuple(integer(f"{name}[{i}]", value, 0, 2**64 - 1) for i, value in enumerate(found))


def philox_arguments(key: object, counter: object, n: SupportsIndex) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Key, counter and number of words."""
    return words64("key", key, 2), words64("counter", counter, 4), integer("n", n, 0, MAX_PIXELS)

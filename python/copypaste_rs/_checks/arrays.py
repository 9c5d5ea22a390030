"""Checks of arrays: images, masks as pixels, outputs, row numbers, weights of a blur and of a draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._checks.places import item, part, wrong, wrong_type
from copypaste_rs._checks.scalars import MAX_PIXELS, MAX_SIDE, choice, integer, size
from copypaste_rs._result_memory import empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks.places import Place

WEIGHT_SUM = 4096
IMAGE_DTYPES = frozenset({np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)})


def array(name: Place, value: object) -> NDArray[Any]:
    """`value`, which must be a NumPy array in the machine's byte order."""
    if not isinstance(value, np.ndarray):
        raise wrong_type(name, "a NumPy array", type(value).__name__)
    if not value.dtype.isnative:
        raise wrong_type(name, "the machine's byte order", f"dtype {value.dtype.str!r}")
    # A subclass may mean something else by indexing or comparing; its memory is what counts here.
    return value if type(value) is np.ndarray else np.asarray(value)


def image(name: Place, value: object) -> NDArray[Any]:
    """`value` as an image array: (H, W) or (H, W, C), no side zero, dtype uint8, uint16 or float32."""
    pixels = value if type(value) is np.ndarray else array(name, value)
    if pixels.dtype not in IMAGE_DTYPES:
        array(name, pixels)  # it may be the byte order
        raise wrong_type(name, "dtype uint8, uint16 or float32", str(pixels.dtype))
    return _shaped(name, pixels)


def raster(name: Place, value: object) -> NDArray[Any]:
    """`value` as a map: (H, W) or (H, W, C), no side zero, any integer or float dtype."""
    pixels = array(name, value)
    if pixels.dtype.kind not in "iuf":
        of_bools = "; astype(np.uint8) makes one of bools" if pixels.dtype.kind == "b" else ""
        raise wrong_type(name, f"an integer or float dtype{of_bools}", str(pixels.dtype))
    return _shaped(name, pixels)


def _shaped(name: Place, pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim not in (2, 3):
        raise wrong(name, "shape (H, W) or (H, W, C)", str(pixels.shape))
    values = pixels.size
    if values == 0:
        raise wrong(name, "no side of length zero", f"shape {pixels.shape}")
    if values > MAX_SIDE:  # else no side can be longer, nor the pixels more than there may be
        size(part(name, ".shape"), pixels.shape[:2])
    return pixels


def dense_masks(name: Place, value: object) -> NDArray[Any]:
    """`value` as dense masks (n, h, w), dtype uint8 or bool, viewed as uint8."""
    dense = array(name, value)
    if dense.dtype not in (np.dtype(np.uint8), np.dtype(np.bool_)):
        raise wrong_type(name, "dtype uint8 or bool", str(dense.dtype))
    if dense.ndim != 3:
        raise wrong(name, "shape (n, h, w)", str(dense.shape))
    size(part(name, ".shape[1:]"), dense.shape[1:], 0, MAX_PIXELS)
    return dense.view(np.uint8)


def dense_stacks(name: Place, value: object, layout: object, of_size: object) -> list[NDArray[np.uint8]]:
    """`value` as arrays (n, h, w) of dense masks of one size, viewed as uint8: one array, or one for each of a list."""
    axes = choice("layout", layout, ("nhw", "hwn"))
    expected = None if of_size is None else size("size", of_size, 0, MAX_PIXELS)
    if isinstance(value, list | tuple):
        if axes != "nhw":
            raise wrong("layout", "'nhw' where masks come in a list", repr(axes))
        stacks = [_dense(item(name, i), each, 2)[np.newaxis] for i, each in enumerate(value)]
        if not stacks:
            if expected is None:
                raise wrong("size", "a size, as there is no mask to take it from", "none")
            return [np.zeros((0, *expected), np.uint8)]
        places = [item(name, i) for i in range(len(stacks))]
    else:
        dense = _dense(name, value, 3)
        stacks, places = [dense.transpose(2, 0, 1) if axes == "hwn" else dense], [name]
    for place, stack in zip(places, stacks, strict=True):
        h, w = size(part(place, ".shape"), stack.shape[1:], 0, MAX_PIXELS)
        if expected is None:
            expected = h, w
        if (h, w) != expected:
            raise wrong(place, f"masks of size {expected}", str((h, w)))
    return [stack.view(np.uint8) for stack in stacks]


def _dense(name: Place, value: object, axes: int) -> NDArray[Any]:
    shape = "shape (h, w)" if axes == 2 else "shape (n, h, w)"
    if not isinstance(value, np.ndarray):
        if not hasattr(value, "__array__") and not hasattr(value, "__array_interface__"):
            of_lists = "" if axes == 2 else " or a list of masks"
            raise wrong_type(name, f"a NumPy array{of_lists}", type(value).__name__)
        value = converted(name, value, f"an array of {shape}")
    dense = array(name, value)
    if dense.dtype not in (np.dtype(np.uint8), np.dtype(np.bool_)):
        raise wrong_type(name, "dtype uint8 or bool", str(dense.dtype))
    if dense.ndim != axes:
        raise wrong(name, shape, str(dense.shape))
    return dense


def label_map(name: Place, value: object, background: object) -> tuple[NDArray[Any], int | None]:
    """`value` as a map (h, w) of any integer dtype, and the label of its background; None where no pixel has it."""
    labels = array(name, value)
    if labels.dtype.kind not in "iu":
        of_bools = "; RleMasks.from_dense takes bools" if labels.dtype.kind == "b" else ""
        raise wrong_type(name, f"an integer dtype{of_bools}", str(labels.dtype))
    if labels.ndim != 2:
        raise wrong(name, "shape (h, w)", str(labels.shape))
    size(part(name, ".shape"), labels.shape, 0, MAX_PIXELS)
    if background is None:
        return labels, None
    label = integer("background", background, -(2**63), 2**64 - 1)  # type: ignore[arg-type]  # that is checked
    limits = np.iinfo(labels.dtype)
    return labels, label if limits.min <= label <= limits.max else None


def label_map_output(
    whole: tuple[int, int], out: object, order: object, stride: object
) -> tuple[bool, int, NDArray[np.int32]]:
    """Whether smaller masks are drawn over larger ones, the stride, and the array to draw in."""
    by_area, step, shape = False, 1, whole
    if (
        type(order) is not str or order != "rows" or type(stride) is not int or stride != 1
    ):  # checks take longer than small maps
        by_area = choice("order", order, ("rows", "area")) == "area"
        step = integer("stride", stride, 1, MAX_SIDE)  # type: ignore[arg-type]  # that is checked
        shape = len(range(step // 2, whole[0], step)), len(range(step // 2, whole[1], step))
    dtype = np.dtype(np.int32)
    return by_area, step, empty(shape, dtype) if out is None else output("out", out, shape, dtype)


def output(
    name: Place, value: object, shape: tuple[int, ...], dtype: np.dtype[Any], inputs: Sequence[NDArray[Any]] = ()
) -> NDArray[Any]:
    """`value`, which must be able to take a result: shape, dtype, C order, writable, apart from `inputs`."""
    if not isinstance(value, np.ndarray):
        raise wrong_type(name, "a NumPy array", type(value).__name__)
    if value.shape != shape or (value.dtype is not dtype and value.dtype != dtype):
        raise wrong(name, f"shape {shape} and dtype {dtype}", f"{value.shape} and {value.dtype.str!r}")
    if not value.flags.carray:
        raise wrong(name, "a C-contiguous, writable array", "another layout or a read-only one")
    apart(name, value, inputs)
    return value


def apart(name: Place, value: NDArray[Any], inputs: Iterable[NDArray[Any]]) -> None:
    """Checks that an array to be written shares no memory with those that are read."""
    if may_overlap(value, inputs):
        raise wrong(name, "memory of its own", "an array that overlaps an input")


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


def mask_output(name: Place, value: object, shape: tuple[int, ...]) -> NDArray[Any]:
    """`value`, which must be able to take dense masks: dtype uint8 or bool."""
    boolean = isinstance(value, np.ndarray) and value.dtype == np.bool_
    return output(name, value, shape, np.dtype(np.bool_ if boolean else np.uint8))


def converted(name: Place, value: object, expected: str, ragged: str = "nested lists") -> NDArray[Any]:
    """`value` as an array; errors say what was `expected`, and call lists of differing lengths `ragged`."""
    try:
        return np.asarray(value)
    except ValueError:
        raise wrong(name, expected, ragged) from None
    except TypeError:  # values that refuse to be an array
        raise wrong_type(name, expected, type(value).__name__) from None


def positions(name: Place, value: object, lengths: tuple[int, ...]) -> tuple[NDArray[np.float64], np.dtype[Any]]:
    """`value` as float64, its last axis of one of `lengths`; and the dtype of a result: float32 where it is that."""
    words = " or ".join(f"(..., {length})" for length in lengths)
    given = converted(name, value, f"an array of shape {words}")
    if given.shape == (0,):
        given = given.reshape(0, lengths[0])
    if given.ndim == 0 or given.shape[-1] not in lengths:
        raise wrong(name, f"shape {words}", str(given.shape))
    if given.dtype.kind not in "iuf" or given.dtype.char in "eg":
        raise wrong_type(name, "float32, float64 or integers", f"dtype {given.dtype}")
    values = given.astype(np.float64)
    if not np.isfinite(values).all():
        raise wrong(name, "finite numbers", "NaN or infinity")
    single = np.dtype(np.float32)
    return values, single if given.dtype == single else values.dtype


def stored(name: Place, values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Results computed of `positions`, in their dtype, which has to hold them."""
    with np.errstate(over="ignore"):
        made = values.astype(dtype, order="C")
    if not np.isfinite(made).all():
        raise wrong(name, f"numbers whose results {dtype} holds", "larger ones")
    return made


def row_index(name: Place, rows: object, n: int) -> NDArray[np.int64]:
    """The row numbers that `rows` (int, slice, int array, bool array) picks of n, as int64 in 0..n-1."""
    if isinstance(rows, slice):
        return np.arange(n, dtype=np.int64)[rows]
    if isinstance(rows, bool):
        raise wrong_type(name, "row numbers, a slice or a bool array", repr(rows))
    try:
        index = np.asarray(rows)
    except (ValueError, TypeError):  # ragged, or what refuses to be an array
        raise wrong_type(name, "row numbers, a slice or a bool array", repr(rows)) from None
    if index.size == 0 and index.ndim == 1 and index.dtype.kind != "b":
        return np.zeros(0, np.int64)
    if index.dtype.kind == "b" and index.ndim == 1:
        if len(index) != n:
            raise IndexError(f"{part(name)}: expected a bool array of length {n}, got {len(index)}")
        return np.flatnonzero(index)
    if index.dtype.kind not in "iu" or index.ndim > 1:
        raise wrong_type(name, "row numbers, a slice or a bool array", repr(rows))
    index = np.atleast_1d(index)
    outside = (index < -n) | (index >= n) if index.dtype.kind == "i" else index >= n
    if outside.any():
        raise IndexError(f"{part(name)}: row {index[outside][0]} is out of range for {n} rows")
    index = index.astype(np.int64)
    return np.where(index < 0, index + n, index)


def weights(name: Place, value: object) -> NDArray[np.uint16]:
    """`value` as the weights of a blur: an odd number of them, uint16, adding up to 4096."""
    checked = array(name, value)
    if checked.dtype != np.uint16:
        raise wrong_type(name, "dtype uint16", str(checked.dtype))
    if checked.ndim != 1:
        raise wrong(name, "shape (n,)", str(checked.shape))
    if len(checked) % 2 == 0:
        raise wrong(name, "an odd number of weights", str(len(checked)))
    if (total := int(checked.sum(dtype=np.uint64))) != WEIGHT_SUM:
        raise wrong(name, f"weights that sum to {WEIGHT_SUM}", str(total))
    return np.require(checked, requirements=["C", "A"])


def draw_weights(name: Place, value: object, n: int, whence: str = "") -> NDArray[np.float64]:
    """`value` as the weights of n things that are drawn: finite numbers of at least 0; errors say `whence` they are."""
    given = converted(name, value, f"{n} numbers{whence}")
    if given.size and given.dtype.kind not in "iuf":
        got = type(value).__name__ if given.ndim == 0 else f"dtype {given.dtype}"
        raise wrong_type(name, f"{n} numbers{whence}", got)
    if given.shape != (n,):
        raise wrong(name, f"shape ({n},){whence}", str(given.shape))
    with np.errstate(over="ignore"):
        weights = given.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise wrong(name, f"finite numbers of at least 0{whence}", f"{given[bad[0]]} at index {bad[0]}")
    return weights


def crowd_flags(name: Place, value: ArrayLike, n: int | None = None) -> NDArray[np.bool_]:
    """`value` as one bool for each of n masks, or of any number; 0 and 1 are taken for bools."""
    shape = "shape (n,)" if n is None else f"shape ({n},)"
    flags = converted(name, value, shape)
    if flags.ndim != 1 or n not in (None, len(flags)):
        raise wrong(name, shape, str(flags.shape))
    if flags.size and flags.dtype.kind not in "biu":
        raise wrong_type(name, "bools", f"dtype {flags.dtype}")
    if flags.dtype != np.bool_ and not np.isin(flags, (0, 1)).all():
        raise wrong(name, "0 and 1 or bools", "another number")
    return np.ascontiguousarray(flags, np.bool_)


def blend_arguments(
    source: object, target: object, alpha: object
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.uint8]]:
    """The two images of a blend, of one shape and dtype, and one weight for each pixel."""
    above, below = image("source", source), image("target", target)
    if below.shape != above.shape or below.dtype != above.dtype:
        raise wrong(
            "target",
            f"shape {above.shape} and dtype {above.dtype} as in source",
            f"{below.shape} and {below.dtype}",
        )
    share = array("alpha", alpha)
    if share.dtype != np.uint8:
        raise wrong_type("alpha", "dtype uint8", str(share.dtype))
    if share.shape != above.shape[:2]:
        raise wrong("alpha", f"shape {above.shape[:2]}", str(share.shape))
    return above, below, share

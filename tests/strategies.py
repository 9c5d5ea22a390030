"""What Hypothesis draws: sizes from zero and never square, arrays of every layout, placements, polygons.

Pixels come from a drawn seed, which costs less than drawing each; shapes, which matter more, are drawn and shrink.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ascii import rle
from copypaste_rs import Placement, RleMasks

Draw = Callable[[st.SearchStrategy[Any]], Any]

DTYPES = (np.uint8, np.uint16, np.float32)


def sizes(low: int = 0, high: int = 12) -> st.SearchStrategy[tuple[int, int]]:
    """Heights and widths that differ, so that exchanging them shows."""
    side = st.integers(low, high)
    return st.tuples(side, side).filter(lambda size: size[0] != size[1])


def as_is(array: NDArray[Any]) -> NDArray[Any]:
    return array


def fortran(array: NDArray[Any]) -> NDArray[Any]:
    return np.asfortranarray(array)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    array = array.copy()
    array.flags.writeable = False
    return array


def reversed_axes(array: NDArray[Any]) -> NDArray[Any]:
    """Negative strides on every axis."""
    backwards = (slice(None, None, -1),) * array.ndim
    return array[backwards].copy()[backwards]


def spaced(array: NDArray[Any]) -> NDArray[Any]:
    """Every second element of a larger array, on every axis."""
    large = np.zeros([2 * side + 1 for side in array.shape], array.dtype)
    view = large[tuple(slice(1, 2 * side + 1, 2) for side in array.shape)]
    view[...] = array
    return view


def window(array: NDArray[Any]) -> NDArray[Any]:
    """The inside of a larger array: rows are contiguous, the whole is not."""
    large = np.zeros([side + 3 for side in array.shape], array.dtype)
    view = large[tuple(slice(2, side + 2) for side in array.shape)]
    view[...] = array
    return view


def unaligned(array: NDArray[Any]) -> NDArray[Any]:
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    view = buffer[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


LAYOUTS = (as_is, fortran, read_only, reversed_axes, spaced, window, unaligned)


def layouts() -> st.SearchStrategy[Callable[[NDArray[Any]], NDArray[Any]]]:
    """A function that gives an array another layout in memory and the same values."""
    return st.sampled_from(LAYOUTS)


def pixels(seed: int, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Random pixels over the whole range of an integer dtype; floats of both signs, with zeros of both signs."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "u":
        return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    values: NDArray[Any] = (rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 4)).astype(dtype)
    values[rng.random(shape) < 0.1] = -0.0
    return values


@st.composite
def images(draw: Draw, size: st.SearchStrategy[tuple[int, int]] | None = None, dtype: Any = None) -> NDArray[Any]:
    """Images of any dtype, with one to five channels or no channel axis, of any layout."""
    h, w = draw(size if size is not None else sizes(1, 20))
    channels = draw(st.sampled_from([None, 1, 2, 3, 4, 5]))
    dtype = draw(st.sampled_from(DTYPES)) if dtype is None else dtype
    shape = (h, w) if channels is None else (h, w, channels)
    layout: Callable[[NDArray[Any]], NDArray[Any]] = draw(layouts())
    return layout(pixels(draw(st.integers(0, 2**32)), shape, dtype))


def blobs(seed: int, n: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Dense masks (n, h, w), from empty over a few pixels or rectangles to full."""
    rng = np.random.default_rng(seed)
    result = np.zeros((n, *size), np.uint8)
    for each in result:
        kind = rng.integers(4)
        if kind == 0:
            each[...] = rng.random(size) < rng.random()
        elif kind < 3 and 0 not in size:
            y0, y1 = np.sort(rng.integers(0, size[0] + 1, 2))
            x0, x1 = np.sort(rng.integers(0, size[1] + 1, 2))
            each[y0:y1, x0:x1] = 1
        else:
            each[...] = rng.integers(2)
    return result


@st.composite
def dense_masks(draw: Draw, n: st.SearchStrategy[int] | None = None, size: Any = None) -> NDArray[np.uint8]:
    """Dense masks (n, h, w) of zeros and ones."""
    count = draw(n if n is not None else st.integers(0, 4))
    return blobs(draw(st.integers(0, 2**32)), count, draw(size if size is not None else sizes()))


@st.composite
def rle_masks(draw: Draw, n: st.SearchStrategy[int] | None = None, size: Any = None) -> RleMasks:
    """Run-length encoded masks."""
    return rle(draw(dense_masks(n, size)))


@st.composite
def placements(draw: Draw, input_size: tuple[int, int], largest: int = 30) -> Placement:
    """Any scale, crop and padding; also wholly off the canvas, and far larger than it."""
    resized = draw(sizes(1, largest))
    canvas = draw(sizes(1, largest))
    if draw(st.integers(0, 9)) == 0:
        resized = draw(st.tuples(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1)))
    offset = tuple(draw(st.integers(-side - 2, room + 2)) for side, room in zip(resized, canvas, strict=True))
    offset = tuple(max(each, -(2**31) + 1) for each in offset)
    return Placement(input_size, resized, offset, canvas, draw(st.booleans()))


def coordinates() -> st.SearchStrategy[float]:
    """Polygon coordinates: near the image, on the grid, and now and then far away."""
    near = st.floats(-20, 40, width=32)
    grid = st.integers(-100, 200).map(lambda k: k / 5)
    return st.one_of(near, grid, st.integers(-5, 25).map(float), st.floats(-1e5, 1e5))


def far_coordinates() -> st.SearchStrategy[float]:
    """Coordinates of any finite size."""
    return st.one_of(coordinates(), st.floats(allow_nan=False, allow_infinity=False))


def parts(coordinate: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    """Flat polygon parts of three to eight points."""
    return st.integers(3, 8).flatmap(lambda n: st.lists(coordinate, min_size=2 * n, max_size=2 * n))

"""Placing an image: mirrored, resized, and cropped or padded onto the canvas, in one pass over the canvas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs._engine import call
from copypaste_rs.reference.geometry import landing, nearest_on_canvas, nearest_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs import _checks
    from copypaste_rs.plan import Placement


def place_image(
    image: NDArray[Any],
    placement: Placement,
    *,
    fill: _checks.Fill = None,
    interpolation: str = "bilinear",
    antialias: bool = True,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """The image mirrored, resized and cropped or padded onto the canvas.

    Bilinear, uint8 has the bytes of OpenCV's ``INTER_LINEAR``; antialiased, those of Pillow 12's
    ``BILINEAR`` (which exchanges its passes where an image is more than 100 times as tall as wide; here columns
    always come first). uint16 and float32 are computed in float32, each sum in ascending order.

    Parameters
    ----------
    image : array, shape (H, W) or (H, W, C), dtype uint8, uint16 or float32
        Any number of channels, any memory layout. Values are taken to be finite.
    placement : Placement
        Where it lands.
    fill : number, sequence of C numbers, "edge" or "min", optional
        Where the image does not reach: mid-grey (128, 32768, 0.5) when not given; with "edge" the nearest pixel of the
        resized image, whose outermost ones go on; with "min" the smallest value of each channel of `image`.
    interpolation : "bilinear" or "nearest"
        How resized pixels are made.
    antialias : bool
        Whether bilinear averages over all pixels that a resized pixel covers, where an axis shrinks.
    out : array of the result's shape and dtype, optional
        Where to write, C-contiguous and writable.

    Returns
    -------
    array, shape (h, w) or (h, w, C), dtype of the image
        The canvas; `out` when it was given.

    Raises
    ------
    ValueError
        When the image is of another size than the placement's input, or an argument has a wrong value.
    TypeError
        When an argument is of a wrong type.

    Examples
    --------
    >>> from copypaste_rs import Placement
    >>> place_image(np.array([[0, 100]], np.uint8), Placement((1, 2), (1, 4), (0, 0), (1, 5)), fill=7)
    array([[  0,  25,  75, 100,   7]], dtype=uint8)
    """
    pixels, values, nearest, canvas = call.place_arguments(image, placement, fill, interpolation, antialias, out)
    place_pixels(pixels, placement, canvas, fill=values, nearest=nearest, antialias=antialias)
    return canvas


def place_pixels(
    image: NDArray[Any],
    placement: Placement,
    canvas: NDArray[Any],
    *,
    fill: NDArray[Any] | None,
    nearest: bool,
    antialias: bool,
) -> None:
    """`place_image` on checked arguments, into `canvas`; `fill` has one value for each channel, None is the edge."""
    source = image.reshape(*image.shape[:2], -1)
    target = canvas.reshape(*canvas.shape[:2], -1)
    if placement.hflip:
        source = source[:, ::-1]
    (h_in, w_in), (h_out, w_out) = placement.input_size, placement.resized_size
    lands = nearest_on_canvas if fill is None else landing
    y, rows = lands(placement.offset[0], h_out, placement.canvas_size[0])
    x, columns = lands(placement.offset[1], w_out, placement.canvas_size[1])
    if fill is not None:
        target[...] = fill
    if len(rows) == 0 or len(columns) == 0:
        return
    # An image that keeps its size keeps its values: positions in float32, which OpenCV has for all others, would
    # blur images more than 2^24 pixels wide.
    unchanged = (h_in, w_in) == (h_out, w_out) and source.dtype != np.float32
    if nearest or unchanged:
        target[y, x] = source[np.ix_(nearest_sample(rows, h_in, h_out), nearest_sample(columns, w_in, w_out))]
        return
    shrinks = h_out < h_in or w_out < w_in
    make, resample = _METHODS[source.dtype == np.uint8, antialias and shrinks]
    target[y, x] = resample(source, make(rows, h_in, h_out, False), make(columns, w_in, w_out, True))


class Taps(NamedTuple):
    """Input samples that each of n resized samples is made of, all with the same number of taps.

    Where a sample has fewer, the rest weighs nothing.
    """

    sample: NDArray[np.int64]
    """Shape (n, taps): input samples, ascending."""
    weight: NDArray[Any]
    """Shape (n, taps)."""


# -- bilinear --------------------------------------------------------------------------------------------------


def _linear_fixed(i: NDArray[np.int64], n_in: int, n_out: int, is_column: bool) -> Taps:
    """Weights in 1/2048, from positions in float32, as OpenCV has them for uint8."""
    position = ((i + 0.5) * (1 / (n_out / n_in)) - 0.5).astype(np.float32)
    k = np.floor(position).astype(np.int64)
    f = position - k.astype(np.float32)
    if is_column:  # rows keep f: both of their taps become the same sample
        k, f = _clamp(k, f, n_in)
    weight = np.stack([np.rint((1 - f) * 2048), np.rint(f * 2048)], axis=1).astype(np.int64)
    return Taps(np.stack([k, k + 1], axis=1).clip(0, n_in - 1), weight)


def _linear_float(i: NDArray[np.int64], n_in: int, n_out: int, is_column: bool) -> Taps:  # noqa: ARG001 (axes are alike)
    """Weights in float32, from positions in float64."""
    position = (i + 0.5) * (1 / (n_out / n_in)) - 0.5
    k = np.floor(position).astype(np.int64)
    k, f = _clamp(k, position - k, n_in)
    weight = np.stack([1 - f, f], axis=1).astype(np.float32)
    return Taps(np.stack([k, k + 1], axis=1).clip(0, n_in - 1), weight)


def _clamp(k: NDArray[np.int64], f: NDArray[Any], n_in: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Position within the samples: before the first one and from the last one on there is only that one."""
    f = np.where((k < 0) | (k >= n_in - 1), f.dtype.type(0), f)
    return k.clip(0, n_in - 1), f


def _resample_linear_fixed(source: NDArray[Any], rows: Taps, columns: Taps) -> NDArray[Any]:
    used, place = np.unique(rows.sample, return_inverse=True)
    middle = _weighted(source[used].astype(np.int64), columns, axis=1, zero=np.int64(0)) >> 4
    upper, lower = (middle[each] for each in place.reshape(rows.sample.shape).T)
    w0, w1 = (each[:, None, None] for each in rows.weight.T)
    result = (((w0 * upper) >> 16) + ((w1 * lower) >> 16) + 2) >> 2
    return np.asarray(result, source.dtype)


# -- antialiased -------------------------------------------------------------------------------------------------


def _triangle(i: NDArray[np.int64], n_in: int, n_out: int) -> Taps:
    """Weights in float64 of a triangle that is as wide as the pixels are far apart, on the coarser of both grids."""
    scale = n_in / n_out
    support = max(scale, 1.0)
    center = (i + 0.5) * scale
    lo = np.trunc(center - support + 0.5).astype(np.int64).clip(min=0)
    hi = np.trunc(center + support + 0.5).astype(np.int64).clip(max=n_in)
    index = lo[:, None] + np.arange((hi - lo).max())
    distance = (index - center[:, None] + 0.5) * (1 / support)
    weight = np.where(index < hi[:, None], np.maximum(0.0, 1 - np.abs(distance)), 0.0)
    total = np.zeros(len(i))
    for each in weight.T:  # in ascending order: `sum` adds in another
        total += each
    return Taps(index.clip(max=n_in - 1), weight / total[:, None])


def _triangle_fixed(i: NDArray[np.int64], n_in: int, n_out: int, is_column: bool) -> Taps:  # noqa: ARG001 (axes are alike)
    """Weights in 1/2^22, as Pillow has them for bytes."""
    index, weight = _triangle(i, n_in, n_out)
    return Taps(index, np.trunc(weight * 2**22 + 0.5).astype(np.int64))


def _triangle_float(i: NDArray[np.int64], n_in: int, n_out: int, is_column: bool) -> Taps:  # noqa: ARG001 (axes are alike)
    index, weight = _triangle(i, n_in, n_out)
    return Taps(index, weight.astype(np.float32))


def _resample_triangle_fixed(source: NDArray[Any], rows: Taps, columns: Taps) -> NDArray[Any]:
    used, place = np.unique(rows.sample, return_inverse=True)
    rows = Taps(place.reshape(rows.sample.shape), rows.weight)
    half = np.int64(2**21)
    middle = (_weighted(source[used].astype(np.int64), columns, axis=1, zero=half) >> 22).clip(0, 255)
    return (_weighted(middle, rows, axis=0, zero=half) >> 22).clip(0, 255).astype(source.dtype)


# -- both --------------------------------------------------------------------------------------------------------


def _resample_float(source: NDArray[Any], rows: Taps, columns: Taps) -> NDArray[Any]:
    used, place = np.unique(rows.sample, return_inverse=True)
    rows = Taps(place.reshape(rows.sample.shape), rows.weight)
    middle = _weighted(source[used].astype(np.float32), columns, axis=1, zero=np.float32(0))
    result = _weighted(middle, rows, axis=0, zero=np.float32(0))
    if source.dtype == np.uint16:
        return np.rint(result).clip(0, 65535).astype(np.uint16)
    return result


def _weighted(values: NDArray[Any], taps: Taps, axis: int, zero: Any) -> NDArray[Any]:
    """Sums of weighted samples along an axis: from `zero` on, tap by tap, each product rounded before it is added."""
    shape = (len(taps.sample), values.shape[1]) if axis == 0 else (values.shape[0], len(taps.sample))
    total = np.full((*shape, values.shape[2]), zero)
    for index, weight in zip(taps.sample.T, taps.weight.T, strict=True):
        total += np.expand_dims(weight, (1 - axis, 2)) * values.take(index, axis)
    return total


_MakeTaps = Callable[["NDArray[np.int64]", int, int, bool], Taps]
_Resample = Callable[["NDArray[Any]", Taps, Taps], "NDArray[Any]"]

_METHODS: dict[tuple[bool, bool], tuple[_MakeTaps, _Resample]] = {
    (True, False): (_linear_fixed, _resample_linear_fixed),
    (True, True): (_triangle_fixed, _resample_triangle_fixed),
    (False, False): (_linear_float, _resample_float),
    (False, True): (_triangle_float, _resample_float),
}

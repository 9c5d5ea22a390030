"""Output for a model: images in its format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._engine.formats import OutputFormat, convert_arguments

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from copypaste_rs._engine.formats import PerChannel


def convert_image(
    image: NDArray[Any],
    *,
    layout: str = "chw",
    dtype: DTypeLike = "float32",
    mean: PerChannel = None,
    std: PerChannel = None,
    scale: bool = True,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """The image in the format that a model wants: channel order, dtype, normalisation.

    A value v becomes ``(v / m - mean) / std``, where m is what a whole number's dtype holds at most (255, 65535), or
    1 for float images. It is computed in float32 as ``v * (1 / (m * std)) + (-mean / std)``, the two factors made in
    float64 and rounded, and for float16 rounded once more.

    Parameters
    ----------
    image : array, shape (H, W) or (H, W, C)
        dtype uint8, uint16 or float32.
    layout : {"chw", "hwc"}
        Shape of the result: (C, H, W) or (H, W, C). An image without channel axis keeps its shape.
    dtype : {"float32", "float16", "uint8", "uint16"}
        dtype of the result; a whole number's only where the image has it already.
    mean, std : float, sequence of float, optional
        One for all channels or one for each, in units of the scaled image: as torchvision has them.
    scale : bool
        Whether m divides. False is for mean and std in units of the image's values, as mmdetection has them.
    out : array, optional
        Where to write, of the result's shape and dtype, C-contiguous, apart from the image.

    Returns
    -------
    array
        The converted image; `out` when it was given.

    Raises
    ------
    ValueError
        When an option is none of these, a number of values is not that of the channels, or `out` does not fit.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> convert_image(np.array([[[0, 255]]], np.uint8), mean=0.5, std=0.25).tolist()
    [[[-2.0]], [[2.0]]]
    """
    output_format = OutputFormat.check(layout, dtype, mean, std, scale)
    pixels, converted = convert_arguments(image, output_format, out)
    write_image(pixels, output_format, converted)
    return converted


def write_image(pixels: NDArray[Any], output_format: OutputFormat, out: NDArray[Any]) -> None:
    """`convert_image` on checked arguments."""
    values, linear = pixels, output_format.linear(pixels)
    if linear is not None:
        factor, shift = linear if pixels.ndim == 3 else (linear[0][0], linear[1][0])
        with np.errstate(over="ignore"):
            values = pixels.astype(np.float32) * factor + shift
    if output_format.channels_first and pixels.ndim == 3:
        values = values.transpose(2, 0, 1)
    with np.errstate(over="ignore"):
        out[...] = values.astype(output_format.dtype)

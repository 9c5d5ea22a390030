"""Output formats: layout, dtype and normalisation of images for a model, checked once, for both backends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, TypeAlias

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs._result_memory import empty

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

LAYOUTS = ("chw", "hwc")
DTYPES = ("uint8", "uint16", "float32", "float16")
LARGEST = {"u1": 255.0, "u2": 65535.0, "f4": 1.0}
"""Image value that becomes 1 where values are scaled, by dtype of the image."""

LIMIT = 1e9
"""Largest magnitude of mean and std: what comes of them has room in float32."""

PerChannel: TypeAlias = "SupportsFloat | Sequence[SupportsFloat] | NDArray[Any] | None"
Linear: TypeAlias = "tuple[NDArray[np.float32], NDArray[np.float32]] | None"
"""Scale and shift of each channel, float32: factor, then summand; None leaves values as they are."""


class OutputFormat(NamedTuple):
    """Layout, dtype and normalisation of an output image."""

    layout: str
    dtype: np.dtype[Any]
    mean: float | tuple[float, ...] | None
    std: float | tuple[float, ...] | None
    scale: bool

    @classmethod
    def check(
        cls, layout: str, dtype: DTypeLike, mean: PerChannel, std: PerChannel, scale: bool | np.bool_
    ) -> OutputFormat:
        """The format, or an error that names the argument that is wrong."""
        checked = cls(
            _checks.choice("layout", layout, LAYOUTS),
            checked_dtype("dtype", dtype, DTYPES),
            _per_channel("mean", mean, -LIMIT),
            _per_channel("std", std, 1 / LIMIT),
            _checks.flag("scale", scale),
        )
        if checked.dtype.kind != "f" and (mean is not None or std is not None):
            raise wrong("dtype", "float32 or float16 where mean or std is given", str(checked.dtype))
        return checked

    @property
    def channels_first(self) -> bool:
        """Whether all of one channel comes before all of the next."""
        return self.layout == "chw"

    def shape(self, size: tuple[int, int], image: NDArray[Any]) -> tuple[int, ...]:
        """The shape that an image of `size` with the channels of `image` gets."""
        return (*image.shape[2:], *size) if self.channels_first else (*size, *image.shape[2:])

    def linear(self, image: NDArray[Any]) -> Linear:
        """Scale and shift, float32 (channels,), of an image like `image`; an error where it cannot have this format."""
        if self.dtype.kind != "f" and self.dtype != image.dtype:
            expected = f"float32, float16 or the image's own, which is {image.dtype}"
            raise wrong("dtype", expected, str(self.dtype))
        largest = LARGEST[image.dtype.str[1:]] if self.scale else 1.0
        if self.dtype.kind != "f" or (largest == 1.0 and self.mean is None and self.std is None):
            return None
        channels = image.shape[2] if image.ndim == 3 else 1
        mean, std = self._values("mean", self.mean, channels, 0.0), self._values("std", self.std, channels, 1.0)
        return (1.0 / (largest * std)).astype(np.float32), (-mean / std).astype(np.float32)

    @staticmethod
    def _values(
        name: str, given: float | tuple[float, ...] | None, channels: int, default: float
    ) -> NDArray[np.float64]:
        if isinstance(given, tuple) and len(given) != channels:
            raise wrong(name, f"a number or {channels} of them, one for each channel", str(len(given)))
        return np.full(channels, default if given is None else given, np.float64)


def checked_dtype(name: str, dtype: DTypeLike, known: Sequence[str]) -> np.dtype[Any]:
    """`dtype`, which must be one of the `known` ones, in the machine's byte order."""
    try:
        checked = np.dtype(dtype)
    except TypeError:
        checked = np.dtype(object)
    if dtype is None or checked.name not in known or not checked.isnative:
        raise wrong(name, f"one of {', '.join(known)}", repr(dtype))
    return checked


def _per_channel(name: str, value: PerChannel, low: float) -> float | tuple[float, ...] | None:
    if value is None:
        return None
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(_checks.real((name, i), each, low, LIMIT) for i, each in enumerate(value))
    return _checks.real(name, value, low, LIMIT)  # type: ignore[arg-type]  # refuses what is no number


def convert_arguments(image: object, output_format: OutputFormat, out: object) -> tuple[NDArray[Any], NDArray[Any]]:
    """Arguments of converting an image, checked: its pixels, the array to write."""
    pixels = _checks.image("image", image)
    output_format.linear(pixels)  # refuses what cannot be had in this format
    shape = output_format.shape((pixels.shape[0], pixels.shape[1]), pixels)
    if out is None:
        return pixels, empty(shape, output_format.dtype)
    return pixels, _checks.output("out", out, shape, output_format.dtype, [pixels])

"""Rows of uint16 and float32 to the last pixel: how far taps lie apart decides which kernel resamples them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from copypaste_rs import Placement, functional, reference

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("width", [3, 8, 9, 17, 40, 41, 173])
@pytest.mark.parametrize("scale", [0.06, 0.2, 0.4, 0.49])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_far_pixels(dtype: str, width: int, scale: float, hflip: bool) -> None:
    """Three channels that shrink by more than half."""
    assert_agree(values(dtype, width, 3), scale, hflip=hflip)


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("width", [5, 9, 17, 41])
@pytest.mark.parametrize("scale", [0.55, 0.7, 0.9, 1, 1.2, 2.3])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_near_pixels(dtype: str, channels: int, width: int, scale: float, hflip: bool) -> None:
    """Images that shrink by less, or grow."""
    assert_agree(values(dtype, width, channels), scale, hflip=hflip)


def values(dtype: str, width: int, channels: int) -> NDArray[Any]:
    """Random values; the last columns have the largest there is, and of float32 many values are -0.0."""
    rng = np.random.default_rng(width)
    image: NDArray[Any]
    if dtype == "float32":
        image = rng.normal(size=(23, width, channels)).astype(np.float32)
        image[::3, ::2] = -0.0
        image[:, -2:] = np.finfo(np.float32).max
    else:
        image = rng.integers(0, 2**16, (23, width, channels)).astype(np.uint16)
        image[:, -2:] = 2**16 - 1
    return image


def assert_agree(image: NDArray[Any], scale: float, *, hflip: bool) -> None:
    """Compare the backends' bytes for whole images and cropped ones."""
    width = image.shape[1]
    w = max(1, round(width * scale))
    for height in (9, 31):  # both passes at once, and, of uint16, one after the other
        size = (height, w)
        for canvas, offset in ((size, (0, 0)), ((height + 2, max(1, w - 1)), (1, -1)), ((4, w + 5), (-3, 2))):
            placement = Placement((23, width), size, offset, canvas, hflip=hflip)
            found = functional.place_image(image, placement, antialias=False, fill=7)
            expected = reference.place_image(image, placement, antialias=False, fill=7)
            assert np.array_equal(found.view(np.uint8), expected.view(np.uint8))

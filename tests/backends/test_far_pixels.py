"""Three channels of uint16 or float32 whose pixels lie far apart in the image, for which there is a kernel of its own."""

from __future__ import annotations

import numpy as np
import pytest

from copypaste_rs import Placement, functional, reference


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("width", [3, 8, 9, 17, 40, 41, 173])
@pytest.mark.parametrize("scale", [0.06, 0.2, 0.4, 0.49])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_far_pixels(dtype: type[np.uint16 | np.float32], width: int, scale: float, hflip: bool) -> None:
    """Rows of every length, to the last pixel, whole and cropped, of random and of the outermost values."""
    rng = np.random.default_rng(width)
    image = rng.integers(0, 2**16, (23, width, 3)).astype(dtype)
    if dtype is np.float32:
        image = rng.normal(size=image.shape).astype(np.float32)
        image[::3, ::2] = -0.0
    image[:, -2:] = np.finfo(np.float32).max if dtype is np.float32 else 2**16 - 1
    w = max(1, round(width * scale))
    for height in (9, 31):  # both passes at once, and one after the other
        size = (height, w)
        for canvas, offset in ((size, (0, 0)), ((height + 2, max(1, w - 1)), (1, -1)), ((4, w + 5), (-3, 2))):
            placement = Placement((23, width), size, offset, canvas, hflip=hflip)
            found = functional.place_image(image, placement, antialias=False, fill=7)
            expected = reference.place_image(image, placement, antialias=False, fill=7)
            assert np.array_equal(found.view(np.uint8), expected.view(np.uint8))

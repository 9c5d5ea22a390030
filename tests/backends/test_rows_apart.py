"""Rows do not show in each other: kernels may read behind a row, where the next ones lie, but nothing may come of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from copypaste_rs import Placement, functional
from tests.fixtures.arrays import DTYPES


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(("rows", "resized_rows"), [(6, 3), (5, 4), (5, 5), (4, 5), (4, 7), (5, 15), (6, 18)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_lies_below_does_not_matter(
    dtype: Any, channels: int, rows: int, resized_rows: int, antialias: bool
) -> None:
    rng = np.random.default_rng(channels)
    for width in (1, 2, 3, 4, 7, 8, 9, 16, 31, 40):
        upper = (rng.random((rows, width, channels)) * 200).astype(dtype)
        # What float32 images hold there is no number, which no weight of zero makes one.
        lower = np.full_like(upper, np.nan if np.dtype(dtype).kind == "f" else 255)
        both = np.concatenate([upper, lower])
        for resized_width in (1, width // 3 + 1, width, 2 * width + 1, 50):
            for hflip in (False, True):
                resized = [
                    functional.place_image(
                        image,
                        Placement(image.shape[:2], size, (0, 0), size, hflip=hflip),
                        antialias=antialias,
                    )
                    for image, size in (
                        (upper, (resized_rows, resized_width)),
                        (both, (2 * resized_rows, resized_width)),
                    )
                ]
                # The last of the upper rows is mixed with the first of the lower ones.
                last = -(-resized_rows // rows)
                alone = resized[0][:-last]
                np.testing.assert_array_equal(resized[1][: len(alone)], alone)

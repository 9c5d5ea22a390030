"""Masks drawn as text: rows separated by slashes, `#` set, `.` not."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copypaste_rs import RleMasks


def mask(picture: str) -> NDArray[np.uint8]:
    """One dense mask (h, w)."""
    rows = [[".#".index(pixel) for pixel in row] for row in picture.split("/")]
    return np.array(rows, np.uint8)


def draw(dense: NDArray[Any]) -> str:
    """The picture of a dense mask (h, w)."""
    return "/".join("".join("#" if pixel else "." for pixel in row) for row in dense)


def stack(*pictures: str) -> NDArray[np.uint8]:
    """Dense masks (n, h, w)."""
    return np.stack([mask(picture) for picture in pictures])


def rle(dense: NDArray[Any]) -> RleMasks:
    """Run lengths of dense masks (n, h, w), found without the library: by grouping equal pixels."""
    n, h, w = dense.shape
    counts: list[int] = []
    offsets = [0]
    for i in range(n):
        pixels = [bool(dense[i, y, x]) for x in range(w) for y in range(h)]
        runs = [(state, len(list(group))) for state, group in groupby(pixels)]
        if not runs or runs[0][0]:
            counts.append(0)
        counts += [length for _, length in runs]
        offsets.append(len(counts))
    return RleMasks((h, w), np.array(counts, np.int64), np.array(offsets, np.int64))


def masks(*pictures: str) -> RleMasks:
    """Drawn masks as run lengths."""
    return rle(stack(*pictures))


def dense(masks: RleMasks) -> NDArray[np.uint8]:
    """Dense masks (n, h, w), without the library: pixel by pixel."""
    h, w = masks.size
    result = np.zeros((len(masks), h, w), np.uint8)
    for i in range(len(masks)):
        pixel = 0
        for k, run in enumerate(masks.counts[masks.offsets[i] : masks.offsets[i + 1]].tolist()):
            for p in range(pixel, pixel + run):
                result[i, p % h, p // h] = k % 2
            pixel += run
    return result

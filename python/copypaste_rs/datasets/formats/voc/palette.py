"""The palette of PASCAL VOC: a colour for each index of a raster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOID = 255
"""Index of pixels at the border of objects, and in other places that are not annotated."""


def palette() -> NDArray[np.uint8]:
    """Colours of the indices 0 to 255, shape (256, 3): the bits of an index, by threes, are the upper bits of R, G, B.

    Examples
    --------
    >>> palette()[[0, 1, 2, 15, 255]].tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0], [192, 128, 128], [224, 224, 192]]
    """
    index = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for k in range(8):
        for channel in range(3):
            colours[:, channel] |= ((index >> (3 * k + channel) & 1) << (7 - k)).astype(np.uint8)
    return colours


def number_of(colour: tuple[int, int, int]) -> int:
    """A colour as one number, as ``LabelImage.numbers`` has it."""
    red, green, blue = colour
    return red | green << 8 | blue << 16


PALETTE: list[tuple[int, int, int]] = [(r, g, b) for r, g, b in palette().tolist()]
"""Colours of the indices."""
INDICES = {number_of(colour): index for index, colour in enumerate(PALETTE)}
"""Indices of the colours, which are given as numbers."""

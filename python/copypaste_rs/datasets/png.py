"""PNG files of 16 bits, which Pillow writes in grey alone."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}
"""Type of colours by number of channels: grey, grey with alpha, RGB, RGBA."""


def deep_png(image: NDArray[np.uint16]) -> bytes:
    """An image (H, W) or (H, W, C), with up to four channels, as a PNG file of 16 bits."""
    h, w, channels = (*image.shape, 1)[:3]
    rows = np.ascontiguousarray(image, ">u2").view(np.uint8).reshape(h, -1)
    header = struct.pack(">IIBBBBB", w, h, 16, _COLOURS[channels], 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(_filtered(rows, 2 * channels).tobytes(), 6)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _filtered(rows: NDArray[np.uint8], pixel: int) -> NDArray[Any]:
    """Rows, each after the number of its filter, of which the one is taken whose differences are smallest in sum."""
    above = np.zeros_like(rows)
    above[1:] = rows[:-1]
    left, corner = np.zeros_like(rows), np.zeros_like(rows)
    left[:, pixel:], corner[:, pixel:] = rows[:, :-pixel], above[:, :-pixel]
    mean = (left.astype(np.uint16) + above >> 1).astype(np.uint8)
    filtered = np.stack([rows - each for each in (np.uint8(0), left, above, mean, _paeth(left, above, corner))])
    best = np.abs(filtered.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64).argmin(axis=0)
    return np.column_stack([best.astype(np.uint8), filtered[best, np.arange(len(rows))]])


def _paeth(left: NDArray[np.uint8], above: NDArray[np.uint8], corner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The neighbour that is nearest to left plus above less corner; of equally near ones in this order."""
    a, b, c = (each.astype(np.int16) for each in (left, above, corner))
    from_a, from_b, from_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest = np.where((from_a <= from_b) & (from_a <= from_c), a, np.where(from_b <= from_c, b, c))
    return nearest.astype(np.uint8)

"""Drawing on pictures: masks, boxes, keypoints, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs.datasets._extras import extra

with extra("coco"):
    from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from copypaste_rs.visualize.looks import Look

_DASH = 6
"""Pixels of a dash, and of the gap behind it."""


def paint(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], look: Look) -> None:
    """Paint a mask (H, W) over pixels (H, W, 3)."""
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(ys) == 0:
        return
    window = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
    inside, part = mask[window], pixels[window]
    opacity = np.where(inside, look.fill, 0.0)
    if look.stripes:
        y, x = np.indices(inside.shape)
        opacity[(y + x + ys[0] + xs[0]) % 10 < 5] *= 0.25
    inner = np.pad(inside, 2)
    core = inner.copy()
    for axis in (0, 1):
        for step in (-1, 1, -2, 2):
            core &= np.roll(inner, step, axis)
    opacity[inside & ~core[2:-2, 2:-2]] = 1.0
    blended = part + (np.array(look.color) - part) * opacity[:, :, None]
    part[...] = np.rint(blended).astype(np.uint8)


def annotate(
    draw: ImageDraw.ImageDraw,
    box: list[float],
    text: str,
    look: Look,
    size: tuple[int, int],
    taken: list[tuple[float, float, float, float]],
    *,
    dashed: bool,
) -> None:
    """Outline a box and name it, where no name stands yet if there is room; `taken` notes where names stand."""
    x0, y0, x1, y1 = box
    if x1 <= x0 or y1 <= y0:
        return
    if dashed:
        _dashed(draw, (x0, y0, x1 - 1, y1 - 1), look.color)
    else:
        draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline=look.color)
    if not text or not look.fill:
        return
    font = font_of(12)
    left, top, right, bottom = font.getbbox(text)
    width, height = right - left + 4, bottom - top + 4
    x = min(max(x0, 0), max(size[0] - width, 0))
    tops = [y for y in (y0 - height, y0, y1, y1 - height, y0 + height) if 0 <= y <= size[1] - height] or [max(y0, 0)]
    y = next((y for y in tops if not any(_overlap((x, y, x + width, y + height), other) for other in taken)), tops[0])
    taken.append((x, y, x + width, y + height))
    draw.rectangle(taken[-1], fill=look.color)
    draw.text((x + 2 - left, y + 2 - top), text, (0, 0, 0), font)


def _dashed(draw: ImageDraw.ImageDraw, box: tuple[float, ...], color: tuple[int, int, int]) -> None:
    """Outline a box by dashes."""
    x0, y0, x1, y1 = box
    for start in np.arange(x0, x1 + 1, 2 * _DASH).tolist():
        for y in (y0, y1):
            draw.line((start, y, min(start + _DASH, x1), y), color, 2)
    for start in np.arange(y0, y1 + 1, 2 * _DASH).tolist():
        for x in (x0, x1):
            draw.line((x, start, x, min(start + _DASH, y1)), color, 2)


def draw_points(
    draw: ImageDraw.ImageDraw,
    points: NDArray[np.float64],
    skeleton: Sequence[tuple[int, int]],
    color: tuple[int, int, int],
    size: tuple[int, int],
) -> None:
    """Draw keypoints (k, 3), in pixels of the picture, and lines between them: visible as dots, hidden as rings."""
    far = 4 * max(size)  # what is further away would take long to draw
    shown = {i: (x, y) for i, (x, y, v) in enumerate(points.tolist()) if v > 0 and max(abs(x), abs(y)) <= far}
    radius = max(size) / 200 + 1
    for first, second in skeleton:
        if first in shown and second in shown:
            draw.line((*shown[first], *shown[second]), color, max(1, round(radius * 0.7)))
    for i, (x, y) in shown.items():
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(box, fill=color if points[i, 2] == 2 else None, outline=(0, 0, 0) if points[i, 2] == 2 else color)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def rgb(image: NDArray[Any]) -> Image.Image:
    """An image of any dtype and number of channels as one that can be looked at: the first three channels, or one.

    Of uint16, the largest value of as many bits as its values need, 8 at least, is white, for cameras of 10 to 14 bits
    store theirs in 16; of float32, 1 or its largest value. 0 is black.
    """
    pixels = image if image.ndim == 3 else image[:, :, None]
    pixels = pixels[:, :, :3] if pixels.shape[2] >= 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
    if pixels.dtype == np.uint16:
        pixels = pixels >> max(int(pixels.max()).bit_length() - 8, 0)
    elif pixels.dtype.kind == "f":
        white = max(1.0, float(pixels.max(initial=0, where=np.isfinite(pixels))))
        pixels = np.rint(np.nan_to_num(pixels / white).clip(0, 1) * 255)
    return Image.fromarray(np.ascontiguousarray(pixels.astype(np.uint8)))


def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of a size in pixels."""
    return ImageFont.load_default(size)

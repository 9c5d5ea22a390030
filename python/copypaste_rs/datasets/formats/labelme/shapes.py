"""Shapes of LabelMe as masks, drawn as LabelMe draws them: by Pillow, fractions cut off, with their border."""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs.datasets._extras import extra
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement

with extra("coco"):
    import msgspec
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngImageFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

FARTHEST = 1 << 20
"""Farthest coordinate from the corner of an image, in pixels, that is drawn."""

POLYGONS = ("polygon", "oriented_rectangle", "rotation", "quadrilateral")
"""Kinds of shapes that are polygons; some are those of tools that have LabelMe's format."""


class Shape(msgspec.Struct, gc=False):
    """A shape as it stands in a file."""

    label: str
    points: list[tuple[float, float]] = []
    shape_type: str | None = None
    group_id: int | float | str | None = None
    flags: dict[str, bool] | None = None
    description: str | None = None
    mask: str | None = None


def is_region(shape: Shape) -> bool:
    """Whether a shape covers an area; lines and points do not."""
    return shape.shape_type in (None, "", *POLYGONS, "rectangle", "circle", "mask")


def is_drawn(shape: Shape) -> bool:
    """Whether a shape has the points that its kind needs: a polygon has at least three."""
    return shape.shape_type not in (None, "", *POLYGONS) or len(shape.points) > 2


def mask_of(shape: Shape, size: tuple[int, int]) -> RleMasks:
    """The mask of a region, in an image of a size.

    Raises
    ------
    ValueError
        When its points, or the mask in it, are not what its kind needs.
    """
    points = np.reshape(np.array(shape.points, np.float64), (-1, 2))
    if len(points) and not np.abs(points).max() <= FARTHEST:
        far = float(points.ravel()[np.abs(points).argmax()])
        raise ValueError(f"points: expected coordinates from -{FARTHEST} to {FARTHEST}, got {far}")
    if shape.shape_type == "mask":
        return _given(shape, points, size)
    if shape.shape_type == "circle":
        return _circle(points, size)
    if shape.shape_type == "rectangle":
        if len(points) not in (2, 4):
            raise ValueError(f"points: expected two corners of a rectangle, got {len(points)} points")
        low, high = np.trunc([points.min(axis=0), points.max(axis=0)]).astype(int).tolist()
        corners = [low, [high[0], low[1]], high, [low[0], high[1]]]
        return _polygon(np.array(corners), size)
    return _polygon(np.trunc(points).astype(int), size)


def _polygon(points: NDArray[np.int64], size: tuple[int, int]) -> RleMasks:
    h, w = size
    # Rows are those of the polygon alone; columns are all, as what Pillow draws depends on where they begin and end.
    top, bottom = max(0, int(points[:, 1].min())), min(h - 1, int(points[:, 1].max()))
    if top > bottom:
        return _empty(size)
    canvas = Image.new("L", (w, bottom - top + 1))
    ImageDraw.Draw(canvas).polygon([(x, y - top) for x, y in points.tolist()], fill=1, outline=1)
    return placed(np.asarray(canvas), (top, 0), size)


def _circle(points: NDArray[np.float64], size: tuple[int, int]) -> RleMasks:
    if len(points) != 2:
        raise ValueError(f"points: expected the centre of a circle and a point on it, got {len(points)} points")
    (x, y), (px, py) = points.tolist()
    radius = math.hypot(x - px, y - py)
    if radius > FARTHEST >> 4:
        raise ValueError(f"points: expected a radius of at most {FARTHEST >> 4}, got {radius}")
    box = [math.trunc(side) for side in (x - radius, y - radius, x + radius, y + radius)]
    top, bottom = max(0, box[1]), min(size[0] - 1, box[3])
    left, right = max(0, box[0]), min(size[1] - 1, box[2])
    if top > bottom or left > right:
        return _empty(size)
    canvas = Image.new("L", (right - left + 1, bottom - top + 1))
    shifted = [box[0] - left, box[1] - top, box[2] - left, box[3] - top]
    ImageDraw.Draw(canvas).ellipse(shifted, fill=1, outline=1)
    return placed(np.asarray(canvas), (top, left), size)


def _given(shape: Shape, points: NDArray[np.float64], size: tuple[int, int]) -> RleMasks:
    if len(points) != 2 or shape.mask is None:
        got = "no mask" if shape.mask is None else f"{len(points)} points"
        raise ValueError(f"expected a mask, and its first and last pixel as points, got {got}")
    (left, top), (right, bottom) = np.trunc(points).astype(int).tolist()
    if not (0 <= left <= right < size[1] and 0 <= top <= bottom < size[0]):
        raise ValueError(f"points: expected pixels of the image, of width {size[1]} and height {size[0]}, got "
                         f"{shape.points}")  # fmt: skip
    expected = bottom - top + 1, right - left + 1
    with _png(shape.mask) as image:
        if (image.height, image.width) != expected:
            raise ValueError(f"mask: expected width {expected[1]} and height {expected[0]}, as its points say, got "
                             f"{image.width} and {image.height}")  # fmt: skip
        try:
            pixels = np.asarray(image)
        except Exception as error:  # whatever damaged files lead Pillow to
            raise ValueError(f"mask: cannot be read as a PNG file: {error}") from None
    if pixels.ndim != 2:
        raise ValueError(f"mask: expected one channel, got {pixels.shape[2]}")
    return placed(pixels != 0, (top, left), size)


def _png(text: str) -> PngImageFile:
    try:
        return PngImageFile(io.BytesIO(base64.b64decode(text, validate=True)))
    except Exception:  # the same
        raise ValueError("mask: expected a PNG file in base64, got something else") from None


def placed(pixels: NDArray[np.uint8] | NDArray[np.bool_], corner: tuple[int, int], size: tuple[int, int]) -> RleMasks:
    """The mask of an image of a size that has these pixels from a corner on: row and column."""
    mask = RleMasks.from_dense(np.ascontiguousarray(pixels)[None])
    return mask.place(Placement(mask.size, mask.size, corner, size))


def _empty(size: tuple[int, int]) -> RleMasks:
    return RleMasks(size, [size[0] * size[1]], [0, 1])

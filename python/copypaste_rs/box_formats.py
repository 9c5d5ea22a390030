"""Formats of boxes: corners, or a corner or the centre with width and height, in pixels or as shares of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks import Size

FORMATS = ("xyxy", "xywh", "cxcywh", "xyxyn", "xywhn", "cxcywhn")


def convert_boxes(boxes: ArrayLike, source: str, target: str, size: Size | None = None) -> NDArray[Any]:
    """The boxes in another format.

    ``"xyxy"`` is x0, y0, x1, y1, as `Instances` has them; ``"xywh"`` x0, y0, width and height, as COCO files have them;
    ``"cxcywh"`` the centre, width and height. An ``n`` at the end divides x by the width and y by the height of the
    image: ``"cxcywhn"`` is what YOLO's files and DETR have. Coordinates are half-open: the image is 0 to width.

    Parameters
    ----------
    boxes : array, shape (..., 4)
        float32 or float64; integers become float64.
    source, target : {"xyxy", "xywh", "cxcywh", "xyxyn", "xywhn", "cxcywhn"}
        Format of the boxes, and the one that is wanted.
    size : (int, int) or int, optional
        Height and width of the image; needed from pixels to shares and back.

    Returns
    -------
    array, shape and dtype of `boxes`
        A new one, computed in float64; the same numbers where the formats are the same. Nothing is cut to the image.

    Raises
    ------
    ValueError
        When a format is none of these, a number is not finite or becomes too large, or `size` is missing.
    TypeError
        When `boxes` are not numbers.

    Examples
    --------
    >>> convert_boxes([[16.0, 8.0, 48.0, 24.0]], "xyxy", "cxcywhn", size=(32, 64))
    array([[0.5, 0.5, 0.5, 0.5]])
    """
    _checks.choice("source", source, FORMATS)
    _checks.choice("target", target, FORMATS)
    values, dtype = _checks.positions("boxes", boxes, (4,))
    sides = None if size is None else np.array(_checks.size("size", size)[::-1] * 2, np.float64)
    if source.endswith("n") != target.endswith("n"):
        if sides is None:
            raise wrong("size", f"height and width of the image, from {source} to {target}", "none")
    else:
        sides = None
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes too large is refused in the end
        values = _converted(values, source, target, sides)
    return _checks.stored("boxes", values, dtype)


def _converted(
    values: NDArray[np.float64], source: str, target: str, sides: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """The boxes in another format, scaled from or to `sides` where there are any."""
    if sides is not None:
        values = values * sides if source.endswith("n") else values / sides
    kind, wanted = source.removesuffix("n"), target.removesuffix("n")
    if kind == wanted:
        return values
    first, second = values[..., :2], values[..., 2:]
    low = first - second / 2 if kind == "cxcywh" else first
    extent = second - first if kind == "xyxy" else second
    start = low + extent / 2 if wanted == "cxcywh" else low
    return np.concatenate([start, low + extent if wanted == "xyxy" else extent], axis=-1)

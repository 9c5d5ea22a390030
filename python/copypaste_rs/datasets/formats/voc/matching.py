"""Objects of annotation files and instances of rasters that are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from copypaste_rs.datasets.formats.voc.annotation_files import VocObject

LEAST = 0.5
"""Intersection over union of two boxes that are the same object's."""
BONUS = 0.25
"""Credit of an object that stands where the number of the instance says."""


def matched(
    objects: Sequence[VocObject], names: Sequence[str], boxes: NDArray[np.float32], numbers: Sequence[int]
) -> list[int]:
    """Place in `objects` of each instance, or -1.

    In the original set, instance n is object n of the annotation file, but tools that came later number as they like:
    an object is that of an instance where both are of one class and their boxes meet in at least `LEAST` of what both
    cover, or in `LEAST` - `BONUS` where its number fits too. Of several, the pair that fits best is taken first.

    Parameters
    ----------
    objects : sequence of VocObject
        Of the annotation file.
    names : sequence of str
        Class of each instance.
    boxes : array, shape (n, 4)
        Box of each instance: x0, y0, x1, y1.
    numbers : sequence of int
        Number of each instance in its raster, from 1.
    """
    found = [-1] * len(names)
    if not objects or not names:
        return found
    theirs = np.array([each.box for each in objects])
    scores = _overlaps(boxes.astype(np.float64), theirs)
    scores *= np.array(names)[:, None] == np.array([each.name for each in objects])
    at = np.array(numbers)[:, None] == np.arange(1, len(objects) + 1)
    scores += BONUS * (at & (scores > 0))
    order = np.argsort(-scores, axis=None, kind="stable")
    taken: set[int] = set()
    for row, column in zip(*(each.tolist() for each in np.unravel_index(order, scores.shape)), strict=True):
        if scores[row, column] < LEAST:
            break
        if found[row] < 0 and column not in taken:
            found[row] = column
            taken.add(column)
    return found


def _overlaps(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes, shape (n, m)."""
    low = np.maximum(ours[:, None, :2], theirs[:, :2])
    high = np.minimum(ours[:, None, 2:], theirs[:, 2:])
    sides = (high - low).clip(0)
    common = sides[:, :, 0] * sides[:, :, 1]
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (ours, theirs)]
    together = areas[0][:, None] + areas[1] - common
    shares: NDArray[np.float64] = common / np.where(together > 0, together, 1)
    return shares

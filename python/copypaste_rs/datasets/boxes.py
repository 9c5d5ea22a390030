"""Boxes of annotations that have no outline."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs.rectangles import pixel_edges

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_FARTHEST = float(np.finfo(np.float32).max)

BOXES = ("error", "keep", "drop")
"""Ways to deal with an annotation that has a box and no outline."""


class BoxAloneError(ValueError):
    """An annotation has a box and no outline, and nobody said what to do with it."""

    def __init__(self, place: str, others: int) -> None:
        also = f" (as have {others} {'other' if others == 1 else 'others'})" if others else ""
        super().__init__(f"{place}: expected a segmentation, got a bbox alone{also}")
        self.place = place
        self.others = others

    def __str__(self) -> str:
        return f"{self.args[0]}; boxes='keep' reads it as a rectangle, boxes='drop' leaves it out"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.place, self.others)


class Boxes(NamedTuple):
    """Boxes of rows that have no outline."""

    box_only: NDArray[np.bool_]
    """Whether each row is one of them, shape (n,)."""
    boxes: NDArray[np.float32]
    """x0, y0, x1, y1, shape (n, 4); zeros in other rows."""

    @classmethod
    def of(cls, n: int, rows: NDArray[np.int64], sides: NDArray[np.float64]) -> Boxes:
        """The boxes of n rows, of which `rows` have sides, four each."""
        box_only = np.zeros(n, np.bool_)
        box_only[rows] = True
        boxes = np.zeros((n, 4), np.float32)
        boxes[rows] = sides.reshape(-1, 4)
        return cls(box_only, boxes)

    def take(self, rows: NDArray[np.int64]) -> Boxes:
        """Boxes of some rows."""
        return Boxes(self.box_only[rows], self.boxes[rows])


class BoxesReader:
    """Collects boxes, given as in COCO: x, y, width and height in pixels."""

    def __init__(self) -> None:
        self.rows = array("q")
        """Rows that have a box and no outline."""
        self._sides = array("d")

    def read(self, row: int, value: Any) -> None:
        """Take the box of an annotation without an outline; what is malformed is a ValueError, no area no box."""
        if value is None:
            return
        numbers = value if isinstance(value, list) else [value]
        if len(numbers) != 4 or not all(isinstance(each, int | float) for each in numbers):
            raise ValueError(
                f"bbox: expected four numbers x, y, width, height, as there is no segmentation, got {value!r}"
            )
        if any(abs(each) > _FARTHEST for each in numbers):
            raise ValueError(f"bbox: expected numbers that float32 holds, got {value!r:.80}")
        x, y, w, h = map(float, numbers)
        if w < 0 or h < 0:
            raise ValueError(f"bbox: expected a width and a height of at least 0, got {value!r}")
        sides = x, y, x + w, y + h
        if max(map(abs, sides)) > _FARTHEST:
            raise ValueError(f"bbox: expected numbers that float32 holds, got {value!r}")
        if w and h:
            self.rows.append(row)
            self._sides.extend(sides)

    def are_kept(self, choice: str, place: Callable[[int], str]) -> bool:
        """Whether there are boxes alone, which `choice`, out of `BOXES`, keeps; `place` names a row in an error."""
        n = len(self.rows)
        if n and choice == "error":
            raise BoxAloneError(place(self.rows[0]), n - 1)
        return n > 0 and choice == "keep"

    def finish(self, n: int) -> Boxes:
        """The boxes of n rows."""
        return Boxes.of(n, np.array(self.rows, np.int64), np.array(self._sides, np.float64))


def covering(boxes: NDArray[np.float32], sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether boxes have a pixel in their images, whose height and width the rows of `sizes` give."""
    x0, y0, x1, y1 = pixel_edges(boxes, sizes[:, 0], sizes[:, 1])
    covers: NDArray[np.bool_] = (x0 < x1) & (y0 < y1)
    return covers

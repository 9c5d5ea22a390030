"""Fates of rows: what copy-paste makes of each, where nothing else is asked."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Fate(IntEnum):
    """Fate of a row of the target, or of one that is pasted; the numbers are those of the extension."""

    KEPT = 0
    """In the result."""
    CROWD = 1
    """In the result as a crowd, since too little is left."""
    OFF_CANVAS = 2
    """Without a pixel on the canvas."""
    BURIED = 3
    """Covered in all of its pixels by pastes."""
    UNDER_AREA = 4
    """Fewer than ``min_area`` pixels are left."""
    UNDER_VISIBILITY = 5
    """Enough pixels are left, but a smaller share than ``min_visibility``."""


class RowFates(NamedTuple):
    """Fates of all rows of the target, in order, then of those pasted, in theirs: columns of one length."""

    source: NDArray[np.int32]
    """Number of the source of each row; -1 is the target."""
    source_row: NDArray[np.int32]
    """The row within its sample."""
    placed: NDArray[np.int64]
    """Pixels on the canvas before anything covered the row."""
    left: NDArray[np.int64]
    """Pixels that are left, whether or not the row is dropped."""
    boxes: NDArray[np.float32]
    """Boxes of what is left, shape (n, 4)."""
    fate: NDArray[np.uint8]
    """Each a ``Fate``."""

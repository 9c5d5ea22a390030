"""Properties of a column: where its rows come from, how they move, what hides them, how a file holds them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs._checks import FlipPairs

Covered: TypeAlias = "Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]"
"""Question to the pastes: rows of the result, and a canvas pixel (y, x) for each; is it covered by a later paste?"""


class Origin(Enum):
    """Origin of the rows of a column in a result."""

    KERNEL = "made by the kernel"
    DERIVED = "counted anew by every operation, so that given values never conflict"
    CARRIED = "rows of the input, as they are"
    GEOMETRY = "rows of the input, moved with their image after the kernel"
    UNMOVABLE = "none: positions that nothing here can move, refused rather than carried stale"


class Moves(NamedTuple):
    """Placement of the image that each of n rows comes from, as columns; pairs are x and y, in pixels."""

    sides: NDArray[np.float64]
    """Width and height of the image, shape (n, 2)."""
    ratios: NDArray[np.float64]
    """Resized side over side, shape (n, 2)."""
    offsets: NDArray[np.float64]
    """Canvas position of the top-left corner of the resized image, shape (n, 2)."""
    mirrored: NDArray[np.bool_]
    """Whether the image is mirrored first, shape (n,)."""
    canvas: tuple[int, int]
    """Height and width."""


class Geometry(NamedTuple):
    """How a column of positions goes through an operation; values have one row for each row of the result."""

    check_pairs: Callable[[NDArray[Any], FlipPairs], None] | None
    """Checks the pairs that a mirror image exchanges against values; None where a mirror image exchanges nothing."""
    move: Callable[[NDArray[Any], Moves, FlipPairs], NDArray[Any]]
    """Moves rows onto the canvas."""
    hide: Callable[[NDArray[Any], Covered], NDArray[Any]]
    """Marks what later pastes cover in rows that lie on the canvas."""
    derived: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]]
    """Columns that are counted anew from the moved rows, where there are such columns."""


class FileForm(NamedTuple):
    """How annotations of a file hold a column in a field of its name."""

    read: Callable[[Any], list[float]]
    """Checks the value of one annotation, and gives it as numbers: as many for each, or none."""
    column: Callable[[NDArray[np.float64]], NDArray[Any]]
    """Makes the column of such numbers, one row for each annotation that has them; others get rows of zeros."""
    write: Callable[[NDArray[Any]], list[Any]]
    """Plain values of each row."""
    per_name: int | None = None
    """Numbers for each name that categories list in a field of the column's name; None where they list none."""


class ColumnKind(NamedTuple):
    """Kind of column that a name stands for."""

    origin: Origin
    check: Callable[[str, ArrayLike], NDArray[Any]] | None = None
    """Makes given values the column, or raises an error that names it; None takes any array."""
    absent: Any = None
    """Value for rows of samples that lack the column; None makes that an error where others have it."""
    stand_ins: tuple[Any, ...] | None = None
    """Values that may be given for such rows; None allows any."""
    absent_beside: str | None = None
    """Column that a sample has to have for `absent` to count for the others."""
    geometry: Geometry | None = None
    of: str | None = None
    """Column that this one is derived from, without which it is as good as unmovable."""
    fields: tuple[str, ...] | None = None
    """Fields of a COCO annotation that are made from the column; None is one of its own name, taken as it is."""
    form: FileForm | None = None
    """How annotations hold the column, where a value is more than a number or a text."""

"""Kinds of columns: one table that says for each name what the library does with a column so called.

- `kind`: what can be said of a column
- `keypoints`: x, y, v of the points of each instance

A further kind takes an entry here, and a module of its own where its rows are more than carried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from copypaste_rs._checks import crowd_flags
from copypaste_rs.column_kinds import keypoints
from copypaste_rs.column_kinds.kind import ColumnKind, Covered, FileForm, Geometry, Moves, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "CARRIED",
    "CHECKS",
    "COLUMN_KINDS",
    "DERIVED",
    "GEOMETRY",
    "MADE",
    "POSITIONS",
    "PROVENANCE",
    "ColumnKind",
    "Covered",
    "FileForm",
    "Geometry",
    "Moves",
    "Origin",
    "absent_value",
    "kind_of",
]

COLUMN_KINDS: dict[str, ColumnKind] = {
    # From the kernel.
    "masks": ColumnKind(Origin.KERNEL, fields=("segmentation",)),
    "boxes": ColumnKind(Origin.KERNEL, fields=("bbox",)),
    "iscrowd": ColumnKind(Origin.KERNEL, check=crowd_flags, absent=False, fields=("iscrowd",)),
    # Counted anew.
    "area": ColumnKind(Origin.DERIVED, of="masks", fields=("area",)),
    "num_keypoints": ColumnKind(Origin.DERIVED, of="keypoints", fields=("num_keypoints",)),
    "source": ColumnKind(Origin.DERIVED),
    "source_row": ColumnKind(Origin.DERIVED),
    "visibility": ColumnKind(Origin.DERIVED),
    # Positions.
    "keypoints": ColumnKind(
        Origin.GEOMETRY,
        check=keypoints.check,
        stand_ins=(0,),
        geometry=keypoints.GEOMETRY,
        fields=("keypoints",),
        form=keypoints.COCO,
    ),
    "segmentation": ColumnKind(Origin.UNMOVABLE),
    "bbox": ColumnKind(Origin.UNMOVABLE),
    # Carried, with a meaning here.
    "labels": ColumnKind(Origin.CARRIED, fields=("category_id",)),
    "box_only": ColumnKind(Origin.CARRIED, check=crowd_flags, absent=False, stand_ins=(False, True), fields=()),
    "pseudo": ColumnKind(Origin.CARRIED, check=crowd_flags, absent=False, stand_ins=(False, True)),
    "score": ColumnKind(Origin.CARRIED, absent=1, absent_beside="pseudo"),
    "id": ColumnKind(Origin.CARRIED, fields=("source_annotation_id",)),
    "given_id": ColumnKind(Origin.CARRIED, absent=""),
    "source_image_id": ColumnKind(Origin.CARRIED, fields=()),
    "source_annotation_id": ColumnKind(Origin.CARRIED, fields=()),
}
"""Columns that have a meaning; rows of any other are carried."""

PROVENANCE = ("source_image_id", "source_annotation_id")
"""Fields of a written annotation that say where it comes from: those of an earlier round say nothing of the next."""

CARRIED = ColumnKind(Origin.CARRIED)
"""Kind of every other column."""


def kind_of(name: str) -> ColumnKind:
    """Kind of the column of a name."""
    return COLUMN_KINDS.get(name, CARRIED)


def absent_value(name: str, holders: Sequence[Mapping[str, object]]) -> Any:
    """Value of a column for rows of samples that lack it, where all `holders` of it allow for one; else None."""
    kind = kind_of(name)
    beside = kind.absent_beside
    return kind.absent if beside is None or all(beside in columns for columns in holders) else None


def _names(holds: Callable[[ColumnKind], bool]) -> frozenset[str]:
    return frozenset(name for name, kind in COLUMN_KINDS.items() if holds(kind))


DERIVED = _names(lambda kind: kind.origin is Origin.DERIVED)
MADE = DERIVED | _names(lambda kind: kind.origin is Origin.KERNEL)
"""Columns of a result that are never taken from an input."""
GEOMETRY = _names(lambda kind: kind.origin is Origin.GEOMETRY)
POSITIONS = GEOMETRY | _names(lambda kind: kind.origin is Origin.UNMOVABLE or kind.of in GEOMETRY)
"""Columns of positions, and those derived from them; some are moved, others refused."""
CHECKS = {name: kind.check for name, kind in COLUMN_KINDS.items() if kind.check is not None}
"""Checks of values, of the columns that have one."""

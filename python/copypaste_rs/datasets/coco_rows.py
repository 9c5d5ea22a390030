"""Annotations of a COCO file once they are read, and what has to be said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from copypaste_rs.column_kinds import COLUMN_KINDS, DERIVED, PROVENANCE
from copypaste_rs.datasets.assembly import AnnotationRows, counted
from copypaste_rs.datasets.fields import FORMS, Field, field_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from copypaste_rs.datasets.boxes import Boxes
    from copypaste_rs.datasets.fields import LeftOut
    from copypaste_rs.datasets.segmentations import Segmentations

COUNTED = tuple(name for name in DERIVED if COLUMN_KINDS[name].of is not None)
"""Fields that are counted anew: whatever stands there is skipped unread."""
KNOWN = frozenset(("id", "image_id", "category_id", "iscrowd", "segmentation", "bbox", *COUNTED, *FORMS))
"""Fields that are no further ones."""


def counted_with(columns: frozenset[str] | None) -> list[str]:
    """Fields of `COUNTED` that are counted where these columns, or all, are asked for."""
    return [name for name in COUNTED if columns is None or COLUMN_KINDS[name].of in columns]


class ReadAnnotations(NamedTuple):
    """Annotations of images that are there, in the order of the file."""

    image: NDArray[np.int64]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    iscrowd: NDArray[np.bool_]
    segmentations: Segmentations
    boxes: Boxes | None
    """Boxes without outlines, where they are kept."""
    dropped: int
    """Number of rows that have a box alone, which is left out."""
    columns: dict[str, Field]
    left_out: LeftOut
    forms: dict[str, Field | None]
    counts: Mapping[str, int]
    """Number of annotations that have each field of `COUNTED`."""
    short_parts: int
    """Polygon parts of fewer than three points, which are skipped."""
    unknown: int
    """Annotations of images that are not there."""
    words: tuple[str, str] = ("annotation", "annotations")
    """Names of one, and of several."""

    def rows(self, asked: frozenset[str] | None, skipped: list[str], remarks: list[str]) -> AnnotationRows:
        """The rows with all columns; what was left out, and what may surprise, is added to the remarks.

        Of further fields those of `asked` were read, or all.
        """
        if short := self.short_parts:
            name = "of fewer than three points"
            skipped.append(counted(short, f"polygon part {name}", f"polygon parts {name}"))
        if self.unknown:
            one, many = self.words
            what = f"{one} of an image that is not there", f"{many} of images that are not there"
            skipped.append(counted(self.unknown, *what))
        columns = dict(self.columns)
        left_out, counts = self.left_out, self.left_out.counts
        skipped.extend(left_out.told())
        if not counts.get(PROVENANCE[0]):  # else `CocoWriter` wrote the file, and the derived ones are its own too
            remarks.extend(f"{field_of(name, counts[name])} is overwritten by copy-paste"
                           for name in sorted(DERIVED) if name in columns)  # fmt: skip
        forms = self.forms
        given = () if asked is None else sorted(asked)
        found = {name for name in given if counts.get(name) or forms.get(name) is not None}
        if lacking := [name for name in given if name not in found and (name in forms or name not in KNOWN)]:
            remarks.append(f"no annotation has the fields that columns asks for: {', '.join(map(repr, lacking))}")
        columns |= {name: column for name, column in forms.items() if column is not None}
        for name, times in self.counts.items():
            kind = COLUMN_KINDS[COLUMN_KINDS[name].of or name]
            if times and kind.geometry is not None:
                if (of := columns.get(COLUMN_KINDS[name].of or name)) is not None:
                    columns[name] = Field(kind.geometry.derived[name](of.values))
                else:
                    skipped.append(f"{field_of(name, times)}, without {COLUMN_KINDS[name].of}")
        if self.dropped:
            skipped.append(counted(self.dropped, "annotation with a bbox alone", "annotations with a bbox alone"))
        return AnnotationRows(
            self.image, self.ids, self.labels, self.iscrowd, columns, self.segmentations, self.boxes, self.dropped
        )

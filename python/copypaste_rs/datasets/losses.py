"""Losses of a sample in formats that hold outlines and classes alone, counted for the warning of its writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs.column_kinds import DERIVED, PROVENANCE
from copypaste_rs.datasets.encoding import masks_and_labels, positions_of
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.sample import Sample

_MADE = {"masks", "labels", "boxes", "iscrowd", "box_only", "id", *DERIVED, *PROVENANCE}
"""Columns that every sample of a file, and every result, has: nobody misses them."""


class PlainObjects(NamedTuple):
    """Objects of a sample that have an outline and are no crowds."""

    masks: RleMasks
    classes: list[int]
    """Position of the category of each, from 0."""
    rows: NDArray[np.int64]
    """Rows that they have in the sample."""
    remarks: dict[str, int]
    """Rows and columns that are left out, counted."""


def further_columns(sample: Sample) -> dict[str, NDArray[Any]]:
    """Columns of a sample's instances, but for those that every sample of a file, and every result, has."""
    return {name: column for name, column in sample.instances.columns.items() if name not in _MADE}


def plain_objects(sample: Sample, ids: Sequence[int], held: Collection[str] = ()) -> PlainObjects:
    """Objects of a sample, for a format that has neither crowds nor boxes without an outline.

    Parameters
    ----------
    sample : Sample
        Its labels are among `ids`.
    ids : sequence of int
        Of the categories, in their order.
    held : collection of str
        Further columns that the format holds.

    Raises
    ------
    ArgumentError
        About ``sample``, when it has no masks or labels, or others.
    """
    instances = sample.instances
    if len(instances) == 0:  # there may be no columns at all
        return PlainObjects(RleMasks.empty(sample.size), [], np.zeros(0, np.int64), {})
    masks, labels = masks_and_labels(sample)
    classes = positions_of(labels, ids)
    n = len(masks)
    crowd = np.zeros(n, np.bool_) if instances.iscrowd is None else instances.iscrowd
    alone = np.zeros(n, np.bool_) if instances.box_only is None else instances.box_only & ~crowd
    empty = (masks.area == 0) & ~crowd & ~alone
    rows = np.flatnonzero(~(crowd | alone | empty))
    remarks = {
        "crowds, which are left out": int(crowd.sum()),
        "boxes without an outline, which are left out": int(alone.sum()),
        "objects without a pixel, which are left out": int(empty.sum()),
    }
    remarks |= lost_columns(instances.columns, len(rows), held)
    return PlainObjects(masks[rows], [classes[row] for row in rows.tolist()], rows, remarks)


def lost_columns(columns: Collection[str], n: int, held: Collection[str] = ()) -> dict[str, int]:
    """Remarks on the columns of n rows that a format does not hold; `held` are those that it holds."""
    return {f"values of the column {name!r}": n for name in columns if name not in {*_MADE, *held}}

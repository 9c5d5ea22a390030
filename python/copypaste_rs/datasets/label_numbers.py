"""Labels as contiguous numbers, in the order of the categories, where a model wants those and not ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from copypaste_rs.datasets.tables import AnnotationTables

FIRST = {"from0": 0, "from1": 1}
"""Number of the first category, by kind of labels."""

LABELS = ("ids", *FIRST)
"""Kinds of labels: ids of the categories, or numbers of their places."""


def numbered(tables: AnnotationTables, labels: str, name: str) -> AnnotationTables:
    """Tables with labels of one of `LABELS`, and categories with these ids; `name` begins errors.

    Raises
    ------
    ValueError
        When categories are numbered, and an annotation has one that is not there.
    """
    if labels not in FIRST:
        return tables
    ids = [category["id"] for category in tables.categories]
    numbers = {given: number for number, given in enumerate(ids, FIRST[labels])}
    found, places, times = np.unique(tables.labels, return_inverse=True, return_counts=True)
    for label, count in zip(found.tolist(), times.tolist(), strict=True):
        if label not in numbers:
            have = "1 annotation has" if count == 1 else f"{count} annotations have"
            raise ValueError(
                f"{name}: labels={labels!r}: expected annotations of categories that are there, got category {label}, "
                f"which {have}; labels='ids' keeps it"
            )
    moved = np.array([numbers[label] for label in found.tolist()], np.int64)[places]
    categories = [{**category, "id": numbers[category["id"]]} for category in tables.categories]
    return tables._replace(labels=moved, categories=categories)

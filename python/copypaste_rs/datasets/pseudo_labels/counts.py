"""Counts of pseudo-labels: what became of each result, by class and reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs.datasets.categories import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LOW_SCORE = "low score"
LOW_MASK_SCORE = "low mask score"
BOX_ALONE = "box alone"
EMPTY = "no pixel"
SMALL = "small"
DUPLICATE = "duplicate"
REPLACED = "replaced"
OVER_LIMIT = "over limit"
REASONS = (LOW_SCORE, LOW_MASK_SCORE, BOX_ALONE, EMPTY, SMALL, DUPLICATE, REPLACED, OVER_LIMIT)
"""Reasons for which a result is dropped, in the order in which they are looked for."""

KEPT = "kept"
IGNORED = "ignored"


class Counts:
    """Numbers of results, by label and by what became of them."""

    def __init__(self) -> None:
        self._numbers: Counter[tuple[int, str]] = Counter()

    def add(self, what: str, label: int) -> None:
        """Count one."""
        self._numbers[label, what] += 1

    def add_all(self, what: str, labels: NDArray[np.int64]) -> None:
        """Count one of each label, as often as it comes."""
        for label, times in zip(*(each.tolist() for each in np.unique(labels, return_counts=True)), strict=True):
            self._numbers[label, what] += times

    @property
    def total(self) -> int:
        """Number of all that is counted."""
        return self._numbers.total()

    def of(self, what: str) -> dict[int, int]:
        """Numbers by label, ascending, of labels that have any."""
        return {label: n for (label, own), n in sorted(self._numbers.items()) if own == what}

    def reasons(self) -> str:
        """Numbers of what results became, other than objects, in words: ``"3 low score, 1 small"``."""
        sums = {name: sum(self.of(name).values()) for name in (IGNORED, *REASONS) if name != REPLACED}
        return ", ".join(f"{n} {name}" for name, n in sums.items() if n)

    def by_reason(self) -> dict[int, dict[str, int]]:
        """Numbers of what was dropped, by label and reason."""
        labels = sorted({label for label, what in self._numbers if what in REASONS})
        return {label: self._row(label, REASONS) for label in labels}

    def _row(self, label: int, names: Sequence[str]) -> dict[str, int]:
        return {name: self._numbers[label, name] for name in names if (label, name) in self._numbers}

    def table(self, categories: Sequence[Mapping[str, Any]]) -> str:
        """Numbers as text: a line for each class that has any, and one of the sums."""
        there = {what for _, what in self._numbers}
        columns = [KEPT, *(name for name in (IGNORED, *REASONS) if name in there)]
        names = names_of(categories)
        labels = sorted({label for label, _ in self._numbers})
        lines = [["class", "all", *columns]]
        total = np.zeros(1 + len(columns), np.int64)
        for label in labels:
            row = self._row(label, columns)
            numbers = [sum(row.values()), *(row.get(name, 0) for name in columns)]
            lines.append([names.get(label, str(label)), *map(str, numbers)])
            total += numbers
        lines.append(["all classes", *map(str, total.tolist())])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                [line[0].ljust(widths[0]), *(each.rjust(n) for each, n in zip(line[1:], widths[1:], strict=True))]
            )
            for line in lines
        )

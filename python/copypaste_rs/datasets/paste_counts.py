"""Counts of what copy-paste does: objects pasted, covered and dropped, by class, as values that add up."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np

from copypaste_rs._checks import wrong
from copypaste_rs._equality import same
from copypaste_rs.datasets.text_tables import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place

Label: TypeAlias = "int | float | str | bytes | None"

SHOWN = ("objects", "pasted", "covered", "dropped", "kept")
"""Columns that are named first; a table has others only where there is something to count."""

MEANINGS = {
    "objects": "those of the images themselves",
    "chosen": "drawn from other images, too small ones too",
    "pasted": "put in from other images",
    "covered": "in the results, and a paste hides a part",
    "kept": "own ones in the results",
    "pasted_kept": "pasted ones in the results",
    "made_crowd": "in the results as crowds, as too little is left",
    "off_canvas": "dropped, scaled or cropped away before anything is pasted",
    "buried": "dropped, pastes hide all of it",
    "under_area": "dropped, fewer than min_area pixels are left",
    "under_visibility": "dropped, a smaller share than min_visibility is left",
    "crowds": "crowds of the images, which no other column counts",
    "dropped": "not in the results, for any reason",
}
"""Words for what each column counts, in the order in which tables have them."""

WIDE = 110
"""Characters of a line of words below a table."""


@final
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PasteCounts:
    """Counts of what copy-paste made of the objects of some items, by class.

    Columns are arrays (k,), int64, of which entry i is about class i. Crowds are counted in `crowds` and nowhere else.
    Printed, they are a table of the columns that have something to count, and words that say what each counts.
    Counts of other items are added by ``+`` and ``sum``, counts of the same data set or of another one whose labels
    mean the same.

    Parameters
    ----------
    labels : tuple, length k
        The classes, ascending, numbers before text; None is that of objects without labels.
    names : tuple, length k
        The name of each class, or None.
    images : int
        Items that were counted.
    unpasted : int
        Those of them into which nothing was pasted, all items of epochs among them in which only scale jitter is
        applied.
    objects : array
        Objects of the images that are pasted on.
    chosen : array
        Objects of other images that were drawn to be pasted.
    pasted : array
        Those of them that were pasted; the others have fewer than ``max(1, min_area)`` pixels on the canvas.
    covered : array
        Objects in the results, pasted ones too, of which a later paste covers a part.
    kept, pasted_kept : array
        Objects in the results: own ones of the image, and pasted ones.
    made_crowd : array
        Objects in the results as crowds, since too little is left of them (``on_hidden="crowd"``).
    off_canvas : array
        Dropped: without a pixel on the canvas, before anything is pasted.
    buried : array
        Dropped: on the canvas, but pastes cover all pixels.
    under_area : array
        Dropped: fewer than ``min_area`` pixels are left, by jitter or by pastes.
    under_visibility : array
        Dropped: of the pixels on the canvas, a smaller share than ``min_visibility`` is left.
    crowds : array
        Crowds of the images that are pasted on.

    Notes
    -----
    Each object is in the result or not: ``objects + pasted == kept + pasted_kept + made_crowd + dropped``.

    Examples
    --------
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import CopyPasteDataset, sample_data
    >>> counts = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=256)).count(2)
    >>> counts.names[:2], counts.pasted[:2]
    (('cup', 'cat'), array([0, 2]))
    >>> sum(CopyPasteDataset(sample_data(), SimpleCopyPaste(size=256)).count([epoch]) for epoch in (0, 1)) == counts
    True
    """

    labels: tuple[Label, ...]
    names: tuple[str | None, ...]
    images: int
    unpasted: int
    objects: NDArray[np.int64]
    chosen: NDArray[np.int64]
    pasted: NDArray[np.int64]
    covered: NDArray[np.int64]
    kept: NDArray[np.int64]
    pasted_kept: NDArray[np.int64]
    made_crowd: NDArray[np.int64]
    off_canvas: NDArray[np.int64]
    buried: NDArray[np.int64]
    under_area: NDArray[np.int64]
    under_visibility: NDArray[np.int64]
    crowds: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in COLUMNS:
            getattr(self, name).flags.writeable = False

    @property
    def dropped(self) -> NDArray[np.int64]:
        """Objects that are not in the results, own and pasted ones, for any reason."""
        return self.off_canvas + self.buried + self.under_area + self.under_visibility

    @property
    def total(self) -> dict[str, int]:
        """Sums over all classes, by the name of the column, ``dropped`` among them."""
        return {name: int(getattr(self, name).sum()) for name in (*COLUMNS, "dropped")}

    def to_dict(self) -> dict[str, Any]:
        """The counts as numbers and text, for JSON: of images, by class, and in total."""
        columns = {name: getattr(self, name).tolist() for name in (*COLUMNS, "dropped")}
        classes = [
            {"label": label, "name": name, **{column: values[i] for column, values in columns.items()}}
            for i, (label, name) in enumerate(zip(self.labels, self.names, strict=True))
        ]
        return {"images": self.images, "unpasted": self.unpasted, "classes": classes, "total": self.total}

    def __add__(self, other: object) -> PasteCounts:
        if not isinstance(other, PasteCounts):
            return NotImplemented
        names = names_of_both("counts", self._names(), other._names())
        mine, theirs = self._by_label(), other._by_label()
        none = np.zeros(len(COLUMNS), np.int64)
        added = {label: mine.get(label, none) + theirs.get(label, none) for label in names}
        return made(added, names, self.images + other.images, self.unpasted + other.unpasted)

    def __radd__(self, other: object) -> PasteCounts:
        return self if type(other) is int and other == 0 else NotImplemented  # as `sum` begins with 0

    def _names(self) -> dict[Label, str | None]:
        return dict(zip(self.labels, self.names, strict=True))

    def _by_label(self) -> dict[Label, NDArray[np.int64]]:
        table = np.stack([getattr(self, name) for name in COLUMNS], axis=1)
        return dict(zip(self.labels, table, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PasteCounts):
            return NotImplemented
        return all(same(getattr(self, each.name), getattr(other, each.name)) for each in fields(self))

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    def __reduce__(self) -> tuple[Any, ...]:
        return PasteCounts, tuple(getattr(self, each.name) for each in fields(self))

    def __repr__(self) -> str:
        total = self.total
        shown = ", ".join(f"{name}={total[name]}" for name in SHOWN)
        return f"PasteCounts({self.images} images, {self.unpasted} unpasted, {len(self.labels)} classes, {shown})"

    def __str__(self) -> str:
        total, rows = self.total, self.to_dict()["classes"]
        columns = [name for name in MEANINGS if total[name] or name in ("objects", "kept", "dropped")]
        if total["chosen"] == total["pasted"]:  # it would say the same twice
            columns = [name for name in columns if name != "chosen"]
        rows = [row for row in rows if any(row[name] for name in COLUMNS)]
        titles = ["class", *map(_words, columns)]
        table = [[title_of(row["name"], row["label"]), *(str(row[name]) for name in columns)] for row in rows]
        table = [titles, *table, ["all", *(str(total[name]) for name in columns)]]
        start = f"{self.images} images, {self.unpasted} of them without a paste"
        return "\n".join([start, *aligned(table), "", *legend(columns)])


COLUMNS = tuple(each.name for each in fields(PasteCounts))[4:]
"""Names of the columns, in their order."""


def legend(columns: Iterable[str]) -> list[str]:
    r"""Lines of words that say what columns of a table count.

    Examples
    --------
    >>> print("\n".join(legend(["pasted_kept", "buried"])))
    pasted kept: pasted ones in the results; buried: dropped, pastes hide all of it
    """
    lines = [""]
    for word in (f"{_words(name)}: {MEANINGS[name]}" for name in columns):
        if lines[-1] and len(lines[-1]) + len(word) > WIDE:
            lines.append("")
        lines[-1] += f"; {word}" if lines[-1] else word
    return lines


def _words(column: str) -> str:
    return column.replace("_", " ")


def title_of(name: str | None, label: Label) -> str:
    """The words for a class."""
    if name is not None:
        return name
    return "without label" if label is None else str(label)


def names_of_both(
    place: Place, ours: Mapping[Label, str | None], theirs: Mapping[Label, str | None]
) -> dict[Label, str | None]:
    """Names by label of both, which must not contradict each other."""
    names = dict(ours)
    for label, name in theirs.items():
        known = names.get(label)
        if known is not None and name is not None and known != name:
            raise wrong(place, f"one name for label {label!r}, {known!r}", repr(name))
        names[label] = name if known is None else known
    return names


def _order(label: Label) -> tuple[Any, ...]:
    """Place of a label: numbers, text, bytes, then none."""
    kinds: list[tuple[Any, ...]] = [(int, float), (str,), (bytes,), (object,)]
    kind = next(i for i, types in enumerate(kinds) if isinstance(label, types))
    return kind, label if kind < len(kinds) - 1 else repr(label)


def made(
    by_label: Mapping[Label, NDArray[np.int64]], names: Mapping[Label, str | None], images: int, unpasted: int
) -> PasteCounts:
    """The counts of columns by label, in the order of ``COLUMNS``; labels that only have a name count nothing."""
    labels = sorted(names, key=_order)
    none = np.zeros(len(COLUMNS), np.int64)
    table = np.array([by_label.get(label, none) for label in labels], np.int64).reshape(-1, len(COLUMNS))
    columns = (np.ascontiguousarray(column) for column in table.T)
    return PasteCounts(tuple(labels), tuple(names[label] for label in labels), images, unpasted, *columns)

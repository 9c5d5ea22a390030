"""Counting of replayed items, by class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._engine.fates import Fate
from copypaste_rs.datasets.categories import category_ids
from copypaste_rs.datasets.paste_counts import COLUMNS, Label, PasteCounts, made, names_of_both

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from copypaste_rs.datasets.replay import Replay

PASTED, COVERED, CROWD, CHOSEN, CODES = 8, 16, 32, 64, 128
"""Bits of the code of a row, above its fate; ``CHOSEN`` stands alone: a row that was drawn, whatever came of it."""

ENOUGH = 1 << 16
"""Rows that are counted at once: NumPy takes longer to begin than to count those of an item."""

LAST_EPOCH = 2**64 - 1


class CountBuilder:
    """Counts in the making, of one item after the other.

    Parameters
    ----------
    names : mapping
        Names of labels that are known beforehand; they are counted even where nothing has them.
    """

    def __init__(self, names: Mapping[Label, str | None]) -> None:
        self._names = dict(names)
        self._images = self._unpasted = self._waiting = 0
        self._rows: dict[np.dtype[Any] | None, list[tuple[NDArray[Any], NDArray[np.uint8]]]] = {}
        self._codes: dict[Label, NDArray[np.int64]] = {}

    def add(self, item: Replay) -> None:
        """Count an item."""
        fates = item.fates
        pasted = fates.source >= 0
        self._images += 1
        self._unpasted += not pasted.any()
        codes = fates.fate | (pasted * np.uint8(PASTED)) | ((fates.left < fates.placed) * np.uint8(COVERED))
        codes[item.crowd[item.row]] = CROWD
        rows = np.concatenate([item.row, item.chosen])
        codes = np.concatenate([codes, np.full(len(item.chosen), CHOSEN, np.uint8)])
        dtype = None if item.labels is None else item.labels.dtype
        labels = rows if item.labels is None else item.labels[rows]
        if labels.ndim != 1:
            raise wrong("labels", "one label for each row", f"shape {labels.shape}")
        self._rows.setdefault(dtype, []).append((labels, codes))
        self._waiting += len(rows)
        if self._waiting > ENOUGH:
            self._count()

    def finish(self) -> PasteCounts:
        """The counts of all items so far."""
        self._count()
        by_label = {label: _columns(codes) for label, codes in self._codes.items()}
        names = {**dict.fromkeys(by_label), **self._names}
        return made(by_label, names, self._images, self._unpasted)

    def _count(self) -> None:
        for dtype, parts in self._rows.items():
            labels, codes = (np.concatenate(column) for column in zip(*parts, strict=True))
            if len(labels) == 0:
                continue
            found: list[Label]
            if dtype is None:
                found, numbers = [None], np.zeros(len(labels), np.int64)
            else:
                found, numbers = _distinct(labels)
            table = np.bincount(numbers * CODES + codes, minlength=len(found) * CODES).reshape(-1, CODES)
            for label, row in zip(found, table, strict=True):
                self._codes[label] = self._codes.get(label, 0) + row
        self._rows.clear()
        self._waiting = 0


def _distinct(labels: NDArray[Any]) -> tuple[list[Label], NDArray[np.int64]]:
    """Distinct labels, and the number among these of each."""
    if not labels.dtype.hasobject:
        distinct, numbers = np.unique(labels, return_inverse=True)
        return distinct.tolist(), numbers.reshape(-1)
    try:
        places: dict[Label, int] = {}
        numbers = np.array([places.setdefault(label, len(places)) for label in labels.tolist()], np.int64)
    except TypeError:  # a list or a dict is no key
        raise wrong_type("labels", "numbers or text", "others") from None
    return list(places), numbers


def _columns(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts of one class, in the order of ``COLUMNS``, out of the counts of codes."""
    code = np.arange(CODES)
    fate, has = code % 8, {bit: (code & bit) > 0 for bit in (PASTED, COVERED, CROWD, CHOSEN)}
    row = ~has[CROWD] & ~has[CHOSEN]
    counted = {
        "objects": row & ~has[PASTED],
        "chosen": code == CHOSEN,
        "pasted": row & has[PASTED],
        "covered": row & (fate == Fate.KEPT) & has[COVERED],
        "kept": row & (fate == Fate.KEPT) & ~has[PASTED],
        "pasted_kept": row & (fate == Fate.KEPT) & has[PASTED],
        "made_crowd": row & (fate == Fate.CROWD),
        "off_canvas": row & (fate == Fate.OFF_CANVAS),
        "buried": row & (fate == Fate.BURIED),
        "under_area": row & (fate == Fate.UNDER_AREA),
        "under_visibility": row & (fate == Fate.UNDER_VISIBILITY),
        "crowds": code == CROWD,
    }
    return np.array([codes[counted[name]].sum() for name in COLUMNS], np.int64)


def epoch_numbers(epochs: SupportsIndex | Iterable[SupportsIndex]) -> Sequence[int]:
    """Epochs to count: of an int n, those from 0 to n - 1."""
    if isinstance(epochs, str | bytes) or not isinstance(epochs, Iterable):
        try:
            return range(_checks.integer("epochs", epochs, 1, LAST_EPOCH))  # type: ignore[arg-type]
        except TypeError:
            raise wrong_type("epochs", "an integer, or several", repr(epochs)) from None
    given = [_checks.integer(("epochs", i), epoch, 0, LAST_EPOCH) for i, epoch in enumerate(epochs)]
    if not given:
        raise wrong("epochs", "at least one epoch", "none")
    return given


def item_numbers(items: Iterable[SupportsIndex] | None, n: int) -> Sequence[int]:
    """Items to count, of n that there are."""
    if items is None:
        return range(n)
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise wrong_type("items", "several integers, such as range(100)", repr(items))
    given = []
    for i, item in enumerate(items):
        if not n:
            raise wrong(("items", i), "none, as the data set is empty", repr(item))
        given.append(_checks.integer(("items", i), item, 0, n - 1))
    return given


def known_names(*datasets: object) -> dict[Label, str | None]:
    """Names of labels, where data sets have categories."""
    names: dict[Label, str | None] = {}
    for dataset in datasets:
        categories: Any = getattr(dataset, "categories", None)
        try:
            category_ids("categories", categories)
        except (ValueError, TypeError):  # something else of that name
            continue
        own = {category["id"]: category.get("name") for category in categories}
        names = names_of_both(
            "categories", names, {label: None if name is None else str(name) for label, name in own.items()}
        )
    return names


def counted(
    replay: Callable[[int, int], Replay],
    names: Mapping[Label, str | None],
    epochs: Sequence[int],
    items: Sequence[int],
) -> PasteCounts:
    """Counts of some items in some epochs; `replay` is what replays an item of an epoch."""
    builder = CountBuilder(names)
    for epoch in epochs:
        for item in items:
            builder.add(replay(epoch, item))
    return builder.finish()

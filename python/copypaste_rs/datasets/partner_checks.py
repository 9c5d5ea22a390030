"""Questions to data sets: whether they are any, have objects to paste, and mean one thing by a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.categories import category_ids, joined_categories, moved_ids

if TYPE_CHECKING:
    from copypaste_rs.datasets.copy_paste import Samples

S = TypeVar("S")

NAMES = "dataset", "sources"
"""Names of the two sets in errors."""


def check_samples(name: str, dataset: S) -> S:
    """The data set, if it has a length and items."""
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise wrong_type(name, "a sequence of Sample", type(dataset).__name__)
    return dataset


def may_have_objects(dataset: Samples, index: int) -> bool:
    """Whether an item may have an instance that is not a crowd: asked where the data set can tell without decoding."""
    ask = getattr(dataset, "has_objects", None)
    return True if ask is None else bool(ask(index))


def check_categories(dataset: Samples, sources: Samples, names: tuple[str, str] = NAMES) -> None:
    """Check that labels mean one thing in two sets, which errors call `names`, where both say what they mean."""
    ours, theirs = (getattr(each, "categories", None) for each in (dataset, sources))
    one, other = names
    try:
        category_ids(one, ours)
        category_ids(other, theirs)
    except (ValueError, TypeError):  # something else of that name
        return
    assert isinstance(ours, Sequence)
    assert isinstance(theirs, Sequence)
    _, ids = joined_categories(other, ours, theirs)
    if moved := moved_ids(theirs, ids):
        joins = hasattr(sources, "with_categories")
        way = f"; {other}.with_categories({one}.categories) joins them by name" * (joins and names == NAMES)
        raise wrong(other, f"categories with the ids that they have in {one}", f"others: {moved}{way}")


def crowds_alone(dataset: Samples) -> str:
    """Remark that all instances of a data set are crowds, where they are."""
    n = getattr(dataset, "crowds_alone", 0)
    what = "the only instance is a crowd" if n == 1 else f"all {n} instances are crowds"
    return f" ({what}; crowds='objects' of CocoDataset takes crowds as objects)" if n else ""


def may_have_unmarked(dataset: Samples, flags: tuple[str, ...]) -> bool:
    """Whether a data set may have an instance that is no crowd and has none of these flags."""
    ask = getattr(dataset, "has_unmarked", None)
    return True if ask is None or not flags else bool(ask(flags))

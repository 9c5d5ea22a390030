"""Questions to data sets: whether they are any, have objects to paste, and mean one thing by a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.categories import category_ids, joined_categories, moved_ids

if TYPE_CHECKING:
    from copypaste_rs.datasets.copy_paste import Samples

S = TypeVar("S")


def check_samples(name: str, dataset: S) -> S:
    """The data set, if it has a length and items."""
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise wrong_type(name, "a sequence of Sample", type(dataset).__name__)
    return dataset


def may_have_objects(dataset: Samples, index: int) -> bool:
    """Whether an item may have an instance that is not a crowd: asked where the data set can tell without decoding."""
    ask = getattr(dataset, "has_objects", None)
    return True if ask is None else bool(ask(index))


def check_categories(dataset: Samples, sources: Samples) -> None:
    """Check that labels mean one thing in both, where both say what they mean."""
    ours, theirs = (getattr(each, "categories", None) for each in (dataset, sources))
    try:
        category_ids("dataset", ours)
        category_ids("sources", theirs)
    except (ValueError, TypeError):  # something else of that name
        return
    assert isinstance(ours, Sequence)
    assert isinstance(theirs, Sequence)
    _, ids = joined_categories("sources", ours, theirs)
    if moved := moved_ids(theirs, ids):
        way = "; sources.with_categories(dataset.categories) joins them by name" * hasattr(sources, "with_categories")
        raise wrong("sources", "categories with the ids that they have in dataset", f"others: {moved}{way}")


def crowds_alone(dataset: Samples) -> str:
    """Remark that all instances of a data set are crowds, where they are."""
    n = getattr(dataset, "crowds_alone", 0)
    what = "the only instance is a crowd" if n == 1 else f"all {n} instances are crowds"
    return f" ({what}; crowds='objects' of CocoDataset takes crowds as objects)" if n else ""


def may_have_unmarked(dataset: Samples, flags: tuple[str, ...]) -> bool:
    """Whether a data set may have an instance that is no crowd and has none of these flags."""
    ask = getattr(dataset, "has_unmarked", None)
    return True if ask is None or not flags else bool(ask(flags))

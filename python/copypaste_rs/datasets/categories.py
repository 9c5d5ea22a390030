"""Categories of a data set: dicts as COCO has them, of which each id stands once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from copypaste_rs._checks import wrong, wrong_type


def category_ids(name: str, categories: object) -> frozenset[int]:
    """Ids of categories, checked; `name` is what errors call the sequence.

    Examples
    --------
    >>> sorted(category_ids("categories", [{"id": 3, "name": "cat"}, {"id": 1, "name": "dog"}]))
    [1, 3]
    """
    if isinstance(categories, str | bytes) or not isinstance(categories, Sequence):
        raise wrong_type(name, "a sequence of dicts", type(categories).__name__)
    ids: set[int] = set()
    for i, category in enumerate(categories):
        if not isinstance(category, Mapping):
            raise wrong_type((name, i), "a dict", type(category).__name__)
        number = category.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise wrong((name, i), "an integer as id", repr(number))
        if number in ids:
            raise wrong(name, "each id once", f"{number} more than once")
        ids.add(number)
    return frozenset(ids)

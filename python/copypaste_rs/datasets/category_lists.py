"""Lists of categories that images have in LVIS: those known to be absent, and those not annotated exhaustively."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._engine.infos import NEGATIVE
from copypaste_rs.datasets.given_ids import plain_id

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_EXHAUSTIVE = "not_exhaustive_category_ids"
"""Name of the ids of categories of which an image has objects without annotations."""
LISTS = (NEGATIVE, NOT_EXHAUSTIVE)
"""Fields of an image, and of ``Sample.info``, that are lists of category ids."""


def category_lists(fields: Mapping[str, Any]) -> dict[str, list[int]]:
    """Lists of `LISTS` among the fields of an image, as far as they are lists or tuples of integers.

    Examples
    --------
    >>> category_lists({"neg_category_ids": (3, 5.0), "not_exhaustive_category_ids": "none"})
    {'neg_category_ids': [3, 5]}
    """
    found = {}
    for name in LISTS:
        value = fields.get(name)
        if isinstance(value, list | tuple):
            ids = [_whole(each) for each in value]
            if all(isinstance(each, int) for each in ids):
                found[name] = ids
    return found


def moved_lists(lists: Mapping[str, list[int]], ids: Mapping[int, int]) -> dict[str, list[int]]:
    """Lists with the ids that categories have after these were joined with others; unknown ids, which mean nothing, go.

    Examples
    --------
    >>> moved_lists({"neg_category_ids": [3, 5, 77]}, {3: 1, 5: 5})
    {'neg_category_ids': [1, 5]}
    """
    return {name: [ids[each] for each in value if each in ids] for name, value in lists.items()}


def _whole(value: Any) -> Any:
    """A whole number as an integer; anything else as it is, or None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return plain_id(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if isinstance(value, bool) else value

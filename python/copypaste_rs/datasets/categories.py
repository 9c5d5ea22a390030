"""Categories of a data set: dicts as COCO has them, of which each id stands once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.given_ids import GIVEN, free_numbers, plain_id
from copypaste_rs.plan_options import checked_weights


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


def plain_categories(categories: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Categories of a file, each once that stands there again as it is, and the numbers of ids that are names.

    Whole numbers become integers, and so do names, which categories keep as ``given_id``.

    Examples
    --------
    >>> plain_categories([{"id": 1.0, "name": "cat"}, {"id": "1", "name": "cat"}, {"id": "d", "name": "dog"}])
    ([{'id': 1, 'name': 'cat'}, {'id': 2, 'name': 'dog', 'given_id': 'd'}], {'d': 2})
    """
    found: list[dict[str, Any]] = []
    for given in categories:
        category = dict(given)
        number: Any = category.get("id")
        if isinstance(number, str):
            category["id"] = plain_id(number)
        elif isinstance(number, float) and number.is_integer():
            category["id"] = int(number)
        if category not in found:
            found.append(category)
    ids = [category.get("id") for category in found]
    taken = [number for number in ids if isinstance(number, int) and -(2**63) <= number < 2**63]
    names = free_numbers(np.array(taken, np.int64), [name for name in ids if isinstance(name, str)])
    for category in found:
        if isinstance(name := category.get("id"), str):
            category |= {"id": names[name], GIVEN: name}
    return found, names


def joined_categories(
    place: str, ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], *, counts: bool = False
) -> tuple[list[dict[str, Any]], dict[int, int]]:
    """Categories of two sets, joined by name, and the id here of each of the other set.

    Where ids only count the categories of the other set (`counts`), they are no names: those that are added go on
    counting.

    Raises
    ------
    ValueError
        When an id is that of two names, or it is not plain which category has a name; `place` begins the error.

    Examples
    --------
    >>> ours = [{"id": 1, "name": "cat"}]
    >>> joined_categories("sources", ours, [{"id": 3, "name": "cat"}, {"id": 2, "name": "dog"}])
    ([{'id': 1, 'name': 'cat'}, {'id': 2, 'name': 'dog'}], {3: 1, 2: 2})
    """
    names = {category["id"]: category.get("name") for category in ours}
    ids_of: dict[str, list[int]] = {}
    for number, name in names.items():
        if isinstance(name, str):
            ids_of.setdefault(name, []).append(number)
    times = Counter(category["name"] for category in theirs if isinstance(category.get("name"), str))
    joined, ids = [dict(category) for category in ours], {}
    for category in theirs:
        number, name = category["id"], category.get("name")
        same = ids_of.get(name, []) if isinstance(name, str) else []
        if number in names and names[number] == name:
            ids[number] = number
        elif same and (len(same) > 1 or times[name] > 1):
            raise ValueError(
                f"{place}: categories: expected one category of the name {name!r} in each file, by which they are "
                "joined, got more"
            )
        elif same:
            ids[number] = same[0]
        elif counts:
            ids[number] = max((each["id"] for each in joined), default=-1) + 1
            joined.append({**category, "id": ids[number]})
        elif number in names:
            raise ValueError(
                f"{place}: category {number} is {name!r}, but {names[number]!r} in the other file; an id has one name"
            )
        else:
            ids[number] = number
            joined.append(dict(category))
    return joined, ids


def moved_ids(categories: Sequence[Mapping[str, Any]], ids: Mapping[int, int]) -> str:
    """Ids that are others here, in words; "" where none is."""
    names = {category["id"]: category.get("name") for category in categories}
    return ", ".join(f"{names[old]!r} {old} becomes {new}" for old, new in ids.items() if old != new)


def keypoint_names(name: str, categories: Sequence[Mapping[str, object]]) -> list[str] | None:
    """Names of keypoints, which all categories that have any share; None where none has.

    Raises
    ------
    ValueError
        When categories differ; `name` is what the error calls the sequence.
    """
    found: list[str] | None = None
    for i, category in enumerate(categories):
        names = category.get("keypoints")
        if not names:
            continue
        if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
            raise wrong((name, i), "names of keypoints as a list of strings", repr(names))
        if found is not None and list(names) != found:
            raise wrong((name, i), f"the keypoints of the other categories, {found}", str(list(names)))
        found = list(names)
    return found


def flip_pairs(names: Sequence[str] | None) -> tuple[tuple[int, int], ...] | None:
    """Numbers of keypoints that a mirror image exchanges: names that begin or end in left, and the same with right.

    Examples
    --------
    >>> flip_pairs(["nose", "left_eye", "right_eye"])
    ((1, 2),)
    """
    if names is None:
        return None
    numbers = {each.lower(): i for i, each in enumerate(names)}
    pairs: dict[int, int] = {}
    for each, i in numbers.items():
        others = ["right" + each[4:]] * each.startswith("left") + [each[:-4] + "right"] * each.endswith("left")
        taken = {i, *pairs, *pairs.values()}
        found = [numbers[other] for other in others if i not in pairs.values() and numbers.get(other, i) not in taken]
        if found:
            pairs[i] = found[0]
    return tuple(pairs.items())


def label_weights(name: str, categories: Sequence[Mapping[str, Any]], weights: object) -> dict[int, float]:
    """Weights by id, in the order of the categories, of weights by name; `name` is what errors call these.

    Examples
    --------
    >>> categories = [{"id": 3, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 7, "name": "cat"}]
    >>> label_weights("weights", categories, {"cat": 2})
    {3: 2.0, 7: 2.0}
    """
    if not isinstance(weights, Mapping):
        raise wrong_type(name, "a mapping of names of categories to weights", type(weights).__name__)
    checked = checked_weights(name, weights)
    ids = names_of(categories)
    for given in checked:
        if not isinstance(given, str):
            raise wrong_type(name, "names of categories", repr(given))
        check_named(name, given, ids)
    return {number: checked[own] for number, own in ids.items() if own in checked}


def names_of(categories: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Names of categories by their ids, of those that have one."""
    return {category["id"]: category["name"] for category in categories if isinstance(category.get("name"), str)}


def check_named(name: str, given: str, names: Mapping[int, str]) -> None:
    """Refuse a name that no category has; the error, about the argument `name`, says which are near."""
    if given not in names.values():
        near = " or ".join(map(repr, get_close_matches(given, sorted({*names.values()}))))
        raise wrong(name, "names of categories", f"{given!r}{near and f' (is {near} meant?)'}")

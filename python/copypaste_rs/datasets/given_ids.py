"""Ids as files have them: integers, or names such as UUIDs, which get integers here."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

GIVEN = "given_id"
"""Name of the column, and of the field of ``Sample.info``, that has an id which is a name."""

_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]{0,18}))(?:\.0+)?")


def plain_id(given: int | str) -> int | str:
    """An id, as an integer where it is the text of one; "0012" and "12e3" are names, and so match by text alone.

    Examples
    --------
    >>> plain_id("12"), plain_id("12.0"), plain_id("img-12"), plain_id("0012")
    (12, 12, 'img-12', '0012')
    """
    if not isinstance(given, str):
        return given
    found = _WHOLE.fullmatch(given)
    if found is None or not -(2**63) <= int(found[1]) < 2**63:
        return given
    return int(found[1])


class IdNumbers:
    """Collects ids, some of them names, as integers.

    Examples
    --------
    >>> ids = IdNumbers()
    >>> for given in ("cat", 1, "dog", "cat", "7"):
    ...     ids.add(given)
    >>> ids.finish()
    array([2, 1, 3, 2, 7])
    """

    def __init__(self) -> None:
        self._numbers = array("q")
        self.names: dict[int, str] = {}
        """Ids that are names, by their position."""

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, given: int | str) -> None:
        """Take the next id."""
        number = given if isinstance(given, int) else plain_id(given)
        if isinstance(number, str):
            self.names[len(self._numbers)] = number
            number = 0
        self._numbers.append(number)

    def finish(self) -> NDArray[np.int64]:
        """Ids as integers, shape (n,): each name has the lowest from 1 up that is free, in the order of the names."""
        numbers = np.array(self._numbers, np.int64)
        if self.names:
            rows = np.array(list(self.names))
            free = free_numbers(np.delete(numbers, rows), self.names.values())
            numbers[rows] = [free[name] for name in self.names.values()]
        return numbers


def free_numbers(taken: NDArray[np.int64], names: Iterable[str]) -> dict[str, int]:
    """Integers for names, from 1 up, in the order in which these come first, without those that are taken."""
    distinct = dict.fromkeys(names)
    free = np.setdiff1d(np.arange(1, len(distinct) + len(taken) + 1), taken)
    return dict(zip(distinct, free.tolist(), strict=False))

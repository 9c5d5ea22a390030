"""Names of files as a set whose memory does not grow with names that count: ``000000000001.jpg`` and on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterable

_COUNTED = re.compile(r"(.*/)?([0-9]{12})(\.[a-z]+)", re.DOTALL)


@final
class CountedNames:
    """Set of names, to which names are added.

    Names of one folder and suffix whose numbers of twelve digits follow one another are held as first and last alone.

    Examples
    --------
    >>> names = CountedNames(["000000000001.jpg", "000000000002.jpg", "a.jpg"])
    >>> "000000000002.jpg" in names, "000000000003.jpg" in names, "a.jpg" in names
    (True, False, True)
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._others: set[str] = set()
        self._runs: dict[tuple[str | None, str], tuple[int, int]] = {}
        """First number, and the one after the last, by folder and suffix."""
        self.update(names)

    def __contains__(self, name: str) -> bool:
        if (found := _COUNTED.fullmatch(name)) is not None:
            start, stop = self._runs.get((found[1], found[3]), (0, 0))
            if start <= int(found[2]) < stop:
                return True
        return name in self._others

    def add(self, name: str) -> None:
        """Take in a name."""
        if (found := _COUNTED.fullmatch(name)) is None:
            self._others.add(name)
            return
        of, number = (found[1], found[3]), int(found[2])
        start, stop = self._runs.setdefault(of, (number, number))
        if number == stop:
            self._runs[of] = start, stop + 1
        elif not start <= number < stop:
            self._others.add(name)

    def update(self, names: Iterable[str]) -> None:
        """Take in several names."""
        for name in names:
            self.add(name)

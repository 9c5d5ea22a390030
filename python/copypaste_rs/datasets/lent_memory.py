"""Memory that is lent to images of one item and used again for those of the next.

The system clears each page of memory that is new to the process, which takes longer than to find the file, read it and
make its annotations masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 1 << 24
"""Bytes of the largest piece that is kept for the next item."""

MOST = 16
"""Pieces that are kept, at most."""


class SpareMemory:
    """Pieces of memory that are not lent; copies that are made by pickling have none.

    Examples
    --------
    >>> spare = SpareMemory()
    >>> lent = spare.lend()
    >>> piece = lent.take(24)
    >>> lent.give_back()
    >>> spare.lend().take(12) is piece
    True
    """

    def __init__(self) -> None:
        self._pieces: list[NDArray[np.uint8]] = []

    def lend(self) -> LentMemory:
        """Memory for the images of one item."""
        return LentMemory(self._pieces)

    def __reduce__(self) -> tuple[Any, ...]:
        return SpareMemory, ()


class LentMemory:
    """Memory for the images of one item."""

    def __init__(self, spare: list[NDArray[np.uint8]]) -> None:
        """Memory that comes from `spare`, and goes back there: a list, of which each thread takes its own pieces."""
        self._spare = spare
        self._lent: list[NDArray[np.uint8]] = []

    def take(self, size: int) -> NDArray[np.uint8]:
        """At least so many bytes that nobody else uses."""
        try:
            piece = self._spare.pop()
        except IndexError:
            piece = None
        if piece is None or len(piece) < size:
            piece = np.empty(size, np.uint8)
        self._lent.append(piece)
        return piece

    def give_back(self) -> None:
        """End the loan: what was taken is overwritten from now on."""
        for piece in self._lent:
            if len(piece) <= LARGEST and len(self._spare) < MOST:
                self._spare.append(piece)
        self._lent.clear()

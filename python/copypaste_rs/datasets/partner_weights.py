"""Weights of partners, by which images of a data set are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._engine.planning import whole_weights

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_SHOWN = 8
"""Weights of partners that a `repr` shows, at most."""


class PartnerWeights:
    """Weights of partners as running sums of integers, in which a draw finds its partner."""

    def __init__(self, weights: NDArray[np.float64]) -> None:
        # Below 2^63: each is at most 2^20, and no memory holds 2^43 of them.
        self._sums: NDArray[np.int64] = whole_weights(weights).cumsum()
        self.shown = [f"partner_weights={weights.tolist()}"] if len(weights) <= MAX_SHOWN else []

    @classmethod
    def of(cls, weights: ArrayLike | None, n: int) -> PartnerWeights | None:
        """The weights of n partners, checked, where there are any."""
        return None if weights is None else cls(_checks.draw_weights("partner_weights", weights, n))

    def positive(self) -> list[int]:
        """Numbers of the partners that have a weight."""
        found: list[int] = np.flatnonzero(self._of_each()).tolist()
        return found

    def share(self, partners: list[int]) -> float:
        """Share of some partners in the sum of all weights, which is not 0."""
        return int(self._of_each()[partners].sum()) / int(self._sums[-1])

    def _of_each(self) -> NDArray[np.int64]:
        return np.diff(self._sums, prepend=0)

    def total(self, left_out: int | None) -> int:
        """Sum of the weights, without the one that is left out."""
        if len(self._sums) == 0:
            return 0
        return int(self._sums[-1]) - (0 if left_out is None else self._weight(left_out))

    def item(self, drawn: int, left_out: int | None) -> int:
        """Number of the first partner, in order, whose running sum exceeds `drawn`."""
        if left_out is not None and drawn >= self._before(left_out):
            drawn += self._weight(left_out)
        return int(self._sums.searchsorted(drawn, side="right"))

    def _before(self, i: int) -> int:
        return int(self._sums[i - 1]) if i else 0

    def _weight(self, i: int) -> int:
        return int(self._sums[i]) - self._before(i)

"""Counter-based draws: random words that depend on a key and a place, never on a state.

Philox is a block cipher on counters: word number k of a stream is a function of (key, counter, k). A key is
made of a seed, an epoch and an index, so any sample of any epoch can be drawn by any worker, in any order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, cast

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.blur import gaussian_weights
from copypaste_rs.errors import ArgumentTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rng: TypeAlias = "SupportsIndex | Sequence[SupportsIndex] | NDArray[Any] | np.random.Generator | None"

PLAN_STREAM = 0
"""Words of a plan: scales, flips, offsets, subsets."""
CALLABLE_STREAM = 1
"""Words for a subset rule that the user wrote."""
PARTNER_STREAM = 2
"""Words with which a data set picks its partners."""
WEIGHT_STREAM = 3
"""Words with which rows are drawn by their weights: for each source in turn one for each of its rows."""
ORDER_STREAM = 4
"""Words whose order is that of the items of an epoch; their key has index 0."""
MIXED_STREAMS = 5, 6
"""Words whose order is that of labelled and of pseudo-labelled items of an epoch; the index counts the rounds."""

PhiloxWords: TypeAlias = "Callable[[tuple[int, int], tuple[int, int, int, int], int], NDArray[np.uint64]]"

__all__ = ["Key", "Rng", "below", "gaussian_weights", "generator", "resolve", "uniform", "words"]

_WORD = 2**64


@dataclass(frozen=True)
class Key:
    """Place of the words of one draw: a Philox key, and the upper half of its counter."""

    key: tuple[int, int]
    index: int
    stream: int = 0

    def counter(self, stream: int, low: int = 0) -> tuple[int, int, int, int]:
        """The counter at the start of a stream."""
        return 0, low, self.index, (self.stream + stream) % _WORD


def resolve(rng: Rng) -> Key:
    """The key that `rng` names.

    Parameters
    ----------
    rng : None, int, sequence of 1 to 3 ints, or numpy.random.Generator
        ``seed``, ``(seed, epoch)`` or ``(seed, epoch, index)``, missing ones being 0, each below 2^64. A
        generator gives four of its 64-bit words, and so moves on. None takes entropy from the system.

    Examples
    --------
    >>> resolve((1, 2, 3))
    Key(key=(1, 2), index=3, stream=0)
    """
    if type(rng) is tuple and len(rng) == 3 and _checks.are_words(rng):
        seed, epoch, index = cast("tuple[int, int, int]", rng)  # what a data loader gives, for each image
        return Key((seed, epoch), index)
    if rng is None:
        words = np.frombuffer(os.urandom(32), np.uint64).tolist()
        return Key((words[0], words[1]), words[2], words[3])
    if isinstance(rng, np.random.Generator):
        if isinstance(rng.bit_generator, np.random.MT19937):
            raise wrong("rng", "a generator of 64-bit words, such as numpy.random.default_rng() makes", "MT19937")
        words = [int(word) for word in rng.bit_generator.random_raw(4)]
        return Key((words[0], words[1]), words[2], words[3])
    if isinstance(rng, Sequence | np.ndarray) and not isinstance(rng, str | bytes) and getattr(rng, "ndim", 1) == 1:
        parts: list[Any] = list(rng)
        if not 1 <= len(parts) <= 3:
            raise wrong("rng", "one to three integers", str(len(parts)))
        places: list[_checks.Place] = [item("rng", i) for i in range(len(parts))]
    else:
        parts, places = [rng], ["rng"]
    try:
        values = [_checks.integer(place, part, 0, _WORD - 1) for place, part in zip(places, parts, strict=True)]
    except ArgumentTypeError as error:
        if error.index is not None:
            raise
        raise wrong_type("rng", "None, integers or a numpy.random.Generator", error.got) from None
    seed, epoch, index = (*values, 0, 0)[:3]
    return Key((seed, epoch), index)


def words(philox_words: PhiloxWords, key: Key, stream: int, n: int) -> list[int]:
    """The first n words of a stream, as ints below 2^64; `philox_words` is that of a backend."""
    drawn: list[int] = philox_words(key.key, key.counter(stream), n).tolist()
    return drawn


def generator(key: Key, source: int) -> np.random.Generator:
    """A generator for the user's own draws, apart from all words the library uses."""
    counter = np.array(key.counter(CALLABLE_STREAM, low=source), np.uint64)
    return np.random.Generator(np.random.Philox(key=np.array(key.key, np.uint64), counter=counter))


def uniform(word: int) -> float:
    """The word as a number in [0, 1), on a grid of 2^-53."""
    return (word >> 11) * 2.0**-53


def below(word: int, n: int) -> int:
    """The word as an integer in 0..n-1."""
    return (word * n) >> 64

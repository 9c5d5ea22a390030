"""Batches of two kinds of items, labelled and pseudo-labelled, whose epoch travels with the index."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.epoch_passes import MAX_WORD, EpochPasses
from copypaste_rs.functional import philox_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sized

    from numpy.typing import NDArray

_MOST = 2**31 - 1


@final
class MixedBatchSampler(EpochPasses[list[tuple[int, ...]]]):
    """Batches of labelled and pseudo-labelled items of a `MixedDataset`, with a fixed share of each.

    A batch is a list of pairs ``(epoch, index)``, labelled ones first, as a data loader takes them for its
    ``batch_sampler``. An item that comes again in an epoch is ``(epoch, index, k)`` the k-th time after the first, and
    drawn anew. Each batch has ``floor(batch_size * share + 0.5)`` labelled items and is full. A pass is an
    epoch, and goes once through the set that needs more batches: each of its items comes once, but for those that fill
    up the last batch. The other set begins anew, in another order, as often as it has to. The order is a function of
    seed, epoch and lengths, on every machine.

    Parameters
    ----------
    labelled, pseudo : sized
        The two data sets; indices of `pseudo` come after those of `labelled`, as in `MixedDataset`.
    batch_size : int
        Items of a batch, on each rank.
    share : float
        Share of the labelled items in a batch, 0 to 1. The paper has half of each batch labelled.
    seed : int
        Seed of the order, 0 to 2^64 - 1.
    num_batches : int, optional
        Batches of an epoch, on each rank, in the place of those that the definition above gives.
    rank, num_ranks : int, optional
        Which of how many processes this one is, in distributed training: together they go through an epoch, each
        with batches of its own, as many as the others. None asks ``torch.distributed``, where that is initialised;
        nothing of torch is imported for that.

    Raises
    ------
    ValueError, TypeError
        When an argument has a wrong value or type; when a batch would have no item of a set whose share is not 0, or
        that set has no items.

    Notes
    -----
    Nobody has to call `set_epoch`: passes are counted as they are begun. `state_dict` says where the pass is, in
    batches, and `load_state_dict` goes on there, as with `copypaste_rs.integrations.torch.EpochSampler`.

    Libraries that share batches out among ranks by themselves get ``rank=0, num_ranks=1``.

    Examples
    --------
    >>> sampler = MixedBatchSampler(range(2), range(6), 3, share=1 / 3, seed=1)
    >>> list(sampler)
    [[(0, 0), (0, 5), (0, 2)], [(0, 1), (0, 7), (0, 6)], [(0, 0, 1), (0, 3), (0, 4)]]
    >>> next(iter(sampler))
    [(1, 1), (1, 6), (1, 7)]
    """

    def __init__(
        self,
        labelled: Sized,
        pseudo: Sized,
        batch_size: SupportsIndex,
        *,
        share: SupportsFloat = 0.5,
        seed: SupportsIndex = 0,
        num_batches: SupportsIndex | None = None,
        rank: SupportsIndex | None = None,
        num_ranks: SupportsIndex | None = None,
    ) -> None:
        super().__init__()
        lengths = []
        for name, each in (("labelled", labelled), ("pseudo", pseudo)):
            if not hasattr(each, "__len__"):
                raise wrong_type(name, "a data set, which has a length", type(each).__name__)
            lengths.append(len(each))
        self._lengths = lengths
        size = _checks.integer("batch_size", batch_size, 1, _MOST)
        part = _checks.real("share", share, 0.0, 1.0)
        first = math.floor(size * part + 0.5)
        self._counts = [first, size - first]
        if 0 < part < 1 and 0 in self._counts:
            of = "labelled" if first == 0 else "pseudo-labelled"
            raise wrong("share", f"a share by which a batch of {size} has items of both kinds", f"{part:g}, none {of}")
        for name, n, count in zip(("labelled", "pseudo"), lengths, self._counts, strict=True):
            if count and not n:
                raise wrong(name, f"items, of which each batch has {count}", "a data set without any")
        self._seed = _checks.integer("seed", seed, 0, MAX_WORD)
        self._rank, self._ranks = _checked_ranks(rank, num_ranks)
        needed = [
            -(-n // (count * self._ranks)) if count else 0
            for n, count in zip(lengths, self._counts, strict=True)
        ]  # fmt: skip
        self._batches = max(needed) if num_batches is None else _checks.integer("num_batches", num_batches, 1, _MOST)

    def __len__(self) -> int:
        """Number of batches of a whole pass, on this rank."""
        return self._batches

    def _from(self, epoch: int, position: int) -> Iterator[list[tuple[int, ...]]]:
        kinds = [
            _Shuffled((self._seed, epoch), stream, n)
            for stream, n in zip(draws.MIXED_STREAMS, self._lengths, strict=True)
        ]
        firsts = 0, self._lengths[0]
        for batch in range(position, self._batches):
            pairs: list[tuple[int, ...]] = []
            for kind, first, count in zip(kinds, firsts, self._counts, strict=True):
                start = (batch * self._ranks + self._rank) * count
                for place in range(start, start + count):
                    index, times = kind.index(place)
                    pairs.append((epoch, first + index, times) if times else (epoch, first + index))
            yield pairs

    def __repr__(self) -> str:
        (labelled, pseudo), (n, m) = self._counts, self._lengths
        ranks = f", rank {self._rank} of {self._ranks}" if self._ranks > 1 else ""
        return (
            f"MixedBatchSampler({len(self)} batches of {labelled} of {n} and {pseudo} of {m}, seed={self._seed}{ranks})"
        )


class _Shuffled:
    """Indices of a set in random order, round after round, each in an order of its own."""

    def __init__(self, key: tuple[int, int], stream: int, n: int) -> None:
        self._key, self._stream, self._n = key, stream, n
        self._round = -1
        self._order: NDArray[np.int64] = np.zeros(0, np.int64)

    def index(self, place: int) -> tuple[int, int]:
        """The index at a place, counted from 0 through all rounds, and its round; places are asked for in order."""
        number, within = divmod(place, self._n)
        if number != self._round:
            key = draws.resolve((*self._key, number))
            found = philox_words(key.key, key.counter(self._stream), self._n)
            self._round, self._order = number, np.argsort(found, kind="stable")
        return int(self._order[within]), number


def _checked_ranks(rank: SupportsIndex | None, num_ranks: SupportsIndex | None) -> tuple[int, int]:
    if (rank is None) != (num_ranks is None):
        given, other = ("num_ranks", "rank") if rank is None else ("rank", "num_ranks")
        raise wrong(other, f"a number, as {given} is given", "None")
    if rank is None or num_ranks is None:
        distributed = sys.modules.get("torch.distributed")  # somebody who has initialised it has imported it
        if distributed is None or not (distributed.is_available() and distributed.is_initialized()):
            return 0, 1
        rank, num_ranks = distributed.get_rank(), distributed.get_world_size()
    ranks = _checks.integer("num_ranks", num_ranks, 1, _MOST)
    return _checks.integer("rank", rank, 0, ranks - 1), ranks

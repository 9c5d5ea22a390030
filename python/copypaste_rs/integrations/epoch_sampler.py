"""Samplers whose indices have their epoch with them; nothing of torch is needed."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Protocol, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong_type
from copypaste_rs.datasets.epoch_passes import MAX_WORD, EpochPasses
from copypaste_rs.functional import philox_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sized


class Indices(Protocol):
    """Sampler of indices: can be gone through, again and again, and has a length."""

    def __iter__(self) -> Iterator[SupportsIndex]: ...

    def __len__(self) -> int: ...


@final
class EpochSampler(EpochPasses[tuple[int, int]]):
    """Pairs of epoch and index: with them a `CopyPasteDataset` needs no `set_epoch`.

    A pass is an epoch: the sampler counts those that were begun, from 0 on. Each index comes as ``(epoch, index)``,
    which the data set takes; so the number is right in every worker, however far it reads ahead, and whoever drives the
    loop.

    Parameters
    ----------
    sampler : sampler of int, optional
        What gives the indices of a pass: any that a data loader takes, such as a ``DistributedSampler``. Where it has a
        `set_epoch`, that is called with the number at the start of each pass.
    dataset : sized, optional
        A data set, in the place of `sampler`: each pass is all of its indices.
    shuffle : bool
        Whether the indices of `dataset` come in another order in each epoch. A `sampler` has an order of its own.
    seed : int
        Seed of that order, 0 to 2^64 - 1: it is a function of seed, epoch and length, on every machine.

    Raises
    ------
    TypeError
        When neither or both of `sampler` and `dataset` are given, or they are no such things; while iterating, when
        `sampler` gives something other than indices.

    Notes
    -----
    `state_dict` says where the pass is, and `load_state_dict` goes on there; torchdata's ``StatefulDataLoader`` calls
    both, and knows which items have arrived. A data loader of torch itself has read ahead when it is asked: note what
    was trained on, and load ``{"epoch": epoch, "position": batches * batch_size}``, or ``{"epoch": epoch + 1,
    "position": 0}`` after the last batch, which may be a smaller one. The order of what follows is the same where
    `dataset` was given, or where `sampler` gives the same order for the same epoch.

    For a part of a data set wrap a sampler of its indices, such as ``SubsetRandomSampler``: what torch's ``Subset`` and
    ``ConcatDataset`` hide takes no pairs. A ``BatchSampler`` goes around this sampler.

    In distributed training each rank wraps its own ``DistributedSampler``: all ranks together see each item once in an
    epoch, but for those with which that sampler evens out the ranks.

    Examples
    --------
    >>> sampler = EpochSampler(dataset=range(3), seed=1)
    >>> list(sampler), list(sampler)
    ([(0, 2), (0, 1), (0, 0)], [(1, 1), (1, 2), (1, 0)])
    >>> sampler.set_epoch(0)
    >>> list(sampler)
    [(0, 2), (0, 1), (0, 0)]
    >>> sampler.load_state_dict({"epoch": 0, "position": 2})
    >>> list(sampler)
    [(0, 0)]
    """

    def __init__(
        self,
        sampler: Indices | None = None,
        dataset: Sized | None = None,
        shuffle: bool = True,
        seed: SupportsIndex = 0,
    ) -> None:
        super().__init__()
        if (sampler is None) == (dataset is None):
            given = "none" if sampler is None else "both"
            raise wrong_type("sampler", "a sampler of indices, or a data set as dataset=", given)
        if sampler is not None and (not hasattr(sampler, "__iter__") or isinstance(sampler, Iterator)):
            # A data set has no `__iter__` of its own; an iterator is used up after one pass.
            raise wrong_type("sampler", "a sampler of indices (dataset= takes a data set)", type(sampler).__name__)
        if isinstance(sampler, EpochPasses):
            expected = (
                "a sampler without epochs of its own (a MixedBatchSampler is the batch_sampler= of a data loader)"
            )
            raise wrong_type("sampler", expected, type(sampler).__name__)
        if dataset is not None and not hasattr(dataset, "__len__"):
            raise wrong_type("dataset", "a data set, which has a length", type(dataset).__name__)
        self._sampler = sampler
        self._dataset = dataset
        self._shuffle = _checks.flag("shuffle", shuffle)
        self._seed = _checks.integer("seed", seed, 0, MAX_WORD)

    def __len__(self) -> int:
        """Number of indices of a whole pass."""
        return len(self._dataset if self._sampler is None else self._sampler)  # type: ignore[arg-type]  # one is there

    def _from(self, epoch: int, position: int) -> Iterator[tuple[int, int]]:
        return map(functools.partial(_pair, epoch), islice(self._order(epoch), position, None))

    def _order(self, epoch: int) -> Iterable[SupportsIndex]:
        """Indices of an epoch."""
        if self._sampler is not None:
            if hasattr(self._sampler, "set_epoch"):
                self._sampler.set_epoch(epoch)
            return self._sampler
        n = len(self)
        if not self._shuffle:
            return range(n)
        key = draws.resolve((self._seed, epoch))
        order: list[int] = np.argsort(philox_words(key.key, key.counter(draws.ORDER_STREAM), n), kind="stable").tolist()
        return order

    def __repr__(self) -> str:
        what = f"dataset of {len(self)}, shuffle={self._shuffle}, seed={self._seed}"
        return f"EpochSampler({repr(self._sampler) if self._sampler is not None else what})"


def _pair(epoch: int, index: SupportsIndex) -> tuple[int, int]:
    try:
        return epoch, operator.index(index)
    except TypeError:
        expected = "a sampler of indices (of a batch sampler, the sampler in it)"
        raise wrong_type("sampler", expected, f"one of {type(index).__name__}") from None

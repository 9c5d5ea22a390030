"""Samplers whose indices have their epoch with them; nothing of torch is needed."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.functional import philox_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sized

    from typing_extensions import Self

_MAX_WORD = 2**64 - 1


class Indices(Protocol):
    """Sampler of indices: can be gone through, again and again, and has a length."""

    def __iter__(self) -> Iterator[SupportsIndex]: ...

    def __len__(self) -> int: ...


@final
class EpochSampler:
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
    was trained on, and load ``{"epoch": epoch, "position": batches * batch_size}``. The order of what follows is the
    same where `dataset` was given, or where `sampler` gives the same order for the same epoch.

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
        if (sampler is None) == (dataset is None):
            given = "none" if sampler is None else "both"
            raise wrong_type("sampler", "a sampler of indices, or a data set as dataset=", given)
        if sampler is not None and (not hasattr(sampler, "__iter__") or isinstance(sampler, Iterator)):
            # A data set has no `__iter__` of its own; an iterator is used up after one pass.
            raise wrong_type("sampler", "a sampler of indices (dataset= takes a data set)", type(sampler).__name__)
        if dataset is not None and not hasattr(dataset, "__len__"):
            raise wrong_type("dataset", "a data set, which has a length", type(dataset).__name__)
        self._sampler = sampler
        self._dataset = dataset
        self._shuffle = _checks.flag("shuffle", shuffle)
        self._seed = _checks.integer("seed", seed, 0, _MAX_WORD)
        self._next = (0, 0)  # epoch and position with which the next pass begins
        self._current: EpochPass | None = None

    def set_epoch(self, epoch: SupportsIndex) -> None:
        """Say which epoch the next pass is, 0 to 2^64 - 1; those after it are counted on from there.

        Nothing has to call it. After `load_state_dict` the epoch that was loaded goes on where it was.
        """
        number = _checks.integer("epoch", epoch, 0, _MAX_WORD)
        if number != self._next[0]:
            self._next = (number, 0)
        self._current = None

    def __len__(self) -> int:
        """Number of indices of a whole pass."""
        return len(self._dataset if self._sampler is None else self._sampler)  # type: ignore[arg-type]  # one is there

    def __iter__(self) -> EpochPass:
        """One pass; its epoch is counted when the first pair is asked for, not before."""
        return EpochPass(self)

    def state_dict(self) -> dict[str, int]:
        """Epoch of the pass that was begun last, and how many of its pairs were given; after its end, the next one."""
        epoch, position = self._next if self._current is None else self._current.place
        return {"epoch": epoch, "position": position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after that number of pairs of that epoch, with the next pass.

        Raises
        ------
        ValueError, TypeError
            When `state` does not hold them, or the epoch has fewer pairs.
        """
        self._next, self._current = self._checked(state), None

    def _checked(self, state: Mapping[str, Any]) -> tuple[int, int]:
        if not isinstance(state, Mapping):
            raise wrong_type("state", "a mapping with epoch and position", type(state).__name__)
        if absent := [name for name in ("epoch", "position") if name not in state]:
            raise wrong("state", "a mapping with epoch and position", f"one without {absent[0]}")
        epoch = _checks.integer(("state", "epoch"), state["epoch"], 0, _MAX_WORD)
        return epoch, _checks.integer(("state", "position"), state["position"], 0, len(self))

    def __getstate__(self) -> dict[str, Any]:
        # A copy goes on where this one is, with a pass of its own.
        return {**vars(self), "_next": tuple(self.state_dict().values()), "_current": None}

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


@final
class EpochPass(Iterator[tuple[int, int]]):
    """One pass of an `EpochSampler`.

    Parameters
    ----------
    sampler : EpochSampler
        The sampler that is gone through.
    """

    def __init__(self, sampler: EpochSampler) -> None:
        self._sampler = sampler
        self._begin: tuple[int, int] | None = None  # None: where the sampler says, once the first pair is asked for
        self._given = 0
        self._indices: Iterator[SupportsIndex] | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Epoch, and how many of its pairs were given, those before a resumption included."""
        epoch, position = self._sampler._next if self._begin is None else self._begin
        return epoch, position + self._given

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[int, int]:
        # Data loaders make iterators that they never ask: only what was asked counts as a pass.
        if self._indices is None:
            if self._begin is None:
                self._take(self._sampler._next)
            epoch, position = self.place
            self._indices = islice(self._sampler._order(epoch), position, None)
        try:
            index = next(self._indices)
        except StopIteration:
            if self._sampler._current is self:
                self._sampler._current = None
            raise
        try:
            pair = self.place[0], operator.index(index)
        except TypeError:
            expected = "a sampler of indices (of a batch sampler, the sampler in it)"
            raise wrong_type("sampler", expected, f"one of {type(index).__name__}") from None
        self._given += 1
        return pair

    def _take(self, begin: tuple[int, int]) -> None:
        self._begin = begin
        self._sampler._next = (begin[0] + 1) % (_MAX_WORD + 1), 0
        self._sampler._current = self

    def state_dict(self) -> dict[str, int]:
        """State of the pass, as that of its sampler."""
        epoch, position = self.place
        return {"epoch": epoch, "position": position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Be the rest of another pass; the next one of the sampler is the epoch after it."""
        self._indices, self._given = None, 0
        self._take(self._sampler._checked(state))

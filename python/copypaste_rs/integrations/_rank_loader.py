"""Loaders of Lightning's kind: one process's part of each epoch, and a pass that goes on in its middle."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader, DistributedSampler

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.datasets.epoch_passes import EpochPasses
from copypaste_rs.integrations.epoch_sampler import EpochSampler

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sized


class RankSampler(EpochPasses[tuple[int, ...]], DistributedSampler):  # type: ignore[misc]  # a class without types
    """Pairs of epoch and index for one of several processes; all together they have each item of an epoch.

    Lightning puts a sampler around each that is no ``DistributedSampler``, and does not hand it the epoch; this one is
    left as it is. Items of an epoch come in one order, of which each process takes every `num_replicas`-th: a step of
    all together has the items that a step of one process with so many times its batch has. Where the number of items
    does not suit, the first of the order come again at the end, as ``(epoch, index, 1)``, drawn anew.

    Parameters
    ----------
    dataset : sized
        The data set, which takes such pairs.
    num_replicas, rank : int
        Number of the processes, and which of them this is.
    shuffle, seed
        As `EpochSampler` takes them.
    multiple : int
        What the number of items of each process is a multiple of.
    least : int
        Items of an epoch at least, those of all processes counted.
    """

    def __init__(
        self,
        dataset: Sized,
        *,
        num_replicas: int = 1,
        rank: int = 0,
        shuffle: bool = True,
        seed: int = 0,
        multiple: int = 1,
        least: int = 0,
    ) -> None:
        EpochPasses.__init__(self)
        self._items = EpochSampler(dataset=dataset, shuffle=shuffle, seed=seed)
        DistributedSampler.__init__(self, dataset, num_replicas, rank, shuffle=shuffle)
        unit, n = num_replicas * multiple, len(self._items)
        self.num_samples = -(-max(n, least) // unit) * multiple if n else 0
        self.total_size = self.num_samples * num_replicas

    def __len__(self) -> int:
        return self.num_samples

    @property
    def items(self) -> int:
        """Number of items of the data set."""
        return len(self._items)

    def _from(self, epoch: int, position: int) -> Iterator[tuple[int, ...]]:
        order = list(self._items._from(epoch, 0))
        for place in range(self.rank + position * self.num_replicas, self.total_size, self.num_replicas):
            again, i = divmod(place, len(order))
            yield (*order[i], again) if again else order[i]


class ResumableLoader(DataLoader):  # type: ignore[misc]  # a class without types
    """A data loader around a `RankSampler` that knows which batches were taken, and goes on after them.

    ``state_dict`` counts what the loop was given, however far workers have read ahead: items of all processes, so that
    a run goes on with another number of them.
    """

    _taken: tuple[int, int] | None = None  # epoch and position of the pass that was begun last

    def __iter__(self) -> Any:
        # The sampler is asked at the first batch: loops make the iterator, and then say which epoch it is.
        return self._batches() if isinstance(self.sampler, RankSampler) else super().__iter__()

    def _batches(self) -> Iterator[Any]:
        epoch, position = self.sampler._next
        self._taken = epoch, position
        for batch in super().__iter__():
            position = min(position + self.batch_size, len(self.sampler))
            self._taken = epoch, position
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Epoch, the number of items of it that all processes were given, and how many the data set has."""
        if not isinstance(self.sampler, RankSampler):
            return {}
        epoch, position = self.sampler._next if self._taken is None else self._taken
        return {"epoch": epoch, "items": position * self.sampler.num_replicas, "of": self.sampler.items}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after these items; after the last one, with the next epoch.

        Warns
        -----
        UserWarning
            When the data set has another number of items than that of the state: the order is another one then.
        """
        if not isinstance(self.sampler, RankSampler) or not state:
            return
        if absent := [name for name in ("epoch", "items") if name not in state]:
            raise wrong("state", "a mapping with epoch and items", f"one without {absent[0]}")
        items = _checks.integer(("state", "items"), state["items"], 0, 2**63 - 1)
        if (of := state.get("of", self.sampler.items)) != self.sampler.items:
            warnings.warn(
                f"state: of a data set of {of} items, and this one has {self.sampler.items}, in another order: what is "
                "left of the epoch has items that came before, and lacks others",
                UserWarning,
                stacklevel=2,
            )
        position = items // self.sampler.num_replicas
        ended = position >= len(self.sampler)
        place = {"epoch": state["epoch"] + ended, "position": 0 if ended else position}
        self.sampler.load_state_dict(place)
        self._taken = None


def ranks(trainer: Any) -> dict[str, Any]:
    """Number of processes that share the data of a trainer of Lightning, and which of them this is."""
    given = getattr(trainer, "distributed_sampler_kwargs", None) or {"num_replicas": 1, "rank": 0}
    return {name: int(given[name]) for name in ("num_replicas", "rank")}

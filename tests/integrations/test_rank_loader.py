"""Loaders of one of several processes: who has which items, and where a pass goes on."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import pytest

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.photos import photo
from tests.fixtures.tensors import REASON

torch = pytest.importorskip("torch", reason=REASON)

from torch.utils.data import DistributedSampler, SequentialSampler  # noqa: E402

from copypaste_rs.integrations._rank_loader import RankSampler, ResumableLoader, ranks  # noqa: E402
from copypaste_rs.integrations.torch import EpochSampler  # noqa: E402


class Keys:
    """What the sampler gave, as the items."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: Any) -> Any:
        return index


def as_they_are(items: Any) -> Any:
    return items


@pytest.mark.parametrize("n", [1, 5, 6, 13])
@pytest.mark.parametrize("replicas", [1, 2, 3])
@pytest.mark.parametrize(("multiple", "least"), [(1, 0), (4, 0), (1, 20), (2, 7)])
def test_all_processes_together_have_each_item(n: int, replicas: int, multiple: int, least: int) -> None:
    made = [
        RankSampler(range(n), num_replicas=replicas, rank=rank, seed=3, multiple=multiple, least=least)
        for rank in range(replicas)
    ]
    truth = EpochSampler(dataset=range(n), seed=3)
    assert isinstance(made[0], DistributedSampler)
    for epoch in range(3):
        order = [index for _, index in truth]
        parts = [list(each) for each in made]
        length = len(parts[0])
        assert {len(part) for part in parts} == {len(each) for each in made} == {length}
        assert length % multiple == 0
        assert length * replicas >= max(n, least)
        assert (length - multiple) * replicas < max(n, least)
        assert {pair[0] for part in parts for pair in part} == {epoch}
        # Step by step all processes together go through the order, and once more from its start.
        together = [pair for step in zip(*parts, strict=True) for pair in step]
        assert [pair[1] for pair in together] == list(itertools.islice(itertools.cycle(order), len(together)))
        assert len(set(together)) == len(together), "an item that comes again is another one"
        assert [pair[2:] for pair in together[:n]] == [()] * n


def test_an_empty_data_set_has_no_items() -> None:
    assert list(RankSampler(range(0), num_replicas=2, least=9)) == []


def test_the_data_set_draws_items_that_come_again_anew() -> None:
    train = CopyPasteDataset([photo(0), photo(1)], SimpleCopyPaste(size=24, target_scale=(0.5, 1.5)))
    items = [train[pair] for pair in RankSampler(train, least=6)]
    assert len(items) == 6
    assert all(items[0] != items[i] for i in (2, 4))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [0, 1, 2, 4])
@pytest.mark.usefixtures("crowded_loaders")
def test_a_pass_goes_on_after_what_was_taken(workers: int, taken: int) -> None:
    def loader() -> ResumableLoader:
        sampler = RankSampler(range(17), num_replicas=2, rank=1, seed=1)
        return ResumableLoader(
            Keys(17), 2, sampler=sampler, collate_fn=as_they_are, num_workers=workers, persistent_workers=workers > 0
        )

    whole = loader()
    epochs = [list(whole) for _ in range(4)]
    assert all(len(each) == 5 for each in epochs)
    first = loader()
    list(first)
    first.sampler.set_epoch(1)
    begun = iter(first)
    assert list(itertools.islice(begun, taken)) == epochs[1][:taken]  # workers have read ahead
    state = first.state_dict()
    assert state == ({"epoch": 1, "items": 4 * taken} if taken else {"epoch": 0, "items": 18}) | {"of": 17}
    again = loader()
    again.load_state_dict(state)
    assert again.state_dict() == {"epoch": 1, "items": 4 * taken, "of": 17}
    rest = iter(again)
    again.sampler.set_epoch(1)  # as Lightning does, when the iterator is there already
    assert [list(rest), *(list(again) for _ in range(2))] == [epochs[1][taken:], *epochs[2:]]


def test_the_end_of_a_pass_is_the_start_of_the_next() -> None:
    first = ResumableLoader(Keys(5), 2, sampler=RankSampler(range(5)), collate_fn=as_they_are)
    list(first)
    assert first.state_dict() == {"epoch": 0, "items": 5, "of": 5}
    again = ResumableLoader(Keys(5), 2, sampler=RankSampler(range(5)), collate_fn=as_they_are)
    again.load_state_dict(first.state_dict())
    assert list(again) == list(first)


def test_it_goes_on_with_another_number_of_processes() -> None:
    one = ResumableLoader(Keys(16), 4, sampler=RankSampler(range(16)), collate_fn=as_they_are)
    batches = iter(one)
    next(batches)
    state = one.state_dict()
    two = [
        ResumableLoader(Keys(16), 2, sampler=RankSampler(range(16), num_replicas=2, rank=rank), collate_fn=as_they_are)
        for rank in range(2)
    ]
    for each in two:
        each.load_state_dict(state)
    for batch, *parts in zip(batches, *two, strict=True):
        assert batch == [pair for step in zip(*parts, strict=True) for pair in step]


def test_a_state_of_another_data_set_is_told_of() -> None:
    first = ResumableLoader(Keys(5), 2, sampler=RankSampler(range(5)), collate_fn=as_they_are)
    next(iter(first))
    other = ResumableLoader(Keys(8), 2, sampler=RankSampler(range(8)), collate_fn=as_they_are)
    with pytest.warns(UserWarning, match=r"^state: of a data set of 5 items, and this one has 8, in another order"):
        other.load_state_dict(first.state_dict())
    assert [len(batch) for batch in other] == [2, 2, 2]
    other.load_state_dict({"epoch": 0, "items": 2})  # as it was before states said so


def test_other_samplers_are_left_as_they_are() -> None:
    plain = ResumableLoader(Keys(3), 2, sampler=SequentialSampler(range(3)), collate_fn=as_they_are)
    assert list(plain) == [[0, 1], [2]]
    assert plain.state_dict() == {}
    plain.load_state_dict({})
    sampler = RankSampler(range(5))
    copied = pickle.loads(pickle.dumps(sampler))
    assert list(copied) == list(sampler)
    ours = ResumableLoader(Keys(5), 2, sampler=sampler, collate_fn=as_they_are)
    with pytest.raises(ArgumentError, match=r"^state: expected a mapping with epoch and items, got one without items$"):
        ours.load_state_dict({"epoch": 1})
    with pytest.raises(ArgumentTypeError, match=r"^state\['items'\]: expected an integer"):
        ours.load_state_dict({"epoch": 1, "items": "2"})


def test_ranks_of_trainers() -> None:
    class Trainer:
        distributed_sampler_kwargs: Any = None

    assert ranks(None) == ranks(Trainer()) == {"num_replicas": 1, "rank": 0}
    trainer = Trainer()
    trainer.distributed_sampler_kwargs = {"num_replicas": 4, "rank": 3}
    assert ranks(trainer) == {"num_replicas": 4, "rank": 3}

"""EpochSampler: epochs that travel with the index; nothing of torch is needed here."""

from __future__ import annotations

import itertools
import pickle
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, MixedBatchSampler
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.integrations.epoch_sampler import EpochSampler
from tests.fixtures.philox import words
from tests.fixtures.photos import photo
from tests.fixtures.processes import python

PHOTOS = [photo(number) for number in range(5)]
TRANSFORM = SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), source_scale=(0.5, 1.5))


class Ranked:
    """Every other index, from another start in each epoch; notes which epochs it was told."""

    def __init__(self, n: int) -> None:
        self.n, self.epoch = n, -1
        self.told: list[int] = []

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.told.append(epoch)

    def __iter__(self) -> Iterator[int]:
        return iter([(i + self.epoch) % self.n for i in range(0, self.n, 2)])

    def __len__(self) -> int:
        return (self.n + 1) // 2


@pytest.mark.parametrize("n", [0, 1, 2, 50])
@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_the_order_is_that_of_random_words(n: int, seed: int) -> None:
    sampler = EpochSampler(dataset=range(n), seed=seed)
    for epoch in range(3):
        drawn = words((seed, epoch, 0), 4, n) if n else []
        assert list(sampler) == [(epoch, i) for i in sorted(range(n), key=drawn.__getitem__)]
    assert len(sampler) == n


def test_orders_are_as_likely_as_each_other() -> None:
    sampler = EpochSampler(dataset=range(3))
    counts = dict.fromkeys(itertools.permutations(range(3)), 0)
    for _ in range(6000):
        counts[tuple(index for _, index in sampler)] += 1
    assert all(850 < count < 1150 for count in counts.values())  # 5 standard deviations


def test_each_pass_is_an_epoch() -> None:
    sampler = EpochSampler(dataset=range(4), shuffle=False)
    assert [list(sampler) for _ in range(2)] == [[(e, i) for i in range(4)] for e in range(2)]
    assert list(itertools.islice(sampler, 2)) == [(2, 0), (2, 1)]  # left in the middle, it counts
    iter(sampler)  # never asked, it does not
    assert next(iter(sampler)) == (3, 0)
    sampler.set_epoch(np.int64(9))
    assert [next(iter(sampler))[0] for _ in range(2)] == [9, 10]


def test_a_sampler_is_told_the_epoch() -> None:
    inner = Ranked(5)
    sampler = EpochSampler(inner)
    assert len(sampler) == 3
    assert list(sampler) == [(0, 0), (0, 2), (0, 4)]
    assert list(sampler) == [(1, 1), (1, 3), (1, 0)]
    sampler.set_epoch(7)
    assert list(sampler) == [(7, 2), (7, 4), (7, 1)]
    assert inner.told == [0, 1, 7]
    assert list(EpochSampler([3, 1])) == [(0, 3), (0, 1)]  # what a data loader takes too
    assert list(EpochSampler(np.array([3, 1]))) == [(0, 3), (0, 1)]


@pytest.mark.parametrize("make", [lambda: EpochSampler(dataset=range(7), seed=3), lambda: EpochSampler(Ranked(13))])
@pytest.mark.parametrize("taken", [0, 1, 4, 6, 7])
def test_a_pass_goes_on_where_it_was(make: Any, taken: int) -> None:
    whole = make()
    epochs = [list(whole) for _ in range(4)]
    first = make()
    list(first)
    begun = iter(first)
    assert list(itertools.islice(begun, taken)) == epochs[1][:taken]
    state = first.state_dict()
    assert state == {"epoch": 1, "position": taken}
    again = make()
    again.load_state_dict(state)
    assert again.state_dict() == state
    assert [list(again) for _ in range(3)] == [epochs[1][taken:], epochs[2], epochs[3]]
    # Loops that call `set_epoch` do so with the epoch that goes on.
    again.load_state_dict(state)
    again.set_epoch(1)
    assert list(again) == epochs[1][taken:]
    again.load_state_dict(state)
    again.set_epoch(2)
    assert list(again) == epochs[2]
    # A pass has a state of its own, and its sampler then goes on with the next epoch.
    again.load_state_dict({"epoch": 0, "position": 3})
    rest = iter(again)
    rest.load_state_dict(begun.state_dict())
    assert rest.state_dict() == again.state_dict() == state
    assert [list(rest), list(again)] == [epochs[1][taken:], epochs[2]]
    copied = pickle.loads(pickle.dumps(first))
    assert [list(copied), list(copied)] == [epochs[1][taken:], epochs[2]]
    assert list(begun) == epochs[1][taken:]  # which the copy left alone
    assert first.state_dict() == {"epoch": 2, "position": 0}


def test_two_passes_at_once_are_two_epochs() -> None:
    sampler = EpochSampler(dataset=range(2), shuffle=False)
    assert list(zip(sampler, sampler, strict=True)) == [((0, 0), (1, 0)), ((0, 1), (1, 1))]


def test_the_data_set_takes_the_pairs() -> None:
    told, train = CopyPasteDataset(PHOTOS, TRANSFORM, seed=4), CopyPasteDataset(PHOTOS, TRANSFORM, seed=4)
    sampler = EpochSampler(dataset=train, seed=1)
    for epoch in range(3):
        told.set_epoch(epoch)
        for pair in sampler:
            assert pair[0] == epoch
            assert train[pair] == told[pair[1]]
            assert train.key(pair) == told.key(pair[1]) == (4, epoch, pair[1])
            assert train.inputs(pair) == told.inputs(pair[1])
    assert train.epoch == 0
    assert train[np.int64(2), -1] == told[4]


def test_the_epoch_of_the_index_wins_with_one_warning() -> None:
    train, truth = CopyPasteDataset(PHOTOS, TRANSFORM), CopyPasteDataset(PHOTOS, TRANSFORM)
    truth.set_epoch(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert train[3, 1] == truth[1]  # nobody said another
        train.set_epoch(3)
        assert train[3, 1] == truth[1]
    train.set_epoch(5)
    with pytest.warns(
        UserWarning, match=r"^index: its epoch 3 is taken, where set_epoch of the data set said 5; "
    ) as caught:
        items = [train[3, i] for i in range(5)]
    assert len(caught) == 1
    assert items == [truth[i] for i in range(5)]
    copied = pickle.loads(pickle.dumps(train))  # which knows that an epoch was said
    with pytest.warns(UserWarning, match="set_epoch of the data set said 5"):
        copied[2, 0]


@pytest.mark.parametrize(
    "index", [(1,), (1, 2, 3, 4), (1, 2, -1), (1, "2"), ("1", 2), (True, 1), (-1, 0), [1, 2], (0, 5)]
)
def test_other_pairs_are_refused(index: Any) -> None:
    train = CopyPasteDataset(PHOTOS, TRANSFORM)
    with pytest.raises((ArgumentError, ArgumentTypeError, IndexError), match=r"^(index|epoch)"):
        train[index]


def test_a_pair_has_its_epoch_already() -> None:
    with pytest.raises(ArgumentTypeError, match=r"^index: expected an integer, or a pair of epoch and index"):
        CopyPasteDataset(PHOTOS, TRANSFORM).key((1, 2), 3)


def test_errors_say_what_was_expected() -> None:
    train: Any = CopyPasteDataset(PHOTOS, TRANSFORM)
    with pytest.raises(
        ArgumentTypeError, match=r"^sampler: expected a sampler of indices, or a data set .*, got none$"
    ):
        EpochSampler()
    with pytest.raises(ArgumentTypeError, match=r"got both$"):
        EpochSampler(Ranked(3), train)
    with pytest.raises(
        ArgumentTypeError, match=r"^sampler: expected .*dataset= takes a data set.*got CopyPasteDataset$"
    ):
        EpochSampler(train)
    generator: Any = iter([1, 2])
    with pytest.raises(ArgumentTypeError, match=r"^sampler: expected a sampler of indices"):
        EpochSampler(generator)
    number: Any = 3
    with pytest.raises(ArgumentTypeError, match=r"^dataset: expected a data set, which has a length, got int$"):
        EpochSampler(dataset=number)
    with pytest.raises(ArgumentTypeError, match=r"^shuffle: expected True or False, got 3$"):
        EpochSampler(dataset=train, shuffle=number)
    with pytest.raises(ArgumentError, match=r"^seed: expected an integer from 0"):
        EpochSampler(dataset=train, seed=-1)
    batches: Any = [[0, 1], [2]]
    with pytest.raises(
        ArgumentTypeError, match=r"^sampler: expected a sampler of indices \(of a batch .*, got one of list$"
    ):
        next(iter(EpochSampler(batches)))
    for counting in (MixedBatchSampler(range(3), range(3), 2), EpochSampler(dataset=range(3))):
        own: Any = counting
        with pytest.raises(ArgumentTypeError, match=r"^sampler: expected a sampler without epochs of its own .*, got"):
            EpochSampler(own)
    sampler = EpochSampler(dataset=range(3))
    with pytest.raises(
        ArgumentError, match=r"^state: expected a mapping with epoch and position, got one without position"
    ):
        sampler.load_state_dict({"epoch": 1})
    with pytest.raises(ArgumentError, match=r"^state\['position'\]: expected an integer from 0 to 3, got 4$"):
        sampler.load_state_dict({"epoch": 1, "position": 4})
    with pytest.raises(ArgumentTypeError, match=r"^state: expected a mapping"):
        sampler.load_state_dict(number)
    with pytest.raises(ArgumentError, match=r"^epoch: expected an integer from 0"):
        sampler.set_epoch(-1)


def test_needs_numpy_alone() -> None:
    names = "('PIL', 'msgspec', 'simplejpeg', 'torch', 'torchvision')"
    python(f"import sys\nfor name in {names}: sys.modules[name] = None\nimport copypaste_rs.integrations.epoch_sampler")


def test_a_missing_framework_is_named() -> None:
    for module in ("torch", "torchvision"):
        missing = module if find_spec("torch") else "torch"  # which torchvision needs too
        code = (
            f"import sys\nsys.modules[{module!r}] = None\nimport copypaste_rs\n"
            f"try: copypaste_rs.integrations.{module}\nexcept ImportError as error: print(error)"
        )
        assert python(code).stdout.splitlines()[-1] == (
            f"{missing} is not installed; pip install torch torchvision brings what copypaste_rs.integrations needs"
        )

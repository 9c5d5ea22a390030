"""MixedBatchSampler: batches of two sets with a fixed share of each, a function of seed, epoch and rank."""

from __future__ import annotations

import itertools
import pickle
from collections import Counter
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs.datasets import MixedBatchSampler
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.philox import words
from tests.fixtures.processes import python


def order(seed: int, epoch: int, stream: int, n: int, first: int = 0) -> Any:
    """Items of a set, round after round, each sorted by random words of NumPy's own Philox; rounds are counted."""
    for number in itertools.count():
        drawn = words((seed, epoch, number), stream, n)
        for index in sorted(range(n), key=drawn.__getitem__):
            yield (epoch, first + index, number)[: 3 if number else 2]


@given(
    n=st.integers(1, 20),
    m=st.integers(1, 20),
    size=st.integers(2, 9),
    numerator=st.integers(0, 12),
    ranks=st.integers(1, 3),
    seed=st.integers(0, 2**64 - 1),
)
def test_batches_are_those_of_two_shuffled_rows(
    n: int, m: int, size: int, numerator: int, ranks: int, seed: int
) -> None:
    share = Fraction(numerator, 12)
    first = floor(size * share + Fraction(1, 2))
    if 0 < share < 1 and first in (0, size):
        return
    samplers = [
        MixedBatchSampler(range(n), range(m), size, share=float(share), seed=seed, rank=rank, num_ranks=ranks)
        for rank in range(ranks)
    ]
    needed = [ceil(Fraction(k, count * ranks)) for k, count in ((n, first), (m, size - first)) if count]
    for epoch in range(2):
        labelled, pseudo = order(seed, epoch, 5, n), order(seed, epoch, 6, m, n)
        expected = [
            [*itertools.islice(labelled, first), *itertools.islice(pseudo, size - first)]
            for _ in range(max(needed) * ranks)
        ]
        got = [list(sampler) for sampler in samplers]
        assert [batch for each in zip(*got, strict=True) for batch in each] == expected
        assert {len(sampler) for sampler in samplers} == {max(needed)}


def test_an_epoch_goes_once_through_the_set_that_needs_more_batches() -> None:
    sampler = MixedBatchSampler(range(3), range(20), 4)
    assert len(sampler) == 10
    batches = list(sampler)
    assert all(
        len(batch) == 4 and [index < 3 for _, index, *_ in batch] == [True] * 2 + [False] * 2 for batch in batches
    )
    times = Counter(index for batch in batches for _, index, *_ in batch)
    assert {times[i] for i in range(3, 23)} == {1}
    assert {times[i] for i in range(3)} == {6, 7}  # 20 places for 3 items
    rounds = [index for batch in batches for _, index, *_ in batch[:2]]
    orders = {tuple(rounds[k : k + 3]) for k in range(0, 18, 3)}
    assert all(sorted(each) == [0, 1, 2] for each in orders)
    assert len(orders) > 1  # shuffled anew


def test_the_last_batch_is_full() -> None:
    batches = list(MixedBatchSampler(range(5), range(5), 4, share=0.5, seed=2))
    assert [len(batch) for batch in batches] == [4, 4, 4]
    times = Counter(index for batch in batches for _, index, *_ in batch)
    assert set(times) == set(range(10))
    assert sum(times.values()) == 12


def test_one_kind_alone() -> None:
    assert sorted(index for batch in MixedBatchSampler(range(4), [], 2, share=1) for _, index, *_ in batch) == [
        0,
        1,
        2,
        3,
    ]
    pairs = [pair for batch in MixedBatchSampler(range(9), range(4), 2, share=0) for pair in batch]
    assert sorted(pairs) == [(0, 9), (0, 10), (0, 11), (0, 12)]


def test_a_number_of_batches_is_given() -> None:
    sampler = MixedBatchSampler(range(2), range(1000), 4, num_batches=np.int64(3), seed=5)
    assert len(sampler) == len(list(sampler)) == 3
    seen = {index for _ in range(200) for batch in sampler for _, index, *_ in batch}
    assert len(seen) > 650  # other ones in each epoch: 1,206 draws of 1,000


def test_each_pass_is_an_epoch_and_goes_on_where_it_was() -> None:
    def make() -> Any:
        return MixedBatchSampler(range(3), range(7), 3, share=1 / 3, seed=4)

    whole = make()
    epochs = [list(whole) for _ in range(3)]
    assert [{epoch for batch in each for epoch, *_ in batch} for each in epochs] == [{0}, {1}, {2}]
    assert [[index for _, index, *_ in batch] for batch in epochs[0]] != [
        [index for _, index, *_ in batch] for batch in epochs[1]
    ]
    first = make()
    list(first)
    begun = iter(first)
    assert list(itertools.islice(begun, 2)) == epochs[1][:2]
    assert first.state_dict() == begun.state_dict() == {"epoch": 1, "position": 2}
    again = make()
    again.load_state_dict(first.state_dict())
    assert [list(again), list(again)] == [epochs[1][2:], epochs[2]]
    copied = pickle.loads(pickle.dumps(first))
    assert [list(copied), list(copied)] == [epochs[1][2:], epochs[2]]
    again.set_epoch(0)
    assert list(again) == epochs[0]
    again.load_state_dict({"epoch": 1, "position": 4})  # all of it was given: nothing is left of that pass
    assert [list(again), list(again)] == [[], epochs[2]]
    with pytest.raises(ArgumentError, match=r"^state\['position'\]: expected an integer from 0 to 4, got 5$"):
        again.load_state_dict({"epoch": 0, "position": 5})


def test_repr() -> None:
    assert repr(MixedBatchSampler(range(3), range(7), 4, rank=1, num_ranks=2)) == (
        "MixedBatchSampler(2 batches of 2 of 3 and 2 of 7, seed=0, rank 1 of 2)"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((3, range(2), 2), {}, ArgumentTypeError, "labelled: expected a data set, which has a length, got int"),
        ((range(3), None, 2), {}, ArgumentTypeError, "pseudo: expected a data set, which has a length, got NoneType"),
        ((range(3), range(2), 0), {}, ArgumentError, "batch_size: expected an integer from 1 to 2147483647, got 0"),
        ((range(3), range(2), 2.0), {}, ArgumentTypeError, "batch_size: expected an integer, got 2.0"),
        ((range(3), range(2), 2), {"share": 1.5}, ArgumentError, "share: expected a number from 0 to 1, got 1.5"),
        ((range(3), range(2), 4), {"share": 0.1}, ArgumentError,
         "share: expected a share by which a batch of 4 has items of both kinds, got 0.1, none labelled"),
        ((range(3), range(2), 1), {}, ArgumentError,
         "share: expected a share by which a batch of 1 has items of both kinds, got 0.5, none pseudo-labelled"),
        (([], range(2), 4), {}, ArgumentError, "labelled: expected items, of which each batch has 2, got a data set without any"),
        ((range(3), [], 4), {}, ArgumentError, "pseudo: expected items, of which each batch has 2, got a data set without any"),
        ((range(3), range(2), 2), {"seed": -1}, ArgumentError, "seed: expected an integer from 0 to 18446744073709551615, got -1"),
        ((range(3), range(2), 2), {"rank": 1}, ArgumentError, "num_ranks: expected a number, as rank is given, got None"),
        ((range(3), range(2), 2), {"num_ranks": 1}, ArgumentError, "rank: expected a number, as num_ranks is given, got None"),
        ((range(3), range(2), 2), {"rank": 2, "num_ranks": 2}, ArgumentError, "rank: expected an integer from 0 to 1, got 2"),
        ((range(3), range(2), 2), {"num_batches": 0}, ArgumentError, "num_batches: expected an integer from 1 to 2147483647, got 0"),
    ],
)  # fmt: skip
def test_what_is_refused(arguments: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as info:
        MixedBatchSampler(*arguments, **options)
    assert str(info.value) == message


def test_ranks_are_those_of_whoever_trains() -> None:
    """A module of that name, imported by somebody else, is asked; nothing imports it."""
    code = """
import sys, types
from copypaste_rs.datasets import MixedBatchSampler
print(MixedBatchSampler(range(3), range(8), 2), 'torch' in sys.modules)
found = types.ModuleType('torch.distributed')
found.is_available, found.is_initialized = (lambda: True), (lambda: False)
found.get_rank, found.get_world_size = (lambda: 3), (lambda: 4)
sys.modules['torch.distributed'] = found
print(MixedBatchSampler(range(3), range(8), 2))
found.is_initialized = lambda: True
print(MixedBatchSampler(range(3), range(8), 2))
print(MixedBatchSampler(range(3), range(8), 2, rank=0, num_ranks=1))
"""
    assert python(code).stdout.splitlines() == [
        "MixedBatchSampler(8 batches of 1 of 3 and 1 of 8, seed=0) False",
        "MixedBatchSampler(8 batches of 1 of 3 and 1 of 8, seed=0)",
        "MixedBatchSampler(2 batches of 1 of 3 and 1 of 8, seed=0, rank 3 of 4)",
        "MixedBatchSampler(8 batches of 1 of 3 and 1 of 8, seed=0)",
    ]

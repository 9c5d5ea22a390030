"""MixedDataset: the items of two copy-paste data sets, by number or by epoch and number."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, MixedBatchSampler, MixedDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.photos import photo

TRANSFORM = SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), source_scale=(0.5, 1.5))
TRUE, OTHER = [photo(number) for number in range(3)], [photo(10 + number) for number in range(5)]


class Named(list[Any]):
    """Samples whose labels have names."""

    def __init__(self, samples: Any, *names: str) -> None:
        super().__init__(samples)
        self.categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]


def mixed() -> MixedDataset:
    labelled = CopyPasteDataset(TRUE, TRANSFORM, seed=1)
    return MixedDataset(labelled, CopyPasteDataset(OTHER, TRANSFORM, sources=TRUE, seed=2))


def test_items_are_those_of_both() -> None:
    both, alone = mixed(), mixed()
    assert len(both) == 8
    for epoch in (0, 3):
        alone.set_epoch(epoch)
        assert alone.labelled.epoch == alone.pseudo.epoch == epoch
        for i in range(8):
            own = alone.labelled[i] if i < 3 else alone.pseudo[i - 3]
            assert both[epoch, i] == both[np.int64(epoch), np.int64(i)] == both[epoch, i - 8] == alone[i] == own


def test_batches_of_the_sampler_are_items() -> None:
    both = mixed()
    sampler = MixedBatchSampler(both.labelled, both.pseudo, 4, seed=3)
    for epoch in range(2):
        for batch in sampler:
            found = [both[pair].info["image_id"] for pair in batch]
            assert [number < 10 for number in found] == [True, True, False, False]
            assert {each for each, *_ in batch} == {epoch}


def test_an_item_that_comes_again_is_drawn_anew() -> None:
    both = mixed()
    for i, of, own in ((1, both.labelled, 1), (5, both.pseudo, 2)):
        again = [both[3, i, k] for k in range(6)]
        assert again[0] == both[3, i]
        assert all(one != other for one, other in itertools.combinations(again, 2))
        assert {each.info["image_id"] for each in again} == {both[3, i].info["image_id"]}
        for k, each in enumerate(again):
            key = of.key((3, own, k))
            assert key[:2] == (of.key(0)[0], 3)
            assert each == of[3, own, k] == of.transform(*of.inputs((3, own, k)), key)
        assert len({of.key((3, j, k)) for j in range(len(of)) for k in range(4)}) == 4 * len(of)


@pytest.mark.parametrize("index", [(0, 1, -1), (0, 1, 2**64)])
def test_wrong_numbers_of_repetitions(index: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^index: expected how often the item came before as third number"):
        mixed()[index]


@pytest.mark.parametrize("index", [8, -9, (0, 8), (2, -9)])
def test_an_index_out_of_range(index: Any) -> None:
    with pytest.raises(IndexError, match=r"^index -?\d is out of range for 8 items$"):
        mixed()[index]


@pytest.mark.parametrize("index", ["a", 1.0, (1,), (1, 2, 3, 4), (1, 2, "a"), None])
def test_what_is_no_index(index: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"^index: expected an integer, or a pair of epoch and index, got "):
        mixed()[index]


def test_what_is_refused() -> None:
    labelled: Any = CopyPasteDataset(TRUE, TRANSFORM)
    plain: Any = TRUE
    with pytest.raises(ArgumentTypeError, match=r"^pseudo: expected a CopyPasteDataset, got list$"):
        MixedDataset(labelled, plain)
    with pytest.raises(ArgumentTypeError, match=r"^labelled: expected a CopyPasteDataset, got list$"):
        MixedDataset(plain, labelled)
    cats = CopyPasteDataset(Named(TRUE, "cat", "dog"), TRANSFORM)
    dogs = CopyPasteDataset(Named(OTHER, "dog", "cat"), TRANSFORM, seed=1)
    with pytest.raises(
        ArgumentError,
        match=r"^pseudo: expected categories with the ids that they have in labelled, got others: 'dog' 1 becomes 2, ",
    ):
        MixedDataset(cats, dogs)
    MixedDataset(cats, CopyPasteDataset(Named(OTHER, "cat"), TRANSFORM, seed=1))


def test_one_seed_for_both_is_told() -> None:
    one, other = (CopyPasteDataset(each, TRANSFORM, seed=7) for each in (TRUE, OTHER))
    with pytest.warns(UserWarning, match=r"^pseudo: has the seed 7, as labelled has: "):
        MixedDataset(one, other)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lines = repr(mixed()).splitlines()
    assert lines[:3] == ["MixedDataset(", "    CopyPasteDataset(", "        3 items,"]
    assert max(map(len, lines)) <= 100

"""`partner_weights` of CopyPasteDataset: which words draw whom, how often, and in any process."""

from __future__ import annotations

import multiprocessing
import pickle
import warnings
from collections import Counter
from math import sqrt
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Sample, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.philox import below, words
from tests.fixtures.photos import Asked, photo
from tests.fixtures.samples import digest
from tests.fixtures.workers import serve

TRANSFORM = SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), source_scale=(0.5, 1.5))
PHOTOS = [photo(number) for number in range(7)]
WEIGHTS = [1.0, 0.5, 0.0, 4.0, 0.25, 2.0, 0.0]


def expected_partners(
    key: tuple[int, int, int], weights: list[float], objects: list[int], num_sources: int, itself: bool
) -> list[int]:
    """The rule, read from its description; the weights here are shares of the largest without rounding."""
    largest = max(weights)
    whole = [int(weight * 2**20 / largest) for weight in weights]
    order = [j for j in range(len(weights)) if not (itself and j == key[2])]
    total = sum(whole[j] for j in order)
    partners: list[int] = []
    stream = words(key, 2, 8 * num_sources)
    for k in range(num_sources if total else 0):
        for word in stream[8 * k : 8 * k + 8]:
            draw, running = below(word, total), 0
            for j in order:
                running += whole[j]
                if running > draw:
                    break
            if objects[j]:
                partners.append(j)
                break
    return partners


@pytest.mark.parametrize("objects", [[2] * 7, [0, 2, 1, 0, 0, 1, 3], [1, 0, 0, 0, 0, 0, 0]])
@pytest.mark.parametrize("num_sources", [1, 3])
@pytest.mark.parametrize("other", [False, True])
def test_partners_follow_the_rule(objects: list[int], num_sources: int, other: bool) -> None:
    photos = [photo(i, n) for i, n in enumerate(objects)]
    sources = list(photos) if other else None
    data = CopyPasteDataset(
        photos, TRANSFORM, sources=sources, num_sources=num_sources, seed=5, partner_weights=WEIGHTS
    )
    drawn = set()
    for epoch in range(6):
        for i in range(7):
            found = [source.info["image_id"] for source in data.inputs(i, epoch)[1]]
            assert found == expected_partners((5, epoch, i), WEIGHTS, objects, num_sources, not other)
            assert other or i not in found
            drawn |= set(found)
    assert not drawn & {2, 6}
    assert len(drawn) > 1 or sum(objects) == 1


@pytest.mark.parametrize("other", [False, True])
def test_shares_are_those_of_the_weights(other: bool) -> None:
    data = CopyPasteDataset(PHOTOS, TRANSFORM, sources=list(PHOTOS) if other else None, partner_weights=WEIGHTS)
    n = 4000
    found = Counter(data.inputs(3, epoch)[1][0].info["image_id"] for epoch in range(n))
    weights = [weight if other or j != 3 else 0 for j, weight in enumerate(WEIGHTS)]
    for j, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(found[j] / n - share) <= 4 * sqrt(share * (1 - share) / n), j


@pytest.mark.parametrize("weights", [[3] * 7, np.full(7, 0.5, np.float32), tuple(np.ones(7))])
def test_equal_weights_draw_as_none_do(weights: Any) -> None:
    """Seven times 2^20 divides a word as seven does, but for words that lie on a border."""
    alike = CopyPasteDataset(PHOTOS, TRANSFORM, num_sources=3)
    weighed = CopyPasteDataset(PHOTOS, TRANSFORM, num_sources=3, partner_weights=weights)
    for i in range(7):
        assert weighed.inputs(i) == alike.inputs(i)


def test_weights_are_copied_and_shown_where_they_are_few() -> None:
    weights = np.array(WEIGHTS)
    data = CopyPasteDataset(PHOTOS, TRANSFORM, partner_weights=weights)
    before = data.inputs(0)
    weights[:] = [0, 0, 1, 0, 0, 0, 0]
    assert data.inputs(0) == before == pickle.loads(pickle.dumps(data)).inputs(0)
    assert repr(data).endswith("    partner_weights=[1.0, 0.5, 0.0, 4.0, 0.25, 2.0, 0.0],\n)")
    many = CopyPasteDataset(PHOTOS, TRANSFORM, sources=PHOTOS * 9, partner_weights=np.ones(63))
    assert "partner_weights" not in repr(many)
    assert repr(many) == repr(CopyPasteDataset(PHOTOS, TRANSFORM))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers_draw_the_same_partners(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    data = CopyPasteDataset(PHOTOS, TRANSFORM, num_sources=2, seed=4, partner_weights=WEIGHTS)
    requests, answers = context.Queue(), context.Queue()
    process = context.Process(target=serve, args=(data, requests, answers), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork in a process that has threads, from Python 3.12 on
        process.start()
    try:
        data.set_epoch(2)
        for i in range(7):
            requests.put(i)
        assert sorted(answers.get(timeout=60) for _ in range(7)) == [(i, 2, digest(data[i])) for i in range(7)]
    finally:
        requests.put(None)
        process.join(30)
    assert process.exitcode == 0


@pytest.mark.parametrize(
    ("samples", "sources", "weights"),
    [
        (PHOTOS, None, [0.0] * 7),
        (PHOTOS, [], []),
        ([photo(0)], None, [1.0]),
        (PHOTOS, Asked([photo(0, 0), photo(1)]), [1.0, 0.0]),
        (PHOTOS, Asked([photo(0, crowd=True), photo(1)]), [0.5, 0.0]),
    ],
)
def test_no_partner_at_all_warns_once(samples: list[Sample], sources: Any, weights: Any) -> None:
    sentence = r"^(sources: no image with an object .*|partner_weights: all are 0); nothing will be pasted$"
    with pytest.warns(UserWarning, match=sentence) as caught:
        data = CopyPasteDataset(samples, TRANSFORM, sources=sources, partner_weights=weights)
    assert len(caught) == 1
    assert data.inputs(0)[1] == []
    assert len(data[0].instances) > 0


def test_an_item_that_has_all_the_weight_has_no_partner() -> None:
    data = CopyPasteDataset(PHOTOS, TRANSFORM, partner_weights=[0, 0, 5, 0, 0, 0, 0])
    assert [[source.info["image_id"] for source in data.inputs(i)[1]] for i in range(7)] == [
        [] if i == 2 else [2] for i in range(7)
    ]


def test_partners_that_are_hard_to_find_are_warned_of_by_their_weight() -> None:
    rare = Asked([photo(i, int(i == 3)) for i in range(10)])
    with pytest.warns(UserWarning, match=r"^partner_weights: ") as caught:
        CopyPasteDataset(PHOTOS, TRANSFORM, sources=rare, partner_weights=[1.0] * 3 + [2.0] + [1.0] * 6)
    assert [str(w.message) for w in caught] == [
        "partner_weights: only 18% of the weight is on images with an object that is not a crowd, so that 8 draws find "
        "none for 20% of the partners; give images without objects the weight 0"
    ]
    CopyPasteDataset(PHOTOS, TRANSFORM, sources=rare, partner_weights=[0.0] * 3 + [2.0] + [0.0] * 6)
    CopyPasteDataset(PHOTOS, TRANSFORM, sources=rare, partner_weights=[0.1] * 3 + [2.0] + [0.1] * 6)


def test_images_of_weight_zero_are_not_asked() -> None:
    class Counting(Asked):
        def has_objects(self, index: int) -> bool:
            assert index in (1, 3)
            return super().has_objects(index)

    sources = Counting([photo(i) for i in range(5)])
    data = CopyPasteDataset(PHOTOS, TRANSFORM, sources=sources, partner_weights=[0, 2, 0, 1, 0])
    assert {data.inputs(i)[1][0].info["image_id"] for i in range(7)} == {1, 3}


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0] * 6, ArgumentError, "partner_weights: expected shape (7,), got (6,)"),
        (np.ones((7, 1)), ArgumentError, "partner_weights: expected shape (7,), got (7, 1)"),
        (2.0, ArgumentError, "partner_weights: expected shape (7,), got ()"),
        ([[1.0], 2.0], ArgumentError, "partner_weights: expected 7 numbers, got nested lists"),
        ([1.0] * 6 + [-0.5], ArgumentError, "partner_weights: expected finite numbers of at least 0, got -0.5 at index 6"),
        ([np.nan] + [1.0] * 6, ArgumentError, "partner_weights: expected finite numbers of at least 0, got nan at index 0"),
        ([1.0, np.inf] * 3 + [1], ArgumentError, "partner_weights: expected finite numbers of at least 0, got inf at index 1"),
        (["1"] * 7, ArgumentTypeError, "partner_weights: expected 7 numbers, got dtype <U1"),
        ([True] * 7, ArgumentTypeError, "partner_weights: expected 7 numbers, got dtype bool"),
        ("1234567", ArgumentTypeError, "partner_weights: expected 7 numbers, got str"),
        ({0: 1.0}, ArgumentTypeError, "partner_weights: expected 7 numbers, got dict"),
    ],
)  # fmt: skip
def test_weights_that_are_refused(weights: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        CopyPasteDataset(PHOTOS, TRANSFORM, partner_weights=weights)
    assert str(caught.value) == message

"""Keys of draws: which words an int, a tuple and a generator name, for plans and for callables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from copypaste_rs import Sample, SimpleCopyPaste
from tests.fixtures.philox import bit_generator, uniform, words
from tests.oracles.draw_scene import BASE, CANDIDATES, KEYS, ROWS, SOURCES, TARGET, boxes, drawn, plan
from tests.oracles.planner import count, planned, slots

TOP = 2**64 - 1


@pytest.mark.parametrize(
    ("rng", "key"),
    [
        (5, (5, 0, 0)),
        ((5,), (5, 0, 0)),
        ((5, 6), (5, 6, 0)),
        ((5, 6, 7), (5, 6, 7)),
        ((TOP, TOP, TOP), (TOP, TOP, TOP)),
    ],
)
def test_keys_are_seed_epoch_and_index(backend: str, rng: Any, key: tuple[int, int, int]) -> None:
    assert plan(rng, backend) == planned(drawn(key), TARGET, SOURCES, **BASE)


class Prepared(np.random.Generator):
    """A generator, and its own source of words, whose next words are given."""

    def __init__(self, *raw: int) -> None:
        super().__init__(np.random.PCG64(0))
        self.raw = raw

    @property
    def bit_generator(self) -> Any:
        return self

    def random_raw(self, n: int) -> NDArray[np.uint64]:
        taken, self.raw = self.raw[:n], self.raw[n:]
        return np.array(taken, np.uint64)


@pytest.mark.parametrize("raw", [(1, 2, 3, 4), (2**63, TOP, TOP, TOP)])
def test_a_generator_gives_key_and_counter(backend: str, raw: tuple[int, int, int, int]) -> None:
    """Four words: two are the key, two the upper half of the counter; streams wrap around."""
    stream = bit_generator(raw[:2], (0, 0, *raw[2:])).random_raw(count(ROWS))
    weight_words = bit_generator(raw[:2], (0, 0, raw[2], (raw[3] + 3) % 2**64)).random_raw(sum(ROWS))
    found = slots([int(word) for word in stream], ROWS, [int(word) for word in weight_words])
    expected = planned(found, TARGET, SOURCES, **BASE)
    assert plan(Prepared(*raw), backend) == expected
    weights = {0: 3.0, 1: 0.25}
    assert plan(Prepared(*raw), backend, class_weights=weights) == planned(
        found, TARGET, SOURCES, **BASE, class_weights=weights
    )
    seen: list[tuple[list[int], int]] = []

    def select(source: Sample, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        seen.append((rows.tolist(), int(rng.bit_generator.random_raw())))
        return rows

    made = plan(Prepared(*raw), backend, select=select)
    assert [list(paste.instances) for paste in made.pastes] == CANDIDATES
    streams = [bit_generator(raw[:2], (0, number, raw[2], (raw[3] + 1) % 2**64)) for number in range(3)]
    assert seen == [(rows, int(each.random_raw())) for rows, each in zip(CANDIDATES, streams, strict=True)]


def test_a_callable_is_asked_only_where_there_is_something_to_choose(backend: str) -> None:
    asked: list[int] = []

    def select(source: Sample, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        asked.append(len(rows))
        return rows

    nobody = boxes((20, 30), (1, 1), crowd=(0,))
    transform = SimpleCopyPaste(**BASE, p=0.5, select=select, backend=backend)
    for key in KEYS:
        asked.clear()
        made = transform.sample_plan(TARGET, [nobody, SOURCES[1], nobody], key)
        assert asked == [3] * (uniform(words(key, 0, 1)[0]) < 0.5) == [len(paste.instances) for paste in made.pastes]

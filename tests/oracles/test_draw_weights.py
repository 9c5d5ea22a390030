"""Draws by weight: the words of stream 3, shares of classes over many keys, and who is no candidate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import combinations, permutations
from math import comb, prod, sqrt
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from copypaste_rs import Instances, PlanOptions, PlanSource, RleMasks, Sample, SimpleCopyPaste, functional
from tests.fixtures.philox import below, uniform, words
from tests.oracles.draw_scene import BASE, CANDIDATES, KEYS, ROWS, SOURCES, TARGET, drawn, plan
from tests.oracles.planner import planned, weighed, words_of

pytestmark = pytest.mark.filterwarnings("ignore:class_weights. all are 0")

Weigh = Callable[[Instances], Any]


def of_rows(*weights: list[float]) -> Weigh:
    """Weights of the rows of the sources in turn, told apart by their number of rows."""
    by_rows = dict(zip(ROWS, weights, strict=True))
    return lambda instances: by_rows[len(instances)]


# -- which words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(3))
def test_one_row_takes_the_first_word_of_its_source(backend: str, number: int) -> None:
    weights = [[4.0, 1.0, 2.0, 0.5, 0.25], [0.5, 1.0, 8.0], [0.125, 4.0, 1.0, 2.0]]
    whole = [int(2**20 * weight / max(weights[number])) for weight in weights[number]]  # halves of halves are exact
    for key in KEYS:
        word = words(key, 3, sum(ROWS))[sum(ROWS[:number])]
        left = below(word, sum(whole[row] for row in CANDIDATES[number]))
        for row in CANDIDATES[number]:
            left -= whole[row]
            if left < 0:
                break
        assert plan(key, backend, select="one", class_weights=of_rows(*weights)).pastes[number].instances == (row,)


@pytest.mark.parametrize("select", ["subset", "one", "all", 2, 0.6])
@pytest.mark.parametrize("placement", ["jitter", "uniform"])
def test_the_whole_plan_is_that_of_the_rules(backend: str, select: Any, placement: str) -> None:
    options = BASE | {"select": select, "placement": placement, "class_weights": {0: 0.3, 1: 7.0, 2: 0.0}}
    transform = SimpleCopyPaste(**options, backend=backend)
    for key in KEYS[:15]:
        assert transform.sample_plan(TARGET, SOURCES, key) == planned(drawn(key), TARGET, SOURCES, **options)


def test_a_row_more_moves_the_words_of_later_sources_alone(backend: str) -> None:
    sources = [SOURCES[1], SOURCES[2], SOURCES[0]]
    rows = [len(source.instances) for source in sources]
    options = BASE | {"class_weights": {0: 3.0, 1: 0.25}}
    for key in KEYS[:10]:
        made = SimpleCopyPaste(**options, backend=backend).sample_plan(TARGET, sources, key)
        assert made == planned(words_of(key, rows), TARGET, sources, **options)


def test_hundreds_of_rows(kernels: ModuleType) -> None:
    n, m = 700, 333
    rng = np.random.default_rng(5)
    weights = rng.integers(0, 9, n)
    source = PlanSource((8, 8), np.tile(np.array([[0, 0, 8, 8]], np.float32), (n, 1)))
    options = PlanOptions.check(size=8, source_scale=(1, 1), flip=0, select=m, class_weights=lambda _: weights)
    whole = [int(weight * 2**20 / 8 + 0.5) for weight in weights.tolist()]
    candidates = [row for row in range(n) if weights[row]]
    made = kernels.draw_plan(options, (8, 8), [source], (1, 2, 3)).pastes[0].instances
    assert list(made) == weighed(candidates, m, whole, words((1, 2, 3), 3, n))


# -- how often ---------------------------------------------------------------------------------------------------

LABELS = np.array([0, 1, 0, 2, 1, 3, 0])
CROWD = np.array([0, 0, 0, 0, 0, 0, 1], bool)
FACES = PlanSource((9, 9), np.tile(np.array([[1, 2, 8, 7]], np.float32), (7, 1)), CROWD, LABELS)
"""Seven rows that are always on the canvas, the last a crowd, of four classes."""

CERTAIN: dict[str, Any] = {"size": 9, "target_scale": (1, 1), "source_scale": (1, 1), "flip": 0}


def rows_drawn(kernels: ModuleType, **options: Any) -> tuple[Counter[tuple[int, ...]], int]:
    """How often each set of rows was drawn, and the number of draws."""
    checked = PlanOptions.check(**CERTAIN, **options)
    n = 100_000 if kernels is functional else 20_000
    plans = (kernels.draw_plan(checked, (9, 9), [FACES], (3, 0, i)) for i in range(n))
    return Counter(made.pastes[0].instances for made in plans), n


def agrees(found: int, n: int, share: float) -> bool:
    """Whether something was found as often in n draws as its share says, within four standard errors."""
    return abs(found / n - share) <= 4 * sqrt(share * (1 - share) / n)


@pytest.mark.parametrize("m", [1, 2])
def test_shares_of_classes_are_those_of_the_weights(kernels: ModuleType, m: int) -> None:
    weights = {0: 3.0, 1: 0.5, 3: 0.0}  # class 2 has 1
    of_row = [3.0, 0.5, 3.0, 1.0, 0.5]
    expected: Counter[tuple[int, ...]] = Counter()
    for order in permutations(range(5), m):  # all ways to draw m rows, one after the other
        shares = [of_row[row] / (8.0 - sum(of_row[taken] for taken in order[:i])) for i, row in enumerate(order)]
        expected[tuple(sorted(order))] += prod(shares)  # type: ignore[assignment]
    found, n = rows_drawn(kernels, select=m, class_weights=weights)
    assert set(found) <= set(expected)
    for rows, share in expected.items():
        assert agrees(found[rows], n, share), rows
    for label in range(4):
        of_class = sum(count for rows, count in found.items() if label in LABELS[list(rows)])
        share = sum(share for rows, share in expected.items() if label in LABELS[list(rows)])
        assert agrees(of_class, n, share), label


def test_equal_weights_give_subsets_as_none_do(kernels: ModuleType) -> None:
    found, n = rows_drawn(kernels, class_weights={0: 2.5, 1: 2.5, 2: 2.5, 3: 2.5})
    subsets = [rows for m in range(1, 7) for rows in combinations(range(6), m)]
    assert set(found) == set(subsets)
    for rows in subsets:
        assert agrees(found[rows], n, 1 / 6 / comb(6, len(rows))), rows


# -- who ---------------------------------------------------------------------------------------------------------


def test_weight_zero_is_no_candidate(backend: str) -> None:
    for key in KEYS:
        made = plan(key, backend, select="all", class_weights={0: 0.0, 1: 1e-4})
        assert [list(paste.instances) for paste in made.pastes] == [
            [row for row in rows if row % 3] for rows in CANDIDATES
        ]
        assert plan(key, backend, class_weights={0: 0, 1: 0.0, 2: 0}).pastes == ()


@pytest.mark.parametrize(("largest", "left"), [(2.0**21, 5), (2.0**21 + 1, 0)])
def test_weights_are_shares_of_the_largest_row_even_of_a_crowd(backend: str, largest: float, left: int) -> None:
    """What is below half a step of 2^-20 of the largest is 0; a crowd counts for that, though it is not pasted."""
    weights = [[1.0, 1.0, 1.0, largest, 1.0], [1.0] * 3, [1.0, 1.0, largest, 1.0]]
    for key in KEYS[:5]:
        made = plan(key, backend, select="all", class_weights=of_rows(*weights))
        found = {paste.source: list(paste.instances) for paste in made.pastes}
        assert found == ({0: CANDIDATES[0]} if left else {}) | {1: [0, 1, 2], 2: CANDIDATES[2] if left else [2]}


def test_a_callable_chooses_among_those_with_a_weight(backend: str) -> None:
    asked: list[list[int]] = []

    def select(source: Sample, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        asked.append(rows.tolist())
        return rows[-1:]

    for key in KEYS[:5]:
        asked.clear()
        made = plan(key, backend, select=select, class_weights={0: 5.0, 1: 0.0})
        assert asked == [[row for row in rows if row % 3 != 1] for rows in CANDIDATES]
        assert [paste.instances for paste in made.pastes] == [(rows[-1],) for rows in asked]


def test_nothing_is_pasted_where_p_fails(backend: str) -> None:
    for key in KEYS:
        made = plan(key, backend, p=0.5, class_weights={1: 3.0})
        assert bool(made.pastes) == (uniform(drawn(key).target["p"]) < 0.5)


@pytest.mark.parametrize(
    ("labels", "weights"),
    [
        (np.array(["car", "cat"]), {"car": 0.0}),
        (np.array(["car", "cat"]), {np.str_("car"): 0}),
        (np.array([3, 8], np.uint8), {3: 0.0}),
        (np.array([3, 8], np.int64), {np.int32(3): np.float32(0)}),
        (np.array([3.0, 8.0]), {3: 0.0}),
        (np.array(["a", "b"], "S1"), {b"a": 0.0}),
        (np.array(["2026-01-01", "2026-01-02"], "datetime64[D]"), {np.datetime64("2026-01-01"): 0.0}),
    ],
)
def test_labels_of_any_kind(backend: str, labels: NDArray[Any], weights: Any) -> None:
    square = RleMasks.from_polygons([[[1, 1, 6, 1, 6, 6, 1, 6]]] * 2, (8, 8))
    source = Sample(np.zeros((8, 8), np.uint8), Instances(masks=square, labels=labels))
    transform = SimpleCopyPaste(size=8, source_scale=(1, 1), select="all", class_weights=weights, backend=backend)
    background = Sample(source.image, Instances())
    pastes = transform.sample_plan(background, [background, source], 1).pastes
    assert [(paste.source, paste.instances) for paste in pastes] == [(1, (1,))]

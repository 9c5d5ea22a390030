"""Options and slots: none moves another's, and the whole plan is that of the rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import Plan, Sample, ScaleJitter, SimpleCopyPaste
from tests.fixtures.both_backends import BACKENDS
from tests.fixtures.strategies import class_weights, draw_keys, jitter_options, paste_options, samples
from tests.oracles.draw_scene import BASE, CANVAS, KEYS, SOURCES, TARGET, boxes, drawn, plan, remembered
from tests.oracles.planner import planned, words_of


def parts(made: Plan) -> dict[str, Any]:
    """What was drawn, by slot, as far as it shows in the plan."""
    found: dict[str, Any] = {
        "target scale": made.target.resized_size, "target flip": made.target.hflip, "target offset": made.target.offset,
    }  # fmt: skip
    for number in range(3):
        pastes = [paste for paste in made.pastes if paste.source == number]
        if pastes:
            place = pastes[0].placement
            found |= {
                f"{number} scale": place.resized_size, f"{number} flip": place.hflip, f"{number} offset": place.offset,
                f"{number} rows": [row for paste in pastes for row in paste.instances],
                f"{number} sigma": pastes[0].sigma,
            }  # fmt: skip
    return found


CHANGES: list[tuple[dict[str, Any], set[str]]] = [
    ({"size": (53, 61)}, {"target scale", "target offset", "scale", "offset"}),
    ({"target_scale": (0.5, 0.8)}, {"target scale", "target offset"}),
    ({"target_scale": (2.0, 3.0)}, {"target scale", "target offset"}),
    ({"source_scale": (0.6, 0.9)}, {"scale", "offset"}),
    ({"scale_reference": "input"}, {"target scale", "target offset", "scale", "offset"}),
    ({"flip": 0.0}, {"target flip", "flip"}),
    ({"flip": 0.9}, {"target flip", "flip"}),
    ({"pad": "top_left"}, {"target offset", "offset"}),
    ({"p": 0.5}, set()),
    ({"blend_sigma": None}, {"sigma"}),
    ({"blend_sigma": 2.5}, {"sigma"}),
    ({"blend_sigma": (1.0, 2.0)}, {"sigma"}),
    ({"select": "one"}, {"rows"}),
    ({"select": "all"}, {"rows"}),
    ({"select": 2}, {"rows"}),
    ({"select": 0.6}, {"rows"}),
    ({"select": lambda source, rows, rng: rows[:1]}, {"rows"}),
    ({"class_weights": {}}, {"rows"}),
    ({"class_weights": {0: 3.0, 1: 0.25}}, {"rows"}),
    ({"class_weights": {0: 0.0, 2: 1e-3}}, {"rows"}),
    ({"class_weights": lambda instances: instances.masks.area * (instances.labels + 1)}, {"rows"}),
    ({"placement": "uniform"}, {"offset"}),
    ({"fill": 7}, set()),
    ({"interpolation": "nearest"}, set()),
    ({"antialias": False}, set()),
    ({"min_area": 5}, set()),
    ({"min_visibility": 0.5}, set()),
    ({"on_hidden": "crowd"}, set()),
    ({"missing": {"score": 1.0}}, set()),
]
"""Options, and the parts of a plan that each concerns."""

UNDRAWN = {"fill", "interpolation", "antialias", "min_area", "min_visibility", "on_hidden", "missing"}
"""Options by which nothing is drawn."""


def named(change: dict[str, Any]) -> str:
    """The name of a test of one option."""
    ((name, value),) = change.items()
    return f"{name}={'callable' if callable(value) else value}"


@pytest.mark.parametrize(("change", "concerns"), CHANGES, ids=[named(change) for change, _ in CHANGES])
def test_an_option_moves_no_other_slot(backend: str, change: dict[str, Any], concerns: set[str]) -> None:
    """Parts that an option does not concern stay as they are, and the whole is as the rules have it."""
    differing = set()
    for key in KEYS:
        before, made = parts(remembered(key, backend)), plan(key, backend, **change)
        after = parts(made)
        assert set(after) == set(before) or "p" in change
        differing |= {name for name in after if after[name] != before[name]}
        if not callable(change.get("select")):
            given_options = {name: value for name, value in change.items() if name not in UNDRAWN}
            assert made == planned(drawn(key), TARGET, SOURCES, **(BASE | given_options))
    assert {name if name.startswith("target") else name.split()[1] for name in differing} == concerns


def test_rows_of_a_source_move_the_slots_behind_them_alone(backend: str) -> None:
    """A row more takes four words: what comes before it stays, later sources read four words further on."""
    longer = boxes((37, 25), (0, 0), (25, 2), (13, 15), (20, 9), (5, 11), (27, 14), crowd=(3,))
    transform = SimpleCopyPaste(**BASE, backend=backend)
    for key in KEYS[:10]:
        rows = [6, 3, 4]
        made = transform.sample_plan(TARGET, [longer, *SOURCES[1:]], key)
        assert made == planned(words_of(key, rows), TARGET, [longer, *SOURCES[1:]], **BASE)
        before, after = parts(remembered(key, backend)), parts(made)
        same = {"target scale", "target flip", "target offset", "0 scale", "0 flip", "0 offset", "0 sigma"}
        assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_crowds_have_words_too(backend: str) -> None:
    """Whether a row is a crowd moves no slot: it changes who can be chosen, and nothing else."""
    crowds = boxes((37, 25), (0, 0), (25, 2), (13, 15), (20, 9), (5, 11), crowd=(0, 2, 3))
    transform = SimpleCopyPaste(**BASE, backend=backend)
    for key in KEYS[:10]:
        before, after = (
            parts(remembered(key, backend)),
            parts(transform.sample_plan(TARGET, [crowds, *SOURCES[1:]], key)),
        )
        assert {name for name in after if after[name] != before[name]} <= {"0 rows"}
        assert set(after["0 rows"]) <= {1, 4}


def test_a_jitter_has_the_slots_of_the_target(backend: str) -> None:
    jitter = ScaleJitter(size=CANVAS, scale=(0.4, 0.9), pad="random", backend=backend)
    for key in KEYS:
        assert jitter.sample_plan(TARGET, key) == Plan(plan(key, backend).target)


@pytest.mark.filterwarnings("ignore:class_weights. all are 0")
@given(samples(15), st.lists(samples(15), max_size=3), jitter_options, paste_options, class_weights, draw_keys)
def test_any_plan_is_that_of_the_rules(
    target: Sample, sources: list[Sample], common: dict[str, Any], more: dict[str, Any], weights: Any, key: Any
) -> None:
    rows = [len(source.instances) for source in sources]
    common |= more if weights is None else more | {"class_weights": weights}
    expected = planned(words_of(key, rows), target, sources, **common)
    for backend in BACKENDS:
        assert SimpleCopyPaste(**common, backend=backend).sample_plan(target, sources, key) == expected

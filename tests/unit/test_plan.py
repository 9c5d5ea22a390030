"""Plans: checked values, exact JSON both ways."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import Paste, Placement, Plan

PLACE = Placement((4, 6), (8, 12), (0, -2), (8, 8))
TEXT = (
    '{"version": 1, "target": {"input_size": [4, 6], "resized_size": [8, 12], "offset": [0, -2], '
    '"canvas_size": [8, 8], "hflip": false}, "pastes": [{"source": 0, "instances": [1, 0], "placement": '
    '{"input_size": [4, 6], "resized_size": [8, 12], "offset": [0, -2], "canvas_size": [8, 8], "hflip": false}, '
    '"sigma": null}]}'
)

sides = st.integers(1, 2**31 - 1)
placements = st.builds(
    Placement,
    st.tuples(sides, sides),
    st.tuples(sides, sides),
    st.tuples(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(-(2**31) + 1, 2**31 - 1)),
    st.just((1024, 640)),
    st.booleans(),
)
pastes = st.builds(
    Paste,
    st.integers(0, 5),
    st.lists(st.integers(0, 1000), unique=True).map(tuple),
    placements,
    st.none() | st.floats(0.1, 20),
)
plans = st.builds(Plan, placements, st.lists(pastes, max_size=3).map(tuple))


def test_json_is_written_in_the_order_of_the_signatures() -> None:
    plan = Plan(PLACE, (Paste(0, (1, 0), PLACE),))
    assert plan.to_json() == TEXT
    assert Plan.from_json(TEXT) == plan


@given(plans)
def test_json_both_ways(plan: Plan) -> None:
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert hash(again) == hash(plan)
    assert again.to_json() == plan.to_json()
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_what_may_be_left_out() -> None:
    data = json.loads(TEXT)
    del data["target"]["hflip"], data["pastes"][0]["sigma"], data["pastes"][0]["placement"]["hflip"]
    assert Plan.from_json(json.dumps(data)).to_json() == TEXT


def edited(*path: Any, value: Any = None, delete: bool = False) -> str:
    data = json.loads(TEXT)
    place = data
    for step in path[:-1]:
        place = place[step]
    if delete:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text: expected a plan as JSON, got text that cannot be read: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "text: expected a plan as JSON, got text that cannot be read: "),
        ("[]", "text: expected a plan whose top level is an object, got []"),
        (edited("version", value=2), "text: expected a plan whose version is 1, got 2"),
        (edited("version", value=1.0), "text: expected a plan whose version is 1, got 1.0"),
        ('{"version": 1, "version": 1}', "text: expected a plan as JSON, got text that cannot be read: the key 'version' stands"),
        (edited("version", value=True), "text: expected a plan whose version is 1, got True"),
        (edited("version", delete=True), "text: expected a plan whose top level is an object with the key 'version', got one without"),
        (edited("extra", value=2), "text: expected a plan whose top level is an object with no key but pastes, target, version, got 'extra'"),
        (edited("target", "scale", value=2), "text: expected a plan whose target is an object with no key but "),
        (edited("target", "offset", value=[1]), "text: expected a plan whose target.offset is a pair of integers, got 1 values"),
        (edited("target", "offset", value=[1, 1.5]), "text: expected a plan whose target.offset[1] is an integer, got 1.5"),
        (edited("target", "offset", value="12"), "text: expected a plan whose target.offset is a pair of integers, got '12'"),
        (edited("target", "hflip", value=1), "text: expected a plan whose target.hflip is True or False, got 1"),
        (edited("pastes", value={}), "text: expected a plan whose pastes is a list, got {}"),
        (edited("pastes", 0, "instances", value=[1, 1]), "text: expected a plan whose pastes[0].instances is a sequence of distinct rows, got row 1 twice"),
        (edited("pastes", 0, "instances", value=[True]), "text: expected a plan whose pastes[0].instances[0] is an integer, got True"),
        (edited("pastes", 0, "sigma", value=0.01), "text: expected a plan whose pastes[0].sigma is a number from 0.1 to 20, got 0.01"),
        (edited("pastes", 0, "sigma", value=float("nan")), "text: expected a plan whose pastes[0].sigma is a number from 0.1 to 20, got nan"),
        (edited("pastes", 0, "placement", "offset", value=[1, 1.5]), "text: expected a plan whose pastes[0].placement.offset[1] is an integer, got 1.5"),
        (edited("pastes", 0, "placement", "canvas_size", value=8), "text: expected a plan whose pastes[0].placement.canvas_size is a pair of integers, got 8"),
        (edited("pastes", 0, "placement", "scale", value=2), "text: expected a plan whose pastes[0].placement is an object with no key but "),
        (edited("pastes", 0, "placement", value=[]), "text: expected a plan whose pastes[0].placement is an object, got []"),
        (edited("target", value=None), "text: expected a plan whose target is an object, got None"),
        (edited("pastes", 0, "source", value=-1), "text: expected a plan whose pastes[0].source is an integer from 0 to 2147483647, got -1"),
        (edited("target", "canvas_size", value=[9, 9]), "text: expected a plan whose pastes[0] is a paste on canvas (9, 9) as in target, got (8, 8)"),
    ],
)  # fmt: skip
def test_bad_json(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        Plan.from_json(text)
    assert str(error.value).startswith(message)


def test_the_second_paste_is_named() -> None:
    data = json.loads(TEXT)
    data["pastes"].append(json.loads(TEXT)["pastes"][0])
    data["pastes"][1]["placement"]["resized_size"][0] = 0
    with pytest.raises(ValueError) as error:
        Plan.from_json(json.dumps(data))
    place = "pastes[1].placement.resized_size[0]"
    assert str(error.value) == f"text: expected a plan whose {place} is an integer from 1 to 2147483647, got 0"


def test_not_a_string() -> None:
    with pytest.raises(TypeError, match=r"^text: expected a str, got bytes$"):
        Plan.from_json(b"{}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"input_size": (0, 6)}, ValueError, "input_size[0]: expected an integer from 1 to 2147483647, got 0"),
        ({"input_size": 6}, TypeError, "input_size: expected a pair of integers, got 6"),
        ({"resized_size": (1, 2**31)}, ValueError, "resized_size[1]: expected an integer from 1 to 2147483647"),
        ({"offset": (0, 2**31)}, ValueError, "offset[1]: expected an integer from -2147483647 to 2147483647"),
        ({"offset": (0.0, 1)}, TypeError, "offset[0]: expected an integer, got 0.0"),
        ({"canvas_size": (2**16, 2**16)}, ValueError, "canvas_size: expected at most 4294967295 pixels"),
        ({"hflip": 0}, TypeError, "hflip: expected True or False, got 0"),
    ],
)
def test_bad_placements(change: dict[str, Any], error: type[Exception], message: str) -> None:
    fields = {"input_size": (4, 6), "resized_size": (8, 12), "offset": (0, 0), "canvas_size": (8, 8)} | change
    with pytest.raises(error) as caught:
        Placement(**fields)
    assert str(caught.value).startswith(message)


def test_numpy_numbers_become_python_numbers() -> None:
    place = Placement(np.array([4, 6]), [np.int32(8), 12], (np.int64(0), -2), (8, 8), np.False_)  # type: ignore[arg-type]
    assert place == PLACE
    assert all(type(n) is int for n in (*place.input_size, *place.resized_size, *place.offset))
    assert type(place.hflip) is bool
    assert Paste(np.int64(0), np.array([1, 0]), PLACE, np.float32(0.5)) == Paste(0, (1, 0), PLACE, 0.5)  # type: ignore[arg-type]
    assert Plan(PLACE, [Paste(0, [1], PLACE)]).pastes == (Paste(0, (1,), PLACE),)  # type: ignore[arg-type]


def test_plans_are_frozen() -> None:
    with pytest.raises(AttributeError):
        PLACE.hflip = True  # type: ignore[misc]
    assert Plan(PLACE).canvas_size == (8, 8)


def test_a_row_named_twice_is_found_quickly() -> None:
    with pytest.raises(ValueError, match=r"^instances: expected a sequence of distinct rows, got row 99999 twice$"):
        Paste(0, [*range(100_000), 99_999], PLACE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Plan(PLACE, ""), "pastes: expected a sequence of Paste, got str"),  # type: ignore[arg-type]
        (lambda: Paste(0, np.array(0), PLACE), "instances: expected a sequence of row numbers, got array(0)"),  # type: ignore[arg-type]
        (
            lambda: Placement(np.array(3), (1, 1), (0, 0), (1, 1)),  # type: ignore[arg-type]
            "input_size: expected a pair of integers, got array(3)",
        ),
    ],
)
def test_what_is_no_sequence(call: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        call()
    assert str(error.value) == message

"""Values as JSON text: what the standard library writes too, and errors that name the place."""

from __future__ import annotations

import datetime
import enum
import json
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from copypaste_rs.datasets.json_values import json_text
from tests.fixtures.argument_errors import raised


class Word(str):
    __slots__ = ()


class Count(int):
    pass


class Share(float):
    pass


class Kind(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("é"), "é"),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (Word("word"), "word"),
        (Count(3), 3),
        (Share(0.25), 0.25),
        (Kind.ONE, 1),
        (MappingProxyType({"a": [np.int8(1), (2, None)]}), {"a": [1, [2, None]]}),
        ({1: 2, Word("a"): {"b": []}}, {"1": 2, "a": {"b": []}}),
        (float("nan"), None),
        (datetime.date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_values_are_written_as_pythons_own(value: object, plain: object) -> None:
    assert json.loads(json_text("value", value)) == plain
    assert json.loads(json_text("value", [{"inside": value}])) == [{"inside": plain}]


def circle() -> list[Any]:
    inside: list[Any] = []
    inside.append({"again": inside})
    return inside


REFUSED = [
    ({"a": {"b": [0, object()]}}, r"TypeError: info\['a'\]\['b'\]\[1\]: expected what JSON can hold .*, got object"),
    ({"a": {(1, 2): 3}}, r"TypeError: info\['a'\]: expected text as keys, got \(1, 2\)"),
    ({None: 1}, r"TypeError: info: expected text as keys, got None"),
    ({"\ud800": 1}, r"ValueError: info: expected keys that UTF-8 can hold, got '\\ud800'"),
    (["x", "\udcff.jpg"], r"ValueError: info\[1\]: expected text that UTF-8 can hold, got '\\udcff.jpg'"),
    ({"pi": np.longdouble(3)}, r"TypeError: info\['pi'\]: expected what JSON can hold .*, got longdouble"),
    ({"i": np.complex64(1j)}, r"TypeError: info\['i'\]: .*, got complex64"),
    ({"when": np.datetime64("2026")}, r"TypeError: info\['when'\]: .*, got datetime64"),
    ({"long": np.timedelta64(3, "s")}, r"TypeError: info\['long'\]: .*, got timedelta64"),
    ({"mean": np.zeros(3)}, r"TypeError: info\['mean'\]: .*, got ndarray"),
    (circle(), r"ValueError: info: expected values that JSON can hold, got some that lie too deep in others"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED)
def test_what_cannot_be_written_is_named_with_its_place(value: object, message: str) -> None:
    def written(info: object) -> bytes:
        return json_text("info", info)

    with raised(f"{message}$", written):
        written(value)

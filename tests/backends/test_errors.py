"""The two backends refuse the same arguments, with the same errors."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Placement, PlanOptions, PlanSource, RleMasks, functional
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.backends.table import SAMPLE, SEEN, SOME, STILL, SURE, TABLE
from tests.fixtures.both_backends import agree

ODD: list[Any] = [
    None, 0, 1.5, True, "x", b"x", [], {}, [1, 2], [b"0"], ["P"], np.zeros((2, 3)), np.zeros((1, 2, 3), np.uint8),
    np.zeros((2, 3), np.uint8), np.zeros((0, 3), np.float32), np.zeros((2, 3, 1), ">f4"), np.array(3), SOME, SOME[:0],
    RleMasks.empty((0, 3)), STILL, Placement((3, 2), (2, 3), (0, 0), (2, 3)), (2, 3), (2**16, 2**16), -1, 2**70,
    float("nan"), np.array([4096], np.uint16), np.array([2048, 2048], np.uint16), [[[0, 0, 1, 1]]],
    [[[0, 0, 1, 1, np.nan, 1]]], object(), SAMPLE, [SAMPLE, None], {"score": 1.0}, {"score": object()}, "nearest",
]  # fmt: skip


BOXES: Any = SEEN.boxes
SOURCES: list[Any] = [
    ("size", ["x", (0, 3), (2.0, 3), (2, 3, 4), None]),
    ("boxes", ["x", BOXES.tolist(), BOXES[:, :3], BOXES[0], BOXES.astype(">f4"), BOXES.astype(np.int32), BOXES * np.nan,
               np.full((2, 4), np.inf, np.float32), np.full((2, 4), -(2**63)), BOXES[:1]]),
    ("iscrowd", ["x", [False, True], np.zeros(1, bool), np.zeros(3, bool), np.zeros((2, 1), bool), np.array([0, 1])]),
]  # fmt: skip
ODD += [[SEEN, SEEN._replace(**{name: value})] for name, values in SOURCES for value in values]
ODD += [SURE, SEEN, PlanOptions.check(size=(9, 4), blend_sigma=2.0, target_scale=(1, 1), source_scale=(1, 1), flip=0)]
ODD += [SURE._replace(class_weights=weights) for weights in ({4: 0.0}, {}, {"a": 1.0}, {5: 0.0}, lambda _: [1, 2])]
ODD += [SURE._replace(rule="largest"), SURE._replace(rule="fraction", number=0.5)]
ODD += [(1, 2, 3, 4), (-1,), (2**64, 0), np.array([1.0, 2.0]), PlanSource((2, 3))]


def check(name: str, *arguments: Any, **options: Any) -> None:
    """Both backends give one result or one error; an error names an argument as the kernel has it, and an item of it."""
    found = agree(name, *arguments, **options)
    if isinstance(found, tuple) and found and found[0] in (ArgumentError, ArgumentTypeError, IndexError):
        kind, sentence, (argument, *_) = found
        assert kind is not IndexError, sentence
        assert re.sub(r"(\[\d+\])?\.\w+$", "", argument) in inspect.signature(getattr(functional, name)).parameters, (
            sentence
        )
    else:
        assert not (isinstance(found, tuple) and found and isinstance(found[0], type)), found


@pytest.mark.parametrize("name", TABLE)
def test_errors_are_the_same(name: str) -> None:
    """Each argument in turn replaced by whatever else there is."""
    arguments = TABLE[name].good.arguments
    for i in range(len(arguments)):
        for odd in ODD:
            check(name, *arguments[:i], odd, *arguments[i + 1 :])


@pytest.mark.parametrize("name", [name for name, kernel in TABLE.items() if kernel.good.options])
def test_errors_of_options_are_the_same(name: str) -> None:
    """Each option in turn replaced, beside good ones and alone."""
    arguments, options = TABLE[name].good
    for option in options:
        for odd in ODD:
            check(name, *arguments, **(options | {option: odd}))
            check(name, *arguments, **{option: odd})

"""Errors about the options of a draw: `draw_plan` names its argument, a transform the one that it was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, PlanOptions, PlanSource, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.both_backends import agree

SOURCE = PlanSource((1, 1), np.array([[0, 0, 1, 1]], np.float32))
PHOTO = Sample(np.zeros((1, 1), np.uint8), Instances(masks=RleMasks((1, 1), [0, 1], [0, 2])))
FAR = {"size": 60_000, "target_scale": (1, 1), "source_scale": (1, 1)}
FAR_SOURCE = "60000000000 for sources[0]"
TOO_LARGE = "a resized side of at most 2147483647 pixels"


def choice(rows: Any) -> Callable[..., Any]:
    return lambda *_: rows


CASES: list[tuple[dict[str, Any], str, type[Exception], str, str, str]] = [
    ({"target_scale": (1e6, 1e6)}, "target_scale", ArgumentError, "options.target_scale", TOO_LARGE, "60000000000"),
    ({"source_scale": (1e6, 1e6)}, "source_scale", ArgumentError, "options.source_scale", TOO_LARGE, FAR_SOURCE),
    ({"select": choice(2)}, "select", ArgumentTypeError, "options.choose", "row numbers from the callable", "2"),
    ({"select": choice([0.5])}, "select", ArgumentTypeError, "options.choose", "row numbers from the callable", "0.5"),
    ({"select": choice([1])}, "select", ArgumentError, "options.choose", "rows out of [0] from the callable", "[1]"),
    (
        {"select": choice([0, 0])},
        "select",
        ArgumentError,
        "options.choose",
        "distinct rows from the callable",
        "[0, 0]",
    ),
]


@pytest.mark.parametrize(("change", "of_transform", "kind", "argument", "expected", "got"), CASES)
def test_options_are_named_as_the_caller_gave_them(
    backend: str,
    change: dict[str, Any],
    of_transform: str,
    kind: type[Exception],
    argument: str,
    expected: str,
    got: str,
) -> None:
    given: Any = FAR | change
    error, sentence, fields = agree("draw_plan", PlanOptions.check(**given), (1, 1), [SOURCE], 0)
    assert error is kind
    assert fields == (argument, expected, got, None, None)
    assert sentence == f"{argument}: expected {expected}, got {got}"
    with pytest.raises(kind) as caught:
        SimpleCopyPaste(**given, backend=backend).sample_plan(PHOTO, PHOTO, 0)
    assert caught.value.args == (of_transform, expected, got, None, None)


def test_the_source_that_becomes_too_large_is_named() -> None:
    options = PlanOptions.check(size=9, target_scale=(1, 1), source_scale=(1e6, 1e6), scale_reference="input")
    _, sentence, _ = agree("draw_plan", options, (1, 1), [SOURCE, PlanSource((1, 10**5)), SOURCE], 0)
    assert sentence == f"options.source_scale: expected {TOO_LARGE}, got 100000000000 for sources[1]"

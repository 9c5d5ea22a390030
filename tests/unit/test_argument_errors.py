"""Errors of arguments: their fields are what their sentence says, from Python, from the extension and in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from copypaste_rs import (
    Instances,
    Placement,
    Plan,
    PlanOptions,
    PlanSource,
    RleMasks,
    Sample,
    SimpleCopyPaste,
    functional,
)
from copypaste_rs.errors import ArgumentError, ArgumentTypeError

PHOTO = Sample(np.zeros((4, 6), np.uint8), Instances())
TRANSFORM = SimpleCopyPaste(size=8)
PLAN = TRANSFORM.sample_plan(PHOTO, [], 0)
OBJECT: dict[str, Any] = {"size": [2, 3], "counts": b"123"}
NO_SAMPLES: Any = [PHOTO, 5]
SOURCE = PlanSource((2, 3), np.zeros((1, 4), np.float32))


def batch(**change: Any) -> Any:
    given: dict[str, Any] = {"plans": [PLAN] * 3, "targets": [PHOTO] * 3, "sources": [[]] * 3} | change
    return TRANSFORM.apply_batch(**given)


CASES: list[tuple[Callable[[], Any], type[Exception], tuple[Any, ...], str]] = [
    (lambda: SimpleCopyPaste(size=8, p=2), ArgumentError, ("p", None, None), "p: expected a number from 0 to 1, got 2"),
    (lambda: TRANSFORM(PHOTO, NO_SAMPLES), ArgumentTypeError, ("sources", 1, None), "sources[1]: expected a Sample, got int"),
    (
        lambda: functional.parse_counts([b"123", b"P"], (2, 3)),
        ArgumentError, ("strings", 1, None), "strings[1]: expected whole counts, got a string that ends inside one",
    ),
    (
        lambda: RleMasks.from_coco([OBJECT, {"size": (2, 3), "counts": [6]}, OBJECT | {"counts": b"P"}], (2, 3)),
        ArgumentError, ("objects", (2, "counts"), None),
        "objects[2]['counts']: expected whole counts, got a string that ends inside one",
    ),
    (
        lambda: functional.rasterize([[], [[0, 0, 1, 1, 2, 2], [0, 0]]], (2, 3)),
        ArgumentError, ("polygons", (1, 1), None), "polygons[1][1]: expected at least 3 points, got 1",
    ),
    (
        lambda: functional.draw_plan(PlanOptions.check(size=8), (2, 3), [SOURCE, SOURCE._replace(boxes=np.zeros((1, 4)))]),
        ArgumentTypeError, ("sources[1].boxes", None, None),
        "sources[1].boxes: expected dtype float32 or int64, got float64",
    ),
    (
        lambda: batch(sources=[[], [PHOTO, None], []]),
        ArgumentTypeError, ("sources", 1, 1), "item 1: sources[1]: expected a Sample, got NoneType",
    ),
    (
        lambda: batch(plans=[PLAN, PLAN, Plan(Placement((4, 6), (4, 6), (0, 0), (9, 8)))]),
        ArgumentError, ("plan", None, 2), "item 2: plan: expected a canvas of size (8, 8), got (9, 8)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "place", "sentence"), CASES, ids=[sentence for *_, sentence in CASES])
def test_fields_and_sentence(
    call: Callable[[], Any], kind: type[Exception], place: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        call()
    error: Any = caught.value
    assert (error.argument, error.index, error.item) == place
    assert str(error) == sentence
    assert sentence.endswith(f": expected {error.expected}, got {error.got}")


def test_what_catches_them() -> None:
    assert issubclass(ArgumentError, ValueError)
    assert issubclass(ArgumentTypeError, TypeError)
    assert not issubclass(ArgumentError, TypeError)

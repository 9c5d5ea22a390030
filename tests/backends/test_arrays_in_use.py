"""Arrays that another call is using: a kernel refuses them with an error that names its argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from copypaste_rs import (
    Instances,
    Paste,
    Placement,
    Plan,
    RleMasks,
    Sample,
    SimpleCopyPaste,
    functional,
)
from copypaste_rs.errors import ArgumentError
from tests.fixtures.arrays_in_use import in_use

SIZE = (2, 3)
STILL = Placement(SIZE, SIZE, (0, 0), SIZE)
PLAN = Plan(STILL, (Paste(0, (0,), STILL),))
MASKS = RleMasks(SIZE, [1, 2, 3], [0, 3])
IMAGE, SECOND, PLANES = np.zeros(SIZE, np.uint8), np.ones(SIZE, np.uint8), np.zeros((1, *SIZE), np.uint8)
NUMBERS = np.zeros(SIZE, np.int32)
READY, COLOURS = np.zeros((1, *SIZE), np.float32), np.zeros((*SIZE, 1), np.uint8)
BUSY = Sample(IMAGE, Instances(masks=MASKS))
CALM = Sample(SECOND, Instances(masks=MASKS))
DEPTH, FAR = np.zeros(SIZE, np.float64), np.ones(SIZE, np.float64)
MAPPED = [Sample(SECOND, Instances(masks=MASKS), maps={"depth": depth}) for depth in (DEPTH, FAR)]

AN_IMAGE = "an image that no other call is writing to"
READ = "an array that no other call is writing to"
WRITTEN = "an array that no other call is using"
A_MAP = "a map 'depth' that no other call is writing to"

CASES: list[tuple[str, Callable[[], Any], Any, str, int | None, str]] = [
    ("encode", lambda: functional.encode(PLANES), PLANES, "dense", None, READ),
    ("from_dense", lambda: RleMasks.from_dense(PLANES), PLANES, "array", None, READ),
    ("decode, out", lambda: functional.decode(MASKS, PLANES), PLANES, "out", None, WRITTEN),
    ("label_map, out", lambda: functional.label_map(MASKS, NUMBERS), NUMBERS, "out", None, WRITTEN),
    ("from_label_map", lambda: functional.from_label_map(NUMBERS), NUMBERS, "array", None, READ),
    ("place_image", lambda: functional.place_image(IMAGE, STILL), IMAGE, "image", None, AN_IMAGE),
    ("place_image, out", lambda: functional.place_image(IMAGE, STILL, out=SECOND), SECOND, "out", None, WRITTEN),
    ("blend", lambda: functional.blend(IMAGE, SECOND, SECOND), IMAGE, "source", None, AN_IMAGE),
    ("blend, target", lambda: functional.blend(IMAGE, SECOND, IMAGE), SECOND, "target", None, AN_IMAGE),
    ("convert_image", lambda: functional.convert_image(IMAGE), IMAGE, "image", None, AN_IMAGE),
    ("convert_image, out", lambda: functional.convert_image(COLOURS, out=READY), READY, "out", None, WRITTEN),
    ("copy_paste", lambda: functional.copy_paste(PLAN, BUSY, CALM), IMAGE, "target", None, AN_IMAGE),
    ("copy_paste, sources", lambda: functional.copy_paste(PLAN, CALM, [CALM, BUSY]), IMAGE, "sources", 1, AN_IMAGE),
    ("copy_paste, map", lambda: functional.copy_paste(PLAN, *MAPPED), DEPTH, "target", None, A_MAP),
    ("copy_paste, map of a source", lambda: functional.copy_paste(PLAN, *MAPPED), FAR, "sources", 0, A_MAP),
    ("copy_paste, out", lambda: functional.copy_paste(PLAN, CALM, CALM, out=IMAGE), IMAGE, "out", None, WRITTEN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "array", "argument", "index", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_an_array_in_use_is_named(
    call: Callable[[], Any], array: Any, argument: str, index: int | None, expected: str
) -> None:
    call()
    with in_use(array), pytest.raises(ArgumentError) as caught:
        call()
    error = caught.value
    assert (error.argument, error.index, error.expected, error.got) == (argument, index, expected, "one in use")
    call()


def test_what_is_read_may_be_read_by_others() -> None:
    with in_use(IMAGE, writing=False), in_use(MASKS.counts, writing=False):
        functional.place_image(IMAGE, STILL)
        functional.union(MASKS)
        with pytest.raises(ArgumentError, match=rf"^out: expected {WRITTEN}, got one in use$"):
            functional.place_image(SECOND, STILL, out=IMAGE)


def test_nothing_is_written_where_a_map_is_in_use() -> None:
    out = np.full(SIZE, 77, np.uint8)
    with in_use(FAR), pytest.raises(ArgumentError):
        functional.copy_paste(PLAN, *MAPPED, out=out)
    assert (out == 77).all()
    out = np.full((2, *SIZE), 77, np.uint8)
    with in_use(FAR), pytest.raises(ArgumentError) as caught:
        SimpleCopyPaste(size=SIZE).apply_batch([PLAN] * 2, MAPPED[:1] * 2, [MAPPED[:1], MAPPED], threads=2, out=out)
    assert str(caught.value) == f"item 1: sources[1]: expected {A_MAP}, got one in use"
    assert (out == 77).all()


def test_an_item_of_a_batch_is_named() -> None:
    transform = SimpleCopyPaste(size=SIZE)
    with in_use(IMAGE), pytest.raises(ArgumentError) as caught:
        transform.apply_batch([PLAN] * 2, [CALM] * 2, [[CALM], [BUSY]])
    assert str(caught.value) == f"item 1: sources[0]: expected {AN_IMAGE}, got one in use"

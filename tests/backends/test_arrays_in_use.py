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
    PlanOptions,
    PlanSource,
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


def masks() -> RleMasks:
    return RleMasks(SIZE, [1, 2, 3], [0, 3])


MASKS, OTHER, FREE = masks(), masks(), masks()
for each in (MASKS, OTHER):
    each.counts.setflags(write=True)  # nobody should: it takes this to write to masks
IMAGE, SECOND, PLANES = np.zeros(SIZE, np.uint8), np.ones(SIZE, np.uint8), np.zeros((1, *SIZE), np.uint8)
NUMBERS, CROWD = np.zeros(SIZE, np.int32), np.zeros(1, np.bool_)
WEIGHTS, BOXES = np.array([4096], np.uint16), np.zeros((1, 4), np.float32)
READY, COLOURS = np.zeros((1, *SIZE), np.float32), np.zeros((*SIZE, 1), np.uint8)
BUSY = Sample(IMAGE, Instances(masks=FREE))
CALM = Sample(SECOND, Instances(masks=FREE))
OF_MASKS = Sample(SECOND, Instances(masks=MASKS))
OF_CROWD = Sample(SECOND, Instances(masks=FREE, iscrowd=CROWD))
OPTIONS = PlanOptions.check(size=SIZE)

AN_IMAGE = "an image that no other call is writing to"
READ = "an array that no other call is writing to"
RUNS = "an RleMasks that no other call is writing to"
WRITTEN = "an array that no other call is using"

CASES: list[tuple[str, Callable[[], Any], Any, str, int | None, str]] = [
    *(
        (name, lambda name=name: getattr(functional, name)(MASKS), MASKS.counts, "masks", None, RUNS)
        for name in ("decode", "label_map", "format_counts", "polygons", "area", "boxes", "union", "intersection")
    ),
    ("difference", lambda: functional.difference(MASKS, OTHER), MASKS.counts, "masks", None, RUNS),
    ("difference, other", lambda: functional.difference(MASKS, OTHER), OTHER.counts, "other", None, RUNS),
    ("iou", lambda: functional.iou(MASKS, OTHER), MASKS.counts, "masks", None, RUNS),
    ("iou, other", lambda: functional.iou(MASKS, OTHER), OTHER.counts, "other", None, RUNS),
    ("iou, iscrowd", lambda: functional.iou(MASKS, OTHER, CROWD), CROWD, "iscrowd", None, READ),
    ("encode", lambda: functional.encode(PLANES), PLANES, "dense", None, READ),
    ("from_dense", lambda: RleMasks.from_dense(PLANES), PLANES, "array", None, READ),
    ("decode, out", lambda: functional.decode(MASKS, PLANES), PLANES, "out", None, WRITTEN),
    ("label_map, out", lambda: functional.label_map(MASKS, NUMBERS), NUMBERS, "out", None, WRITTEN),
    ("place_masks", lambda: functional.place_masks(MASKS, STILL), MASKS.counts, "masks", None, RUNS),
    ("place_image", lambda: functional.place_image(IMAGE, STILL), IMAGE, "image", None, AN_IMAGE),
    ("place_image, out", lambda: functional.place_image(IMAGE, STILL, out=SECOND), SECOND, "out", None, WRITTEN),
    ("alpha", lambda: functional.alpha(MASKS, STILL, WEIGHTS), MASKS.counts, "masks", None, RUNS),
    ("alpha, weights", lambda: functional.alpha(MASKS, STILL, WEIGHTS), WEIGHTS, "weights", None, READ),
    ("blend", lambda: functional.blend(IMAGE, SECOND, SECOND), IMAGE, "source", None, AN_IMAGE),
    ("blend, target", lambda: functional.blend(IMAGE, SECOND, IMAGE), SECOND, "target", None, AN_IMAGE),
    ("blend, alpha", lambda: functional.blend(SECOND, SECOND, IMAGE), IMAGE, "alpha", None, READ),
    ("convert_image", lambda: functional.convert_image(IMAGE), IMAGE, "image", None, AN_IMAGE),
    ("convert_image, out", lambda: functional.convert_image(COLOURS, out=READY), READY, "out", None, WRITTEN),
    (
        "draw_plan, boxes",
        lambda: functional.draw_plan(OPTIONS, SIZE, [PlanSource(SIZE), PlanSource(SIZE, BOXES)], 0),
        BOXES, "sources[1].boxes", None, READ,
    ),
    (
        "draw_plan, iscrowd",
        lambda: functional.draw_plan(OPTIONS, SIZE, [PlanSource(SIZE, np.zeros((1, 4), np.int64), CROWD)], 0),
        CROWD, "sources[0].iscrowd", None, READ,
    ),
    ("copy_paste", lambda: functional.copy_paste(PLAN, BUSY, CALM), IMAGE, "target", None, AN_IMAGE),
    ("copy_paste, sources", lambda: functional.copy_paste(PLAN, CALM, [CALM, BUSY]), IMAGE, "sources", 1, AN_IMAGE),
    ("copy_paste, out", lambda: functional.copy_paste(PLAN, CALM, CALM, out=IMAGE), IMAGE, "out", None, WRITTEN),
    (
        "copy_paste, masks",
        lambda: functional.copy_paste(PLAN, CALM, OF_MASKS),
        MASKS.counts, "sources", 0, RUNS,
    ),
    (
        "copy_paste, iscrowd",
        lambda: functional.copy_paste(PLAN, CALM, OF_CROWD),
        CROWD, "sources", 0, "a column iscrowd that no other call is writing to",
    ),
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


def test_an_item_of_a_batch_is_named() -> None:
    transform = SimpleCopyPaste(size=SIZE)
    with in_use(IMAGE), pytest.raises(ArgumentError) as caught:
        transform.apply_batch([PLAN] * 2, [CALM] * 2, [[CALM], [BUSY]])
    assert str(caught.value) == f"item 1: sources[0]: expected {AN_IMAGE}, got one in use"

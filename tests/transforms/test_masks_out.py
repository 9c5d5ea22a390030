"""Arrays for masks that cannot be written to: noticed before the image is written, with number and reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from copypaste_rs import ForTraining, Instances, Sample, SimpleCopyPaste
from copypaste_rs.errors import ArgumentError
from tests.fixtures.arrays_in_use import in_use
from tests.fixtures.samples import SOURCE, TARGET

SIZE = (40, 52)
FORMS: dict[str, Any] = {"dense": ((30, *SIZE), np.uint8), "label_map": (SIZE, np.int32)}
FREE = "an array that no other call is using"


def training(masks: str, backend: str = "rust") -> ForTraining:
    return ForTraining(SimpleCopyPaste(size=SIZE, backend=backend), masks=masks, dtype="uint8")


@pytest.mark.parametrize("masks", FORMS)
def test_an_array_in_use_is_noticed_before_anything_is_written(masks: str) -> None:
    ready, drawing, out = training(masks), np.zeros(*FORMS[masks]), np.full((3, *SIZE), 7, np.uint8)
    plan = ready.sample_plan(TARGET, SOURCE, 0)
    for writing in (True, False):
        with in_use(drawing, writing=writing), pytest.raises(ArgumentError) as caught:
            ready.apply(plan, TARGET, SOURCE, out=out, masks_out=drawing)
        assert caught.value.args == ("masks_out", FREE, "one in use", None, None)
    assert (out == 7).all()
    assert not drawing.any()
    ready.apply(plan, TARGET, SOURCE, out=out, masks_out=drawing)
    assert drawing.any()


@pytest.mark.parametrize("masks", FORMS)
@pytest.mark.parametrize("threads", [1, 2])
def test_an_array_in_use_is_numbered_in_a_batch(masks: str, threads: int) -> None:
    ready, drawings = training(masks), [np.zeros(*FORMS[masks]) for _ in range(3)]
    out = np.full((3, 3, *SIZE), 7, np.uint8)
    plans = [ready.sample_plan(TARGET, SOURCE, i) for i in range(3)]
    for count in (1, 3):
        call: Any = {"threads": threads, "out": out[:count], "masks_out": drawings[:count]}
        with in_use(drawings[count - 1]), pytest.raises(ArgumentError) as caught:
            ready.apply_batch(plans[:count], [TARGET] * count, [SOURCE] * count, **call)
        assert caught.value.args == ("masks_out", FREE, "one in use", count - 1, None)
    assert (out == 7).all()
    assert not any(each.any() for each in drawings)


def test_overlaps_say_with_what(backend: str) -> None:
    ready = training("dense", backend)
    plans = [ready.sample_plan(TARGET, SOURCE, i) for i in range(3)]
    memory = np.full(90 * SIZE[0] * SIZE[1], 7, np.uint8)
    planes, images = memory.reshape(-1, *SIZE), memory.reshape(-1, 3, *SIZE)
    photo = Sample(np.zeros((30, *SIZE), np.uint8).reshape(10, -1, 3), Instances())
    targets, plans[2] = [TARGET, TARGET, photo], ready.sample_plan(photo, SOURCE, 2)
    pixels = photo.image.reshape(30, *SIZE)
    apart = np.zeros((30, *SIZE), np.uint8)
    cases: list[tuple[Any, Any, Any, str]] = [
        (None, [apart, planes[:30], planes[20:50]], 2, "masks_out[1]"),
        (images[:3], [apart, planes[8:40], planes[50:80]], 1, "out"),
        (None, [planes[:30], planes[30:60], pixels], 2, "an input"),
    ]
    for out, masks_out, index, other in cases:
        with pytest.raises(ArgumentError) as caught:
            ready.apply_batch(plans, targets, [SOURCE] * 3, out=out, masks_out=masks_out)
        got = f"an array that overlaps {other}"
        assert caught.value.args == ("masks_out", "memory of its own", got, index, None)
    with pytest.raises(ArgumentError, match=r"^masks_out: .* that overlaps an input$"):
        ready.apply(plans[2], photo, SOURCE, masks_out=pixels)
    assert (memory == 7).all()

"""Results that lie in memory of the package: all large ones, and what they held stays theirs."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from copypaste_rs import (
    ForTraining,
    Instances,
    Paste,
    Placement,
    Plan,
    RleMasks,
    Sample,
    ScaleJitter,
    SimpleCopyPaste,
    _result_memory,
    functional,
    reference,
)
from copypaste_rs._core import ResultMemory

SIZE = (300, 401)
STILL = Placement(SIZE, SIZE, (0, 0), SIZE)


def scene(seed: int) -> Sample:
    """Noise with three rectangles, and depth."""
    rng = np.random.default_rng(seed)
    dense = np.zeros((3, *SIZE), np.uint8)
    for i in range(3):
        dense[i, 10 + 40 * i : 120 + 40 * i, 30 * i : 200 + 30 * i] = 1
    depth = rng.random(SIZE)
    instances = Instances(masks=RleMasks.from_dense(dense), labels=[1, 2, 3])
    return Sample(rng.integers(0, 256, (*SIZE, 3), np.uint8), instances, maps={"depth": depth})


TARGET, SOURCE = scene(1), scene(2)
MASKS: Any = TARGET.instances.masks
TRANSFORM = SimpleCopyPaste(size=SIZE)
PLANS = [TRANSFORM.sample_plan(TARGET, SOURCE, (0, 0, i)) for i in range(2)]
HALF = np.full(SIZE, 128, np.uint8)


def of_sample(sample: Any) -> list[Any]:
    return [sample.image, *sample.maps.values()]


def batch(transform: Any, **more: Any) -> Any:
    return transform.apply_batch(PLANS, [TARGET, SOURCE], [SOURCE, TARGET], threads=2, **more)


def trained(masks: str) -> list[Any]:
    made = ForTraining(TRANSFORM, masks=masks)(TARGET, SOURCE, 3)
    return [made.image, made.masks, *made.maps.values()]


def trained_batch(masks: str) -> list[Any]:
    made = batch(ForTraining(TRANSFORM, masks=masks))
    return [made.images, *made.masks, *made.maps.values()]


CALLS: dict[str, tuple[int, Callable[[], list[Any]]]] = {
    "transform": (2, lambda: of_sample(TRANSFORM(TARGET, SOURCE, 3))),
    "transform, NumPy": (2, lambda: of_sample(SimpleCopyPaste(size=SIZE, backend="numpy")(TARGET, SOURCE, 3))),
    "jitter": (2, lambda: of_sample(ScaleJitter(size=SIZE)(TARGET, 3))),
    "batch": (2, lambda: [(made := batch(TRANSFORM)).images, *made.maps.values()]),
    "dense masks ready for a model": (3, lambda: trained("dense")),
    "a map ready for a model": (3, lambda: trained("label_map")),
    "dense masks of a batch": (4, lambda: trained_batch("dense")),
    "maps of a batch": (4, lambda: trained_batch("label_map")),
    "copy_paste": (2, lambda: of_sample(functional.copy_paste(Plan(STILL, (Paste(0, (0,), STILL),)), TARGET, SOURCE))),
    "place_image": (1, lambda: [functional.place_image(TARGET.image, STILL)]),
    "place_image, NumPy": (1, lambda: [reference.place_image(TARGET.image, STILL)]),
    "blend": (1, lambda: [functional.blend(TARGET.image, SOURCE.image, HALF)]),
    "convert_image": (1, lambda: [functional.convert_image(TARGET.image)]),
    "to_dense": (1, lambda: [MASKS.to_dense()]),
    "decode": (1, lambda: [functional.decode(MASKS)]),
    "to_label_map": (1, lambda: [MASKS.to_label_map()]),
}


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> ResultMemory:
    """Memory of this test alone."""
    fresh = ResultMemory(1 << 28, 60.0)
    monkeypatch.setattr(_result_memory, "memory", lambda: fresh)
    return fresh


def unpooled(call: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Results in memory of their own."""
    with monkeypatch.context() as context:
        context.setattr(_result_memory, "memory", lambda: None)
        return call()


@pytest.mark.parametrize("name", CALLS)
def test_large_results_lie_there(name: str, memory: ResultMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in a piece of its own; whatever the piece held before, the bytes are those of memory of its own."""
    number, call = CALLS[name]
    expected = unpooled(call, monkeypatch)
    results = call()
    assert memory.kept[0] == len(results) == number
    for found, wanted in zip(results, expected, strict=True):
        assert wanted.base is None or wanted.base.base is None
        assert (found.dtype, found.shape, found.tobytes()) == (wanted.dtype, wanted.shape, wanted.tobytes())
        assert found.flags.writeable
        assert found.flags.c_contiguous
        assert pickle.dumps(found) == pickle.dumps(np.ascontiguousarray(wanted))
    kept = memory.kept
    for found in results:
        found[...] = 1  # its memory is dirty for whoever gets it next
    del results, found
    for _ in range(3):
        again = call()
        assert [each.tobytes() for each in again] == [each.tobytes() for each in expected]
        del again
    assert memory.kept == kept


def test_results_of_one_call_do_not_change_in_the_next(memory: ResultMemory) -> None:
    ready = ForTraining(TRANSFORM, masks="dense")
    held = [ready(TARGET, SOURCE, i) for i in range(6)]
    copies = [(one.image.copy(), np.array(one.masks)) for one in held]
    seen = [(memoryview(one.image), np.asarray(one.masks)[1:]) for one in held[3:]]
    del held[3:]
    for i in range(6, 30):
        ready(TARGET, SOURCE, i)
    for one, (image, masks) in zip(held, copies, strict=False):
        assert np.array_equal(one.image, image)
        assert np.array_equal(np.asarray(one.masks), masks)
    for (buffer, part), (image, masks) in zip(seen, copies[3:], strict=True):
        assert buffer.tobytes() == image.tobytes()
        assert np.array_equal(part, masks[1:])
    assert memory.kept[1] < 1 << 28


def test_arrays_that_are_given_are_used(memory: ResultMemory) -> None:
    out, planes = np.empty((*SIZE, 3), np.uint8), np.empty((3, *SIZE), np.uint8)
    plain = Sample(TARGET.image, TARGET.instances)
    assert TRANSFORM(plain, Sample(SOURCE.image, SOURCE.instances), 3, out=out).image is out
    assert MASKS.to_dense(planes) is planes
    assert memory.kept == (0, 0)

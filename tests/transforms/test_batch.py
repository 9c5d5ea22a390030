"""A batch in one call: the bytes of one call for each item, whatever the threads; nothing written when it does not fit."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Batch, ForTraining, Instances, RleMasks, Sample, SimpleCopyPaste, _rust
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.batches import PLANS, SOURCES, TARGETS, TRANSFORM, call
from tests.fixtures.samples import SOURCE, TARGET, discs


@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_items_are_those_of_apply(threads: int, backend: str) -> None:
    transform = SimpleCopyPaste(size=(40, 52), blend_sigma=(0.5, 2), backend=backend)
    batch = transform.apply_batch(PLANS, TARGETS, SOURCES, threads=threads)
    assert isinstance(batch, Batch)
    assert batch.images.shape == (5, 40, 52, 3)
    assert len(batch) == 5
    for i, plan in enumerate(PLANS):
        assert batch[i] == transform.apply(plan, TARGETS[i], SOURCES[i])
        assert np.shares_memory(batch[i].image, batch.images)
    assert batch.infos[2] == {"image_id": 7}
    assert batch.infos[2] is not TARGETS[2].info


@pytest.mark.parametrize("channels", [(), (1,), (4,)])
def test_any_channels_and_a_given_array(channels: tuple[int, ...]) -> None:
    targets = [Sample(np.full((9, 7, *channels), v, np.float32), Instances()) for v in (0.25, 0.75)]
    plans = [TRANSFORM.sample_plan(t, [], i) for i, t in enumerate(targets)]
    out = np.full((2, 40, 52, *channels), 9, np.float32)
    batch = TRANSFORM.apply_batch(plans, targets, [[], []], threads=2, out=out)
    assert batch.images is out
    for i, plan in enumerate(plans):
        np.testing.assert_array_equal(out[i], TRANSFORM.apply(plan, targets[i], []).image)


FORMATS: list[dict[str, Any] | None] = [
    None,
    *({"layout": layout, "dtype": "uint8"} for layout in ("hwc", "chw")),
    *({"layout": layout, "dtype": "float16", "mean": 0.25, "std": 2} for layout in ("hwc", "chw")),
]
LAYOUTS: list[Any] = [lambda image: image, np.asfortranarray, lambda image: image[..., :1], lambda image: image[..., 0]]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_shared_out_among_threads_are_those_of_one(form: dict[str, Any] | None, layout: Any) -> None:
    """Canvases so high that the last ones are divided, the only one of a batch too."""
    rows = 128 * 3 + 5
    plain = SimpleCopyPaste(size=(rows, 40), blend_sigma=(0.5, 4), select="all")
    transform: Any = plain if form is None else ForTraining(plain, masks="runs", **form)
    photos = [Sample(layout(each.image), each.instances) for each in (TARGET, SOURCE)]
    for n in (1, 2, 5):
        targets, sources = [photos[i % 2] for i in range(n)], [[photos[0], photos[1]]] * n
        plans = [plain.sample_plan(t, s, (0, n, i)) for i, (t, s) in enumerate(zip(targets, sources, strict=True))]
        expected = [transform.apply(*item) for item in zip(plans, targets, sources, strict=True)]
        for threads in (1, 2, 5):
            batch = transform.apply_batch(plans, targets, sources, threads=threads)
            assert [batch[i] for i in range(n)] == expected


OTHER = discs(3, (11, 12))
FLAT = Sample(TARGET.image[..., 0], Instances())
BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"plans": PLANS[:4]}, ValueError, "plans: expected as many as targets and sources, got 4, 5 and 5"),
    ({"sources": [SOURCE]}, ValueError, "plans: expected as many as targets and sources, got 5, 5 and 1"),
    ({"plans": np.zeros(())}, TypeError, "plans: expected a sequence, got a single value"),
    ({"sources": None}, TypeError, "sources: expected a sequence, got NoneType"),
    ({"targets": "ab"}, TypeError, "targets: expected a sequence, got str"),
    ({"plans": [], "targets": [], "sources": []}, ValueError, "plans: expected at least one, got none"),
    ({"targets": [*TARGETS[:4], OTHER]}, ValueError, "item 4: plan: expected a plan for a target of size (11, 12), got (30, 44)"),
    ({"targets": [*TARGETS[:4], None]}, TypeError, "item 4: target: expected a Sample, got NoneType"),
    ({"sources": [*SOURCES[:4], 5]}, TypeError, "item 4: sources: expected a Sample or a sequence of them, got int"),
    ({"threads": 0}, ValueError, "threads: expected an integer from 1 to 1024, got 0"),
    ({"threads": 1.5}, TypeError, "threads: expected an integer, got 1.5"),
    ({"out": np.zeros((5, 40, 52, 3), np.uint16)}, ValueError, "out: expected shape (5, 40, 52, 3) and dtype uint8, got"),
    ({"out": np.zeros((4, 40, 52, 3), np.uint8)}, ValueError, "out: expected shape (5, 40, 52, 3) and dtype uint8, got"),
    ({"plans": [SimpleCopyPaste(size=8).sample_plan(TARGET, [], 0)] * 5}, ValueError, "item 0: plan: expected a canvas of size (40, 52)"),
    (
        {"plans": PLANS[:1] * 2, "targets": [TARGET, TARGET], "sources": [SOURCE, []]},
        ValueError,
        "item 1: plan: expected pastes[0] to take one of 0 sources, got sources[0]",
    ),
    (
        {"plans": [TRANSFORM.sample_plan(TARGET, [], 0)] * 2, "targets": [TARGET, FLAT], "sources": [[], []]},
        ValueError,
        "item 1: target: expected images of dtype uint8 and shape (H, W, 3) as in item 0, got uint8 and (H, W)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "message"), BAD)
def test_what_does_not_fit(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        call(**change)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("threads", [1, 2])
def test_nothing_is_written_when_an_item_does_not_fit(threads: int, backend: str) -> None:
    transform = SimpleCopyPaste(size=(40, 52), blend_sigma=(0.5, 2), backend=backend)
    out = np.full((5, 40, 52, 3), 77, np.uint8)
    with pytest.raises(ValueError, match=r"^item 4: plan: expected a plan for a target of size"):
        transform.apply_batch(PLANS, [*TARGETS[:4], OTHER], SOURCES, threads=threads, out=out)
    assert (out == 77).all()
    images = np.zeros((6, 40, 52, 3), np.uint8)
    inside = Sample(images[0], Instances())
    plan = TRANSFORM.sample_plan(inside, [], 0)
    with pytest.raises(ValueError, match=r"^out: expected memory of its own"):
        TRANSFORM.apply_batch([plan], [inside], [[]], out=images[:1])


@pytest.mark.parametrize("threads", [1, 2])
def test_nothing_is_written_when_masks_turn_out_to_be_bad(threads: int) -> None:
    """Only masks that were changed after they were checked get that far."""
    source = discs(2, (37, 25))
    plan = TRANSFORM.sample_plan(source, [], 0)
    good: Any = source.instances.masks
    masks = RleMasks(good.size, good.counts, good.offsets)
    changed = Sample(source.image, Instances(masks=masks))
    masks.counts.flags.writeable = True
    masks.counts[0] += 1
    out = np.full((3, 40, 52, 3), 77, np.uint8)
    with pytest.raises(
        ValueError, match=r"^item 2: masks\[0\]: expected counts that sum to 925 for size \(37, 25\), got 926$"
    ):
        TRANSFORM.apply_batch([plan] * 3, [source, source, changed], [[]] * 3, threads=threads, out=out)
    assert (out == 77).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_of_two_failures_that_of_the_first_item_counts(threads: int) -> None:
    """Whichever is found first: bad masks by a thread, or a plan that does not fit by Python beside it."""
    targets, plans = [discs(5, (20, 31)) for _ in range(12)], [TRANSFORM.sample_plan(discs(5, (20, 31)), [], 0)] * 12
    object.__setattr__(targets[2], "instances", Instances(masks=RleMasks.empty((3, 3))))
    for unfit in (1, 3, 7):
        given: list[Any] = [*plans[:unfit], "no plan", *plans[unfit + 1 :]]
        for _ in range(10):
            with pytest.raises((ArgumentError, ArgumentTypeError)) as error:
                TRANSFORM.apply_batch(given, targets, [[]] * 12, threads=threads)
            assert error.value.item == min(2, unfit)


def test_a_failure_inside_a_thread_names_the_item() -> None:
    """Only a sample that was changed after it was checked gets that far; of several the first is named, once."""
    targets = [discs(5, (20, 31)) for _ in range(12)]
    plan = TRANSFORM.sample_plan(targets[0], [], 0)
    for i in (4, 5, 11):
        masks = RleMasks.empty((3, 3 + i))
        object.__setattr__(targets[i], "instances", Instances(masks=masks))
    out = np.full((12, 40, 52, 3), 77, np.uint8)
    for threads in (1, 2, 3):
        with pytest.raises(ArgumentError) as error:
            TRANSFORM.apply_batch([plan] * 12, targets, [[]] * 12, threads=threads, out=out)
        assert str(error.value) == "item 4: masks: expected size (20, 31) as the placement has, got (3, 7)"
        assert error.value.item == 4
        assert error.value.__cause__ is error.value.__context__ is None
        assert (out == 77).all()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("owner", "name", "may_write"), [(_rust.KernelCall, "of", False), (_rust, "_composition", True)]
)
def test_what_python_raises_beside_the_threads_ends_the_batch(
    threads: int, owner: Any, name: str, may_write: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While calls are made ready nothing is written, and while results are made what was begun is finished."""
    expected, out = call(), np.full((5, 40, 52, 3), 77, np.uint8)
    made, numbers = getattr(owner, name), itertools.count()

    def third_fails(*arguments: Any) -> Any:
        if next(numbers) == 2:
            raise RuntimeError("the third")
        return made(*arguments)

    monkeypatch.setattr(owner, name, third_fails)
    with pytest.raises(RuntimeError, match=r"^the third$"):
        call(threads=threads, out=out)
    assert may_write or (out == 77).all()
    monkeypatch.undo()
    again = call(threads=threads, out=out)
    assert all(again[i] == expected[i] for i in range(5))


def test_a_batch_pickles() -> None:
    batch = call()
    again = pickle.loads(pickle.dumps(batch))
    assert all(again[i] == batch[i] for i in range(5))

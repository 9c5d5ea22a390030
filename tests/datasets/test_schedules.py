"""Transforms by epoch, jitter alone, and what is done to items at last."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import copypaste_rs
from copypaste_rs import ForTraining, Sample, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.schedules import off_for_last
from tests.fixtures.photos import photo

STRONG = SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), select="all", fill=7)
MILD = SimpleCopyPaste(size=(24, 32), select="one")
JITTER = ScaleJitter(size=(24, 32), scale=(0.5, 1.5), fill=7)


def photos_of(n: int) -> list[Sample]:
    return [photo(number) for number in range(n)]


def pasted(item: Any) -> int:
    instances = item.instances
    return 0 if instances.columns.get("source") is None else int((instances.source >= 0).sum())


def test_each_epoch_has_its_transform() -> None:
    photos = photos_of(6)
    train = CopyPasteDataset(photos, schedule={5: JITTER, 0: STRONG, 3: MILD}, seed=4)
    for epoch, transform in enumerate([STRONG, STRONG, STRONG, MILD, MILD, JITTER, JITTER]):
        train.set_epoch(epoch)
        assert train.transform is not None
        assert train.transform == train.transform_at(epoch) == transform
        alone = CopyPasteDataset(photos, transform, seed=4)
        alone.set_epoch(epoch)
        assert [train[i] for i in range(6)] == [alone[i] for i in range(6)]


def test_a_transform_before_the_first_epoch_of_the_schedule() -> None:
    train = CopyPasteDataset(photos_of(3), STRONG, schedule={2: JITTER})
    assert [train.transform_at(epoch) for epoch in range(4)] == [STRONG, STRONG, JITTER, JITTER]
    assert CopyPasteDataset(photos_of(3), STRONG, schedule={}).transform == STRONG


def every_third(epoch: int) -> SimpleCopyPaste | ScaleJitter:
    return JITTER if epoch % 3 == 2 else STRONG


def test_a_function_of_the_epoch() -> None:
    train = CopyPasteDataset(photos_of(4), schedule=every_third)
    assert [train.transform_at(epoch) == JITTER for epoch in range(6)] == [False, False, True, False, False, True]
    again = pickle.loads(pickle.dumps(train))
    for epoch in (1, 2):
        train.set_epoch(epoch)
        again.set_epoch(epoch)
        assert [train[i] for i in range(4)] == [again[i] for i in range(4)]
        assert any(pasted(train[i]) for i in range(4)) == (epoch == 1)


def test_jitter_alone_draws_no_partner() -> None:
    photos = photos_of(5)
    train = CopyPasteDataset(photos, JITTER, seed=3)
    for i in range(5):
        target, sources = train.inputs(i)
        assert sources == []
        assert train[i] == JITTER(target, rng=train.key(i)) == JITTER(photos[i], rng=(3, 0, i))
    ready = CopyPasteDataset(photos, ForTraining(JITTER), seed=3)
    assert ready[2].instances.boxes.tolist() == train[2].instances.boxes.tolist()  # type: ignore[union-attr]


def test_jitter_places_targets_where_copy_paste_does() -> None:
    train = CopyPasteDataset(photos_of(5), schedule=off_for_last(1, 2, STRONG), seed=3)
    for i in range(5):
        key = train.key(i, 1)
        target, _ = train.inputs(i, 1)
        plan = train.transform_at(1).sample_plan(target, key)  # type: ignore[attr-defined]
        assert plan.target == STRONG.sample_plan(target, (), key).target


def test_a_set_that_cannot_paste_is_no_matter_for_jitter(recwarn: pytest.WarningsRecorder) -> None:
    CopyPasteDataset(photos_of(1), JITTER)
    assert not recwarn.list
    with pytest.warns(UserWarning, match="nothing will be pasted"):
        CopyPasteDataset(photos_of(1), STRONG)
    with pytest.warns(UserWarning, match="nothing will be pasted"):
        CopyPasteDataset(photos_of(1), schedule={0: JITTER, 3: STRONG})


def doubled(item: Sample) -> tuple[Sample, int]:
    return item, 2 * len(item.instances)


def test_what_is_done_at_last() -> None:
    photos = photos_of(4)
    plain, train = CopyPasteDataset(photos, STRONG), CopyPasteDataset(photos, STRONG, post=doubled)
    assert [train[i] for i in range(4)] == [doubled(plain[i]) for i in range(4)]
    assert pickle.loads(pickle.dumps(train))[1] == train[1]
    assert train.inputs(1) == plain.inputs(1)


@pytest.mark.parametrize("given", [STRONG, ForTraining(STRONG, mean=(1, 2, 3), std=(4, 5, 6)), JITTER])
def test_off_for_last(given: Any) -> None:
    schedule = off_for_last(10, 100, given)
    assert list(schedule) == [0, 90]
    assert schedule[0] is given
    assert schedule[90] == (
        ForTraining(JITTER, mean=(1, 2, 3), std=(4, 5, 6)) if isinstance(given, ForTraining) else JITTER
    )
    assert off_for_last(0, 100, given) == {0: given}
    assert list(off_for_last(np.int64(99), 100, given)) == [0, 1]
    assert copypaste_rs.schedules.off_for_last is off_for_last


def test_off_for_last_keeps_what_jitter_has() -> None:
    pairs = ((0, 1),)
    strong = SimpleCopyPaste(
        size=(24, 32), target_scale="standard", flip=0.25, fill=(1, 2, 3), pad="random", interpolation="nearest",
        antialias=False, scale_reference="input", min_area=3, flip_pairs=pairs, backend="numpy",
    )  # fmt: skip
    assert off_for_last(1, 2, strong)[1] == ScaleJitter(
        size=(24, 32), scale="standard", flip=0.25, fill=(1, 2, 3), pad="random", interpolation="nearest",
        antialias=False, scale_reference="input", min_area=3, flip_pairs=pairs, backend="numpy",
    )  # fmt: skip


def test_a_transform_may_be_given_as_the_first_of_its_schedule_too() -> None:
    photos = photos_of(3)
    both = CopyPasteDataset(photos, STRONG, schedule={0: STRONG, 3: JITTER})
    assert [both[3, i] for i in range(3)] == [CopyPasteDataset(photos, JITTER)[3, i] for i in range(3)]
    assert both[0] == CopyPasteDataset(photos, STRONG)[0]


def test_errors() -> None:
    photos = photos_of(3)
    with pytest.raises(ValueError, match=r"^n: expected fewer than all epochs \(10\), got 10$"):
        off_for_last(10, 10, STRONG)
    with pytest.raises(ValueError, match=r"^n: expected an integer from 0"):
        off_for_last(-1, 10, STRONG)
    with pytest.raises(TypeError, match=r"^transform: expected a SimpleCopyPaste, a ScaleJitter or a ForTraining"):
        off_for_last(1, 10, None)  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"^transform: expected a SimpleCopyPaste, a ScaleJitter or a ForTraining, got none$"
    ):
        CopyPasteDataset(photos)
    with pytest.raises(
        ValueError, match=r"^schedule: expected a transform for epochs from 0 on.*the first for epoch 3"
    ):
        CopyPasteDataset(photos, schedule={5: STRONG, 3: JITTER})
    with pytest.raises(
        ValueError, match=r"^transform: expected None, or the transform that schedule begins with.*got another Simple"
    ):
        CopyPasteDataset(photos, STRONG, schedule={3: STRONG, 0: JITTER})
    with pytest.raises(TypeError, match=r"^schedule\[3\]: expected a SimpleCopyPaste, .* got str$"):
        CopyPasteDataset(photos, STRONG, schedule={3: "off"})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"^schedule: expected an integer from 0"):
        CopyPasteDataset(photos, STRONG, schedule={-3: JITTER})
    with pytest.raises(TypeError, match=r"^schedule: expected an integer, got '3'$"):
        CopyPasteDataset(photos, STRONG, schedule={"3": JITTER})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match=r"^schedule: expected a mapping of first epochs"):
        CopyPasteDataset(photos, STRONG, schedule=[JITTER])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^transform: expected None where schedule is a function"):
        CopyPasteDataset(photos, STRONG, schedule=every_third)
    with pytest.raises(TypeError, match=r"^schedule\[0\]: expected a SimpleCopyPaste, .* got NoneType$"):
        CopyPasteDataset(photos, schedule=lambda _: None)[0]  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match=r"^post: expected a function, got int$"):
        CopyPasteDataset(photos, STRONG, post=3)  # type: ignore[arg-type]


def test_repr_says_what_is_done() -> None:
    mild = SimpleCopyPaste(size=48)
    assert repr(CopyPasteDataset(photos_of(3), ForTraining(mild), seed=4)) == (
        "CopyPasteDataset(3 items, ForTraining(SimpleCopyPaste(size=48)), seed=4, epoch=0)"
    )
    text = """\
CopyPasteDataset(
    3 items,
    schedule={
        0: SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), select='all', fill=7),
        4: ScaleJitter(size=(24, 32), scale=(0.5, 1.5), fill=7),
    },
    seed=0,
    epoch=0,
)"""
    assert repr(CopyPasteDataset(photos_of(3), STRONG, schedule={4: JITTER})) == text
    assert "schedule=<function every_third" in repr(CopyPasteDataset(photos_of(3), schedule=every_third))

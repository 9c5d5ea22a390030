"""Results ready for a model: what can be made of the plain ones, in one pass; buffers, batches, bad input."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from copypaste_rs import (
    ForTraining,
    Instances,
    RleMasks,
    Sample,
    ScaleJitter,
    SimpleCopyPaste,
    TrainingSample,
    reference,
)
from copypaste_rs.datasets import CopyPasteDataset
from tests.fixtures.arrays import DTYPES, photograph
from tests.fixtures.samples import SOURCE, TARGET, discs

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZE = (40, 52)
PLAIN = SimpleCopyPaste(size=SIZE, blend_sigma=(0.5, 2), on_hidden="crowd")


def check(ready: TrainingSample, plain: Sample, wrapped: ForTraining, **image: Any) -> None:
    """What `wrapped` gives is what can be made of the plain result afterwards."""
    assert ready.instances == plain.instances
    assert ready.info == plain.info
    np.testing.assert_array_equal(ready.image, reference.convert_image(plain.image, **image))
    masks = plain.instances.masks
    assert masks is not None
    if isinstance(ready.masks, RleMasks):
        assert ready.masks == masks
    else:
        assert ready.masks is not None
        drawn = reference.label_map(masks) if ready.masks.ndim == 2 else reference.decode(masks)
        np.testing.assert_array_equal(ready.masks, drawn)


@pytest.mark.parametrize("masks", ["dense", "label_map", "runs"])
@pytest.mark.parametrize(
    "image",
    [
        {},
        {"mean": MEAN, "std": STD},
        {"layout": "hwc", "dtype": "float16", "mean": 0.4},
        {"layout": "hwc", "dtype": "uint8"},
        {"dtype": "uint8"},
        {"dtype": "float16", "scale": False, "mean": (1, 2, 3), "std": 60},
    ],
)
def test_one_pass_gives_what_two_would(backend: str, masks: str, image: dict[str, Any]) -> None:
    transform = SimpleCopyPaste(size=SIZE, blend_sigma=(0.5, 2), on_hidden="crowd", backend=backend)
    wrapped = ForTraining(transform, masks=masks, **image)
    for i in range(3):
        ready = wrapped(TARGET, [SOURCE, TARGET], (0, 0, i))
        check(ready, transform(TARGET, [SOURCE, TARGET], (0, 0, i)), wrapped, **image)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [(), (1,), (4,)])
def test_images_of_any_kind(backend: str, dtype: type, channels: tuple[int, ...]) -> None:
    transform = SimpleCopyPaste(size=SIZE, backend=backend)
    target = Sample(photograph(3, (30, 44, *channels), dtype), TARGET.instances)
    for image in ({"mean": 0.4, "std": 0.3}, {"layout": "hwc"}):
        ready = ForTraining(transform, **image)(target, target, 3)
        check(ready, transform(target, target, 3), ForTraining(transform), **image)


def test_batches_are_the_single_results(backend: str) -> None:
    transform = SimpleCopyPaste(size=SIZE, blend_sigma=(0.5, 2), backend=backend)
    targets = [TARGET, discs(5, (20, 31)), Sample(TARGET.image, Instances(), {"image_id": 7})]
    sources: list[Any] = [SOURCE, [TARGET, SOURCE], []]
    for masks in ("dense", "label_map", "runs"):
        wrapped = ForTraining(transform, mean=MEAN, std=STD, masks=masks, mask_dtype="bool")
        plans = [wrapped.sample_plan(t, s, (0, 0, i)) for i, (t, s) in enumerate(zip(targets, sources, strict=True))]
        for threads in (1, 3):
            batch = wrapped.apply_batch(plans, targets, sources, threads=threads)
            assert batch.images.shape == (3, 3, *SIZE)
            assert len(batch) == 3
            assert batch[2].info == {"image_id": 7}
            for i, plan in enumerate(plans):
                single = wrapped.apply(plan, targets[i], sources[i])
                np.testing.assert_array_equal(batch[i].image, single.image)
                assert batch[i].instances == single.instances
                if masks == "runs":
                    assert batch[i].masks == single.masks
                else:
                    np.testing.assert_array_equal(batch.masks[i], single.masks)
                    assert np.asarray(batch.masks[i]).dtype == (np.bool_ if masks == "dense" else np.int32)


def test_given_arrays_take_the_results(backend: str) -> None:
    transform = SimpleCopyPaste(size=SIZE, backend=backend)
    wrapped = ForTraining(transform, mean=MEAN, std=STD)
    plan = wrapped.sample_plan(TARGET, SOURCE, 4)
    expected = wrapped.apply(plan, TARGET, SOURCE)
    n = len(expected.instances)
    out, planes = np.full((3, *SIZE), 7, np.float32), np.full((30, *SIZE), 7, np.uint8)
    ready = wrapped.apply(plan, TARGET, SOURCE, out=out, masks_out=planes)
    np.testing.assert_array_equal(out, expected.image)
    assert np.shares_memory(ready.image, out)
    assert isinstance(ready.masks, np.ndarray)
    assert np.shares_memory(ready.masks, planes)
    np.testing.assert_array_equal(ready.masks, expected.masks)
    assert len(ready.masks) == n
    assert (planes[n:] == 7).all()
    mapped = ForTraining(transform, masks="label_map")
    numbers = np.full(SIZE, 7, np.int32)
    assert mapped.apply(plan, TARGET, SOURCE, masks_out=numbers).masks is numbers
    np.testing.assert_array_equal(numbers, mapped.apply(plan, TARGET, SOURCE).masks)


def test_jitter_alone() -> None:
    jitter = ScaleJitter(size=SIZE)
    wrapped = ForTraining(jitter, mean=MEAN, std=STD)
    check(wrapped(TARGET, rng=3), jitter(TARGET, 3), wrapped, mean=MEAN, std=STD)
    with pytest.raises(ValueError, match="sources: expected none, since ScaleJitter pastes nothing"):
        wrapped(TARGET, SOURCE, 3)


def test_as_a_data_set_gives_it() -> None:
    wrapped = ForTraining(PLAIN, mean=MEAN, std=STD)
    train = CopyPasteDataset([TARGET, SOURCE, discs(8)], wrapped, seed=5)
    item = train[1]
    assert isinstance(item, TrainingSample)
    check(item, PLAIN(*train.inputs(1), train.key(1)), wrapped, mean=MEAN, std=STD)
    again: Any = pickle.loads(pickle.dumps(train))
    np.testing.assert_array_equal(again[1].image, item.image)
    jitter = ForTraining(ScaleJitter(size=SIZE))
    alone = CopyPasteDataset([TARGET, SOURCE], jitter, seed=5)
    np.testing.assert_array_equal(alone[1].image, jitter(SOURCE, rng=alone.key(1)).image)


def test_equal_pickled_immutable_and_shown() -> None:
    wrapped = ForTraining(PLAIN, mean=np.array(MEAN), std=STD, masks="label_map")
    assert pickle.loads(pickle.dumps(wrapped)) == wrapped
    assert wrapped != ForTraining(PLAIN)
    assert wrapped.backend == "rust"
    assert "mean=(0.485, 0.456, 0.406)" in repr(wrapped)
    assert eval(repr(wrapped)) == wrapped
    with pytest.raises(AttributeError, match="ForTraining is immutable"):
        wrapped.transform = PLAIN


OUT = np.zeros((3, *SIZE), np.float32)
REFUSED: list[tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = [
    ({}, {"out": np.empty((*SIZE, 3), np.float32)}, ValueError, "out: expected shape (3, 40, 52) and dtype float32"),
    ({}, {"out": OUT.astype(np.float16)}, ValueError, "out: expected shape (3, 40, 52) and dtype float32, got"),
    ({}, {"out": [1]}, TypeError, "out: expected a NumPy array, got list"),
    (
        {},
        {"masks_out": np.zeros((3, *SIZE), np.uint8)},
        ValueError,
        "masks_out: expected shape (n, 40, 52) with n of at least 12, for",
    ),
    (
        {},
        {"masks_out": np.zeros((20, *SIZE), np.bool_)},
        ValueError,
        "masks_out: expected shape (20, 40, 52) and dtype",
    ),
    (
        {},
        {"masks_out": np.zeros((20, 40, 51), np.uint8)},
        ValueError,
        "masks_out: expected shape (20, 40, 52) and dtyp",
    ),
    ({}, {"masks_out": 5}, TypeError, "masks_out: expected a NumPy array, got int"),
    ({}, {"masks_out": np.zeros(SIZE, np.uint8)}, ValueError, "masks_out: expected shape (n, 40, 52) with n of at le"),
    ({"masks": "runs"}, {"masks_out": np.zeros((20, *SIZE), np.uint8)}, ValueError, "masks_out: expected None where m"),
    (
        {"masks": "label_map"},
        {"masks_out": np.zeros(SIZE, np.int64)},
        ValueError,
        "masks_out: expected shape (40, 52) ",
    ),
    ({"dtype": "uint16"}, {}, ValueError, "dtype: expected float32, float16 or the image's own, which is uint8, got u"),
    ({"mean": (1, 2)}, {}, ValueError, "mean: expected a number or 3 of them, one for each channel, got 2"),
]


@pytest.mark.parametrize(("options", "call", "kind", "sentence"), REFUSED)
def test_bad_calls_are_refused(
    backend: str, options: dict[str, Any], call: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    wrapped = ForTraining(SimpleCopyPaste(size=SIZE, select="all", flip=0, backend=backend), **options)
    plan = SimpleCopyPaste(size=SIZE, select="all", target_scale=(1, 1), source_scale=(1, 1)).sample_plan(
        TARGET, TARGET, 0
    )
    with pytest.raises(kind) as caught:
        wrapped.apply(plan, TARGET, TARGET, **call)
    assert str(caught.value).startswith(sentence)


def test_overlapping_arrays_are_refused() -> None:
    wrapped = ForTraining(PLAIN, dtype="uint8", layout="hwc")
    plan = wrapped.sample_plan(TARGET, SOURCE, 0)
    both = np.zeros(100 * SIZE[0] * SIZE[1], np.uint8)
    image, planes = both[: 3 * 40 * 52].reshape(*SIZE, 3), both[: 20 * 40 * 52].reshape(20, *SIZE)
    with pytest.raises(ValueError, match="masks_out: expected memory of its own, got an array that overlaps out"):
        wrapped.apply(plan, TARGET, SOURCE, out=image, masks_out=planes)
    with pytest.raises(ValueError, match=r"masks_out\[1\]: expected memory of its own, got an array that overlaps"):
        wrapped.apply_batch([plan] * 2, [TARGET] * 2, [SOURCE] * 2, masks_out=[planes, planes])
    with pytest.raises(ValueError, match="masks_out: expected 2 arrays, one for each item, got 1"):
        wrapped.apply_batch([plan] * 2, [TARGET] * 2, [SOURCE] * 2, masks_out=[planes])
    assert not both.any()


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"masks": "bool"}, ValueError, "masks: expected one of 'dense', 'label_map', 'runs'|masks: expected one of"),
        ({"mask_dtype": "int32"}, ValueError, "mask_dtype: expected one of uint8, bool, got 'int32'"),
        (
            {"mask_dtype": "nonsense", "masks": "runs"},
            ValueError,
            "mask_dtype: expected one of uint8, bool, got 'nonsense'",
        ),
        ({"mask_dtype": None}, ValueError, "mask_dtype: expected one of uint8, bool, got None"),
        ({"layout": 3}, TypeError, "layout: expected one of 'chw', 'hwc', got 3"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        ForTraining(PLAIN, **options)


def test_results_compare_by_value_and_show_shapes() -> None:
    for masks in ("dense", "label_map", "runs"):
        wrapped = ForTraining(PLAIN, masks=masks)
        ready = wrapped(TARGET, SOURCE, 3)
        assert ready == wrapped(TARGET, SOURCE, 3)
        assert ready != wrapped(TARGET, SOURCE, 4)
        assert len(repr(ready)) < 300
    batch = wrapped.apply_batch([wrapped.sample_plan(TARGET, SOURCE, 3)], [TARGET], [SOURCE])
    assert batch[0] == batch[-1] == ready
    assert repr(batch) == "TrainingBatch(images=(1, 3, 40, 52) float32)"
    with pytest.raises(TypeError):
        batch[0:1]  # type: ignore[index]


def test_arguments_are_attributes() -> None:
    assert ForTraining(PLAIN, mean=MEAN).mean == MEAN
    with pytest.raises(AttributeError, match="ForTraining has no attribute 'meen'"):
        _ = ForTraining(PLAIN).meen


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"plans": "plan"}, TypeError, "plans: expected a sequence, got str"),
        ({"targets": TARGET}, TypeError, "targets: expected a sequence, got Sample"),
        ({"sources": SOURCE}, TypeError, "sources: expected a sequence, got Sample"),
        ({"masks_out": 5}, TypeError, "masks_out: expected a sequence, got int"),
        ({"size": 64}, ValueError, r"item 0: plan: expected a canvas of size \(64, 64\), got \(40, 52\)"),
    ],
)
def test_batches_name_what_is_wrong(change: dict[str, Any], kind: type[Exception], sentence: str) -> None:
    plan = PLAIN.sample_plan(TARGET, SOURCE, 0)
    call: dict[str, Any] = {"plans": [plan], "targets": [TARGET], "sources": [SOURCE]} | change
    wrapped = ForTraining(SimpleCopyPaste(size=call.pop("size", SIZE)))
    with pytest.raises(kind, match=sentence):
        wrapped.apply_batch(**call)


def test_a_batch_of_jittered_images_has_no_sources() -> None:
    wrapped = ForTraining(ScaleJitter(size=SIZE))
    plans = (wrapped.sample_plan(TARGET, rng=i) for i in range(2))
    batch = wrapped.apply_batch(plans, [TARGET, TARGET])  # type: ignore[arg-type]  # an iterator will do
    assert batch[1] == wrapped(TARGET, rng=1)


def test_only_transforms_are_wrapped() -> None:
    with pytest.raises(TypeError, match="transform: expected a SimpleCopyPaste or a ScaleJitter, got int"):
        ForTraining(5)  # type: ignore[arg-type]

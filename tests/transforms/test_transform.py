"""Transforms: plans as drawn, by key; options; warnings; pickles."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from copypaste_rs import Instances, Paste, Placement, Plan, RleMasks, Sample, ScaleJitter, SimpleCopyPaste
from tests.fixtures.geometry import nearest
from tests.fixtures.philox import bit_generator, uniform, words
from tests.fixtures.samples import SOURCE, TARGET

TARGET_OF_ONE = Sample(np.zeros((1, 1), np.uint8), Instances())


def test_scale_and_flip_come_from_their_slots(backend: str) -> None:
    transform = SimpleCopyPaste(size=(50, 60), target_scale=(0.5, 1.5), source_scale="standard", backend=backend)
    plan = transform.sample_plan(TARGET, [SOURCE, TARGET], (3, 4, 5))
    drawn = [uniform(word) for word in words((3, 4, 5), 0, 8 + 8 + 4 * 6 + 8)]
    for place, start, (lo, hi) in (
        (plan.target, 1, (0.5, 1.5)),
        (plan.pastes[0].placement, 8, (0.8, 1.25)),
        (plan.pastes[1].placement, 8 + 8 + 24, (0.8, 1.25)),
    ):
        h, w = place.input_size
        fit = min(50 / h, 60 / w)
        scale = lo + (hi - lo) * drawn[start]
        assert place.resized_size == (round(h * fit * scale), round(w * fit * scale))
        assert place.hflip == (drawn[start + 1] < 0.5)


def test_an_option_changes_no_other_draw() -> None:
    base: dict[str, Any] = {"size": 64, "select": "all"}
    plain = SimpleCopyPaste(**base).sample_plan(TARGET, SOURCE, 7)
    for change in ({"blend_sigma": (1, 2)}, {"flip": 0.0}, {"pad": "random"}, {"min_area": 3}, {"select": 2}):
        other = SimpleCopyPaste(**(base | change)).sample_plan(TARGET, SOURCE, 7)
        assert other.target.resized_size == plain.target.resized_size
        assert other.pastes[0].placement.resized_size == plain.pastes[0].placement.resized_size
    assert SimpleCopyPaste(**base, p=0.5).sample_plan(TARGET, SOURCE, 7).target == plain.target
    jitter = ScaleJitter(size=64)
    assert jitter.sample_plan(TARGET, 7) == Plan(plain.target)


def drawn_plans(n: int = 300, source: Sample = SOURCE, **options: Any) -> list[Plan]:
    transform = SimpleCopyPaste(**({"size": (40, 52)} | options))
    return [transform.sample_plan(TARGET, source, (11, 0, i)) for i in range(n)]


def test_offsets_crop_anywhere_and_pad_as_told() -> None:
    places = [p.target for p in drawn_plans()] + [q.placement for p in drawn_plans() for q in p.pastes]
    for place in places:
        for side in (0, 1):
            room = place.resized_size[side] - place.canvas_size[side]
            assert -max(room, 0) <= place.offset[side] <= 0
            assert place.offset[side] == 0 or room > 0
    cropped = [p for p in places if p.resized_size[0] > 44]
    assert len({p.offset[0] for p in cropped}) > 5
    assert any(p.offset[0] != p.offset[1] for p in cropped)
    padded = [p.target for p in drawn_plans(pad="random")]
    small = [p for p in padded if p.resized_size[0] < 30]
    assert len({p.offset[0] for p in small}) > 5
    assert all(0 <= p.offset[0] <= 40 - p.resized_size[0] for p in small)


def placed_pixels(source: Sample, place: Placement) -> NDArray[Any]:
    """For each row its pixels on the canvas, by the definition of nearest resampling, pixel by pixel."""
    assert source.instances.masks is not None
    dense = source.instances.masks.to_dense()
    h, w = place.input_size
    ys = [nearest(i, h, place.resized_size[0]) for i in range(place.resized_size[0])]
    xs = [nearest(i, w, place.resized_size[1], place.hflip) for i in range(place.resized_size[1])]
    resized = dense[:, ys][:, :, xs]
    canvas = np.zeros((len(dense), *place.canvas_size), np.uint8)
    y, x = place.offset
    for i in range(resized.shape[1]):
        for j in range(resized.shape[2]):
            if 0 <= i + y < canvas.shape[1] and 0 <= j + x < canvas.shape[2]:
                canvas[:, i + y, j + x] = resized[:, i, j]
    return canvas


def test_candidates_are_what_the_jitter_leaves_on_the_canvas() -> None:
    solid = np.zeros((5, 37, 25), np.uint8)  # boxes, so that box and mask agree
    for i, (y, x) in enumerate([(0, 0), (30, 20), (0, 20), (33, 3), (15, 12)]):
        solid[i, y : y + 3, x : x + 4] = 1
    flags = [False, False, False, False, True]
    source = Sample(SOURCE.image, Instances(masks=RleMasks.from_dense(solid), iscrowd=flags))
    for plan in drawn_plans(120, source, select="all"):
        pasted = {row for paste in plan.pastes for row in paste.instances}
        place = plan.pastes[0].placement if plan.pastes else None
        if place is not None:
            seen = placed_pixels(source, place).any((1, 2))
            assert pasted == {i for i in range(4) if seen[i]}


@pytest.mark.parametrize(
    ("select", "sizes"), [("one", {1}), ("all", {4}), (3, {3}), (9, {4}), (0.5, {2}), (1.0, {4}), (0.01, {1})]
)
def test_how_many_are_selected(select: Any, sizes: set[int]) -> None:
    fixed: dict[str, Any] = {"source_scale": (1.0, 1.0), "size": (37, 25), "flip": 0.0}
    chosen = [p.pastes[0].instances for p in drawn_plans(60, select=select, **fixed)]
    assert {len(rows) for rows in chosen} == sizes
    assert all(list(rows) == sorted(set(rows)) for rows in chosen)
    assert all(set(rows) <= {0, 2, 3, 5} for rows in chosen)  # rows 1 and 4 are crowds
    if sizes != {4}:
        assert {row for rows in chosen for row in rows} == {0, 2, 3, 5}


def test_a_subset_is_of_any_size_and_any_rows() -> None:
    fixed: dict[str, Any] = {"source_scale": (1.0, 1.0), "size": (37, 25), "flip": 0.0}
    chosen = [p.pastes[0].instances for p in drawn_plans(2000, **fixed)]
    sizes = np.bincount([len(rows) for rows in chosen], minlength=5)[1:] / len(chosen)
    np.testing.assert_allclose(sizes, 0.25, atol=0.04)
    rows = np.bincount([row for rows in chosen for row in rows], minlength=6) / len(chosen)
    np.testing.assert_allclose(rows[[0, 2, 3, 5]], 0.625, atol=0.05)  # (1/4 + 2/4 + 3/4 + 4/4) / 4


def test_a_callable_selects() -> None:
    seen: list[Any] = []

    def choose(source: Sample, rows: NDArray[np.int64], rng: np.random.Generator) -> list[int]:
        seen.append((source is SOURCE, rows.tolist(), rows.dtype, rng.integers(1 << 40)))
        return [int(row) for row in rows[::-2]]

    transform = SimpleCopyPaste(size=(37, 25), source_scale=(1, 1), flip=0, select=choose)
    plan = transform.sample_plan(TARGET, [TARGET, SOURCE], (8, 1, 2))
    philox = bit_generator((8, 1), (0, 1, 2, 1))
    assert seen[1] == (True, [0, 2, 3, 5], np.int64, np.random.Generator(philox).integers(1 << 40))
    assert plan.pastes[1].instances == (2, 5)
    nothing = SimpleCopyPaste(size=20, select=lambda *_: [])
    assert nothing.sample_plan(TARGET, SOURCE, 1).pastes == ()


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        ([1], ValueError, "select: expected rows out of [0, 2, 3, 5] from the callable, got [1]"),
        ([0, 0], ValueError, "select: expected distinct rows from the callable, got [0, 0]"),
        (2, TypeError, "select: expected row numbers from the callable, got 2"),
        ([0.0], TypeError, "select: expected row numbers from the callable, got 0.0"),
    ],
)
def test_what_a_callable_must_not_return(returned: Any, error: type[Exception], message: str) -> None:
    transform = SimpleCopyPaste(size=(37, 25), source_scale=(1, 1), flip=0, select=lambda *_: returned)
    with pytest.raises(error) as caught:
        transform.sample_plan(TARGET, SOURCE, 0)
    assert str(caught.value) == message


def test_uniform_puts_each_object_wholly_on_the_canvas() -> None:
    spots = set()
    for plan in drawn_plans(150, placement="uniform", select="all", source_scale=(0.3, 0.6)):
        assert len(plan.pastes) <= 4
        for paste in plan.pastes:
            assert len(paste.instances) == 1
            row = paste.instances[0]
            whole = Placement(
                paste.placement.input_size, paste.placement.resized_size, (0, 0), paste.placement.resized_size,
                paste.placement.hflip,
            )  # fmt: skip
            on_canvas = placed_pixels(SOURCE, paste.placement)[row]
            assert on_canvas.sum() == placed_pixels(SOURCE, whole)[row].sum()
            ys, xs = np.nonzero(on_canvas)
            spots.add((row, ys.min() == 0, xs.max() == 51))
    assert {(False, True), (True, False)} <= {(top, right) for _, top, right in spots}


def test_uniform_with_an_object_larger_than_the_canvas() -> None:
    big = Sample(SOURCE.image, Instances(masks=RleMasks.from_dense(np.ones((1, 37, 25), np.uint8))))
    for plan in drawn_plans(60, big, size=(16, 16), placement="uniform", source_scale=(2.0, 2.0)):
        (paste,) = plan.pastes
        assert placed_pixels(big, paste.placement).all()  # wherever it lies, it covers the canvas


def test_p() -> None:
    share = np.mean([bool(plan.pastes) for plan in drawn_plans(1000, p=0.3, source_scale="standard")])
    assert 0.25 < share < 0.35
    assert not any(plan.pastes for plan in drawn_plans(20, p=0.001))


def test_blend_sigma() -> None:
    assert {q.sigma for p in drawn_plans(20, blend_sigma=2) for q in p.pastes} == {2.0}
    drawn = [q.sigma for p in drawn_plans(200, blend_sigma=(1, 3)) for q in p.pastes]
    assert 1 <= min(s for s in drawn if s) < 1.1
    assert 2.9 < max(s for s in drawn if s) <= 3


def test_numpys_numbers_are_numbers() -> None:
    a = SimpleCopyPaste(
        size=np.int64(64), flip=np.float32(0.5), select=np.int32(2), p=np.float64(1), min_area=np.uint8(3),
        target_scale=np.array([0.5, 2.0]), antialias=np.True_,
    )  # fmt: skip
    b = SimpleCopyPaste(size=64, select=2, min_area=3, target_scale=(0.5, 2.0))
    assert a.sample_plan(TARGET, SOURCE, 1) == b.sample_plan(TARGET, SOURCE, 1)
    assert SimpleCopyPaste(size=64, select=np.float32(0.5)).sample_plan(TARGET, SOURCE, 1)


BAD_ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"size": 0}, ValueError, "size: expected an integer from 1 to 2147483647, got 0"),
    ({"size": (8, 8, 3)}, ValueError, "size: expected a pair of integers, got 3 values"),
    ({"size": 70_000}, ValueError, "size: expected at most 4294967295 pixels, got (70000, 70000)"),
    ({"size": "64"}, TypeError, "size: expected a pair of integers, got '64'"),
    ({"size": True}, TypeError, "size: expected a pair of integers, got True"),
    ({"size": 64.0}, TypeError, "size: expected a pair of integers, got 64.0"),
    ({"target_scale": "huge"}, ValueError, "target_scale: expected one of 'large', 'standard', got 'huge'"),
    ({"source_scale": (0, 1)}, ValueError, "source_scale: expected 0 < lo <= hi <= 1e+06, got (0, 1)"),
    ({"source_scale": (2, 1)}, ValueError, "source_scale: expected 0 < lo <= hi <= 1e+06, got (2, 1)"),
    ({"source_scale": 1.0}, TypeError, "source_scale: expected a pair of numbers, got 1.0"),
    ({"source_scale": (1, float("inf"))}, ValueError, "source_scale[1]: expected a finite number, got inf"),
    ({"flip": 1.5}, ValueError, "flip: expected a number from 0 to 1, got 1.5"),
    ({"flip": True}, TypeError, "flip: expected a number, got True"),
    ({"select": "some"}, ValueError, "select: expected one of 'subset', 'one', 'all', got 'some'"),
    ({"select": 0}, ValueError, "select: expected an integer from 1 to 2147483647, got 0"),
    ({"select": 0.0}, ValueError, "select: expected a fraction above 0, got 0"),
    ({"select": 1.5}, ValueError, "select: expected a number from 0 to 1, got 1.5"),
    ({"select": True}, TypeError, "select: expected 'subset', 'one', 'all', an int, a fraction or a callable, got True"),
    ({"select": None}, TypeError, "select: expected 'subset', 'one', 'all', an int, a fraction or a callable, got None"),
    ({"placement": "grid"}, ValueError, "placement: expected one of 'jitter', 'uniform', got 'grid'"),
    ({"blend_sigma": 0.05}, ValueError, "blend_sigma: expected a number from 0.1 to 20, got 0.05"),
    ({"blend_sigma": (3, 1)}, ValueError, "blend_sigma: expected 0.1 <= lo <= hi <= 20.0, got (3, 1)"),
    ({"p": -0.1}, ValueError, "p: expected a number from 0 to 1, got -0.1"),
    ({"p": float("nan")}, ValueError, "p: expected a number from 0 to 1, got nan"),
    ({"pad": "centre"}, ValueError, "pad: expected one of 'top_left', 'random', got 'centre'"),
    ({"interpolation": None}, TypeError, "interpolation: expected one of 'bilinear', 'nearest', got None"),
    ({"scale_reference": "max"}, ValueError, "scale_reference: expected one of 'fit', 'input', got 'max'"),
    ({"fill": "abc"}, TypeError, "fill: expected a number, 'edge' or 'min', got 'abc'"),
    ({"fill": (1, float("nan"))}, ValueError, "fill[1]: expected a finite number, got nan"),
    ({"source_scale": np.array(2.0)}, TypeError, "source_scale: expected a pair of numbers, got 2.0"),
    ({"backend": "cuda"}, ValueError, "backend: expected one of 'rust', 'numpy', 'reference', got 'cuda'"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), BAD_ARGUMENTS)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        SimpleCopyPaste(**({"size": 64} | arguments))
    assert str(caught.value) == message
    if set(arguments) <= {"size", "flip", "pad", "interpolation", "scale_reference", "backend"}:
        with pytest.raises(error) as caught:
            ScaleJitter(**({"size": 64} | arguments))
        assert str(caught.value) == message


def test_bad_calls() -> None:
    transform, jitter = SimpleCopyPaste(size=20), ScaleJitter(size=20)
    with pytest.raises(TypeError, match=r"^target: expected a Sample, got ndarray$"):
        transform(TARGET.image, SOURCE)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^sources: expected a Sample or a sequence of them, got int$"):
        transform(TARGET, 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^sources\[1\]: expected a Sample, got NoneType$"):
        transform(TARGET, [SOURCE, None])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"^sample: expected a Sample, got NoneType$"):
        jitter(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^plan: expected a Plan, got str$"):
        transform.apply("{}", TARGET, SOURCE)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^plan: expected a canvas of size \(20, 20\), got \(21, 20\)$"):
        transform.apply(SimpleCopyPaste(size=(21, 20)).sample_plan(TARGET, SOURCE, 0), TARGET, SOURCE)
    place = Placement(TARGET.size, (9, 9), (0, 0), (20, 20))
    with pytest.raises(ValueError, match=r"^plan: expected no pastes \(SimpleCopyPaste applies them\), got 1$"):
        jitter.apply(Plan(place, (Paste(0, (0,), place),)), TARGET)
    with pytest.raises(ValueError, match=r"^sources\[0\]: expected masks or boxes for its 1 instances, got none"):
        transform.sample_plan(TARGET, Sample(SOURCE.image, Instances(labels=[1])))


def test_a_scale_that_no_side_can_have(backend: str) -> None:
    jitter = ScaleJitter(size=60_000, scale=(1e6, 1e6), backend=backend)
    with pytest.raises(ValueError) as error:
        jitter.sample_plan(Sample(np.zeros((1, 1), np.uint8), Instances()), 0)
    assert str(error.value) == "scale: expected a resized side of at most 2147483647 pixels, got 60000000000"


def test_the_error_names_the_range() -> None:
    for name in ("target_scale", "source_scale"):
        transform = SimpleCopyPaste(size=60_000, **{name: (1e6, 1e6)})  # type: ignore[arg-type]
        one = Sample(TARGET_OF_ONE.image, Instances(masks=RleMasks.from_dense(np.ones((1, 1, 1), np.uint8))))
        with pytest.raises(ValueError, match=rf"^{name}: expected a resized side of at most 2147483647 pixels, got "):
            transform.sample_plan(TARGET_OF_ONE, one, 0)


def test_objects_of_very_wide_images_are_found(backend: str) -> None:
    """Beyond 2^24, float32 boxes cannot tell neighbouring columns apart."""
    width = 2**24 + 9
    masks = RleMasks((1, width), [2**24, 1, 8], [0, 3])
    wide = Sample(np.zeros((1, width), np.uint8), Instances(masks=masks))
    transform = SimpleCopyPaste(size=(1, width), source_scale=(1.0, 1.0), flip=0, p=1.0, backend=backend)
    plan = transform.sample_plan(TARGET_OF_ONE, wide, 0)
    assert [paste.instances for paste in plan.pastes] == [(0,)]


def test_settings_that_never_paste_warn_once() -> None:
    with pytest.warns(UserWarning, match=r"^p=0: nothing will ever be pasted$") as caught:
        transform = SimpleCopyPaste(size=64, p=0)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = pickle.loads(pickle.dumps(transform))
        again(TARGET, SOURCE)
    with pytest.warns(UserWarning, match=r"^min_area=101: nothing will ever be pasted on a canvas of 100 pixels$"):
        SimpleCopyPaste(size=10, min_area=101)


def test_transforms_are_values() -> None:
    transform = SimpleCopyPaste(size=(40, 50), select=2, missing={"score": 1.0})
    again = pickle.loads(pickle.dumps(transform))
    assert again == transform
    assert again(TARGET, SOURCE, 5) == transform(TARGET, SOURCE, 5)
    assert transform != SimpleCopyPaste(size=(40, 50))
    assert repr(ScaleJitter(size=8)) == "ScaleJitter(size=8)"
    assert repr(transform) == "SimpleCopyPaste(size=(40, 50), select=2, missing={'score': 1.0})"
    assert eval(repr(transform)) == transform
    assert transform.size == (40, 50)
    with pytest.raises(AttributeError, match=r"^SimpleCopyPaste is immutable: cannot set 'size'$"):
        transform.size = 3
    with pytest.raises(AttributeError, match=r"^SimpleCopyPaste has no attribute 'sigma'$"):
        _ = transform.sigma


def test_nothing_given_can_change_a_transform_later() -> None:
    size, fill, missing = [40, 50], [1, 2, 3], {"score": 1.0}
    transform = SimpleCopyPaste(size=size, fill=fill, missing=missing, p=1.0)  # type: ignore[arg-type]
    before = transform(TARGET, SOURCE, 5)
    size[0], fill[0], missing["score"] = 32, 99, 2.0
    transform.missing["score"] = 3.0
    assert transform(TARGET, SOURCE, 5) == before == pickle.loads(pickle.dumps(transform))(TARGET, SOURCE, 5)
    assert transform.missing == {"score": 1.0}
    for name in ("backend", "_jitter", "size"):
        with pytest.raises(AttributeError, match=rf"^SimpleCopyPaste is immutable: cannot delete '{name}'$"):
            delattr(transform, name)


def test_arrays_as_arguments() -> None:
    fill, scale = np.array([1, 2, 3]), np.array([0.5, 1.0])
    assert SimpleCopyPaste(size=64, fill=fill, source_scale=scale) == SimpleCopyPaste(
        size=64, fill=fill.copy(), source_scale=scale.copy()
    )
    assert SimpleCopyPaste(size=64, fill=fill) != SimpleCopyPaste(size=64, fill=fill + 1)
    assert SimpleCopyPaste(size=np.array(64)).sample_plan(TARGET, SOURCE, 1).canvas_size == (64, 64)


def test_a_callable_cannot_change_the_candidates() -> None:
    def cheat(source: Sample, rows: NDArray[np.int64], rng: np.random.Generator) -> list[int]:
        rows[:] = 1  # a crowd
        return [1]

    transform = SimpleCopyPaste(size=(37, 25), source_scale=(1, 1), flip=0, select=cheat)
    with pytest.raises(ValueError, match=r"^select: expected rows out of \[0, 2, 3, 5\] from the callable, got \[1\]$"):
        transform.sample_plan(TARGET, SOURCE, 0)


def test_scale_jitter_calls_its_sample_sample() -> None:
    jitter = ScaleJitter(size=20)
    plan = jitter.sample_plan(TARGET, 0)
    with pytest.raises(ValueError, match=r"^plan: expected a plan for a sample of size \(37, 25\), got \(30, 44\)$"):
        jitter.apply(plan, SOURCE)
    with pytest.raises(ValueError, match=r"^sample: expected masks or boxes for its 1 instances, got none"):
        jitter(Sample(TARGET.image, Instances(labels=[1])))


def test_fresh_entropy_and_generators_move_on() -> None:
    transform = SimpleCopyPaste(size=64)
    assert transform.sample_plan(TARGET, SOURCE) != transform.sample_plan(TARGET, SOURCE)
    rng = np.random.default_rng(3)
    first, second = transform.sample_plan(TARGET, SOURCE, rng), transform.sample_plan(TARGET, SOURCE, rng)
    assert first != second
    assert transform.sample_plan(TARGET, SOURCE, np.random.default_rng(3)) == first

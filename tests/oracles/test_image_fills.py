"""Fills that the image decides: its edge, as OpenCV replicates it, and its smallest values, as plain loops find them."""

from __future__ import annotations

import pickle
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from copypaste_rs import ForTraining, Instances, Paste, Placement, Plan, RleMasks, Sample, ScaleJitter, SimpleCopyPaste
from tests.fixtures.arrays import DTYPES, pixels
from tests.fixtures.samples import random_sample
from tests.fixtures.strategies import images, placements


def opencv(image: NDArray[Any], p: Placement) -> NDArray[Any]:
    """The image mirrored, resized, its border replicated to all sides, and the canvas cut out of that."""
    (h, w), (top, left), (height, width) = p.resized_size, p.offset, p.canvas_size
    image = np.ascontiguousarray(image[:, ::-1] if p.hflip else image)
    resized = cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR)
    room = max(height, width) + h + w + abs(top) + abs(left)
    framed = cv2.copyMakeBorder(resized, room, room, room, room, cv2.BORDER_REPLICATE)
    cut = framed[room - top : room - top + height, room - left : room - left + width]
    return np.asarray(cut).reshape(height, width, *image.shape[2:])


def brute_force(whole: NDArray[Any], p: Placement) -> NDArray[Any]:
    """The canvas, each pixel the nearest one of the whole resized image."""
    (h, w), (top, left) = whole.shape[:2], p.offset
    canvas = np.empty((*p.canvas_size, *whole.shape[2:]), whole.dtype)
    for y in range(p.canvas_size[0]):
        for x in range(p.canvas_size[1]):
            canvas[y, x] = whole[min(max(y - top, 0), h - 1), min(max(x - left, 0), w - 1)]
    return canvas


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@pytest.mark.parametrize("seed", range(10))
def test_the_edge_is_that_of_opencv(kernels: ModuleType, channels: int | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    h, w, h_out, w_out, height, width = (int(side) for side in rng.integers(1, 60, 6))
    offset = int(rng.integers(-h_out - 5, height + 5)), int(rng.integers(-w_out - 5, width + 5))
    image = pixels(seed, (h, w) if channels is None else (h, w, channels), np.uint8)
    placement = Placement((h, w), (h_out, w_out), offset, (height, width), bool(seed % 2))
    found = kernels.place_image(image, placement, fill="edge", antialias=False)
    np.testing.assert_array_equal(found, opencv(image, placement))


@given(data=st.data())
def test_the_edge_pixel_by_pixel(kernels: ModuleType, data: st.DataObject) -> None:
    image = data.draw(images())
    p = data.draw(placements(image.shape[:2], 12).filter(lambda p: max(p.resized_size) < 100))
    options = {
        "antialias": data.draw(st.booleans()),
        "interpolation": data.draw(st.sampled_from(["bilinear", "nearest"])),
    }
    alone = Placement(p.input_size, p.resized_size, (0, 0), p.resized_size, p.hflip)
    whole = kernels.place_image(image, alone, **options)
    out = np.empty((*p.canvas_size, *image.shape[2:]), image.dtype)
    assert kernels.place_image(image, p, fill="edge", out=out, **options) is out
    np.testing.assert_array_equal(out, brute_force(whole, p))


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_the_edge_of_a_huge_resized_side(kernels: ModuleType, interpolation: str) -> None:
    image = np.array([[10, 20], [30, 40], [50, 60]], np.uint8)
    side = 2**31 - 1
    placement = Placement((3, 2), (side, side), (-side + 3, -(side // 4)), (4, 5))
    found = kernels.place_image(image, placement, interpolation=interpolation, fill="edge")
    assert found.tolist() == [[50] * 5] * 4


@given(data=st.data())
def test_the_smallest_values(kernels: ModuleType, data: st.DataObject) -> None:
    image = data.draw(images())
    placement = data.draw(placements(image.shape[:2], 12))
    planes = image.reshape(*image.shape[:2], -1)
    smallest = [min(planes[:, :, c].ravel().tolist()) for c in range(planes.shape[2])]
    found = kernels.place_image(image, placement, fill="min")
    np.testing.assert_array_equal(found, kernels.place_image(image, placement, fill=smallest))


# -- the whole operation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [None, 3, 5])
@pytest.mark.parametrize("seed", range(6))
def test_objects_lie_over_the_edge(kernels: ModuleType, dtype: Any, channels: int | None, seed: int) -> None:
    """The target placed alone, its edge over the canvas, then the placed source wherever its objects are."""
    rng = np.random.default_rng(seed)
    shape = (17, 23) if channels is None else (17, 23, channels)
    target, source = random_sample(seed, shape, 2, dtype), random_sample(seed + 99, shape, 4, dtype, crowds=False)
    canvas = 40, 150  # wider than what the kernel computes beyond a gap
    offset = int(rng.integers(-12, 44)), int(rng.integers(-25, 155))
    here = Placement((17, 23), (20, 31), offset, canvas, bool(seed % 2))
    over = Placement((17, 23), (38, 120), (int(rng.integers(-9, 9)), int(rng.integers(-9, 60))), canvas)
    found = kernels.copy_paste(Plan(here, (Paste(0, (0, 1, 2, 3), over),)), target, source, fill="edge").image
    expected = kernels.place_image(target.image, here, fill="edge")
    assert source.instances.masks is not None
    pasted = kernels.place_masks(source.instances.masks, over).to_dense().any(axis=0)
    expected[pasted] = kernels.place_image(source.image, over)[pasted]
    np.testing.assert_array_equal(found, expected)


def test_a_source_never_shows_its_fill(kernels: ModuleType) -> None:
    """A soft edge ends where its image does, whatever lies beyond."""
    mask = RleMasks.from_dense(np.ones((1, 8, 8), np.uint8))
    source = Sample(np.full((8, 8), 200, np.uint8), Instances(masks=mask))
    target = Sample(np.full((8, 8), 10, np.uint8), Instances())
    here, there = Placement((8, 8), (8, 8), (0, 0), (20, 20)), Placement((8, 8), (8, 8), (6, 6), (20, 20))
    plan = Plan(here, (Paste(0, (0,), there, 2.0),))
    made = kernels.copy_paste(plan, target, source, fill="edge").image
    assert made.min() == 10
    assert made[10, 10] > 150
    same = kernels.copy_paste(plan, target, source, fill="min").image
    np.testing.assert_array_equal(made, same)


def photos(n: int, dtype: Any = np.uint16) -> list[Sample]:
    """Images of different sizes, and smallest values."""
    made = [random_sample(i, (20 + i, 31 - i, 3), 3, dtype) for i in range(n)]
    return [Sample(np.maximum(each.image, i + 1), each.instances) for i, each in enumerate(made)]


@pytest.mark.parametrize("fill", ["edge", "min"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_batches_and_results_for_training(backend: str, fill: str, dtype: Any) -> None:
    """Each item of a batch has the fill of its own target, with any number of threads."""
    transform = SimpleCopyPaste(
        size=(300, 70), target_scale=(0.2, 0.6), pad="random", fill=fill, blend_sigma=(0.5, 2), backend=backend
    )
    targets = photos(5, dtype)
    sources = [targets[::-1]] * 5
    plans = [transform.sample_plan(t, s, (1, 2, i)) for i, (t, s) in enumerate(zip(targets, sources, strict=True))]
    singles = [transform.apply(plan, t, s) for plan, t, s in zip(plans, targets, sources, strict=True)]
    for threads in (1, 3):
        made = transform.apply_batch(plans, targets, sources, threads=threads)
        for i, single in enumerate(singles):
            np.testing.assert_array_equal(made.images[i], single.image)
    training = ForTraining(transform, layout="hwc", dtype="float32", scale=False)
    ready = training.apply_batch(plans, targets, sources, threads=2)
    for i, single in enumerate(singles):
        np.testing.assert_array_equal(ready.images[i], single.image.astype(np.float32))
        one = training.apply(plans[i], targets[i], sources[i])
        np.testing.assert_array_equal(one.image, single.image.astype(np.float32))


@pytest.mark.parametrize("fill", ["edge", "min"])
def test_a_fill_changes_no_plan_and_travels(fill: str) -> None:
    target, source = photos(2)
    transform = SimpleCopyPaste(size=64, fill=fill)
    assert transform.fill == fill
    assert f"fill={fill!r}" in repr(transform)
    assert pickle.loads(pickle.dumps(transform)) == transform
    assert transform != SimpleCopyPaste(size=64)
    assert transform.sample_plan(target, source, 7) == SimpleCopyPaste(size=64).sample_plan(target, source, 7)
    jitter = ScaleJitter(size=64, scale=(0.2, 0.3), fill=fill)
    made = jitter(target, 7).image
    placement = jitter.sample_plan(target, 7).target
    h, w = placement.resized_size
    assert placement.offset == (0, 0)
    expected = made[h - 1, w - 1] if fill == "edge" else target.image.min(axis=(0, 1))
    np.testing.assert_array_equal(made[63, 63], expected)

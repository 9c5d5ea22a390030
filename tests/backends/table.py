"""The table of kernels: every public name, how to call it at random, and one call that is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from copypaste_rs import Instances, Paste, Placement, Plan, PlanOptions, PlanSource, Sample, draws
from tests.fixtures.arrays import pixels, random_weights
from tests.fixtures.ascii import masks
from tests.fixtures.strategies import (
    Draw,
    class_weights,
    coordinates,
    dense_masks,
    draw_keys,
    images,
    jitter_options,
    layouts,
    may_be_pixels,
    parts,
    paste_options,
    placements,
    plan_sources,
    plans,
    rle_masks,
    sizes,
)


class Call(NamedTuple):
    """Arguments of one call."""

    arguments: tuple[Any, ...]
    options: dict[str, Any]


class Kernel(NamedTuple):
    """Calls of one kernel."""

    calls: st.SearchStrategy[Call]
    """Random calls, which both backends answer alike."""
    good: Call
    """A call that is right, with every argument and option there is: each is replaced by what does not fit."""
    variants: int = 1
    """Number of calls that are drawn at a time: more where one shows less of what there is."""


def calls(build: Callable[[Draw], tuple[Any, ...]]) -> st.SearchStrategy[Call]:
    """Calls of the arguments that `build` draws; a dict that comes last holds options."""

    @st.composite
    def drawn(draw: Draw) -> Call:
        made = build(draw)
        return Call(made[:-1], made[-1]) if made and isinstance(made[-1], dict) else Call(made, {})

    return drawn()


def good(*arguments: Any, **options: Any) -> Call:
    """A call as it is written."""
    return Call(arguments, options)


# -- what is drawn -----------------------------------------------------------------------------------------------


def _encode(draw: Draw) -> tuple[Any, ...]:
    dense = draw(dense_masks(size=sizes(0, 70)))
    return (draw(layouts())(dense.astype(np.bool_) if draw(st.booleans()) else dense * np.uint8(3)),)


def _from_label_map(draw: Draw) -> tuple[Any, ...]:
    h, w = draw(sizes(0, 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype: Any = np.dtype(draw(st.sampled_from("bBhHiIlLqQ")))
    limits = np.iinfo(dtype)
    kinds = np.array([limits.min, limits.max, 0, 1, 2, 3], dtype)[: draw(st.integers(1, 6))]
    coarse = rng.choice(kinds, (h, w))[: draw(st.integers(1, 9)), : draw(st.integers(1, 9))]
    found = np.resize(coarse, (h, w)) if coarse.size else np.zeros((h, w), dtype)
    if draw(st.booleans()):
        found = np.repeat(np.repeat(found, 3, axis=0), 5, axis=1)[:h, :w]
    background = draw(st.sampled_from([None, 0, 2, -1, 255, int(limits.max), 2**64 - 1, -(2**63)]))
    return draw(layouts())(found), {"background": background}


def _masks(draw: Draw) -> tuple[Any, ...]:
    return (draw(rle_masks(size=sizes(0, 40))),)


def _decode(draw: Draw) -> tuple[Any, ...]:
    found = draw(rle_masks(size=sizes(0, 40)))
    dtype = draw(st.sampled_from([None, np.uint8, np.bool_]))
    return found, None if dtype is None else np.ones((len(found), *found.size), dtype)


def _label_map(draw: Draw) -> tuple[Any, ...]:
    found = draw(rle_masks(size=sizes(0, 40)))
    stride = draw(st.just(1) | st.integers(1, 50))
    out = np.full([len(range(stride // 2, side, stride)) for side in found.size], 77, np.int32)
    options = {"order": draw(st.sampled_from(["rows", "area"])), "stride": stride}
    return found, draw(st.sampled_from([None, out])), options


def _polygons(draw: Draw) -> tuple[Any, ...]:
    return draw(rle_masks(size=sizes(0, 40))), {"vertices": draw(st.sampled_from(["corners", "centers"]))}


def _parse_counts(draw: Draw) -> tuple[Any, ...]:
    from copypaste_rs import reference

    size = draw(sizes(0, 12))
    return reference.format_counts(draw(rle_masks(size=st.just(size)))), size


def _rasterize(draw: Draw) -> tuple[Any, ...]:
    polygons = st.lists(st.lists(parts(coordinates()), max_size=3), max_size=3)
    found, size = draw(polygons), draw(sizes(0, 60))
    assume(not any(may_be_pixels(polygon, size) for polygon in found))
    return found, size


def _difference(draw: Draw) -> tuple[Any, ...]:
    size = st.just(draw(sizes(0, 40)))
    one, other = (draw(rle_masks(st.integers(0, 5), size)) for _ in range(2))
    return one, draw(st.sampled_from([other, other[:1], other[: len(one)]]))


def _iou(draw: Draw) -> tuple[Any, ...]:
    size = st.just(draw(sizes(0, 40)))
    one, other = (draw(rle_masks(st.integers(0, 5), size)) for _ in range(2))
    flags = st.lists(st.booleans(), min_size=len(other), max_size=len(other))
    return one, other, draw(st.none() | flags)


def _without_small_parts(draw: Draw) -> tuple[Any, ...]:
    return draw(rle_masks(size=sizes(0, 20))), draw(st.integers(0, 9)), {"connectivity": draw(st.sampled_from([4, 8]))}


def _place_masks(draw: Draw) -> tuple[Any, ...]:
    found = draw(rle_masks(size=sizes(1, 30)))
    return found, draw(placements(found.size, 60))


def _place_image(draw: Draw) -> tuple[Any, ...]:
    image = draw(images(size=sizes(1, 40)))
    antialias, interpolation = draw(st.sampled_from([(True, "bilinear"), (False, "bilinear"), (True, "nearest")]))
    return image, draw(placements(image.shape[:2], 70)), {"antialias": antialias, "interpolation": interpolation}


def _alpha(draw: Draw) -> tuple[Any, ...]:
    found = draw(rle_masks(size=sizes(1, 20)))
    if draw(st.booleans()):
        return found, draw(placements(found.size, 50)), draws.gaussian_weights(draw(st.floats(0.1, 20)))
    weights = random_weights(draw(st.integers(0, 999)), draw(st.integers(0, 3)))
    return found, draw(placements(found.size, 20)), weights


def _blend(draw: Draw) -> tuple[Any, ...]:
    source = draw(images(size=sizes(1, 30)))
    seed = draw(st.integers(0, 2**32))
    target = draw(layouts())(pixels(seed, source.shape, source.dtype))
    return source, target, draw(layouts())(pixels(seed + 1, source.shape[:2], np.uint8))


def _convert_image(draw: Draw) -> tuple[Any, ...]:
    image = draw(images(size=sizes(1, 30)))
    channels = image.shape[2] if image.ndim == 3 else 1
    numbers = st.none() | st.floats(-2, 2) | st.lists(st.floats(-2, 2), min_size=channels, max_size=channels)
    spreads = st.none() | st.floats(0.1, 9) | st.lists(st.floats(0.1, 9), min_size=channels, max_size=channels)
    options = {
        "layout": draw(st.sampled_from(["chw", "hwc"])),
        "dtype": draw(st.sampled_from(["float32", "float16", image.dtype.name])),
        "mean": draw(numbers),
        "std": draw(spreads),
        "scale": draw(st.booleans()),
    }
    return image, options


def _copy_paste(draw: Draw) -> tuple[Any, ...]:
    options = {
        "interpolation": st.sampled_from(["bilinear", "nearest"]),
        "antialias": st.booleans(),
        "min_area": st.integers(0, 30),
        "min_visibility": st.floats(0, 1),
        "on_hidden": st.sampled_from(["drop", "crowd"]),
        "fill": st.sampled_from(["edge", "min"]) | st.integers(0, 255),
    }
    return *draw(plans()), draw(st.fixed_dictionaries({"flip_pairs": st.just([(2, 0)])}, optional=options))


def _draw_plan(draw: Draw) -> tuple[Any, ...]:
    options = draw(jitter_options) | draw(paste_options)
    if draw(st.booleans()):
        options["select"] = draw(st.sampled_from(RULES))
    options["class_weights"] = draw(class_weights | st.sampled_from(WEIGHTS))
    sources = draw(st.lists(plan_sources(), max_size=3))
    seed, epoch, index = draw(draw_keys)
    rng = draw(
        st.sampled_from([seed, (seed,), [seed, epoch], (seed, epoch, index), np.array([seed, index], np.uint64)])
    )
    return PlanOptions.check(**options), draw(sizes(1, 60)), sources, rng


def _philox_words(draw: Draw) -> tuple[Any, ...]:
    words = draw(st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6))
    return tuple(words[:2]), tuple(words[2:]), draw(st.integers(0, 70))


RULES: list[Any] = [
    lambda number, rows, rng: rows[number % 2 :: 2],
    lambda number, rows, rng: rng.permutation(rows)[:2].tolist(),
    lambda number, rows, rng: [],
    lambda number, rows, rng: [-1],  # which no source has
]
"""Rules of a user's own, which choose among the rows of a source."""

WEIGHTS: list[Any] = [
    lambda number: [0.0, 2.0, 1.0],  # too many or too few for most sources
    lambda number: [float("nan")] * 3,
    lambda number: "text",
]
"""Weights of a user's own, which do not fit most sources."""


# -- what is right -----------------------------------------------------------------------------------------------

STILL = Placement((2, 3), (2, 3), (0, 0), (2, 3))
SOME = masks("#../..#", ".../...")
IMAGE = np.zeros((2, 3, 3), np.uint8)
SAMPLE = Sample(IMAGE, Instances(masks=SOME, keypoints=np.ones((2, 2, 3)), box_only=[False, False]))
SURE = PlanOptions.check(size=(2, 3), target_scale=(1, 1), source_scale=(1, 1), flip=0, select="all")
"""Options that leave nothing to the key, so that both backends draw one plan without one."""
SEEN = PlanSource((2, 3), np.array([[0, 0, 3, 2], [0, 1, 1, 2]], np.float32), np.array([False, True]), np.array([4, 5]))


def _out() -> np.ndarray[Any, Any]:
    return np.zeros((2, 3, 3), np.uint8)


TABLE: dict[str, Kernel] = {
    # masks
    "encode": Kernel(calls(_encode), good(np.zeros((1, 2, 3), np.uint8))),
    "decode": Kernel(calls(_decode), good(SOME, np.zeros((2, 2, 3), np.uint8))),
    "label_map": Kernel(calls(_label_map), good(SOME, np.zeros((2, 3), np.int32), order="area", stride=1)),
    "from_label_map": Kernel(
        calls(_from_label_map), good(np.array([[0, 7, 7], [3, 3, 7]], np.int32), background=3), variants=4
    ),
    "parse_counts": Kernel(calls(_parse_counts), good([b"123"], (2, 3))),
    "format_counts": Kernel(calls(_masks), good(SOME)),
    "area": Kernel(calls(_masks), good(SOME)),
    "boxes": Kernel(calls(_masks), good(SOME)),
    "union": Kernel(calls(_masks), good(SOME)),
    "intersection": Kernel(calls(_masks), good(SOME)),
    "difference": Kernel(calls(_difference), good(SOME, SOME), variants=3),
    "iou": Kernel(calls(_iou), good(SOME, SOME, [True, False]), variants=2),
    "without_small_parts": Kernel(calls(_without_small_parts), good(SOME, 2, connectivity=4), variants=3),
    "place_masks": Kernel(calls(_place_masks), good(SOME, STILL)),
    # outlines
    "polygons": Kernel(calls(_polygons), good(SOME, vertices="centers")),
    "rasterize": Kernel(calls(_rasterize), good([[[0, 0, 2, 0, 2, 2]]], (2, 3))),
    # images
    "place_image": Kernel(
        calls(_place_image),
        good(IMAGE, STILL, fill=3, interpolation="nearest", antialias=False, out=_out()),
        variants=3,
    ),
    "alpha": Kernel(calls(_alpha), good(SOME, STILL, np.array([4096], np.uint16)), variants=2),
    "blend": Kernel(calls(_blend), good(IMAGE, IMAGE, IMAGE[:, :, 0])),
    "convert_image": Kernel(
        calls(_convert_image),
        good(
            IMAGE, layout="chw", dtype="float32", mean=0.5, std=0.25, scale=True, out=np.zeros((3, 2, 3), np.float32)
        ),
    ),
    # the operation
    "copy_paste": Kernel(
        calls(_copy_paste),
        good(
            Plan(STILL, (Paste(0, (0,), STILL),)), SAMPLE, [SAMPLE], fill=3, interpolation="nearest", antialias=False,
            min_area=0, min_visibility=0.0, on_hidden="drop", missing=None, flip_pairs=[(0, 1)], out=_out(),
        ),
    ),
    # draws
    "draw_plan": Kernel(calls(_draw_plan), good(SURE, (2, 3), [SEEN, SEEN], (1, 2, 3))),
    "philox_words": Kernel(calls(_philox_words), good((1, 2), (3, 4, 5, 6), 7)),
}  # fmt: skip
"""Every name of `functional.__all__`; a test fails where one is missing."""

"""The two backends agree: the same bytes for the same arguments, and the same errors."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from copypaste_rs import Instances, Paste, Placement, Plan, RleMasks, Sample, functional, reference
from copypaste_rs.draws import gaussian_weights
from tests.fixtures.ascii import masks
from tests.fixtures.both_backends import agree
from tests.fixtures.strategies import (
    DTYPES,
    blobs,
    dense_masks,
    far_coordinates,
    images,
    layouts,
    parts,
    pixels,
    placements,
    rle_masks,
    sizes,
)

# -- the modules -------------------------------------------------------------------------------------------------


def test_names_are_the_same() -> None:
    assert functional.__all__ == reference.__all__


@pytest.mark.parametrize("name", reference.__all__)
def test_signatures_are_the_same(name: str) -> None:
    assert inspect.signature(getattr(functional, name)) == inspect.signature(getattr(reference, name))
    assert getattr(functional, name).__annotations__ == getattr(reference, name).__annotations__


@pytest.mark.parametrize("name", reference.__all__)
def test_everything_is_documented(name: str) -> None:
    for each in (functional, reference):
        assert ">>>" in getattr(each, name).__doc__


def test_the_reference_needs_no_extension() -> None:
    """It is a specification only as long as nothing in it is computed by what it specifies."""
    script = """
import sys; sys.modules["copypaste_rs._core"] = None
import numpy as np
from copypaste_rs import Instances, Paste, Placement, Plan, Sample, reference
found = reference.encode(np.eye(3, 4, dtype=np.uint8)[np.newaxis])
columns = {"masks": found, "boxes": reference.boxes(found)}
sample = Sample(np.zeros((3, 4), np.uint8), Instances._trusted(columns))
still = Placement((3, 4), (3, 4), (0, 0), (3, 4))
plan = Plan(still, (Paste(0, (0,), still), Paste(0, (0,), still, 1.0)))
assert len(reference.copy_paste(plan, sample, sample).instances) == 1
"""
    subprocess.run(
        [sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )


# -- masks -------------------------------------------------------------------------------------------------------


@given(dense=dense_masks(size=sizes(0, 70)), layout=layouts(), boolean=st.booleans())
def test_encode(dense: Any, layout: Any, boolean: bool) -> None:
    agree("encode", layout(dense.astype(np.bool_) if boolean else dense * np.uint8(3)))


@given(found=rle_masks(size=sizes(0, 40)))
def test_kernels_of_one_argument(found: RleMasks) -> None:
    for name in ("decode", "area", "boxes", "union", "intersection", "format_counts"):
        agree(name, found)


@given(data=st.data())
def test_kernels_of_two_arguments(data: st.DataObject) -> None:
    size = data.draw(sizes(0, 40))
    one, other = (data.draw(rle_masks(st.integers(0, 5), st.just(size))) for _ in range(2))
    for several in (other, other[:1], other[: len(one)]):
        agree("difference", one, several)
    agree("iou", one, other)
    agree("iou", one, other, data.draw(st.lists(st.booleans(), min_size=len(other), max_size=len(other))))


@st.composite
def huge_masks(draw: Any, size: tuple[int, int]) -> RleMasks:
    """Masks of billions of pixels, with few runs."""
    total = size[0] * size[1]
    cuts = draw(st.lists(st.lists(st.integers(0, total), max_size=9), max_size=3))
    runs = [np.diff([0, *sorted(each), total]) for each in cuts]
    offsets = np.cumsum([0, *map(len, runs)])
    return RleMasks(size, np.concatenate([np.zeros(0, np.int64), *runs]), offsets)


@given(data=st.data())
def test_masks_of_billions_of_pixels(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([(65536, 65535), (65535, 65537), (1, 2**32 - 1), (2**32 - 1, 1), (3, 1431655765)]))
    one, other = data.draw(huge_masks(size)), data.draw(huge_masks(size))
    for name in ("area", "boxes", "union", "intersection", "format_counts"):
        agree(name, one)
    agree("parse_counts", reference.format_counts(one), size)
    agree("difference", one, other)
    agree("iou", one, other)


@given(data=st.data())
def test_parse_counts(data: st.DataObject) -> None:
    size = data.draw(sizes(0, 12))
    strings = reference.format_counts(data.draw(rle_masks(size=st.just(size))))
    agree("parse_counts", strings, size)
    # One that has been damaged: characters put in, left out, exchanged.
    damaged = [bytearray(each) for each in strings]
    for string in damaged:
        for _ in range(data.draw(st.integers(0, 2))):
            where = data.draw(st.integers(0, len(string)))
            string[where : where + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    agree("parse_counts", [bytes(each) for each in damaged], size)


@given(
    strings=st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.lists(st.integers(0x30, 0x6F), max_size=30).map(bytes),
            st.lists(st.sampled_from(b"0PpoO@\x00/"), max_size=20).map(bytes),
            st.text(max_size=5),
        ),
        max_size=3,
    ),
    size=sizes(0, 4),
)
@example(strings=[b"oooooo3oooooo3PPPPPPL"], size=(1, 2))
@example(strings=[b"PPPPPP?", b"PPPPPP@"], size=(1, 2))
def test_parse_counts_of_anything(strings: list[Any], size: tuple[int, int]) -> None:
    agree("parse_counts", strings, size)


@given(
    polygons=st.lists(st.lists(parts(far_coordinates()), max_size=3), max_size=3),
    size=sizes(0, 60),
)
def test_rasterize(polygons: Any, size: tuple[int, int]) -> None:
    agree("rasterize", polygons, size)


@given(data=st.data())
def test_rasterize_edges_beyond_32_bits(data: st.DataObject) -> None:
    """Lines through the image that end far away, on either side of the limit of COCO's tools."""
    coordinate = st.one_of(
        st.integers(-(2**33), 2**33).map(lambda k: k / 8),
        st.sampled_from([2.0**31 / 5, -(2.0**31) / 5, 429496729.5, -429496729.7, 2.0**62, -(2.0**63), 1e300, -1.7e308]),
        st.floats(-60, 60),
    )
    part = data.draw(parts(coordinate))
    agree("rasterize", [[part]], data.draw(sizes(1, 60)))


@given(data=st.data())
def test_rasterize_lines_through_the_image(data: st.DataObject) -> None:
    """From one far side of it to another, so that the exact arithmetic shows in the pixels."""
    size = data.draw(sizes(5, 60))
    through = np.array([data.draw(st.integers(0, 8 * size[1])), data.draw(st.integers(0, 8 * size[0]))]) / 8
    away = np.array([data.draw(st.integers(-30, 30)), data.draw(st.integers(-30, 30))], np.float64)
    near, far = (data.draw(st.sampled_from([2.0**7, 2.0**28, 2.0**29, 2.0**33, 2.0**40])) for _ in range(2))
    third = np.array([data.draw(st.sampled_from([-(2.0**50), 2.0**50])), data.draw(st.floats(-(2.0**50), 2.0**50))])
    part = np.concatenate([through - near * away, through + far * away, third])
    agree("rasterize", [[part]], size)


@given(data=st.data())
def test_place_masks(data: st.DataObject) -> None:
    size = data.draw(sizes(1, 30))
    found = data.draw(rle_masks(size=st.just(size)))
    agree("place_masks", found, data.draw(placements(size, 60)))


# -- images ------------------------------------------------------------------------------------------------------


@given(data=st.data())
def test_place_image(data: st.DataObject) -> None:
    image = data.draw(images(size=sizes(1, 40)))
    placement = data.draw(placements(image.shape[:2], 70))
    for antialias, interpolation in ((True, "bilinear"), (False, "bilinear"), (True, "nearest")):
        agree("place_image", image, placement, antialias=antialias, interpolation=interpolation)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("antialias", [True, False])
def test_place_image_of_ordinary_size(dtype: Any, channels: int | None, antialias: bool) -> None:
    """Longer than any block of a vectorised kernel, by every remainder."""
    rng = np.random.default_rng(channels)
    for _ in range(3):
        h, w, h_out, w_out = (int(side) for side in rng.integers(60, 200, 4))
        image = pixels(1, (h, w) if channels is None else (h, w, channels), dtype)
        canvas = int(rng.integers(60, 150)), int(rng.integers(60, 150))
        offset = int(rng.integers(-30, 30)), int(rng.integers(-30, 30))
        agree("place_image", image, Placement((h, w), (h_out, w_out), offset, canvas, True), antialias=antialias)


@given(data=st.data())
def test_place_image_with_fill(data: st.DataObject) -> None:
    image = data.draw(images(size=sizes(1, 8)))
    number = st.one_of(st.integers(-1, 70000), st.floats(), st.sampled_from([None, "x", True, np.float32(2), 10**400]))
    fill = data.draw(st.one_of(number, st.lists(number, max_size=5), st.just(np.array([1, 2, 3]))))
    agree("place_image", image, data.draw(placements(image.shape[:2], 12)), fill=fill)


@given(data=st.data())
def test_alpha(data: st.DataObject) -> None:
    size = data.draw(sizes(1, 20))
    found = data.draw(rle_masks(size=st.just(size)))
    weights = gaussian_weights(data.draw(st.floats(0.1, 20)))
    agree("alpha", found, data.draw(placements(size, 50)), weights)


@given(data=st.data())
def test_alpha_with_any_weights(data: st.DataObject) -> None:
    size = data.draw(sizes(1, 12))
    found = data.draw(rle_masks(size=st.just(size)))
    cuts = sorted(data.draw(st.lists(st.integers(0, 4096), max_size=6).filter(lambda each: len(each) % 2 == 0)))
    weights = np.diff([0, *cuts, 4096]).astype(np.uint16)
    agree("alpha", found, data.draw(placements(size, 20)), weights)


@given(data=st.data())
def test_blend(data: st.DataObject) -> None:
    source = data.draw(images(size=sizes(1, 30)))
    seed = data.draw(st.integers(0, 2**32))
    target = data.draw(layouts())(pixels(seed, source.shape, source.dtype))
    alpha = data.draw(layouts())(pixels(seed + 1, source.shape[:2], np.uint8))
    agree("blend", source, target, alpha)


@given(words=st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6), n=st.integers(0, 70))
def test_philox_words(words: list[int], n: int) -> None:
    agree("philox_words", tuple(words[:2]), tuple(words[2:]), n)


# -- the whole operation -----------------------------------------------------------------------------------------


@st.composite
def scenes(draw: Any) -> tuple[Plan, Sample, list[Sample]]:
    """A plan with everything that may be in one, and samples it fits."""
    channels = draw(st.sampled_from([None, 1, 3, 4]))
    dtype = draw(st.sampled_from(DTYPES))

    def sample() -> Sample:
        size = draw(sizes(1, 25))
        seed, n = draw(st.integers(0, 2**32)), draw(st.integers(0, 5))
        image = draw(layouts())(pixels(seed, size if channels is None else (*size, channels), dtype))
        found = reference.encode(blobs(seed, n, size))
        crowd = np.random.default_rng(seed).random(n) < 0.2
        return Sample(image, Instances(masks=found, iscrowd=crowd, labels=np.arange(n)))

    target, sources = sample(), [sample() for _ in range(draw(st.integers(1, 3)))]
    canvas = draw(placements(target.size, 40))
    pastes = []
    for _ in range(draw(st.integers(0, 4))):
        number = draw(st.integers(0, len(sources) - 1))
        source = sources[number]
        rows = [
            row for row in draw(st.permutations(range(5)))[: draw(st.integers(0, 5))] if row < len(source.instances)
        ]
        p = draw(placements(source.size, 40))
        p = Placement(source.size, p.resized_size, p.offset, canvas.canvas_size, p.hflip)
        pastes.append(Paste(number, tuple(rows), p, draw(st.sampled_from([None, None, 0.3, 1.0, 3.7]))))
    return Plan(canvas, tuple(pastes)), target, sources


@given(data=st.data())
def test_copy_paste(data: st.DataObject) -> None:
    plan, target, sources = data.draw(scenes())
    options = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "interpolation": st.sampled_from(["bilinear", "nearest"]),
                "antialias": st.booleans(),
                "min_area": st.integers(0, 30),
                "min_visibility": st.floats(0, 1),
                "on_hidden": st.sampled_from(["drop", "crowd"]),
                "fill": st.integers(0, 255),
            },
        )
    )
    agree("copy_paste", plan, target, sources, **options)


def test_copy_paste_of_a_soft_object_beside_the_canvas() -> None:
    """It has no pixel on the canvas, so it is not pasted, and its soft edge does not reach in."""
    image = np.full((5, 6), 200, np.uint8)
    source = Sample(image, Instances(masks=masks("##..../##..../##..../##..../##....")))
    target = Sample(np.zeros((3, 4), np.uint8), Instances())
    still = Placement((3, 4), (3, 4), (0, 0), (3, 4))
    plan = Plan(still, (Paste(0, (0,), Placement((5, 6), (5, 6), (-1, -2), (3, 4)), 1.0),))
    assert not agree("copy_paste", plan, target, source).image.any()


def test_copy_paste_of_ordinary_size() -> None:
    """Some thirty objects a side on a canvas of several hundred pixels, hard and soft, over and under each other."""
    rng = np.random.default_rng(3)

    def sample(seed: int, h: int, w: int) -> Sample:
        corners = rng.integers(0, [h, w], (30, 5, 2))[:, :, ::-1]
        found = reference.rasterize([[each.ravel()] for each in corners], (h, w))
        return Sample(pixels(seed, (h, w, 3), np.uint8), Instances(masks=found, labels=np.arange(30)))

    target, source = sample(1, 240, 317), sample(2, 301, 222)
    pastes = (
        Paste(0, tuple(range(20)), Placement((301, 222), (411, 305), (-37, 25), (256, 290), True), 1.5),
        Paste(0, (3, 25, 7), Placement((301, 222), (120, 90), (100, 100), (256, 290))),
        Paste(0, tuple(range(20, 30)), Placement((301, 222), (301, 222), (20, -30), (256, 290)), 4.0),
    )
    plan = Plan(Placement((240, 317), (256, 338), (0, -20), (256, 290)), pastes)
    for options in ({}, {"min_area": 50, "min_visibility": 0.3}, {"min_visibility": 0.5, "on_hidden": "crowd"}):
        agree("copy_paste", plan, target, source, **options)


# -- errors ------------------------------------------------------------------------------------------------------

STILL = Placement((2, 3), (2, 3), (0, 0), (2, 3))
SOME = masks("#../..#", ".../...")
IMAGE = np.zeros((2, 3, 3), np.uint8)
ODD: list[Any] = [
    None, 0, 1.5, True, "x", b"x", [], {}, [1, 2], [b"0"], ["P"], np.zeros((2, 3)), np.zeros((1, 2, 3), np.uint8),
    np.zeros((2, 3), np.uint8), np.zeros((0, 3), np.float32), np.zeros((2, 3, 1), ">f4"), np.array(3), SOME, SOME[:0],
    RleMasks.empty((0, 3)), STILL, Placement((3, 2), (2, 3), (0, 0), (2, 3)), (2, 3), (2**16, 2**16), -1, 2**70,
    float("nan"), np.array([4096], np.uint16), np.array([2048, 2048], np.uint16), [[[0, 0, 1, 1]]], [[[0, 0, 1, 1, np.nan, 1]]], object(),
]  # fmt: skip
GOOD: dict[str, tuple[Any, ...]] = {
    "encode": (np.zeros((1, 2, 3), np.uint8),),
    "decode": (SOME, np.zeros((2, 2, 3), np.uint8)),
    "parse_counts": ([b"123"], (2, 3)),
    "format_counts": (SOME,),
    "rasterize": ([[[0, 0, 2, 0, 2, 2]]], (2, 3)),
    "area": (SOME,),
    "boxes": (SOME,),
    "union": (SOME,),
    "intersection": (SOME,),
    "difference": (SOME, SOME),
    "iou": (SOME, SOME, [True, False]),
    "place_masks": (SOME, STILL),
    "place_image": (IMAGE, STILL),
    "alpha": (SOME, STILL, np.array([4096], np.uint16)),
    "blend": (IMAGE, IMAGE, IMAGE[:, :, 0]),
}


@pytest.mark.parametrize("name", GOOD)
def test_errors_are_the_same(name: str) -> None:
    """Each argument in turn replaced by whatever else there is."""
    good = GOOD[name]
    for i in range(len(good)):
        for odd in ODD:
            agree(name, *good[:i], odd, *good[i + 1 :])


def test_errors_of_options_are_the_same() -> None:
    for name in ("fill", "interpolation", "antialias", "out"):
        for odd in ODD:
            agree("place_image", IMAGE, STILL, **{name: odd})

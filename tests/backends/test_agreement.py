"""The two backends agree: the same bytes for the same arguments, at random and where it is hard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from copypaste_rs import Instances, Paste, Placement, Plan, Sample, reference
from tests.backends.table import TABLE
from tests.fixtures.arrays import DTYPES, pixels
from tests.fixtures.ascii import masks
from tests.fixtures.both_backends import agree
from tests.fixtures.strategies import far_coordinates, huge_masks, images, parts, placements, rle_masks, sizes


@pytest.mark.parametrize("name", TABLE)
@given(data=st.data())
def test_random_calls(name: str, data: st.DataObject) -> None:
    for _ in range(TABLE[name].variants):
        call = data.draw(TABLE[name].calls)
        agree(name, *call.arguments, **call.options)


# -- masks -------------------------------------------------------------------------------------------------------


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
def test_parse_counts_of_damaged_strings(data: st.DataObject) -> None:
    """Characters put in, left out, exchanged."""
    size = data.draw(sizes(0, 12))
    damaged = [bytearray(each) for each in reference.format_counts(data.draw(rle_masks(size=st.just(size))))]
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
def test_rasterize_far_coordinates(polygons: Any, size: tuple[int, int]) -> None:
    agree("rasterize", polygons, size)


@given(data=st.data())
def test_rasterize_edges_beyond_32_bits(data: st.DataObject) -> None:
    """Lines through the image that end far away, on either side of the limit of COCO's tools."""
    coordinate = st.one_of(
        st.integers(-(2**33), 2**33).map(lambda k: k / 8),
        st.sampled_from([2.0**31 / 5, -(2.0**31) / 5, 429496729.5, -429496729.7, 2.0**31, -(2.0**31)]),
        st.floats(-60, 60),
    )
    part = data.draw(parts(coordinate))
    agree("rasterize", [[part]], data.draw(sizes(1, 60)))


@given(data=st.data())
def test_rasterize_lines_through_the_image(data: st.DataObject) -> None:
    """Lines from one far side of it to another, so that the exact arithmetic shows in the pixels."""
    size = data.draw(sizes(5, 60))
    through = np.array([data.draw(st.integers(0, 8 * size[1])), data.draw(st.integers(0, 8 * size[0]))]) / 8
    away = np.array([data.draw(st.integers(-30, 30)), data.draw(st.integers(-30, 30))], np.float64)
    near, far = (data.draw(st.sampled_from([2.0**7, 2.0**20, 2.0**25, 2.0**26])) for _ in range(2))
    third = np.array([data.draw(st.sampled_from([-(2.0**31), 2.0**31])), data.draw(st.floats(-(2.0**31), 2.0**31))])
    part = np.concatenate([through - near * away, through + far * away, third])
    agree("rasterize", [[part]], size)


# -- images ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("antialias", [True, False])
def test_place_image_of_ordinary_size(dtype: Any, channels: int | None, antialias: bool) -> None:
    """Rows longer than any block of a vectorised kernel, by every remainder."""
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
    number = st.one_of(
        st.integers(-1, 70000), st.floats(), st.sampled_from([None, "x", "edge", "min", True, np.float32(2), 10**400])
    )
    fill = data.draw(st.one_of(number, st.lists(number, max_size=5), st.just(np.array([1, 2, 3]))))
    agree("place_image", image, data.draw(placements(image.shape[:2], 12)), fill=fill)


# -- the whole operation -----------------------------------------------------------------------------------------


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

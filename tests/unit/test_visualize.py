"""Overlays and sheets: what is drawn where, in which colour."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageDraw

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.visualize import LOOKS, contact_sheet, overlay

SQUARE = [[4.0, 6.0, 24.0, 6.0, 24.0, 30.0, 4.0, 30.0]]


def sample(polygons: Any = (SQUARE,), value: int = 0, **fields: Any) -> Sample:
    masks = RleMasks.from_polygons(list(polygons), (40, 60))
    return Sample(np.full((40, 60, 3), value, np.uint8), Instances(masks=masks, **fields))


def has(pixels: NDArray[Any], look: str) -> bool:
    return bool((pixels == LOOKS[look].color).all(axis=2).any())


@pytest.mark.parametrize(
    ("fields", "look"),
    [
        ({}, "kept"),
        ({"source": [-1], "visibility": [1.0]}, "kept"),
        ({"source": [-1], "visibility": [0.5]}, "cut"),
        ({"source": [0], "visibility": [0.5]}, "pasted"),
        ({"source": [0], "visibility": [1.0]}, "pasted"),
        ({"iscrowd": [True]}, "crowd"),
    ],
)
def test_each_kind_has_a_colour_of_its_own(fields: dict[str, Any], look: str) -> None:
    pixels = np.asarray(overlay(sample(**fields)))
    assert [name for name in LOOKS if has(pixels, name)] == [look]


def test_outline_and_area_lie_where_the_mask_is() -> None:
    pixels = np.asarray(overlay(sample()))
    color = np.array(LOOKS["kept"].color)
    outside = np.ones((40, 60), bool)
    outside[6:30, 4:24] = False
    assert (pixels[outside] == 0).all()
    for edge in (pixels[6, 4:24], pixels[29, 4:24], pixels[6:30, 4], pixels[6:30, 23]):
        assert (edge == color).all()
    np.testing.assert_allclose(pixels[18, 14], color * LOOKS["kept"].fill, atol=1)


@pytest.mark.parametrize(("side", "size"), [(None, (60, 40)), (120, (120, 80)), (15, (15, 10))])
def test_size(side: int | None, size: tuple[int, int]) -> None:
    assert overlay(sample(), side=side).size == size


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 5])
def test_every_kind_of_image_can_be_drawn(dtype: Any, channels: int | None) -> None:
    white = {np.uint8: 255, np.uint16: 65535, np.float32: 1.0}[dtype]
    image = np.full((8, 12) if channels is None else (8, 12, channels), white, dtype)
    assert (np.asarray(overlay(Sample(image, Instances()))) == 255).all()


def test_a_mask_that_vanishes_when_drawn_small_is_no_trouble() -> None:
    dot = [[3.0, 3.0, 4.0, 3.0, 4.0, 4.0, 3.0, 4.0]]
    assert overlay(sample([dot], labels=[1]), side=6).size == (6, 4)


def test_names_are_drawn_when_there_are_some() -> None:
    plain, named = (
        np.asarray(overlay(sample(labels=[3]), side=240, categories=categories))
        for categories in ((), [{"id": 3, "name": "a long name"}])
    )
    assert plain.shape == named.shape
    assert (plain != named).any()


def test_names_do_not_lie_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[tuple[float, ...]] = []
    draw = ImageDraw.ImageDraw.rectangle

    def note(self: Any, xy: Any, *more: Any, **options: Any) -> None:
        if "fill" in options:
            places.append(tuple(xy))
        draw(self, xy, *more, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "rectangle", note)
    overlay(sample([SQUARE] * 3, labels=[1, 2, 3]), side=300)
    assert len(places) == 3
    assert len(set(places)) == 3
    tops = sorted((top, bottom) for _, top, _, bottom in places)
    assert all(above[1] <= below[0] for above, below in itertools.pairwise(tops))


def test_a_sheet_shows_what_became_of_each_object() -> None:
    other = [[30.0, 6.0, 50.0, 6.0, 50.0, 30.0, 30.0, 30.0]]
    corner = [[52.0, 32.0, 59.0, 32.0, 59.0, 39.0, 52.0, 39.0]]
    half = [[14.0, 6.0, 34.0, 6.0, 34.0, 30.0, 14.0, 30.0]]
    target = sample([SQUARE, corner, [[16.0, 8.0, 20.0, 8.0, 20.0, 12.0, 16.0, 12.0]]], labels=[1, 2, 3])
    source = sample([half, other], 200, labels=[4, 5])
    transform = SimpleCopyPaste(size=(40, 60), target_scale=(1, 1), source_scale=(1, 1), flip=0, select=lambda *_: [0])
    result = transform(target, [source], 0)
    sheet = np.asarray(contact_sheet([(target, [source], result)], side=120))
    height = 22 + 80
    panels = [sheet[10 : 10 + height, 10 + 130 * k : 130 + 130 * k] for k in range(4)]
    seen = [[name for name in LOOKS if has(panel, name)] for panel in panels]
    assert seen == [["kept", "cut", "gone"], ["pasted", "left"], [], ["kept", "cut", "pasted"]]
    assert sheet.shape[1] == 10 + 4 * 130


def test_lines_of_a_sheet_may_differ_in_sources() -> None:
    one, transform = sample(), SimpleCopyPaste(size=(40, 60))
    rows = [(one, [one] * n, transform(one, [one] * n, 0)) for n in (1, 3, 0)]
    assert contact_sheet(rows, side=64).width == 10 + 6 * 74
    with pytest.raises(ValueError, match=r"^rows: expected at least one line to draw, got none$"):
        contact_sheet([])


def test_boxes_without_outlines_are_dashed() -> None:
    sample = Sample(np.zeros((60, 80, 3), np.uint8), Instances(boxes=[[10, 10, 70, 50]]))
    pixels = np.asarray(overlay(sample))
    color = LOOKS["kept"].color
    edge = (pixels[10, 10:70] == color).all(axis=1)
    assert edge.any()
    assert not edge.all()
    assert not pixels[15:45, 15:65].any()  # nothing is painted in it
    outline = Sample(sample.image, Instances(masks=sample.instances.masks))
    assert (np.asarray(overlay(outline))[10, 10:70] == color).all()


def test_keypoints_are_dots_and_rings_joined_by_lines() -> None:
    mask = np.ones((1, 60, 80), np.uint8)
    points = [[[20.5, 30.5, 2], [60.5, 30.5, 1], [40.5, 10.5, 0]]]
    sample = Sample(
        np.zeros((60, 80, 3), np.uint8), Instances(masks=RleMasks.from_dense(mask), labels=[4], keypoints=points)
    )
    plain = Sample(sample.image, Instances(masks=sample.instances.masks, labels=[4]))
    category = {"id": 4, "name": "", "skeleton": [[1, 2], [2, 3]]}
    color = LOOKS["kept"].color
    for skeleton in (False, True):
        categories = [category if skeleton else {"id": 4, "name": ""}]
        before, after = (
            np.asarray(overlay(plain, categories=categories)),
            np.asarray(overlay(sample, categories=categories)),
        )
        changed = (before != after).any(axis=2)
        assert tuple(after[30, 20]) == color  # a dot
        assert changed[30, 40] == skeleton  # the middle of the line
        assert changed[28:33, 59:62].any()  # a ring
        assert not changed[:26].any()  # nothing at the point that nobody marked, nor a line to it
    with pytest.raises(ValueError, match=r"^categories\[0\]\['skeleton'\]\[0\]\[1\]: expected an integer from 1"):
        overlay(sample, categories=[{"id": 4, "skeleton": [[1, 0]]}])

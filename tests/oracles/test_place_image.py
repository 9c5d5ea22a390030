"""Placed images: bytes of OpenCV and Pillow, a float64 truth for the other dtypes, and loops for geometry."""

from __future__ import annotations

from fractions import Fraction
from math import floor, trunc
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from copypaste_rs import Placement
from tests.fixtures.arrays import DTYPES, pixels
from tests.fixtures.geometry import nearest
from tests.fixtures.strategies import images, placements, sizes

GREY = {np.uint8: 128, np.uint16: 32768, np.float32: 0.5}


def on_canvas(resized: NDArray[Any], placement: Placement, fill: Any) -> NDArray[Any]:
    """A resized image cropped and padded, by a copy of the part that shows."""
    canvas = np.empty((*placement.canvas_size, *resized.shape[2:]), resized.dtype)
    canvas[...] = fill
    spans = []
    for offset, side, room in zip(placement.offset, placement.resized_size, placement.canvas_size, strict=True):
        start, stop = min(max(offset, 0), room), max(min(offset + side, room), min(max(offset, 0), room))
        spans.append((slice(start, stop), slice(start - offset, stop - offset)))
    (y, i), (x, k) = spans
    canvas[y, x] = resized[i, k]
    return canvas


def mirrored(image: NDArray[Any], placement: Placement) -> NDArray[Any]:
    return np.ascontiguousarray(image[:, ::-1]) if placement.hflip else image


def opencv(image: NDArray[Any], placement: Placement) -> NDArray[Any]:
    h, w = placement.resized_size
    resized = cv2.resize(mirrored(image, placement), (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized).reshape(h, w, *image.shape[2:])


def pillow(image: NDArray[Any], placement: Placement) -> NDArray[Any]:
    """Every channel apart. Images more than a hundred times as tall as wide are another matter: see below."""
    h, w = placement.resized_size
    planes = mirrored(image, placement).reshape(*image.shape[:2], -1)
    resized = [
        Image.fromarray(planes[:, :, c]).resize((w, h), Image.Resampling.BILINEAR) for c in range(planes.shape[2])
    ]
    return np.stack([np.asarray(each) for each in resized], axis=2).reshape(h, w, *image.shape[2:])


def shrinks(placement: Placement) -> bool:
    return any(r < n for r, n in zip(placement.resized_size, placement.input_size, strict=True))


def scene(seed: int, channels: int | None, low: int, high: int) -> tuple[NDArray[Any], Placement]:
    """A uint8 image and a placement that crops on two sides and pads on the others."""
    rng = np.random.default_rng(seed)
    h, w, h_out, w_out = (int(side) for side in rng.integers(low, high, 4))
    canvas = int(rng.integers(low, high)), int(rng.integers(low, high))
    offset = int(rng.integers(-h_out // 2, canvas[0])), int(rng.integers(-w_out // 2, canvas[1]))
    image = pixels(seed, (h, w) if channels is None else (h, w, channels), np.uint8)
    return image, Placement((h, w), (h_out, w_out), offset, canvas, bool(seed % 2))


# -- uint8, bit for bit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(12))
def test_bilinear_has_the_bytes_of_opencv(kernels: ModuleType, channels: int | None, seed: int) -> None:
    image, placement = scene(seed, channels, 1, 60)
    found = kernels.place_image(image, placement, antialias=False, fill=9)
    np.testing.assert_array_equal(found, on_canvas(opencv(image, placement), placement, 9))


@pytest.mark.parametrize("channels", [None, 3])
@pytest.mark.parametrize("seed", range(4))
def test_bilinear_on_larger_images(kernels: ModuleType, channels: int | None, seed: int) -> None:
    image, placement = scene(seed, channels, 300, 900)
    found = kernels.place_image(image, placement, antialias=False)
    np.testing.assert_array_equal(found, on_canvas(opencv(image, placement), placement, 128))


@pytest.mark.parametrize(
    ("size", "resized"),
    [
        ((64, 38), (32, 19)), ((7, 5), (14, 10)), ((40, 7), (40, 21)), ((7, 40), (21, 40)), ((1, 1), (5, 3)),
        ((1, 9), (4, 2)), ((9, 1), (2, 7)), ((2, 3), (301, 200)), ((480, 3), (479, 4)), ((3, 640), (4, 641)),
        # The first weights add up to 2049 here: one minus a small share is rounded in float32.
        ((2, 8195), (3, 8191)), ((8195, 2), (8191, 3)),
    ],
)  # fmt: skip
def test_bilinear_at_special_scales(kernels: ModuleType, size: tuple[int, int], resized: tuple[int, int]) -> None:
    image = pixels(1, (*size, 3), np.uint8)
    placement = Placement(size, resized, (0, 0), resized)
    np.testing.assert_array_equal(kernels.place_image(image, placement, antialias=False), opencv(image, placement))


@given(data=st.data())
def test_bilinear_at_any_scale(kernels: ModuleType, data: st.DataObject) -> None:
    image = data.draw(images(dtype=np.uint8))
    resized = data.draw(sizes(1, 40))
    placement = Placement(image.shape[:2], resized, (0, 0), resized, data.draw(st.booleans()))
    found = kernels.place_image(image, placement, antialias=False)
    np.testing.assert_array_equal(found, opencv(np.ascontiguousarray(image), placement))


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(12))
def test_antialiased_has_the_bytes_of_pillow(kernels: ModuleType, channels: int | None, seed: int) -> None:
    image, placement = scene(seed, channels, 1, 60)
    if not shrinks(placement):
        placement = Placement(
            placement.input_size, (1, placement.resized_size[1]), placement.offset, placement.canvas_size
        )
        image = np.repeat(image, 2, axis=0)
        placement = Placement(image.shape[:2], placement.resized_size, placement.offset, placement.canvas_size)
    found = kernels.place_image(image, placement, fill=9)
    np.testing.assert_array_equal(found, on_canvas(pillow(image, placement), placement, 9))


@pytest.mark.parametrize(("mode", "channels"), [("L", None), ("RGB", 3), ("CMYK", 4)])
@pytest.mark.parametrize(
    ("size", "resized"),
    [
        ((400, 300), (123, 217)),
        ((37, 900), (36, 1000)),
        ((500, 41), (1, 40)),
        ((30, 20), (60, 19)),
        ((299, 3), (10, 2)),
    ],
)
def test_antialiased_images_of_pillow(
    kernels: ModuleType, mode: str, channels: int | None, size: tuple[int, int], resized: tuple[int, int]
) -> None:
    image = pixels(5, size if channels is None else (*size, channels), np.uint8)
    whole = Image.frombytes(mode, (size[1], size[0]), image.tobytes()).resize(resized[::-1], Image.Resampling.BILINEAR)
    found = kernels.place_image(image, Placement(size, resized, (0, 0), resized))
    np.testing.assert_array_equal(found, np.asarray(whole))


def test_columns_come_first_for_the_tallest_images_too(kernels: ModuleType) -> None:
    """Pillow exchanges its passes where an image is more than a hundred times as tall as wide; this library never."""
    image = pixels(5, (999, 3), np.uint8)
    found = kernels.place_image(image, Placement((999, 3), (10, 2), (0, 0), (10, 2)))
    narrow = Image.fromarray(image).resize((2, 999), Image.Resampling.BILINEAR)
    # Wide enough for Pillow's usual order, and then only rows are left to do.
    wide = Image.fromarray(np.tile(np.asarray(narrow), 10)).resize((20, 10), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(found, np.asarray(wide)[:, :2])


@given(data=st.data())
def test_antialiased_at_any_scale(kernels: ModuleType, data: st.DataObject) -> None:
    image = data.draw(images(dtype=np.uint8))
    h, w = image.shape[:2]
    resized = data.draw(sizes(1, 30).filter(lambda size: size[0] < h or size[1] < w)) if (h, w) != (1, 1) else (1, 1)
    placement = Placement((h, w), resized, (0, 0), resized, data.draw(st.booleans()))
    found = kernels.place_image(image, placement)
    np.testing.assert_array_equal(found, pillow(np.ascontiguousarray(image), placement))


@given(data=st.data())
def test_antialiasing_changes_nothing_where_no_axis_shrinks(kernels: ModuleType, data: st.DataObject) -> None:
    image = data.draw(images())
    h, w = image.shape[:2]
    resized = h + data.draw(st.integers(0, 9)), w + data.draw(st.integers(0, 9))
    placement = Placement((h, w), resized, (0, -1), (h + 2, w + 1))
    with_it, without = (kernels.place_image(image, placement, antialias=each) for each in (True, False))
    np.testing.assert_array_equal(with_it, without)


# -- uint16 and float32, close to float64 ------------------------------------------------------------------------


def float64_weights(n_in: int, n_out: int, antialias: bool) -> NDArray[np.float64]:
    """Row i: how much of each input sample output i is, from exact fractions."""
    table = np.zeros((n_out, n_in))
    for i in range(n_out):
        centre = (i + Fraction(1, 2)) * n_in / n_out
        if antialias:
            support = max(Fraction(n_in, n_out), Fraction(1))
            samples = range(max(trunc(centre - support + Fraction(1, 2)), 0), min(trunc(centre + support + Fraction(1, 2)), n_in))  # fmt: skip
            raw = [max(Fraction(0), 1 - abs(j + Fraction(1, 2) - centre) / support) for j in samples]
            for j, weight in zip(samples, raw, strict=True):
                table[i, j] = float(weight / sum(raw))
        else:
            left = floor(centre - Fraction(1, 2))
            share = centre - Fraction(1, 2) - left
            table[i, min(max(left, 0), n_in - 1)] += float(1 - share)
            table[i, min(max(left + 1, 0), n_in - 1)] += float(share)
    return table


def float64_resized(image: NDArray[Any], placement: Placement, antialias: bool) -> tuple[NDArray[np.float64], int]:
    """The resized image in float64, and how many taps a pixel has at most."""
    antialias = antialias and shrinks(placement)
    rows, columns = (
        float64_weights(n_in, n_out, antialias)
        for n_in, n_out in zip(placement.input_size, placement.resized_size, strict=True)
    )
    taps = int((rows > 0).sum(axis=1).max() + (columns > 0).sum(axis=1).max())
    planes = mirrored(image, placement).astype(np.float64).reshape(*image.shape[:2], -1)
    resized = np.einsum("ij,jkc,lk->ilc", rows, planes, columns)
    return resized.reshape(*placement.resized_size, *image.shape[2:]), taps


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("seed", range(15))
def test_other_dtypes_are_close_to_float64(kernels: ModuleType, dtype: Any, antialias: bool, seed: int) -> None:
    small, placement = scene(seed, (None, 1, 2, 3, 4)[seed % 5], 1, 40)
    image = pixels(seed, small.shape, dtype)
    resized, taps = float64_resized(image, placement, antialias)
    fill = 7 if dtype == np.uint16 else -0.25
    expected = on_canvas(resized, placement, fill)
    found = kernels.place_image(image, placement, antialias=antialias, fill=fill)
    assert found.dtype == dtype
    tolerance = 1.0 if dtype == np.uint16 else (taps + 8) * 2.0**-24 * np.abs(image).max()
    assert np.abs(found - expected).max() <= tolerance
    if dtype == np.uint16:  # one level is for sums that lie at a half
        assert (found == np.rint(expected)).mean() > 0.98


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_exact_halves(kernels: ModuleType, dtype: Any) -> None:
    """Doubling mixes by quarters, which float32 has exactly; halves of uint16 go to the even number."""
    image = np.array([[0, 4, 10]], dtype)
    found = kernels.place_image(image, Placement((1, 3), (1, 6), (0, 0), (1, 6)))
    expected = [0, 1, 3, 5.5, 8.5, 10]
    assert found.tolist() == [[0, 1, 3, 6, 8, 10] if dtype == np.uint16 else expected]


def test_a_zero_is_positive(kernels: ModuleType) -> None:
    """Sums start from +0.0, so that no zero has a sign, whatever is skipped."""
    image = np.full((3, 5), -0.0, np.float32)
    for resized in ((3, 5), (6, 10), (2, 4)):
        found = kernels.place_image(image, Placement((3, 5), resized, (0, 0), resized))
        assert not np.signbit(found).any()
    found = kernels.place_image(image, Placement((3, 5), (6, 10), (0, 0), (6, 10)), interpolation="nearest")
    assert np.signbit(found).all()


def test_float_values_are_not_clipped(kernels: ModuleType) -> None:
    image = np.array([[-1e30, 3e38, 2.5]], np.float32)
    found = kernels.place_image(image, Placement((1, 3), (1, 3), (0, 0), (1, 3)))
    np.testing.assert_array_equal(found, image)


# -- nearest and geometry ----------------------------------------------------------------------------------------


@given(data=st.data())
def test_nearest_pixel_by_pixel(kernels: ModuleType, data: st.DataObject) -> None:
    image = data.draw(images(size=sizes(1, 10)))
    p = data.draw(placements(image.shape[:2], 12))
    (h, w), (h_out, w_out), (top, left) = p.input_size, p.resized_size, p.offset
    expected = np.full((*p.canvas_size, *image.shape[2:]), GREY[image.dtype.type], image.dtype)
    for y in range(max(top, 0), min(top + h_out, p.canvas_size[0])):
        for x in range(max(left, 0), min(left + w_out, p.canvas_size[1])):
            expected[y, x] = image[nearest(y - top, h, h_out), nearest(x - left, w, w_out, p.hflip)]
    found = kernels.place_image(image, p, interpolation="nearest")
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(kernels.place_image(image, p, interpolation="nearest", antialias=False), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_nothing_changes_at_the_same_size(kernels: ModuleType, dtype: Any, interpolation: str) -> None:
    image = np.abs(pixels(3, (7, 5, 3), dtype))
    for flip in (False, True):
        placement = Placement((7, 5), (7, 5), (1, -2), (6, 4), flip)
        found = kernels.place_image(image, placement, interpolation=interpolation, fill=[1, 2, 3])
        moved = image[:, ::-1] if flip else image
        expected = np.empty((6, 4, 3), dtype)
        expected[...] = [1, 2, 3]
        expected[1:6, 0:3] = moved[0:5, 2:5]
        np.testing.assert_array_equal(found, expected)


@given(data=st.data())
def test_a_crop_is_a_window_of_the_whole(kernels: ModuleType, data: st.DataObject) -> None:
    image = data.draw(images())
    size, resized = image.shape[:2], data.draw(sizes(1, 30))
    flip, antialias = data.draw(st.booleans()), data.draw(st.booleans())
    p = data.draw(placements(size).filter(lambda p: max(p.resized_size) < 100))
    p = Placement(size, resized, p.offset, p.canvas_size, flip)
    whole = kernels.place_image(image, Placement(size, resized, (0, 0), resized, flip), antialias=antialias)
    found = kernels.place_image(image, p, antialias=antialias)
    np.testing.assert_array_equal(found, on_canvas(whole, p, GREY[image.dtype.type]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("offset", [(5, 0), (0, 9), (-8, 0), (0, -6), (2**31 - 1, -(2**31) + 1)])
def test_wholly_off_the_canvas(kernels: ModuleType, dtype: Any, offset: tuple[int, int]) -> None:
    image = pixels(1, (4, 3), dtype)
    found = kernels.place_image(image, Placement((4, 3), (8, 6), offset, (5, 9)))
    np.testing.assert_array_equal(found, np.full((5, 9), GREY[dtype], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_a_huge_resized_side_costs_what_the_canvas_costs(kernels: ModuleType, dtype: Any, interpolation: str) -> None:
    image = np.array([[10, 20], [30, 40], [50, 60]], dtype)
    side = 2**31 - 1
    placement = Placement((3, 2), (side, side), (-side + 3, -(side // 4)), (4, 5))
    found = kernels.place_image(image, placement, interpolation=interpolation, fill=1)
    assert found.tolist() == [[50] * 5] * 3 + [[1] * 5]
    placement = Placement((3, 2), (1, side), (2, -side + 2), (4, 5), True)
    found = kernels.place_image(image, placement, interpolation=interpolation, fill=1)
    np.testing.assert_allclose(found, [[1] * 5, [1] * 5, [30, 30, 1, 1, 1], [1] * 5], rtol=2**-22)


def test_a_very_wide_image_that_keeps_its_size_keeps_its_values(kernels: ModuleType) -> None:
    """Positions in float32 would repeat pixels from column 2^24 on."""
    width = 2**24 + 9
    image = (np.arange(width) % 251).astype(np.uint8)[None]
    placement = Placement((1, width), (1, width), (0, -(2**24) + 3), (1, 12))
    np.testing.assert_array_equal(kernels.place_image(image, placement), image[:, 2**24 - 3 :])

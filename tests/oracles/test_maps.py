"""Maps against plain loops, and as the truth of everything else: a map of pixel numbers says where each pixel is from."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from copypaste_rs import Instances, Paste, PixelMap, Placement, Plan, RleMasks, Sample
from tests.fixtures.arrays import MAP_DTYPES, raster
from tests.fixtures.ascii import dense, masks
from tests.fixtures.strategies import mapped_plans, plans


def with_maps(sample: Sample, **maps: Any) -> Sample:
    return Sample(sample.image, sample.instances, sample.info, maps)


def origin(placement: Placement, y: int, x: int) -> tuple[int, int] | None:
    """Pixel of the image that lies nearest to a canvas pixel; None where the image does not reach."""
    found = []
    for axis, at in enumerate((y, x)):
        n_in, n_out = placement.input_size[axis], placement.resized_size[axis]
        resized = at - placement.offset[axis]
        if not 0 <= resized < n_out:
            return None
        found.append((2 * resized + 1) * n_in // (2 * n_out))
    if placement.hflip:
        found[1] = placement.input_size[1] - 1 - found[1]
    return found[0], found[1]


def dense_masks(sample: Sample) -> NDArray[np.uint8]:
    held = sample.instances.masks
    return dense(RleMasks.empty(sample.size) if held is None else held)


def moved(plan: Plan, target: Sample, sources: list[Sample], name: str, min_area: int) -> NDArray[Any]:
    """A map moved by the nearest pixel, in loops over the canvas."""
    h, w = plan.canvas_size
    like = target.pixel_maps[name]
    canvas = np.empty((h, w, *like.array.shape[2:]), like.array.dtype)
    canvas[...] = like.fill
    layers: list[tuple[Placement, NDArray[Any], list[NDArray[np.uint8]] | None]] = [(plan.target, like.array, None)]
    for paste in plan.pastes:
        source = sources[paste.source]
        placed = [origin(paste.placement, y, x) for y in range(h) for x in range(w)]
        drawn = dense_masks(source)
        rows = [drawn[row] for row in paste.instances]
        areas = [sum(1 for at in placed if at is not None and row[at]) for row in rows]
        enough = [row for row, area in zip(rows, areas, strict=True) if area >= max(1, min_area)]
        layers.append((paste.placement, source.maps[name], enough))
    for placement, array, shown in layers:
        for y in range(h):
            for x in range(w):
                at = origin(placement, y, x)
                if at is not None and (shown is None or any(row[at] for row in shown)):
                    canvas[y, x] = array[at]
    return canvas


def bits(array: NDArray[Any]) -> bytes:
    return array.tobytes() if array.dtype.char != "g" else repr(array.tolist()).encode()


@given(mapped_plans(), st.sampled_from([0, 5]))
def test_nearest_is_that_of_plain_loops(kernels: ModuleType, call: Any, min_area: int) -> None:
    plan, target, sources = call
    result = kernels.copy_paste(plan, target, sources, min_area=min_area, fill=1, flip_pairs=())
    assert list(result.maps) == list(target.maps)
    for name, like in target.pixel_maps.items():
        made = result.pixel_maps[name]
        assert (made.fill, made.interpolation, made.array.dtype) == (like.fill, like.interpolation, like.array.dtype)
        if like.interpolation == "nearest":
            expected = moved(plan, target, sources, name, min_area)
            assert made.array.shape == expected.shape
            assert bits(made.array) == bits(expected)


@given(plans())
def test_pixel_numbers_say_where_image_and_masks_are_from(kernels: ModuleType, call: Any) -> None:
    plan, target, sources = call
    once = {paste.source: paste for paste in plan.pastes}  # each source, so that a number says which paste it is of
    pastes = tuple(Paste(p.source, p.instances, p.placement) for p in once.values())
    plan = Plan(plan.target, pastes)
    sides = [target, *sources]
    numbered = []
    for number, side in enumerate(sides):
        h, w = side.size
        numbers = np.arange(h * w).reshape(h, w) + 10**6 * number
        numbered.append(with_maps(side, number=PixelMap(numbers, fill=-1)))
    result = kernels.copy_paste(plan, numbered[0], numbered[1:], interpolation="nearest", fill=0, flip_pairs=())

    canvas = result.maps["number"]
    expected = np.zeros_like(result.image)
    rows = {(k - 1, i): np.zeros_like(canvas, np.uint8) for k, s in enumerate(sides) for i in range(len(s.instances))}
    drawn = [dense_masks(side) for side in sides]
    for y, x in np.ndindex(*canvas.shape):
        if canvas[y, x] >= 0:
            k, pixel = divmod(int(canvas[y, x]), 10**6)
            at = divmod(pixel, sides[k].size[1])
            expected[y, x] = sides[k].image[at]
            pasted = range(len(drawn[0])) if k == 0 else once[k - 1].instances
            for i in pasted:
                rows[k - 1, i][y, x] = drawn[k][(i, *at)]
    np.testing.assert_array_equal(result.image, expected)
    left = list(zip(result.instances.source.tolist(), result.instances.source_row.tolist(), strict=True))
    assert set(left) == {row for row, mask in rows.items() if mask.any()}
    made = result.instances.masks
    assert made is not None
    for row, mask in zip(left, dense(made), strict=True):
        np.testing.assert_array_equal(mask, rows[row])


@given(plans(), st.booleans())
def test_bilinear_is_that_of_an_image_pasted_hard(kernels: ModuleType, call: Any, antialias: bool) -> None:
    plan, target, sources = call
    hard = Plan(plan.target, tuple(Paste(p.source, p.instances, p.placement) for p in plan.pastes))
    expected = kernels.copy_paste(hard, target, sources, fill=3, antialias=antialias, flip_pairs=()).image
    sides = [with_maps(side, again=PixelMap(side.image, 3, "bilinear")) for side in (target, *sources)]
    result = kernels.copy_paste(plan, sides[0], sides[1:], interpolation="nearest", antialias=antialias, flip_pairs=())
    assert result.maps["again"].tobytes() == expected.tobytes()


HERE = Placement((4, 6), (4, 6), (0, 0), (4, 6))
MIRRORED = Placement((4, 6), (4, 6), (0, 0), (4, 6), hflip=True)
RESIZED = Placement((4, 6), (7, 9), (-1, 1), (6, 8), hflip=True)


@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,), (7,)])
@pytest.mark.parametrize("code", MAP_DTYPES.replace("g", ""))
@pytest.mark.parametrize("placement", [HERE, MIRRORED, RESIZED])
def test_every_bit_is_kept(kernels: ModuleType, placement: Placement, code: str, channels: tuple[int, ...]) -> None:
    """Of NaN as well: a float map moves as the same bytes do that are called integers."""
    disc = masks("..##../.####./.####./..##..")
    arrays = [raster(seed, (4, 6, *channels), code) for seed in (1, 2)]
    if np.dtype(code).kind == "f":
        quiet, signalling = (np.array([sign], f"u{np.dtype(code).itemsize}") for sign in _NANS[code])
        arrays[0][0, 0], arrays[1][1, 1] = quiet.view(code)[0], quiet.view(code)[0]
        arrays[0][0, 1], arrays[1][1, 2] = signalling.view(code)[0], signalling.view(code)[0]
    image = np.zeros((4, 6), np.uint8)
    plan = Plan(placement, (Paste(0, (0,), placement),))
    made = []
    for kind in (code, f"u{np.dtype(code).itemsize}"):
        target, source = (Sample(image, Instances(masks=disc), maps={"raw": array.view(kind)}) for array in arrays)
        made.append(kernels.copy_paste(plan, target, source).maps["raw"])
    assert made[0].dtype == code
    assert made[0].tobytes() == made[1].tobytes()
    if placement is HERE:
        shown = dense(disc)[0] == 1
        assert made[0][shown].tobytes() == arrays[1][shown].tobytes()
        assert made[0][~shown].tobytes() == arrays[0][~shown].tobytes()


_NANS = {
    "e": (0xFE55, 0x7C01),
    "f": (0xFFC12345, 0x7F812345),
    "d": (0xFFF8123456789ABC, 0x7FF0123456789ABC),
}
"""Bits of a quiet and of a signalling NaN that carry a payload."""

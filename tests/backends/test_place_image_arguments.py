"""Arguments of placing an image: fill, memory of any layout, `out=`, and what is refused."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Placement
from tests.fixtures.arrays import DTYPES, LAYOUTS, pixels


@pytest.mark.parametrize(
    ("dtype", "channels", "fill", "expected"),
    [
        (np.uint8, None, None, 128), (np.uint16, 2, None, [32768, 32768]), (np.float32, None, None, 0.5),
        (np.uint8, 3, 255, [255, 255, 255]), (np.uint8, 3, (1, 2.0, np.uint8(3)), [1, 2, 3]), (np.uint8, 1, [7], [7]),
        (np.uint8, None, np.array([7]), 7), (np.uint16, None, 65535, 65535), (np.float32, 2, [-1.5, 1e30], [-1.5, 1e30]),
        (np.float32, None, 0.1, np.float32(0.1)), (np.uint16, 2, np.array([3, 4], np.int64), [3, 4]),
    ],
)  # fmt: skip
def test_fill(kernels: ModuleType, dtype: Any, channels: int | None, fill: Any, expected: Any) -> None:
    image = np.zeros((2, 3) if channels is None else (2, 3, channels), dtype)
    found = kernels.place_image(image, Placement((2, 3), (2, 3), (1, 1), (3, 5)), fill=fill)
    truth = np.empty(found.shape, dtype)
    truth[...] = expected
    truth[1:, 1:4] = 0
    np.testing.assert_array_equal(found, truth)


@pytest.mark.parametrize(
    ("channels", "fill", "error", "message"),
    [
        (3, 256, ValueError, "fill: expected whole numbers from 0 to 255 for dtype uint8, got 256"),
        (3, -1, ValueError, "fill: expected whole numbers from 0 to 255 for dtype uint8, got -1"),
        (3, 1.5, ValueError, "fill: expected whole numbers from 0 to 255 for dtype uint8, got 1.5"),
        (3, float("nan"), ValueError, "fill: expected a finite number, got nan"),
        (3, float("inf"), ValueError, "fill: expected a finite number, got inf"),
        (3, [1, 2], ValueError, "fill: expected a number or 3 of them for an image of 3 channels, got 2"),
        (None, [1, 2], ValueError, "fill: expected a number or 1 of them for an image without channel axis, got 2"),
        (3, "grey", TypeError, "fill: expected a number, 'edge' or 'min', got 'grey'"),
        (3, True, TypeError, "fill: expected a number, got True"),
    ],
)
def test_fill_that_is_refused(kernels: ModuleType, channels: int | None, fill: Any, error: Any, message: str) -> None:
    image = np.zeros((2, 3) if channels is None else (2, 3, channels), np.uint8)
    with pytest.raises(error) as info:
        kernels.place_image(image, Placement((2, 3), (2, 3), (0, 0), (2, 3)), fill=fill)
    assert str(info.value) == message


@pytest.mark.parametrize("fill", [1e39, -1e39])
def test_fill_beyond_float32(kernels: ModuleType, fill: float) -> None:
    with pytest.raises(ValueError, match=r"^fill: expected numbers within 3\.40282e\+38 for dtype float32, got "):
        kernels.place_image(np.zeros((2, 3), np.float32), Placement((2, 3), (2, 3), (0, 0), (2, 3)), fill=fill)


# -- memory ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [None, 1, 3, 5])
def test_any_layout_gives_the_same_bytes(kernels: ModuleType, layout: Any, dtype: Any, channels: int | None) -> None:
    image = pixels(11, (9, 14) if channels is None else (9, 14, channels), dtype)
    given_image = layout(image)
    for resized, interpolation in (((6, 20), "bilinear"), ((13, 20), "bilinear"), ((6, 20), "nearest")):
        placement = Placement((9, 14), resized, (-1, 2), (8, 21), True)
        expected = kernels.place_image(image, placement, interpolation=interpolation)
        found = kernels.place_image(given_image, placement, interpolation=interpolation)
        assert found.tobytes() == expected.tobytes()
        assert found.flags.c_contiguous
        assert not np.may_share_memory(found, given_image)
    np.testing.assert_array_equal(given_image, image)


def test_out(kernels: ModuleType) -> None:
    image = pixels(2, (4, 6, 3), np.uint8)
    placement = Placement((4, 6), (4, 6), (1, 1), (5, 9))
    out = np.full((5, 9, 3), 77, np.uint8)
    found = kernels.place_image(image, placement, out=out)
    assert found is out
    np.testing.assert_array_equal(out, kernels.place_image(image, placement))


def test_out_that_is_refused(kernels: ModuleType) -> None:
    image = pixels(2, (4, 6, 1), np.uint8)
    placement = Placement((4, 6), (4, 6), (0, 0), (4, 6))
    locked = np.zeros((4, 6, 1), np.uint8)
    locked.flags.writeable = False
    layout = "out: expected a C-contiguous, writable array, got another layout or a read-only one"
    cases: list[tuple[Any, Any, str]] = [
        ([], TypeError, "out: expected a NumPy array, got list"),
        (np.zeros((4, 6), np.uint8), ValueError, "out: expected shape (4, 6, 1) and dtype uint8, got (4, 6) and '|u1'"),
        (np.zeros((6, 4, 1), np.uint8), ValueError, "out: expected shape (4, 6, 1) and dtype uint8, got (6, 4, 1) and '|u1'"),
        (np.zeros((4, 6, 1), np.uint16), ValueError, "out: expected shape (4, 6, 1) and dtype uint8, got (4, 6, 1) and '<u2'"),
        (locked, ValueError, layout),
        (np.zeros((1, 6, 4), np.uint8).T, ValueError, layout),
        (image, ValueError, "out: expected memory of its own, got an array that overlaps an input"),
    ]  # fmt: skip
    for out, error, message in cases:
        with pytest.raises(error) as info:
            kernels.place_image(image, placement, out=out)
        assert str(info.value) == message


# -- refused -----------------------------------------------------------------------------------------------------

STILL = Placement((4, 6), (4, 6), (0, 0), (4, 6))
IMAGE = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("image", "options", "error", "message"),
    [
        ([[1, 2]], {}, TypeError, "image: expected a NumPy array, got list"),
        (IMAGE.astype(np.float64), {}, TypeError, "image: expected dtype uint8, uint16 or float32, got float64"),
        (IMAGE.astype(np.int16), {}, TypeError, "image: expected dtype uint8, uint16 or float32, got int16"),
        (IMAGE.astype(bool), {}, TypeError, "image: expected dtype uint8, uint16 or float32, got bool"),
        (IMAGE.astype(">u2"), {}, TypeError, "image: expected the machine's byte order, got dtype '>u2'"),
        (IMAGE[0, 0], {}, ValueError, "image: expected shape (H, W) or (H, W, C), got (3,)"),
        (IMAGE[np.newaxis], {}, ValueError, "image: expected shape (H, W) or (H, W, C), got (1, 4, 6, 3)"),
        (IMAGE[:, :, :0], {}, ValueError, "image: expected no side of length zero, got shape (4, 6, 0)"),
        (IMAGE[:0], {}, ValueError, "image: expected no side of length zero, got shape (0, 6, 3)"),
        (
            IMAGE.transpose(1, 0, 2),
            {},
            ValueError,
            "placement: expected input_size (6, 4) as image has, got (4, 6)",
        ),
        (
            IMAGE,
            {"interpolation": "cubic"},
            ValueError,
            "interpolation: expected one of 'bilinear', 'nearest', got 'cubic'",
        ),
        (IMAGE, {"interpolation": 1}, TypeError, "interpolation: expected one of 'bilinear', 'nearest', got 1"),
        (IMAGE, {"antialias": 1}, TypeError, "antialias: expected True or False, got 1"),
    ],
)
def test_arguments_that_are_refused(
    kernels: ModuleType, image: Any, options: dict[str, Any], error: Any, message: str
) -> None:
    with pytest.raises(error) as info:
        kernels.place_image(image, STILL, **options)
    assert str(info.value) == message


def test_a_placement_is_needed(kernels: ModuleType) -> None:
    with pytest.raises(TypeError, match=r"^placement: expected a Placement, got tuple$"):
        kernels.place_image(IMAGE, ((4, 6), (4, 6), (0, 0), (4, 6)))

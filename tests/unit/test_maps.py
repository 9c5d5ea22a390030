"""PixelMap, and the maps of a sample: checked rasters, value semantics."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, PixelMap, Sample

IMAGE = np.zeros((2, 3, 3), np.uint8)
LABELS = np.arange(6, dtype=np.uint8).reshape(2, 3)
DEPTH = np.array([[0.5, np.nan, -0.0], [np.inf, 1, 2]], np.float32)


def test_arrays_become_maps() -> None:
    sample = Sample(IMAGE, Instances(), maps={"semantic": LABELS, "depth": PixelMap(DEPTH, np.nan, "bilinear")})
    assert list(sample.maps) == ["semantic", "depth"]
    assert sample.maps["semantic"] is LABELS
    assert sample.maps["depth"] is DEPTH
    assert sample.maps is not sample.maps
    maps = sample.pixel_maps
    assert (maps["semantic"].fill, maps["semantic"].interpolation) == (0, "nearest")
    assert np.isnan(maps["depth"].fill)
    assert maps["depth"].interpolation == "bilinear"
    assert Sample(IMAGE, Instances(), maps=maps) == sample
    assert repr(sample) == "Sample(image=(2, 3, 3) uint8, Instances(n=0, columns=[]), maps=[semantic, depth])"
    assert repr(maps["semantic"]) == "PixelMap((2, 3) uint8, fill=0, interpolation='nearest')"


def test_a_sample_without_maps_has_none() -> None:
    sample = Sample(IMAGE, Instances())
    assert sample.maps == {}
    assert sample == Sample(IMAGE, Instances(), {}, {})
    assert sample._maps is Sample(IMAGE, Instances(), maps={})._maps
    sample.maps["semantic"] = LABELS
    sample.pixel_maps["semantic"] = PixelMap(LABELS)
    assert Sample(IMAGE, Instances()).maps == {}
    assert "maps" not in repr(sample)


@pytest.mark.parametrize("dtype", [*"bBhHiIlLqQefdg"])
def test_every_dtype_of_numbers(dtype: str) -> None:
    for shape in [(2, 3), (2, 3, 1), (2, 3, 7)]:
        array = np.zeros(shape, dtype)
        assert PixelMap(array).array is array
        assert PixelMap(array, 7).fill == 7


def test_a_fill_is_a_number_or_one_for_each_channel() -> None:
    colours = np.zeros((2, 3, 2), np.int16)
    assert PixelMap(colours, [3, -4]).fill == (3, -4)
    assert PixelMap(colours, np.array([5, 5])).fill == 5
    assert PixelMap(colours, (5.0, 5)) == PixelMap(colours, 5)
    assert PixelMap(LABELS, [9]).fill == 9
    assert PixelMap(LABELS, np.array(255)).fill == 255
    assert PixelMap(np.zeros((2, 3), np.uint64), 2**64 - 1).fill == 2**64 - 1
    assert PixelMap(np.zeros((2, 3), np.int64), -(2**63)).fill == -(2**63)
    assert PixelMap(DEPTH, 0.1).fill == float(np.float32(0.1))
    assert PixelMap(DEPTH, -np.inf).fill == -np.inf


def test_equality_is_by_dtype_values_fill_and_interpolation() -> None:
    kept = PixelMap(LABELS, 7, "bilinear")
    assert kept == PixelMap(LABELS.copy(), 7.0, "bilinear")
    for other in (
        PixelMap(LABELS + 1, 7, "bilinear"),
        PixelMap(LABELS.astype(np.uint16), 7, "bilinear"),
        PixelMap(LABELS[:, :, None], 7, "bilinear"),
        PixelMap(LABELS, 8, "bilinear"),
        PixelMap(LABELS, 7),
        LABELS,
    ):
        assert kept != other
        assert Sample(IMAGE, Instances(), maps={"a": kept}) != Sample(IMAGE, Instances(), maps={"a": other})
    assert PixelMap(DEPTH, np.nan) == PixelMap(DEPTH.copy(), np.nan)
    pair = {"a": kept, "b": PixelMap(LABELS)}
    assert Sample(IMAGE, Instances(), maps=pair) == Sample(IMAGE, Instances(), maps=dict(reversed(pair.items())))
    assert Sample(IMAGE, Instances(), maps=pair) != Sample(IMAGE, Instances(), maps={"a": kept})
    assert Sample(IMAGE, Instances(), maps=pair) != Sample(IMAGE, Instances())
    with pytest.raises(TypeError, match="unhashable"):
        hash(kept)


def test_copies_keep_everything() -> None:
    maps = {"semantic": PixelMap(LABELS, 255), "depth": PixelMap(DEPTH, np.nan, "bilinear")}
    sample = Sample(IMAGE, Instances(), {"image_id": 3}, maps)
    for again in (pickle.loads(pickle.dumps(sample)), copy.copy(sample), copy.deepcopy(sample)):
        assert again == sample
        assert again.maps["depth"].tobytes() == DEPTH.tobytes()
        assert [each.interpolation for each in again.pixel_maps.values()] == ["nearest", "bilinear"]
    assert pickle.loads(pickle.dumps(maps["depth"])) == maps["depth"]
    with pytest.raises(AttributeError, match=r"^PixelMap is immutable: cannot set 'fill'$"):
        maps["depth"].fill = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match=r"^Sample is immutable: cannot set 'maps'$"):
        sample.maps = {}  # type: ignore[misc]


BILINEAR = "interpolation: expected 'nearest' for dtype {} (uint8, uint16, float32 have both), got 'bilinear'"
ONE = "fill: expected a whole number from 0 to 255 for dtype uint8, got "


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1]],), TypeError, "array: expected a NumPy array, got list"),
        ((LABELS > 2,), TypeError, "array: expected an integer or float dtype; astype(np.uint8) makes one of bools, got bool"),
        ((LABELS.astype(complex),), TypeError, "array: expected an integer or float dtype, got complex128"),
        ((LABELS.astype("S1"),), TypeError, "array: expected an integer or float dtype, got |S1"),
        ((LABELS.astype(">i4"),), TypeError, "array: expected the machine's byte order, got dtype '>i4'"),
        ((LABELS[0],), ValueError, "array: expected shape (H, W) or (H, W, C), got (3,)"),
        ((LABELS[:0],), ValueError, "array: expected no side of length zero, got shape (0, 3)"),
        ((IMAGE[..., :0],), ValueError, "array: expected no side of length zero, got shape (2, 3, 0)"),
        ((LABELS, 256), ValueError, ONE + "256"),
        ((LABELS, -1), ValueError, ONE + "-1"),
        ((LABELS, 0.5), ValueError, ONE + "0.5"),
        ((LABELS, float("nan")), ValueError, ONE + "nan"),
        ((LABELS, 10**400), ValueError, ONE + repr(10**400)),
        ((LABELS.astype(np.uint64), 2.0**64), ValueError, f"fill: expected a whole number from 0 to {2**64 - 1} for dtype uint64, got {2.0**64!r}"),
        ((LABELS, True), TypeError, "fill: expected a number, got True"),
        ((LABELS, "1"), TypeError, "fill: expected a number, got '1'"),
        ((LABELS, None), TypeError, "fill: expected a number, got None"),
        ((LABELS, [1, 2]), ValueError, "fill: expected a number or 1 of them for a map with no channel axis, got 2"),
        ((IMAGE, [1, 2]), ValueError, "fill: expected a number or 3 of them for a map with 3 channels, got 2"),
        ((IMAGE, [1, 2, 300]), ValueError, "fill[2]: expected a whole number from 0 to 255 for dtype uint8, got 300"),
        ((DEPTH.astype(np.float16), 1e6), ValueError, "fill: expected a number within 65504 for dtype float16, got 1000000.0"),
        ((DEPTH, 10**400), ValueError, f"fill: expected a number within 3.40282e+38 for dtype float32, got {10**400}"),
        ((LABELS, 0, "cubic"), ValueError, "interpolation: expected one of 'nearest', 'bilinear', got 'cubic'"),
        ((LABELS.astype(np.int8), 0, "bilinear"), ValueError, BILINEAR.format("int8")),
        ((LABELS.astype(np.float64), 0, "bilinear"), ValueError, BILINEAR.format("float64")),
    ],
)  # fmt: skip
def test_bad_maps(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        PixelMap(*arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("maps", "error", "message"),
    [
        (LABELS, TypeError, "maps: expected a mapping, got ndarray"),
        (None, TypeError, "maps: expected a mapping, got NoneType"),
        ({3: LABELS}, TypeError, "maps: expected names that are strings, got 3"),
        ({"": LABELS}, ValueError, "maps: expected names with at least one character, got ''"),
        ({"a": [[1]]}, TypeError, "maps['a']: expected a NumPy array, got list"),
        ({"a": LABELS > 2}, TypeError, "maps['a']: expected an integer or float dtype; astype(np.uint8) makes one of bools, got bool"),
        ({"a": LABELS.T}, ValueError, "maps['a']: expected the image's height and width (2, 3), got (3, 2)"),
        ({"a": PixelMap(LABELS.T)}, ValueError, "maps['a']: expected the image's height and width (2, 3), got (3, 2)"),
    ],
)  # fmt: skip
def test_bad_maps_of_a_sample(maps: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Sample(IMAGE, Instances(), maps=maps)
    assert str(caught.value) == message


def test_subclasses_of_arrays_count_as_their_memory() -> None:
    masked = np.ma.masked_array(LABELS, mask=True)
    assert type(Sample(IMAGE, Instances(), maps={"a": masked}).maps["a"]) is np.ndarray


@pytest.mark.parametrize(
    "number", [np.float16(7), np.float32(7), np.longdouble(7), np.float64(7), np.int8(7), np.uint64(7)]
)
def test_numbers_of_numpy_are_fills(number: Any) -> None:
    assert PixelMap(LABELS, number).fill == 7
    assert PixelMap(np.zeros((2, 3, 2), np.int16), [number, 1]).fill == (7, 1)


@pytest.mark.parametrize("number", [np.float32(1.5), np.longdouble(0.5), 1j, np.complex64(1), np.complex128(1)])
def test_numbers_that_are_no_fills(number: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^fill: expected a (whole )?number"):
        PixelMap(LABELS, number)


def test_fills_beyond_a_float() -> None:
    if np.finfo(np.longdouble).max > np.finfo(np.float64).max:
        with pytest.raises(ValueError, match=r"^fill: expected a number within"):
            PixelMap(DEPTH, np.longdouble("1e4000"))

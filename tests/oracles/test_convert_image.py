"""Images in the format of a model, against plain formulas."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fixtures.arrays import photograph

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DTYPES: list[tuple[type, float]] = [(np.uint8, 255.0), (np.uint16, 65535.0), (np.float32, 1.0)]


def picture(dtype: type, *channels: int) -> NDArray[Any]:
    return photograph(3, (7, 70, *channels), dtype)


@pytest.mark.parametrize("layout", ["chw", "hwc"])
@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,), (7,)])
@pytest.mark.parametrize(("dtype", "largest"), DTYPES)
def test_values_are_those_of_the_formula(
    kernels: ModuleType, dtype: type, largest: float, channels: tuple[int, ...], layout: str
) -> None:
    image = picture(dtype, *channels)
    n = channels[0] if channels else 1
    mean, std = np.linspace(0.3, 0.6, n), np.linspace(0.2, 0.4, n)
    given = (mean.tolist(), std.tolist()) if channels else (mean[0], std[0])
    found = kernels.convert_image(image, layout=layout, mean=given[0], std=given[1])
    exact = (image / largest - (mean if channels else mean[0])) / (std if channels else std[0])
    if layout == "chw" and channels:
        exact = np.moveaxis(exact, 2, 0)
    assert found.shape == exact.shape
    assert found.dtype == np.float32
    # Three roundings of numbers up to (1 + mean) / std.
    np.testing.assert_allclose(found, exact, rtol=0, atol=3 * 2**-24 * 8)
    half = kernels.convert_image(image, layout=layout, mean=given[0], std=given[1], dtype=np.float16)
    np.testing.assert_array_equal(half, found.astype(np.float16))


@pytest.mark.parametrize(("dtype", "largest"), DTYPES)
def test_scaling_alone_and_none(kernels: ModuleType, dtype: type, largest: float) -> None:
    image = picture(dtype, 3)
    np.testing.assert_allclose(kernels.convert_image(image, layout="hwc"), image / largest, rtol=2e-7)
    np.testing.assert_array_equal(kernels.convert_image(image, layout="hwc", scale=False), image.astype(np.float32))
    kept = kernels.convert_image(image, dtype=dtype)
    np.testing.assert_array_equal(kept, image.transpose(2, 0, 1))
    raw = kernels.convert_image(image, layout="hwc", scale=False, mean=100.0, std=50)
    np.testing.assert_allclose(raw, (image.astype(np.float64) - 100) / 50, rtol=0, atol=largest * 2**-23)


@pytest.mark.parametrize("change", [np.asfortranarray, lambda a: a[::-1, ::2], lambda a: a[:, ::-1]])
def test_any_memory_layout(kernels: ModuleType, change: Any) -> None:
    image = picture(np.uint8, 3)
    changed = change(image)
    changed.flags.writeable = False
    expected = kernels.convert_image(np.ascontiguousarray(changed), mean=MEAN, std=STD)
    np.testing.assert_array_equal(kernels.convert_image(changed, mean=MEAN, std=STD), expected)
    out = np.full_like(expected, 9)
    assert kernels.convert_image(changed, mean=MEAN, std=STD, out=out) is out
    np.testing.assert_array_equal(out, expected)


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"layout": "cwh"}, ValueError, "layout: expected one of 'chw', 'hwc', got 'cwh'"),
    ({"dtype": "float64"}, ValueError, "dtype: expected one of uint8, uint16, float32, float16, got 'float64'"),
    ({"dtype": None}, ValueError, "dtype: expected one of uint8, uint16, float32, float16, got None"),
    ({"dtype": "what"}, ValueError, "dtype: expected one of uint8, uint16, float32, float16, got 'what'"),
    ({"dtype": "uint16"}, ValueError, "dtype: expected float32, float16 or the image's own, which is uint8, got uint"),
    ({"dtype": "uint8", "mean": 1}, ValueError, "dtype: expected float32 or float16 where mean or std is given, got"),
    ({"mean": (0.1, 0.2)}, ValueError, "mean: expected a number or 3 of them, one for each channel, got 2"),
    ({"std": 0}, ValueError, "std: expected a number from 1e-09 to 1e"),
    ({"std": (1, 1, -1)}, ValueError, "std[2]: expected a number from 1e-09 to 1e"),
    ({"mean": float("nan")}, ValueError, "mean: expected a number from -1e"),
    ({"mean": "0.5"}, TypeError, "mean: expected a number, got '0.5'"),
    ({"scale": 1}, TypeError, "scale: expected True or False, got 1"),
    ({"out": np.empty((7, 70, 3), np.float32)}, ValueError, "out: expected shape (3, 7, 70) and dtype float32, got (7"),
    ({"out": np.empty((3, 7, 70))}, ValueError, "out: expected shape (3, 7, 70) and dtype float32, got (3, 7, 70) and"),
]


@pytest.mark.parametrize(("change", "kind", "sentence"), BAD)
def test_bad_formats_are_refused(
    kernels: ModuleType, change: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        kernels.convert_image(picture(np.uint8, 3), **change)
    assert str(caught.value).startswith(sentence)

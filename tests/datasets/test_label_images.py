"""Label images: the numbers that OpenCV, Pillow or tifffile wrote, exactly, or a sentence that says why not."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.label_images import LabelImage, read_label_image

SIZE = (7, 11)
PHOTO = Path("photo.png")
HAS_TIFFFILE = importlib.util.find_spec("tifffile") is not None
needs_tifffile = pytest.mark.skipif(not HAS_TIFFFILE, reason="tifffile, which writes these files, is not installed")


def read(data: bytes, size: tuple[int, int] = SIZE, **options: Any) -> LabelImage:
    return read_label_image(Path("labels"), data, PHOTO, size, ImageOptions(**options))


def numbers(dtype: Any, top: int, size: tuple[int, int] = SIZE) -> NDArray[Any]:
    values = np.random.default_rng(3).integers(0, top, size, endpoint=True).astype(dtype)
    values[0, :3] = 0, top, 1
    return values


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", [".png", ".tif", ".pgm"])
def test_what_opencv_wrote(dtype: Any, kind: str) -> None:
    values = numbers(dtype, np.iinfo(dtype).max)
    data = cv2.imencode(kind, values)[1].tobytes()
    found = read(data).numbers
    np.testing.assert_array_equal(found, values)
    assert found.dtype.kind in "iu"
    assert found.dtype.isnative


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_32_bits_that_opencv_wrote(dtype: Any) -> None:
    values = numbers(dtype, 2**20)
    found = read(cv2.imencode(".tif", values)[1].tobytes()).numbers
    np.testing.assert_array_equal(found, values)
    assert found.dtype.kind == "i"


@needs_tifffile
@pytest.mark.parametrize(
    "dtype",
    [np.uint8, np.uint16, np.uint32, np.uint64, np.int16, np.int32, np.int64, np.float32, np.float64, np.bool_, ">u4"],
)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_what_tifffile_wrote(dtype: Any, compression: str | None) -> None:
    import tifffile

    kind = np.dtype(dtype).kind
    top = 1 if kind == "b" else 2**20 if kind == "f" else np.iinfo(dtype).max
    values = numbers(np.int64, min(top, 2**63 - 1)).astype(dtype)
    file = io.BytesIO()
    tifffile.imwrite(file, values, compression=compression, byteorder=">" if dtype == ">u4" else "<")
    found = read(file.getvalue()).numbers
    np.testing.assert_array_equal(found != 0 if kind == "b" else found, values)
    assert found.dtype.kind in "iu"


@needs_tifffile
@pytest.mark.parametrize("dtype", [np.uint16, np.int64])
def test_pages_are_refused(dtype: Any) -> None:
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((3, *SIZE), dtype), photometric="minisblack")
    with pytest.raises(
        OSError, match=r"^labels: cannot be read as a label image: expected one (page, got 3$|image, got 3 pages)"
    ):
        read(file.getvalue())


@needs_tifffile
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", [np.uint16, np.int64])
def test_a_tiff_that_was_cut_off(dtype: Any, compression: str | None) -> None:
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, numbers(dtype, 9999), compression=compression, rowsperstrip=2)
    with pytest.raises(OSError, match=r"^labels: cannot be read as a label image: "):
        read(file.getvalue()[:-20])


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("top", [1, 3, 15, 255])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_indices_of_a_palette_are_the_numbers(top: int, kind: str) -> None:
    values = numbers(np.uint8, top)
    image = Image.fromarray(values)
    colours = np.random.default_rng(1).integers(0, 256, (top + 1, 3), np.uint8)
    image.putpalette(colours.tobytes())
    options = {"optimize": False} if kind == "GIF" else {"bits": top.bit_length()} if kind == "PNG" else {}
    found = read(saved(image, kind, **options))
    np.testing.assert_array_equal(found.numbers, values)
    assert found.palette is not None
    np.testing.assert_array_equal(found.palette[values], colours[values])


def test_transparency_is_left_out() -> None:
    values = numbers(np.uint8, 9)
    image = Image.fromarray(values)
    image.putpalette(np.arange(30, dtype=np.uint8).tobytes())
    np.testing.assert_array_equal(read(saved(image, transparency=0)).numbers, values)
    colours = np.random.default_rng(2).integers(0, 256, (*SIZE, 4), np.uint8)
    whole = colours.astype(np.int64)
    expected = whole[:, :, 0] + 256 * whole[:, :, 1] + 256**2 * whole[:, :, 2]
    for channels in (3, 4):
        found = read(saved(Image.fromarray(colours[:, :, :channels])))
        assert found.has_colours
        np.testing.assert_array_equal(found.numbers, expected)
    np.testing.assert_array_equal(read(saved(Image.fromarray(colours[:, :, :2]))).numbers, colours[:, :, 0])


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_of_few_bits_is_that_of_opencv(depth: int) -> None:
    values = numbers(np.uint8, 2**depth - 1, (8, 16))
    grey = Image.fromarray(values * (255 // (2**depth - 1)))
    file = saved(grey.convert("1") if depth == 1 else grey, bits=depth)
    expected = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read(file, (8, 16)).numbers, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint32, np.int64, np.bool_, np.float64, ">i4"])
def test_arrays_of_numpy(dtype: Any) -> None:
    values = numbers(np.int64, 1 if dtype is np.bool_ else 100).astype(dtype)
    for order in ("C", "F"):
        file = io.BytesIO()
        np.save(file, np.asarray(values, order=order))
        np.testing.assert_array_equal(read(file.getvalue()).numbers, values)


def saved_array(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def claimed(shape: tuple[int, ...]) -> bytes:
    """The header of a far larger array than there is."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<i4", "fortran_order": False, "shape": shape})
    return file.getvalue()


GREY = Image.fromarray(np.zeros(SIZE, np.uint8))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "got none of these"),
        (b"hello", "got none of these"),
        (saved(Image.fromarray(numbers(np.uint8, 255)))[:90], "labels: cannot be read as a label image: "),
        (saved(GREY, "JPEG"), "got a JPEG file, which keeps no exact values"),
        (saved(GREY.convert("CMYK"), "TIFF"), "got pixels of mode CMYK"),
        (cv2.imencode(".png", np.zeros((*SIZE, 3), np.uint16))[1].tobytes(), "got channels of 16 bits"),
        (cv2.imencode(".tif", np.zeros((*SIZE, 3), np.uint16))[1].tobytes(), "got channels of 16 bits"),
        (cv2.imencode(".tif", np.full(SIZE, 0.5, np.float32))[1].tobytes(), "got floating-point ones"),
        (cv2.imencode(".tif", np.full(SIZE, np.nan, np.float32))[1].tobytes(), "got floating-point ones"),
        (saved_array(np.array({"masks": GREY}, object)), r"got pickled objects, as in a _seg\.npy"),
        (saved_array(np.zeros((*SIZE, 2))), r"expected an array of shape \(height, width\), got \(7, 11, 2\)"),
        (saved_array(np.zeros(SIZE, complex)), "expected integers, got dtype complex128"),
        (saved_array(np.zeros(SIZE, np.int8))[:100], "labels: cannot be read as a label image"),
        (b"\x93NUMPY\x09\0", "labels: cannot be read as a label image"),
    ],
)
def test_what_is_no_label_image(data: bytes, words: str) -> None:
    with pytest.raises(OSError, match=words):
        read(data)


def test_another_size_than_the_image(tmp_path: Path) -> None:
    words = r"^labels: expected width 11 and height 7, as its image photo\.png has, got width 12 and height 7$"
    with pytest.raises(ValueError, match=words):
        read(saved(Image.fromarray(np.zeros((7, 12), np.uint8))))
    with pytest.raises(
        ValueError, match=r"expected an array of shape \(7, 11\), as its image .* got \(100000, 100000\)"
    ):
        read(claimed((100000, 100000)))
    with pytest.raises(ValueError, match=r"expected at most 76 pixels \(max_pixels\), got width 11 and height 7"):
        read(saved(GREY), max_pixels=76)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = tmp_path / "a.jpg"
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(photo, exif=exif)
    turned = saved(GREY.transpose(Image.Transpose.ROTATE_90))
    with pytest.raises(ValueError, match="EXIF orientation of the image is 6, which apply_exif=True would apply"):
        read_label_image(Path("labels"), turned, photo, SIZE, ImageOptions())
    with pytest.raises(ValueError, match="which apply_exif=False would leave out"):
        read_label_image(Path("labels"), saved(GREY), photo, SIZE[::-1], ImageOptions(apply_exif=True))

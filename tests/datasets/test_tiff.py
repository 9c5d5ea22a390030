"""TIFF files with their pixels kept: as tifffile and OpenCV wrote them, as Pillow and OpenCV read them."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.images import encode_image, read_image
from tests.fixtures.arrays import DTYPES, pixels
from tests.fixtures.coco_files import photo
from tests.fixtures.image_files import by_opencv, by_pillow, kept, opencv, same


def by_tifffile(image: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, **options)
    return buffer.getvalue()


LAYOUTS: list[dict[str, Any]] = [
    {"planarconfig": "contig"},
    {"planarconfig": "contig", "metadata": None},
    {"planarconfig": "separate"},
    {"planarconfig": "contig", "tile": (16, 16)},
    {"planarconfig": "separate", "rowsperstrip": 5},
    {"planarconfig": "contig", "compression": "zlib", "rowsperstrip": 3},
    {"planarconfig": "contig", "byteorder": ">"},
    {"planarconfig": "contig", "bigtiff": True},
    {"metadata": {"axes": "CYX"}},
    {"metadata": {"axes": "CYX"}, "ome": True},
    {"metadata": {"axes": "CYX"}, "imagej": True},
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [2, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_many_channels_in_any_layout(tmp_path: Path, dtype: Any, channels: int, layout: dict[str, Any]) -> None:
    image = pixels(channels, (33, 21, channels), dtype)
    planes = image if layout.get("planarconfig") == "contig" else np.ascontiguousarray(image.transpose(2, 0, 1))
    photometric = {} if "imagej" in layout else {"photometric": "minisblack"}
    same(kept(by_tifffile(planes, **photometric, **layout), tmp_path), image)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(33, 21), (33, 21, 3), (33, 21, 4)])
@pytest.mark.parametrize("compression", [1, 8, 32773])
def test_files_of_opencv(tmp_path: Path, dtype: Any, shape: tuple[int, ...], compression: int) -> None:
    data = by_opencv(".tif", pixels(1, shape, dtype), cv2.IMWRITE_TIFF_COMPRESSION, compression, 317, 1)
    same(kept(data, tmp_path), opencv(data))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "I;16", "F", "CMYK"])
def test_modes_of_pillow(tmp_path: Path, mode: str) -> None:
    if mode in ("I;16", "F"):
        picture = Image.fromarray(pixels(2, (9, 14), np.float32 if mode == "F" else np.uint16))
    else:
        picture = Image.fromarray(photo((9, 14), 2)).convert(mode)
    expected = np.asarray(picture.convert({"1": "L", "P": "RGB"}.get(mode, mode)))
    same(kept(by_pillow(picture, "TIFF"), tmp_path), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_may_be_zero(tmp_path: Path, dtype: Any) -> None:
    image = pixels(2, (9, 14), dtype)
    data = by_tifffile(image, photometric="miniswhite")
    same(kept(data, tmp_path), np.iinfo(dtype).max - image)
    if dtype == np.uint8:
        with Image.open(io.BytesIO(data)) as picture:
            same(kept(data, tmp_path), np.asarray(picture))
    bits = by_tifffile(image > 99, photometric="miniswhite")
    with Image.open(io.BytesIO(bits)) as picture:
        same(kept(bits, tmp_path), np.asarray(picture.convert("L")))


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_part_of_the_format(tmp_path: Path, turn: int) -> None:
    """Pillow applies it, so that 8-bit RGB and what is kept are of one size."""
    data = by_tifffile(photo((9, 14), 2), photometric="rgb", extratags=[(274, 3, 1, turn, False)])
    size = (9, 14) if turn < 5 else (14, 9)
    path = tmp_path / "image"
    path.write_bytes(data)
    same(read_image(path, size, ImageOptions(dtype="keep")), read_image(path, size))


# -- refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint32", "int32", "float16", "float64", "complex64"])
def test_other_dtypes_are_refused_by_name(tmp_path: Path, dtype: str) -> None:
    data = by_tifffile(np.zeros((4, 5), dtype))
    told = rf"image: .*expected pixels of dtype uint8, uint16 or float32, got {dtype}; convert them, to float32 say$"
    with pytest.raises(OSError, match=told):
        kept(data, tmp_path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "5 pages with axes QYX"),
        ({"metadata": None}, "5 pages with axes IYX"),
        ({"metadata": {"axes": "ZYX"}}, "5 pages with axes ZYX"),
        ({"metadata": {"axes": "TYX"}, "ome": True}, "5 pages with axes TYX"),
    ],
)
def test_stacks_are_refused_with_their_pages(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    data = by_tifffile(pixels(1, (5, 9, 14), np.uint16), photometric="minisblack", **options)
    with pytest.raises(OSError, match=f"image: .*expected one image, got {told}, which are not noted as channels"):
        kept(data, tmp_path)


def test_pages_of_different_sizes_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(pixels(1, (9, 14), np.uint8), photometric="minisblack")
        writer.write(pixels(1, (7, 3), np.uint8), photometric="minisblack")
    with pytest.raises(OSError, match="expected one image, got 2 pages with axes YX and others"):
        kept(buffer.getvalue(), tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("imagecodecs") is not None, reason="imagecodecs reads them")
def test_a_compression_that_needs_imagecodecs_is_named(tmp_path: Path) -> None:
    data = by_opencv(".tif", photo((9, 14), 2), cv2.IMWRITE_TIFF_COMPRESSION, 5)
    told = "image: .* its compression, LZW, is read by tifffile with the package imagecodecs: pip install imagecodecs$"
    with pytest.raises(OSError, match=told):
        kept(data, tmp_path)


def test_tifffile_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = by_tifffile(photo((9, 14), 2))
    monkeypatch.setitem(sys.modules, "tifffile", None)
    told = r"^tifffile is not installed; it comes with the extra tiff: pip install 'copypaste_rs\[tiff\]'$"
    with pytest.raises(ImportError, match=told):
        kept(data, tmp_path)
    with pytest.raises(ImportError, match=told):
        encode_image(photo((9, 14), 2), "tif")
    same(read_image(tmp_path / "image"), photo((9, 14), 2))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"rowsperstrip": 4}, {"tile": (16, 16)}])
def test_truncated_files_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    data = by_tifffile(pixels(1, (40, 50), np.uint16), metadata=None, **options)
    for length in range(0, len(data), 97):
        with pytest.raises(OSError, match=r"image: (cannot be read as an image|expected an image file)"):
            kept(data[:length], tmp_path)


SPLIT: list[dict[str, Any]] = [
    {"rowsperstrip": 4}, {"rowsperstrip": 4, "compression": "zlib"}, {"tile": (16, 16)}, {"metadata": {"axes": "CYX"}},
]  # fmt: skip


@pytest.mark.parametrize("options", SPLIT)
@pytest.mark.parametrize("value", [0, 2**30])
def test_strips_and_tiles_that_are_missing_are_told(tmp_path: Path, options: dict[str, Any], value: int) -> None:
    """Nothing is made up for them, whether they have no length or lie beyond the file."""
    shape = (3, 40, 50) if "metadata" in options else (40, 50)
    data = bytearray(by_tifffile(pixels(1, shape, np.uint16), photometric="minisblack", **{"metadata": None} | options))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        number = 325 if "tile" in options else 279
        offsets = 324 if "tile" in options else 273
        tag = file.pages.first.tags[number if value == 0 else offsets]
        width = {3: 2, 4: 4}[int(tag.dtype)]
    data[tag.valueoffset : tag.valueoffset + width] = value.to_bytes(width, "little")
    told = r"image: .*(expected \d+ strips or tiles of the image in the file, got \d+|failed to read)"
    if "metadata" in options and value == 0:  # one piece, whose length is known
        assert kept(bytes(data), tmp_path).shape == (40, 50, 3)
        return
    with pytest.raises(OSError, match=told):
        kept(bytes(data), tmp_path)


# -- written -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(9, 14), (9, 14, 1), (9, 14, 2), (9, 14, 3), (9, 14, 4), (9, 14, 7)])
def test_what_is_written_is_read(tmp_path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    image = pixels(4, shape, dtype)
    data = encode_image(image, "tif")
    assert encode_image(np.asfortranarray(image), "tif") == data
    expected = image[:, :, 0] if shape[2:] == (1,) else image
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), expected)
    same(kept(data, tmp_path), expected)
    if shape[2:] in ((), (1,), (3,), (4,)):
        np.testing.assert_array_equal(opencv(data), expected)


def test_files_say_neither_when_nor_by_what_they_were_written() -> None:
    data = encode_image(photo((9, 14), 2), "tif")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        names = {tag.name for tag in file.pages.first.tags.values()}
    assert not names & {"DateTime", "Software", "HostComputer", "ImageDescription", "Artist"}
    with Image.open(io.BytesIO(data)) as picture:
        np.testing.assert_array_equal(np.asarray(picture), photo((9, 14), 2))

"""Images as they are stored: pixels as OpenCV, Pillow and tifffile read them, in their dtype and channels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, features

from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.images import read_image
from copypaste_rs.datasets.kept_pixels import kept_pixels
from tests.fixtures.arrays import pixels
from tests.fixtures.coco_files import photo
from tests.fixtures.image_files import by_opencv, by_pillow, kept, opencv, put, same
from tests.fixtures.png_files import png, shallow_png

KEEP = ImageOptions(dtype="keep")


# -- PNG and others ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(23, 31), (23, 31, 3), (1, 1, 3), (23, 31, 4)])
def test_png_as_opencv_writes_and_reads_it(tmp_path: Path, shape: tuple[int, ...], dtype: Any) -> None:
    data = by_opencv(".png", pixels(1, shape, dtype))
    same(kept(data, tmp_path), opencv(data))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kinds", [[0], [1], [2], [3], [4], [4, 0, 3, 1, 2]])
def test_deep_png_with_every_filter(tmp_path: Path, kinds: list[int], channels: int, interlaced: bool) -> None:
    shape = (11, 13) if channels == 1 else (11, 13, channels)
    image = pixels(channels, shape, np.uint16)
    data = png(image, kinds, interlaced=interlaced)
    same(kept(data, tmp_path), image)
    if channels != 2:  # OpenCV makes four channels of grey with alpha
        np.testing.assert_array_equal(opencv(data), image)


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".webp"])
@pytest.mark.parametrize("grey", [False, True])
def test_files_of_8_bits(tmp_path: Path, suffix: str, grey: bool) -> None:
    image = photo((24, 32), 5)
    data = by_opencv(suffix, image[:, :, 0] if grey else image)
    expected = opencv(data)
    if suffix != ".webp":
        assert expected.ndim == (2 if grey else 3)
    same(kept(data, tmp_path), expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_modes_of_pillow(tmp_path: Path, mode: str) -> None:
    picture = (
        Image.fromarray(pixels(2, (9, 14), np.uint16))
        if mode == "I;16"
        else Image.fromarray(photo((9, 14), 2)).convert(mode)
    )
    expected = np.asarray(picture.convert({"1": "L", "P": "RGB"}.get(mode, mode)))
    same(kept(by_pillow(picture, "PNG"), tmp_path), expected)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_of_grey_are_eight(tmp_path: Path, depth: int) -> None:
    image = np.random.default_rng(depth).integers(0, 2**depth, (9, 14), np.uint8)
    data = shallow_png(image, depth)
    same(kept(data, tmp_path), opencv(data))


def test_palettes_are_colours_whatever_is_transparent(tmp_path: Path) -> None:
    colours = Image.fromarray(photo((9, 14), 2)).quantize(16)
    for data in (by_pillow(colours, "PNG", transparency=3), by_pillow(colours, "GIF")):
        same(kept(data, tmp_path), np.asarray(colours.convert("RGB")))
    grey = Image.fromarray(photo((9, 14), 2)).convert("L")
    found = kept(by_pillow(grey, "GIF"), tmp_path)
    same(found, np.repeat(np.asarray(grey)[:, :, None], 3, axis=2))


def test_other_models_of_colour_become_rgb(tmp_path: Path) -> None:
    data = by_pillow(Image.fromarray(photo((24, 32), 3)).convert("CMYK"), "JPEG")
    with Image.open(io.BytesIO(data)) as picture:
        same(kept(data, tmp_path), np.asarray(picture.convert("RGB")))


def test_grey_of_16_bits_in_other_formats(tmp_path: Path) -> None:
    image = pixels(3, (9, 14), np.uint16)
    data = by_opencv(".pgm", image)
    same(kept(data, tmp_path), opencv(data))
    if features.check("jpg_2000"):  # without loss
        same(kept(by_pillow(Image.fromarray(image), "JPEG2000"), tmp_path), image)


def test_what_would_be_cut_is_refused(tmp_path: Path) -> None:
    """Pillow reads eight bits of each of these, which `dtype="uint8"` has always taken."""
    deep = pixels(3, (16, 16, 3), np.uint16)
    files = {"PPM": by_opencv(".ppm", deep)}
    # No library here writes these; what says how deep they are is changed instead.
    shallow = Image.fromarray(photo((16, 16), 3))
    if features.check("jpg_2000"):
        data = by_pillow(shallow, "JPEG2000")
        at = data.index(b"\xff\x4f\xff\x51") + 42
        files["JPEG2000"] = data[:at] + b"\x0b" + data[at + 1 :]
    data = by_pillow(shallow, "SGI", bpc=2)
    files["SGI"] = data
    for kind, data in files.items():
        told = rf"image: cannot be read as an image: of {kind} files with more than 8 bits a channel only 8 can be read"
        with pytest.raises(OSError, match=told):
            kept(data, tmp_path)
    if "JPEG2000" in files:
        same(kept(by_pillow(shallow, "JPEG2000"), tmp_path), read_image(tmp_path / "image"))
    assert read_image(put(tmp_path, files["PPM"])).dtype == np.uint8


@pytest.mark.skipif(not features.check("avif"), reason="Pillow was built without AVIF")
def test_avif_of_ten_bits_is_refused(tmp_path: Path) -> None:
    shallow = by_pillow(Image.fromarray(photo((16, 16), 3)), "AVIF")
    at = shallow.index(b"av1C") + 6
    deep = shallow[:at] + bytes([shallow[at] | 0x40]) + shallow[at + 1 :]  # which its decoder would not open
    with (
        Image.open(io.BytesIO(shallow)) as picture,
        pytest.raises(ValueError, match=r"^of AVIF files with more than 8"),
    ):
        kept_pixels(picture, deep)
    same(kept(shallow, tmp_path), read_image(tmp_path / "image"))


# -- what holds for all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_a_truncated_file_is_named(tmp_path: Path, suffix: str) -> None:
    image = pixels(3, (90, 70, 3), np.uint8 if suffix == ".jpg" else np.uint16)
    data = by_opencv(suffix, image, *((cv2.IMWRITE_TIFF_COMPRESSION, 8) if suffix == ".tif" else ()))
    for length in (len(data) * 3 // 4, 60, 10):
        with pytest.raises(OSError, match=r"image: (cannot be read as an image|expected an image file)"):
            kept(data[:length], tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_sizes_are_checked_first(tmp_path: Path, suffix: str) -> None:
    data = by_opencv(suffix, pixels(3, (9, 7, 3), np.uint8))
    with pytest.raises(
        ValueError, match=r"image: expected at most 62 pixels \(max_pixels\), got width 7 and height 9$"
    ):
        kept(data, tmp_path, max_pixels=62)
    with pytest.raises(ValueError, match="image: expected an image of width 9 and height 7 as in the annotation"):
        read_image(put(tmp_path, data), (7, 9), KEEP)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientations(tmp_path: Path, turn: int, grey: bool) -> None:
    picture = Image.fromarray(photo((9, 14), 2)).convert("L" if grey else "RGB")
    exif = Image.Exif()
    exif[0x0112] = turn
    data = by_pillow(picture, "PNG", exif=exif)
    remarks: list[int] = []
    found = read_image(put(tmp_path, data), (9, 14), KEEP, remarks.append)
    same(found, np.asarray(picture))
    assert remarks == ([] if turn == 1 else [turn])
    with Image.open(io.BytesIO(data)) as stored:
        from PIL import ImageOps

        same(kept(data, tmp_path, apply_exif=True), np.asarray(ImageOps.exif_transpose(stored)))


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^dtype: expected one of 'uint8', 'keep', got 'uint16'$"):
        ImageOptions.check(apply_exif=False, max_pixels=9, dtype="uint16")

"""Image files: the pixels that Pillow sees, clear errors, and the same bytes for the same pixels."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from copypaste_rs import datasets
from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.images import encode_image, read_image
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.coco_files import photo


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(photo((21, 34), 3)).convert(mode)
    pixels = read_image(saved(image, tmp_path / "x.png"))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("mode", "subsampling"), [("RGB", 0), ("RGB", 2), ("L", 0), ("CMYK", 0)])
def test_jpeg_is_decoded_as_pillow_does(tmp_path: Path, mode: str, subsampling: int) -> None:
    path = saved(Image.fromarray(photo((37, 51), 1)).convert(mode), tmp_path / "x.jpg", subsampling=subsampling)
    np.testing.assert_array_equal(read_image(path), np.asarray(Image.open(path).convert("RGB")))


def test_sixteen_bits_are_cut_to_the_upper_eight(tmp_path: Path) -> None:
    deep = np.arange(0, 65536, 64, dtype=np.uint16).reshape(16, 64)
    pixels = read_image(saved(Image.fromarray(deep), tmp_path / "x.png"))
    np.testing.assert_array_equal(pixels, np.repeat((deep >> 8).astype(np.uint8)[:, :, None], 3, axis=2))


def test_exif_rotation_is_not_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(Image.fromarray(photo((21, 34), 3)), tmp_path / "x.jpg", exif=exif)
    assert read_image(path).shape == (21, 34, 3)


def test_an_empty_file_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    with pytest.raises(OSError, match=r"x\.png: expected an image file \(AVIF, .*\), got none of these$"):
        read_image(tmp_path / "x.png")


def test_extra_bytes_after_a_jpeg_do_no_harm(tmp_path: Path) -> None:
    path = saved(Image.fromarray(photo((21, 34), 3)), tmp_path / "x.jpg")
    expected = read_image(path)
    path.write_bytes(path.read_bytes() + b"trailing")
    np.testing.assert_array_equal(read_image(path), expected)


@pytest.mark.parametrize("shape", [(21, 34), (21, 34, 1), (21, 34, 3)])
def test_png_keeps_and_jpeg_nearly_keeps_pixels(shape: tuple[int, ...]) -> None:
    image = photo((21, 34), 5)
    image = np.ascontiguousarray(image if shape == (21, 34, 3) else image[:, :, :1].reshape(shape))
    for kind, tolerance in (("png", 0), ("jpg", 12)):
        for layout in (image, np.asfortranarray(image)):
            back = np.asarray(Image.open(io.BytesIO(encode_image(layout, kind, 95))))
            assert np.abs(back.astype(int) - image.reshape(back.shape)).max() <= tolerance


def test_what_cannot_be_written_as_an_image_is_refused() -> None:
    with pytest.raises(
        ArgumentTypeError, match="image: expected dtype uint8 to write a file of format 'jpg', got uint16"
    ):
        encode_image(np.zeros((3, 4), np.uint16), "jpg", 95)
    with pytest.raises(ArgumentError, match="image: expected 1 or 3 channels to write a file of format 'jpg', got 4"):
        encode_image(np.zeros((3, 4, 4), np.uint8), "jpg", 95)
    with pytest.raises(ArgumentError, match="at most 65500 pixels for JPEG"):
        encode_image(np.zeros((1, 65501), np.uint8), "jpg", 95)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[0]], "png"), TypeError, "image: expected a NumPy array, got list"),
        (
            (np.zeros((3, 4)), "png"),
            TypeError,
            "image: expected dtype uint8 or uint16 to write a file of format 'png', got float64",
        ),
        ((np.zeros(4, np.uint8), "png"), ValueError, "image: expected shape (H, W) or (H, W, C), got (4,)"),
        ((np.zeros((0, 4), np.uint8), "png"), ValueError, "image: expected no side of length zero, got shape (0, 4)"),
        ((np.zeros((3, 4), np.uint8), "gif"), ValueError, "format: expected one of 'jpg', 'png', 'tif', got 'gif'"),
        ((np.zeros((3, 4), np.uint8), None), TypeError, "format: expected one of 'jpg', 'png', 'tif', got None"),
        ((np.zeros((3, 4), np.uint8), "jpg", 0), ValueError, "quality: expected an integer from 1 to 100, got 0"),
        ((np.zeros((3, 4), np.uint8), "jpg", 9.5), TypeError, "quality: expected an integer, got 9.5"),
    ],
)
def test_arguments_of_the_public_name(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        datasets.encode_image(*arguments)
    assert str(caught.value) == message


def test_the_quality_of_the_public_name_is_that_of_the_writer() -> None:
    image = np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    assert datasets.encode_image(image, "jpg") == encode_image(image, "jpg", 95) != encode_image(image, "jpg", 94)


def test_something_else_than_an_image_is_an_os_error(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    for content in (b"", b"hello", b"\xff\xd8\xff\xe0 hello", b"\x89PNG\r\n\x1a\n" + b"\0" * 40):
        path.write_bytes(content)
        with pytest.raises(OSError, match=r"x\.jpg: (cannot be read as an image: |expected an image file)") as caught:
            read_image(path)
        assert "BytesIO" not in str(caught.value)
    path.write_bytes(b"hello")
    with pytest.raises(OSError, match=r"x\.jpg: expected an image file \(AVIF, .*\), got none of these$"):
        read_image(path)


def with_orientation(path: Path, turned: int, **options: Any) -> Path:
    exif = Image.Exif()
    exif[0x0112] = turned
    return saved(Image.fromarray(photo((21, 34), 3)), path, exif=exif, **options)


@pytest.mark.parametrize("kind", ["png", "webp", "jpg"])
@pytest.mark.parametrize("turned", range(1, 9))
def test_images_are_turned_as_pillow_turns_them(tmp_path: Path, turned: int, kind: str) -> None:
    path = with_orientation(tmp_path / f"x.{kind}", turned, **({"lossless": True} if kind == "webp" else {}))
    stored = np.asarray(Image.open(path).convert("RGB"))
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    told: list[int] = []
    np.testing.assert_array_equal(read_image(path, (21, 34), remark=told.append), stored)
    assert told == [turned] * (turned != 1)
    options, size = ImageOptions(apply_exif=True), upright.shape[:2]
    pixels = read_image(path, (size[0], size[1]), options, told.append)
    assert told == [turned] * (turned != 1)
    assert pixels.flags.c_contiguous
    np.testing.assert_array_equal(pixels, upright)


def test_a_size_that_only_the_turned_image_has_is_said(tmp_path: Path) -> None:
    for kind in ("jpg", "png"):
        path = with_orientation(tmp_path / f"x.{kind}", 6)
        with pytest.raises(
            ValueError,
            match=r"got width 34 and height 21; its EXIF orientation is 6, which apply_exif=True would apply$",
        ):
            read_image(path, (34, 21))
        with pytest.raises(
            ValueError,
            match=r"got width 21 and height 34; its EXIF orientation is 6, which apply_exif=False would leave out$",
        ):
            read_image(path, (21, 34), ImageOptions(apply_exif=True))
        with pytest.raises(ValueError, match=r"got width 34 and height 21$"):
            read_image(path, (5, 5))


def test_one_limit_of_pixels_for_all_formats(tmp_path: Path) -> None:
    for kind in ("jpg", "png", "bmp", "webp", "tif"):
        path = saved(Image.fromarray(photo((21, 34), 3)), tmp_path / f"x.{kind}")
        read_image(path, options=ImageOptions(max_pixels=21 * 34))
        with pytest.raises(
            ValueError, match=r"x\.\w+: expected at most 713 pixels \(max_pixels\), got width 34 and height 21$"
        ):
            read_image(path, options=ImageOptions(max_pixels=713))
    # Files that claim far more than they hold are not decoded, whatever the size that somebody expects.
    header = (tmp_path / "x.jpg").read_bytes()
    place = header.index(b"\xff\xc0") + 5
    huge = header[:place] + (30000).to_bytes(2, "big") * 2 + header[place + 4 :]
    (tmp_path / "huge.jpg").write_bytes(huge)
    with pytest.raises(ValueError, match=r"huge\.jpg: expected at most 268435456 pixels"):
        read_image(tmp_path / "huge.jpg", (30000, 30000))


def test_large_images_are_read_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(Image.fromarray(photo((21, 34), 3)), tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # beyond twice this Pillow itself refuses
    np.testing.assert_array_equal(read_image(path), photo((21, 34), 3))


def test_palettes_with_transparency_are_read_without_a_warning(tmp_path: Path) -> None:
    image = Image.fromarray(photo((21, 34), 3)).convert("P")
    path = saved(image, tmp_path / "x.png", transparency=bytes(range(256)))
    np.testing.assert_array_equal(read_image(path), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(
    "kind", ["png", "jpg", "tif", "gif", "webp", "dds", "avif", "tga", "pcx", "ico", "bmp", "ppm", "jp2"]
)
def test_damaged_files_are_errors_that_name_them(tmp_path: Path, kind: str) -> None:
    if kind == "avif" and not features.check("avif"):
        return
    whole = saved(Image.fromarray(photo((24, 32), 3)), tmp_path / f"x.{kind}").read_bytes()
    rng = np.random.default_rng(1)
    path = tmp_path / f"damaged.{kind}"
    for _ in range(150):
        data = bytearray(whole[: rng.integers(1, len(whole) + 1)] if rng.integers(2) else whole)
        for place in rng.integers(0, min(len(data), 200), rng.integers(1, 6)):
            data[place] = rng.integers(256)
        path.write_bytes(bytes(data))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow's readers about what they find
            try:
                read_image(path, options=ImageOptions(max_pixels=10**6))
            except (OSError, ValueError) as error:
                assert str(error).startswith(f"{path}: ")  # noqa: PT017

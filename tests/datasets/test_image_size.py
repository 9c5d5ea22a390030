"""Sizes of image files without decoding, against Pillow and `read_image`; names of the files in a folder."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.image_files import files_below, is_image_name
from copypaste_rs.datasets.images import image_size, read_image

FORMATS = ["png", "jpg", "bmp", "gif", "tif", "webp", "jp2"]


def encoded(suffix: str, orientation: int = 1) -> bytes:
    image = Image.fromarray(np.arange(7 * 11 * 3, dtype=np.uint8).reshape(7, 11, 3))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    kind = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}.get(suffix, suffix.upper())
    image.save(buffer, kind, **({"exif": exif} if suffix in ("png", "jpg", "webp") else {}))
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", FORMATS)
def test_any_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encoded(suffix))
    assert image_size(path) == (7, 11)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_as_pillow_turns(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encoded(suffix, orientation))
    with Image.open(path) as image:
        turned = ImageOps.exif_transpose(image)
    assert image_size(path) == (7, 11)
    assert image_size(path, ImageOptions(apply_exif=True)) == (turned.height, turned.width)
    assert read_image(path, None, ImageOptions(apply_exif=True)).shape[:2] == (turned.height, turned.width)


def test_exif_behind_the_pixels_of_a_png(tmp_path: Path) -> None:
    data = encoded("png", 6)
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    moved = data[:start] + data[end:-12] + data[start:end] + data[-12:]  # before the last chunk
    path = tmp_path / "a.png"
    path.write_bytes(moved)
    assert image_size(path, ImageOptions(apply_exif=True)) == (11, 7)


def test_what_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(FileNotFoundError):
        image_size(path)
    for data in (b"", b"\x89PNG", encoded("png")[:20], b"hello"):
        path.write_bytes(data)
        for apply_exif in (False, True):
            with pytest.raises(OSError, match=r"a\.png: "):
                image_size(path, ImageOptions(apply_exif))
    path.write_bytes(encoded("png"))
    with pytest.raises(ValueError, match="expected at most 70 pixels"):
        image_size(path, ImageOptions(max_pixels=70))


def test_files_of_folders(tmp_path: Path) -> None:
    for name in ("b.png", "a/c.jpg", ".hidden/x.png", ".DS_Store", "a/b/d.txt", "Z.gif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/b/round").symlink_to(tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a/b")
    names = files_below(tmp_path)
    assert names == ["Z.gif", "a/b/d.txt", "a/c.jpg", "b.png", "link/d.txt", "link/round/c.jpg"]
    assert [is_image_name(name) for name in ("a.PNG", "a.b.tiff", "png", "a.txt")] == [True, True, True, False]

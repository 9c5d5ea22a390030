"""Files of images as bytes and by their names, and what their first segments say, against Pillow and plain loops."""

from __future__ import annotations

import io
import itertools
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.image_files import is_inside, whole_file
from copypaste_rs.datasets.image_headers import jpeg_frame
from copypaste_rs.datasets.images import read_image

H, W = 23, 37


def jpeg(mode: str, **options: Any) -> bytes:
    pixels = np.random.default_rng(3).integers(0, 256, (H, W, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def turned_by_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg("RGB", exif=exif)


FILES = {
    "colour": jpeg("RGB"),
    "grey": jpeg("L"),
    "for printing": jpeg("CMYK"),
    "progressive": jpeg("RGB", progressive=True),
    "with a comment": jpeg("L", comment=b"\xff\xc0" * 20),
    "turned": turned_by_exif(6),
    "with a profile": jpeg("RGB", icc_profile=b"\xff\xc0\xff\xda" * 5000),
}


@pytest.mark.parametrize("kind", FILES)
def test_frames_as_pillow_reads_them(kind: str) -> None:
    with Image.open(io.BytesIO(FILES[kind])) as image:
        channels = len(image.getbands())
        expected = (image.height, image.width, channels) if channels < 4 else None
    found = jpeg_frame(FILES[kind])
    assert (None if found is None else found[:3]) == expected


def test_frames_of_damaged_files() -> None:
    data = FILES["colour"]
    found = [jpeg_frame(data[:n]) for n in range(len(data))] + [jpeg_frame(bytes(n)) for n in range(9)]
    assert {None if frame is None else frame[:3] for frame in found} == {None, (H, W, 3)}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("options", [ImageOptions(), ImageOptions(True), ImageOptions(dtype="keep")])
def test_an_expected_size_changes_no_pixel(tmp_path: Path, kind: str, options: ImageOptions) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(FILES[kind])
    plain = read_image(path, None, options)
    found = read_image(path, (plain.shape[0], plain.shape[1]), options)
    assert found.dtype == plain.dtype
    assert np.array_equal(found, plain)
    with pytest.raises(ValueError, match="expected an image of width 9 and height 8"):
        read_image(path, (8, 9), options)


def test_the_header_is_not_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(FILES["colour"])
    plain = read_image(path)
    monkeypatch.setattr(simplejpeg, "decode_jpeg_header", None)
    assert np.array_equal(read_image(path, (H, W)), plain)


@pytest.mark.parametrize("content", [b"", b"a", bytes(range(256)) * 5000])
def test_whole_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert whole_file(path) == whole_file(str(path)) == content


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "none"))):
        whole_file(tmp_path / "none")
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):  # which error, the system decides
        whole_file(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="files of no known size are Linux's")
def test_files_of_no_known_size() -> None:
    assert whole_file("/proc/self/limits") == Path("/proc/self/limits").read_bytes() != b""


def test_files_that_come_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read = tmp_path / "a", os.read
    path.write_bytes(b"abcdef")
    monkeypatch.setattr(os, "read", lambda descriptor, n: read(descriptor, min(n, 4)))
    assert whole_file(path) == b"abcdef"


def test_names_inside_a_folder() -> None:
    for length in range(6):
        for letters in itertools.product("a.:/\\\0", repeat=length):
            name = "".join(letters)
            parts = re.split(r"[/\\]", name)
            leaves = parts[0] == "" or ".." in parts or parts[0][:2] == "a:" or "\0" in name
            assert is_inside(name) is not leaves, repr(name)

"""Image files by format: those on the list are read as Pillow reads them, no other is opened."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image, features

from copypaste_rs.datasets.images import read_image
from tests.fixtures.coco_files import photo

READ = {
    "AVIF", "BMP", "DDS", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "QOI", "SGI", "TGA",
    "TIFF", "WEBP",
}  # fmt: skip
PHOTO = Image.fromarray(photo((24, 32), 3))

Image.init()
WRITABLE = sorted(Image.SAVE)


def saved(kind: str) -> bytes | None:
    """A picture in a format; None where Pillow cannot write one of colours, or none without more."""
    buffer = io.BytesIO()
    for mode in ("RGB", "L", "1", "F"):
        try:
            PHOTO.convert(mode).save(buffer, kind)
        except (OSError, ValueError, KeyError, SystemError):
            continue
        return buffer.getvalue()
    return None


@pytest.mark.parametrize("kind", WRITABLE)
def test_only_formats_on_the_list_are_opened(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", never)
    data = saved(kind)
    if data is None:
        assert kind not in READ or not features.check(kind.lower())
        return
    path = tmp_path / "picture"
    path.write_bytes(data)
    if kind in READ:
        with Image.open(io.BytesIO(data)) as image:
            expected = np.asarray(image.convert("RGB"))
        np.testing.assert_array_equal(read_image(path), expected)
    else:
        with pytest.raises(OSError, match=r"picture: expected an image file \(AVIF, BMP, .*\), got none of these$"):
            read_image(path)


def test_formats_that_pillow_lacks_are_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("AVIF", "QOI"):
        monkeypatch.delitem(Image.OPEN, kind, raising=False)
    path = tmp_path / "x.tga"
    PHOTO.save(path)
    np.testing.assert_array_equal(read_image(path), np.asarray(PHOTO))
    path.write_bytes(b"no image")
    with pytest.raises(OSError, match=r"x\.tga: expected an image file"):
        read_image(path)

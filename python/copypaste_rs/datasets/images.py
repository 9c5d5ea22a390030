"""Image files to 8-bit RGB arrays and back."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets._extras import extra

with extra("coco"):
    import simplejpeg
    from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = ("jpg", "png")

MAX_JPEG_SIDE = 65500
"""Longest side of a JPEG file, in pixels."""

_COMMON = ("PNG", "JPEG", "BMP", "DIB", "GIF", "PPM")
_OTHERS = ("AVIF", "DDS", "ICO", "JPEG2000", "PCX", "QOI", "SGI", "SUN", "TGA", "TIFF", "WEBP")
"""Formats that are opened, by Pillow's names, as far as it was built with them: pictures of pixels, all of which it
decodes by itself. EPS, which it hands to Ghostscript, is none of them."""

_LEAVES_FOLDER = re.compile(r"[/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|$)|.*\0", re.DOTALL)


def is_inside(name: str) -> bool:
    """Whether a file name, folders included, stays in the folder it starts from, on any system."""
    return bool(name) and _LEAVES_FOLDER.match(name) is None


def check_path(name: str, path: object) -> Path:
    """`path` as a Path; what is none is an error that names the argument."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise wrong_type(name, "a path", repr(path))
    if "\0" in text:
        raise wrong(name, "a path without null characters", repr(text))
    return Path(text)


def read_image(path: str | Path, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Decode an image file to 8-bit RGB, shape (H, W, 3).

    Grey and palette images are spread to three channels, transparency is left out, 16 bits are cut to their
    upper 8. Pixels come as they are stored: an EXIF rotation is not applied, since COCO annotations refer to the
    stored pixels. JPEG is decoded by libjpeg's exact transform, as Pillow and OpenCV do, bit for bit. Besides
    JPEG, read are AVIF, BMP, DDS, GIF, ICO, JPEG 2000, PCX, PNG, PPM, QOI, SGI, SUN, TGA, TIFF and WebP.

    Parameters
    ----------
    path : path
        The file.
    size : (int, int), optional
        Height and width that the image is expected to have.

    Raises
    ------
    OSError
        When the file is missing, truncated, or not an image; the message names it.
    ValueError
        When the image has another size; found before it is decoded.
    """
    path = Path(path)
    data = path.read_bytes()
    try:
        if data[:3] == b"\xff\xd8\xff" and (pixels := _read_jpeg(path, data, size)) is not None:
            return pixels
        return _read_other(path, data, size)
    except UnidentifiedImageError:
        known = ", ".join(sorted({*_COMMON, *_OTHERS} - {"DIB"}))
        raise OSError(f"{path}: expected an image file ({known}), got none of these") from None
    except OSError as error:
        raise OSError(f"{path}: cannot be read as an image: {error}") from None
    except (SyntaxError, EOFError, Image.DecompressionBombError) as error:  # what Pillow's readers raise besides
        raise OSError(f"{path}: cannot be read as an image: {error}") from None


def _read_jpeg(path: Path, data: bytes, size: tuple[int, int] | None) -> NDArray[np.uint8] | None:
    # None where libjpeg's fast interface gives up (CMYK, harmless extra bytes, truncation): Pillow decides then.
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    if colorspace not in ("Gray", "RGB", "YCbCr"):
        return None
    _check_size(path, (height, width), size)
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False)
    except ValueError:
        return None
    return pixels


def _read_other(path: Path, data: bytes, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    with _opened(data) as image:
        _check_size(path, (image.height, image.width), size)
        try:
            image.load()
        except ValueError as error:
            raise OSError(str(error)) from None
        if image.mode.startswith("I"):  # 16 bits
            grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
            return np.repeat(grey[:, :, None], 3, axis=2)
        if image.mode == "F":
            raise OSError("expected whole numbers as pixels, got floating-point ones")
        return np.array(image.convert("RGB"))


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=_COMMON)
    except UnidentifiedImageError:
        Image.init()  # all of its readers, which takes a while
        return Image.open(io.BytesIO(data), formats=[name for name in _OTHERS if name in Image.OPEN])


def _check_size(path: Path, found: tuple[int, int], expected: tuple[int, int] | None) -> None:
    if expected is not None and found != expected:
        raise ValueError(
            f"{path}: expected an image of width {expected[1]} and height {expected[0]} as in the annotation file, "
            f"got width {found[1]} and height {found[0]}"
        )


def encode_image(image: NDArray[Any], format: str, quality: SupportsIndex = 95) -> bytes:  # noqa: A002 (as in Pillow)
    """The bytes of an image file; the same pixels give the same bytes.

    JPEG is written without chroma subsampling, so that the edge of a pasted object stays where it is.

    Parameters
    ----------
    image : array, shape (H, W), (H, W, 1) or (H, W, 3), uint8
        Grey or RGB.
    format : {"jpg", "png"}
        The file format.
    quality : int
        Of JPEG, 1 to 100.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    ValueError
        When the image has another shape, a side is zero or too long for JPEG, or an option is none of these.
    TypeError
        When `image` is not an array of uint8, or an option of another type.

    Examples
    --------
    >>> encode_image(np.zeros((480, 640, 3), np.uint8), "png")[1:4]
    b'PNG'
    """
    _checks.choice("format", format, FORMATS)
    quality = _checks.integer("quality", quality, 1, 100)
    if _checks.array("image", image).dtype != np.uint8:
        raise wrong_type("image", "dtype uint8 to write a file", str(image.dtype))
    if _checks.raster("image", image).ndim == 3 and image.shape[2] not in (1, 3):
        raise wrong("image", "1 or 3 channels to write a file", str(image.shape[2]))
    if format == "png":
        buffer = io.BytesIO()
        Image.fromarray(image[:, :, 0] if image.shape[2:] == (1,) else image).save(buffer, "PNG", compress_level=6)
        return buffer.getvalue()
    if max(image.shape[:2]) > MAX_JPEG_SIDE:
        raise wrong("image", f"sides of at most {MAX_JPEG_SIDE} pixels for JPEG", str(image.shape[:2]))
    grey = image.ndim == 2 or image.shape[2] == 1
    pixels = np.ascontiguousarray(image).reshape(*image.shape[:2], 1 if grey else 3)
    encoded: bytes = simplejpeg.encode_jpeg(
        pixels,
        quality=quality,
        colorspace="GRAY" if grey else "RGB",
        colorsubsampling="Gray" if grey else "444",
        fastdct=False,
    )
    return encoded

"""Image files to arrays, 8-bit RGB or as they are stored, and back."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, SupportsIndex, TypeAlias, TypeVar

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._result_memory import empty
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.image_checks import ExpectedImage, ImageOptions, SizeError
from copypaste_rs.datasets.image_headers import KNOWN, has_end, jpeg_frame, opened, orientation, with_exif
from copypaste_rs.datasets.jpeg_rows import PASSED_OVER, top_rows
from copypaste_rs.datasets.kept_pixels import kept_pixels
from copypaste_rs.datasets.png import deep_png
from copypaste_rs.datasets.text_encoding import LFS_POINTER, is_lfs_pointer
from copypaste_rs.datasets.tiff import is_tiff, read_tiff, tiff_bytes, tiff_size

with extra("coco"):
    import simplejpeg
    from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from numpy.typing import NDArray
    from typing_extensions import Buffer

FORMATS = ("jpg", "png", "tif")

_WRITTEN = {"jpg": (np.uint8,), "png": (np.uint8, np.uint16), "tif": (np.uint8, np.uint16, np.float32)}
"""Dtypes that a format holds."""

_CHANNELS: dict[str, tuple[int, ...] | None] = {"jpg": (1, 3), "png": (1, 2, 3, 4), "tif": None}
"""Numbers of channels that a format holds; None is any."""

MAX_JPEG_SIDE = 65500
"""Longest side of a JPEG file, in pixels."""

_T = TypeVar("_T")

_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}
"""Turns that make an image of each EXIF orientation upright."""


def check_path(name: str, path: object) -> Path:
    """`path` as a Path; what is none is an error that names the argument."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise wrong_type(name, "a path", repr(path))
    if "\0" in text:
        raise wrong(name, "a path without null characters", repr(text))
    return Path(text)


Remark: TypeAlias = "Callable[[int], None]"
"""Called with the EXIF orientation of an image where it is not 1 and not applied."""


def read_image(
    path: str | Path,
    size: tuple[int, int] | None = None,
    options: ImageOptions | None = None,
    remark: Remark | None = None,
    content: bytes | None = None,
    rows: int | None = None,
) -> NDArray[Any]:
    """Decode an image file to 8-bit RGB, shape (H, W, 3), or, where the options keep the dtype, as it is stored.

    To 8-bit RGB, grey and palette images are spread to three channels, transparency is left out, 16 bits are cut to
    their upper 8. An EXIF rotation is not applied, since COCO annotations refer to the pixels as they lie in the file,
    unless the options say so. JPEG is decoded by libjpeg's exact transform, as Pillow and OpenCV do,
    bit for bit. Besides JPEG, read are AVIF, BMP, DDS, GIF, ICO, JPEG 2000, PCX, PNG, PPM, QOI, SGI, SUN, TGA, TIFF
    and WebP.

    As they are stored, pixels have 8 or 16 bits or are float32, and as many channels as the file: (H, W) is grey. See
    `kept_pixels` and `read_tiff`. The orientation of a TIFF is applied in any case, as Pillow does.

    Parameters
    ----------
    path : path
        The file.
    size : (int, int), optional
        Height and width that the image is expected to have.
    options : ImageOptions, optional
        Whether the EXIF rotation is applied, the largest number of pixels, and to which pixels it is decoded.
    remark : callable, optional
        Called with an EXIF orientation that is not applied.
    content : bytes, optional
        Of the file, where they were read already.
    rows : int, optional
        Rows, from the top, that are looked at: what lies below need not be decoded, and may then be anything.

    Raises
    ------
    OSError
        When the file is missing, truncated, or not an image, or has pixels that cannot be kept; the message names it.
    ImportError
        When a TIFF is to be kept, and tifffile is missing.
    ValueError
        When the image has another size, or more pixels than allowed; found before it is decoded.
    """
    options = ImageOptions() if options is None else options
    data = Path(path).read_bytes() if content is None else content
    expected = ExpectedImage(path, size, options, orientation(data))
    pixels = _readable(path, lambda: _decoded(data, expected, rows))
    if expected.orientation != 1 and not expected.turns and remark is not None:
        remark(expected.orientation)
    return pixels


def image_size(
    path: str | Path, options: ImageOptions | None = None, expected: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Height and width of an image file, found without decoding it: what `read_image` gives with the same options.

    Raises
    ------
    OSError
        When the file is missing, or not an image; the message names it.
    ValueError
        When the image has more pixels than allowed, or another size than expected.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> image_size(sample_paths()[1] / "coffee.jpg")
    (400, 600)
    """
    path = Path(path)
    options = ImageOptions() if options is None else options
    with path.open("rb") as file:
        turn = orientation(with_exif(file)) if options.apply_exif else 1
        try:
            return _readable(path, lambda: _stored_size(file, ExpectedImage(path, expected, options, turn)))
        except SizeError:  # perhaps of the turned image, which the error says then
            file.seek(0)
            turn = orientation(with_exif(file))
            return _readable(path, lambda: _stored_size(file, ExpectedImage(path, expected, options, turn)))


def _stored_size(file: IO[bytes], expected: ExpectedImage) -> tuple[int, int]:
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    if expected.options.dtype == "keep" and is_tiff(head):
        size = tiff_size(file)
        expected.check(size)
        return size
    with opened(head, file) as image:
        h, w = image.height, image.width
    expected.check((h, w))
    return (w, h) if expected.orientation >= 5 else (h, w)


def check_whole(path: Path, data: bytes) -> None:
    """Check that an image file is not cut short: that JPEG and PNG have an end; others are decoded.

    Raises
    ------
    OSError
        When it cannot be decoded; the message names it.
    """
    if not has_end(data):
        _readable(path, lambda: _check_decoded(data))


def _check_decoded(data: bytes) -> None:
    try:
        image = opened(data)
    except UnidentifiedImageError:  # such as TIFF of many channels
        return
    with image:
        image.load()


def _decoded(data: bytes, expected: ExpectedImage, rows: int | None) -> NDArray[Any]:
    if expected.options.dtype == "keep" and is_tiff(data):
        stored, turn = read_tiff(data, lambda turn, size: expected.check(size[::-1] if turn >= 5 else size))
        return np.ascontiguousarray(_TURNS[turn](stored))
    if data[:3] == b"\xff\xd8\xff" and (pixels := _read_jpeg(data, expected, rows)) is not None:
        return pixels
    return _read_other(data, expected)


def _readable(path: str | Path, read: Callable[[], _T]) -> _T:
    """The result of reading an image file; whatever goes wrong there is an error that names the file."""
    try:
        return read()
    except UnidentifiedImageError:
        with Path(path).open("rb") as file:
            got = LFS_POINTER if is_lfs_pointer(file.read(64)) else "none of these"
        raise OSError(f"{Path(path)}: expected an image file ({', '.join(KNOWN)}), got {got}") from None
    except (MemoryError, ImportError, SizeError):
        raise
    except Exception as error:  # Pillow's readers raise whatever damaged files lead them to
        words = str(error) or type(error).__name__
        raise OSError(f"{Path(path)}: cannot be read as an image: {words}") from None


def _read_jpeg(data: bytes, expected: ExpectedImage, rows: int | None) -> NDArray[Any] | None:
    # None where libjpeg's fast interface gives up (CMYK, harmless extra bytes, truncation): Pillow decides then.
    frame = jpeg_frame(data)
    if frame is None or frame[:2] != expected.stored:  # else libjpeg need not tell before it decodes
        try:
            height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
        except ValueError:
            return None
        if colorspace not in ("Gray", "RGB", "YCbCr"):
            return None
        expected.check((height, width))
        channels, rows = 1 if colorspace == "Gray" else 3, None
    else:
        height, width, channels = frame[:3]
    grey = expected.options.dtype == "keep" and channels == 1
    pixels = empty((height, width, 1 if grey else 3))
    top = None if frame is None or rows is None or expected.turns else top_rows(data, frame, rows)
    is_decoded = top is not None and _decode_into(top.content, pixels[: top.rows], PASSED_OVER)
    if not is_decoded and not _decode_into(data, pixels):
        return None
    return _turned(pixels[:, :, 0] if grey else pixels, expected)


def _decode_into(data: Buffer, pixels: NDArray[np.uint8], harmless: re.Pattern[str] | None = None) -> bool:
    """Decode a JPEG file; False where libjpeg's fast interface complains, unless that is harmless."""
    colours = "GRAY" if pixels.shape[2] == 1 else "RGB"
    try:
        simplejpeg.decode_jpeg(data, colours, fastdct=False, fastupsample=False, buffer=pixels)
    except ValueError as error:
        return harmless is not None and harmless.search(str(error)) is not None
    return True


def _read_other(data: bytes, expected: ExpectedImage) -> NDArray[Any]:
    with opened(data) as image:
        expected.check((image.height, image.width))
        if expected.options.dtype == "keep":
            return _turned(kept_pixels(image, data), expected)
        image.load()
        image.info.pop("transparency", None)  # it is left out, and Pillow would warn of some kinds of it
        if image.mode.startswith("I"):  # 16 bits
            grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
            return _turned(np.repeat(grey[:, :, None], 3, axis=2), expected)
        if image.mode == "F":
            raise ValueError("expected whole numbers as pixels, got floating-point ones, which dtype='keep' keeps")
        return _turned(np.array(image.convert("RGB")), expected)


def _turned(pixels: NDArray[Any], expected: ExpectedImage) -> NDArray[Any]:
    return np.ascontiguousarray(_TURNS[expected.orientation](pixels)) if expected.turns else pixels


def encode_image(image: NDArray[Any], format: str, quality: SupportsIndex = 95) -> bytes:  # noqa: A002 (as in Pillow)
    """The bytes of an image file; the same pixels give the same bytes.

    JPEG is written without chroma subsampling, so that the edge of a pasted object stays where it is. TIFF is written
    plain, without compression, and read by `CocoDataset` with ``dtype="keep"``.

    Parameters
    ----------
    image : array, shape (H, W) or (H, W, C)
        JPEG holds uint8, grey or RGB; PNG uint8 or uint16, grey or RGB, each with alpha or not; TIFF uint8, uint16 or
        float32 with any number of channels. One channel is grey.
    format : {"jpg", "png", "tif"}
        The file format. TIFF needs tifffile, which ``pip install 'copypaste_rs[tiff]'`` brings.
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
        When `image` is not an array of a dtype that the format holds, or an option of another type.
    ImportError
        When tifffile is missing.

    Examples
    --------
    >>> encode_image(np.zeros((480, 640, 3), np.uint8), "png")[1:4]
    b'PNG'
    """
    _checks.choice("format", format, FORMATS)
    quality = _checks.integer("quality", quality, 1, 100)
    _check_written(image, format)
    if format == "tif":
        return tiff_bytes(image)
    if format == "png":
        if image.dtype == np.uint16:
            return deep_png(image)
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


def _check_written(image: NDArray[Any], name: str) -> None:
    """Check that a format, by name, holds an image; where another one does, the error says so."""
    dtype = _checks.array("image", image).dtype
    if dtype not in _WRITTEN[name]:
        expected = " or ".join(np.dtype(each).name for each in _WRITTEN[name])
        others = [other for other, held in _WRITTEN.items() if dtype in held]
        hint = f"; format {' or '.join(map(repr, others))} holds it" if others else ""
        raise wrong_type("image", f"dtype {expected} to write a file of format {name!r}", f"{dtype}{hint}")
    channels = _CHANNELS[name]
    if _checks.raster("image", image).ndim == 3 and channels is not None and image.shape[2] not in channels:
        others = [other for other, held in _CHANNELS.items() if held is None or image.shape[2] in held]
        hint = f"; format {' or '.join(map(repr, others))} holds them" if image.shape[2] else ""
        numbers = f"{', '.join(map(str, channels[:-1]))} or {channels[-1]}"
        raise wrong("image", f"{numbers} channels to write a file of format {name!r}", f"{image.shape[2]}{hint}")

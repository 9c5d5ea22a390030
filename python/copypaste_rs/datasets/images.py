"""Image files to 8-bit RGB arrays and back."""

from __future__ import annotations

import io
import os
import re
import struct
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, SupportsIndex, TypeAlias, TypeVar

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets._extras import extra

with extra("coco"):
    import simplejpeg
    from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FORMATS = ("jpg", "png")

MAX_JPEG_SIDE = 65500
"""Longest side of a JPEG file, in pixels."""

MAX_PIXELS = 2**28
"""Height times width of the largest image that is decoded, where nobody says otherwise."""

_HEAD = 1 << 18
"""Bytes of a JPEG file in which its EXIF data is looked for."""

_T = TypeVar("_T")

_ORIENTATION = 0x0112
_TURNS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels.transpose(1, 0, 2)[:, ::-1],
    7: lambda pixels: pixels.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda pixels: pixels.transpose(1, 0, 2)[::-1],
}
"""Turns that make an image of each EXIF orientation upright."""

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


class ImageOptions(NamedTuple):
    """How image files are decoded."""

    apply_exif: bool = False
    max_pixels: int = MAX_PIXELS

    @staticmethod
    def check(apply_exif: bool | np.bool_, max_pixels: SupportsIndex) -> ImageOptions:
        """The options, or an error that names the one that is wrong."""
        return ImageOptions(
            _checks.flag("apply_exif", apply_exif),
            _checks.integer("max_pixels", max_pixels, 1, _checks.MAX_PIXELS),
        )


Remark: TypeAlias = "Callable[[int], None]"
"""Called with the EXIF orientation of an image where it is not 1 and not applied."""


def read_image(
    path: str | Path,
    size: tuple[int, int] | None = None,
    options: ImageOptions | None = None,
    remark: Remark | None = None,
    content: bytes | None = None,
) -> NDArray[np.uint8]:
    """Decode an image file to 8-bit RGB, shape (H, W, 3).

    Grey and palette images are spread to three channels, transparency is left out, 16 bits are cut to their
    upper 8. Pixels come as they are stored: an EXIF rotation is not applied, since COCO annotations refer to the
    stored pixels, unless the options say so. JPEG is decoded by libjpeg's exact transform, as Pillow and OpenCV do,
    bit for bit. Besides JPEG, read are AVIF, BMP, DDS, GIF, ICO, JPEG 2000, PCX, PNG, PPM, QOI, SGI, SUN, TGA, TIFF
    and WebP.

    Parameters
    ----------
    path : path
        The file.
    size : (int, int), optional
        Height and width that the image is expected to have.
    options : ImageOptions, optional
        Whether the EXIF rotation is applied, and the largest number of pixels.
    remark : callable, optional
        Called with an EXIF orientation that is not applied.
    content : bytes, optional
        Of the file, where they were read already.

    Raises
    ------
    OSError
        When the file is missing, truncated, or not an image; the message names it.
    ValueError
        When the image has another size, or more pixels than allowed; found before it is decoded.
    """
    path = Path(path)
    options = ImageOptions() if options is None else options
    data = path.read_bytes() if content is None else content
    expected = _Expected(path, size, options, orientation(data))
    pixels = _readable(path, lambda: _decoded(data, expected))
    if expected.orientation != 1 and not expected.turns and remark is not None:
        remark(expected.orientation)
    return pixels


def image_size(path: str | Path, options: ImageOptions | None = None) -> tuple[int, int]:
    """Height and width of an image file, found without decoding it: what `read_image` gives with the same options.

    Raises
    ------
    OSError
        When the file is missing, or not an image; the message names it.
    ValueError
        When the image has more pixels than allowed.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> image_size(sample_paths()[1] / "coffee.jpg")
    (400, 600)
    """
    path = Path(path)
    options = ImageOptions() if options is None else options
    with path.open("rb") as file:
        turn = orientation(_with_exif(file)) if options.apply_exif else 1
        return _readable(path, lambda: _stored_size(file, _Expected(path, None, options, turn)))


def _stored_size(file: IO[bytes], expected: _Expected) -> tuple[int, int]:
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    with _opened(head, file) as image:
        h, w = image.height, image.width
    expected.check((h, w))
    return (w, h) if expected.orientation >= 5 else (h, w)


def _with_exif(file: IO[bytes]) -> bytes:
    """The bytes of an image file that `orientation` needs; most files are not read to their end."""
    head = file.read(_HEAD)
    if head[:3] == b"\xff\xd8\xff":  # what comes before the pixels
        return head
    if head[:4] == b"RIFF":
        return head + file.read()
    place, size = 8, os.fstat(file.fileno()).st_size
    while head[:4] == b"\x89PNG" and place < size:  # from chunk to chunk, as EXIF data may stand behind the pixels
        file.seek(place)
        chunk = file.read(8)
        if chunk[4:] == b"eXIf":
            file.seek(0)
            return file.read()
        place += 12 + int.from_bytes(chunk[:4], "big")
    return head[:16]


def _decoded(data: bytes, expected: _Expected) -> NDArray[np.uint8]:
    if data[:3] == b"\xff\xd8\xff" and (pixels := _read_jpeg(data, expected)) is not None:
        return pixels
    return _read_other(data, expected)


def _readable(path: Path, read: Callable[[], _T]) -> _T:
    """The result of reading an image file; whatever goes wrong there is an error that names the file."""
    try:
        return read()
    except UnidentifiedImageError:
        known = ", ".join(sorted({*_COMMON, *_OTHERS} - {"DIB"}))
        raise OSError(f"{path}: expected an image file ({known}), got none of these") from None
    except (MemoryError, _SizeError):
        raise
    except Exception as error:  # Pillow's readers raise whatever damaged files lead them to
        words = str(error) or type(error).__name__
        raise OSError(f"{path}: cannot be read as an image: {words}") from None


class _SizeError(ValueError):
    """An image is not as large as it should be."""


class _Expected(NamedTuple):
    """Size that an image should have, and how it is turned."""

    path: Path
    size: tuple[int, int] | None
    options: ImageOptions
    orientation: int

    @property
    def turns(self) -> bool:
        """Whether the image has to be turned."""
        return self.options.apply_exif and self.orientation != 1

    def check(self, stored: tuple[int, int]) -> None:
        """Check height and width as they are stored."""
        h, w = stored
        if h * w > self.options.max_pixels:
            raise _SizeError(
                f"{self.path}: expected at most {self.options.max_pixels} pixels (max_pixels), got width {w} and "
                f"height {h}"
            )
        found = (w, h) if self.turns and self.orientation >= 5 else stored
        if self.size is None or found == self.size:
            return
        hint = ""
        if self.orientation >= 5 and found[::-1] == self.size:
            hint = f"; its EXIF orientation is {self.orientation}, which apply_exif={not self.turns} would"
            hint += " leave out" if self.turns else " apply"
        raise _SizeError(
            f"{self.path}: expected an image of width {self.size[1]} and height {self.size[0]} as in the annotation "
            f"file, got width {found[1]} and height {found[0]}{hint}"
        )


def orientation(data: bytes) -> int:
    """EXIF orientation of an image file, 1 to 8: 1 is upright, also where nothing is said."""
    if not _may_have_exif(data):
        return 1
    try:
        with _opened(data) as image:
            found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # decoding says what is wrong
        return 1
    return found if found in _TURNS else 1


def _may_have_exif(data: bytes) -> bool:
    """Whether a file may hold EXIF data that Pillow does not apply by itself: quick, as nearly all hold none."""
    if data[:3] != b"\xff\xd8\xff":
        word = {b"\x89PNG": b"eXIf", b"RIFF": b"EXIF"}.get(data[:4])
        return word is not None and word in data
    place = 2
    while (segment := data[place : place + 8])[:1] == b"\xff" and segment[1:2] != b"\xda":  # up to that of the pixels
        if segment[1:2] == b"\xe1" and segment[4:] == b"Exif":
            return True
        place += 2 + int.from_bytes(segment[2:4], "big")
    return False


def _read_jpeg(data: bytes, expected: _Expected) -> NDArray[np.uint8] | None:
    # None where libjpeg's fast interface gives up (CMYK, harmless extra bytes, truncation): Pillow decides then.
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    if colorspace not in ("Gray", "RGB", "YCbCr"):
        return None
    expected.check((height, width))
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", fastdct=False, fastupsample=False)
    except ValueError:
        return None
    return _turned(pixels, expected)


def _read_other(data: bytes, expected: _Expected) -> NDArray[np.uint8]:
    with _opened(data) as image:
        expected.check((image.height, image.width))
        image.load()
        image.info.pop("transparency", None)  # it is left out, and Pillow would warn of some kinds of it
        if image.mode.startswith("I"):  # 16 bits
            grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
            return _turned(np.repeat(grey[:, :, None], 3, axis=2), expected)
        if image.mode == "F":
            raise ValueError("expected whole numbers as pixels, got floating-point ones")
        return _turned(np.array(image.convert("RGB")), expected)


def _turned(pixels: NDArray[np.uint8], expected: _Expected) -> NDArray[np.uint8]:
    return np.ascontiguousarray(_TURNS[expected.orientation](pixels)) if expected.turns else pixels


def _opened(data: bytes, file: IO[bytes] | None = None) -> Image.Image:
    """An image file, opened by Pillow's readers but without its limit of pixels, which is one for the whole process.

    `data` is all of it or, where the open `file` is given, at least its first 16 bytes.
    """
    for names in (_COMMON, _OTHERS):
        if names is _OTHERS:
            Image.init()  # all of its readers, which takes a while
        for name in names:
            if name not in Image.OPEN:
                Image.preinit()
            factory, accept = Image.OPEN.get(name, (None, None))
            if factory is None or not (accept is None or accept(data[:16]) is True):
                continue
            try:
                if file is not None:
                    file.seek(0)
                return factory(io.BytesIO(data) if file is None else file, "")
            except (SyntaxError, IndexError, TypeError, struct.error):  # not of this format after all
                continue
    raise UnidentifiedImageError


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

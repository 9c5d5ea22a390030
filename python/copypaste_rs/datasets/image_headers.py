"""Image files opened by Pillow's readers, and the orientation that their headers say."""

from __future__ import annotations

import io
import os
import struct
from typing import IO, NamedTuple

from copypaste_rs.datasets._extras import extra

with extra("coco"):
    from PIL import Image, UnidentifiedImageError

_ORIENTATION = 0x0112
_APP1, _PIXELS = 0xE1, 0xDA
"""Markers of segments of a JPEG file: that of EXIF data, and that of the pixels."""
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Markers of the segment that has size and channels, in the usual kinds of files."""

_HEAD = 1 << 18
"""Bytes of a JPEG file in which its EXIF data is looked for."""

_COMMON = ("PNG", "JPEG", "BMP", "DIB", "GIF", "PPM")
_OTHERS = ("AVIF", "DDS", "ICO", "JPEG2000", "PCX", "QOI", "SGI", "SUN", "TGA", "TIFF", "WEBP")
"""Formats that are opened, by Pillow's names, as far as it was built with them: pictures of pixels, all of which it
decodes by itself. EPS, which it hands to Ghostscript, is none of them."""

KNOWN = tuple(sorted({*_COMMON, *_OTHERS} - {"DIB"}))
"""Formats that are opened, in words."""


def opened(data: bytes, file: IO[bytes] | None = None) -> Image.Image:
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
            if factory is None:
                continue
            try:
                if not (accept is None or accept(data[:16]) is True):
                    continue
                if file is not None:
                    file.seek(0)
                return factory(io.BytesIO(data) if file is None else file, "")
            except (SyntaxError, IndexError, TypeError, struct.error):  # not of this format after all
                continue
    raise UnidentifiedImageError


def orientation(data: bytes) -> int:
    """EXIF orientation of an image file, 1 to 8: 1 is upright, also where nothing is said."""
    if not _may_have_exif(data):
        return 1
    try:
        with opened(data) as image:
            found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # decoding says what is wrong
        return 1
    return found if found in range(1, 9) else 1


def _may_have_exif(data: bytes) -> bool:
    """Whether a file may hold EXIF data that Pillow does not apply by itself: quick, as nearly all hold none."""
    if data[:3] != b"\xff\xd8\xff":
        word = {b"\x89PNG": b"eXIf", b"RIFF": b"EXIF"}.get(data[:4])
        return word is not None and word in data
    segments = jpeg_segments(data)
    return any(data[start + 1] == _APP1 and data[start + 4 : start + 8] == b"Exif" for start in segments)


def jpeg_segments(data: bytes) -> list[int]:
    """Start of each segment of a JPEG file, up to that of the pixels, which is the last one."""
    found: list[int] = []
    place, last = 2, len(data) - 4
    while place <= last and data[place] == 0xFF:
        found.append(place)
        if data[place + 1] == _PIXELS:
            break
        place += 2 + max(2, data[place + 2] << 8 | data[place + 3])
    return found


class JpegFrame(NamedTuple):
    """Frame of a JPEG file: what its header says of the pixels."""

    height: int
    width: int
    channels: int
    """1 for grey, 3 for colour."""
    start: int
    """Place in the file of the segment that says so."""
    scan: int
    """Place of the last segment before pixels, which says of which channels they are."""


def jpeg_frame(data: bytes) -> JpegFrame | None:
    """Frame of a JPEG file, grey or colour; None of any other, and of an odd one.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> jpeg_frame((sample_paths()[1] / "coffee.jpg").read_bytes())
    JpegFrame(height=400, width=600, channels=3, start=158, scan=377)
    """
    segments = jpeg_segments(data)
    for start in segments:
        if data[start + 1] in _FRAMES and len(data) >= start + 10:
            h, w, channels = struct.unpack_from(">HHB", data, start + 5)
            return JpegFrame(h, w, channels, start, segments[-1]) if channels in (1, 3) else None
    return None


def has_end(data: bytes) -> bool:
    """Whether a JPEG or PNG file has an end; False of files of other formats.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_paths
    >>> photograph = (sample_paths()[1] / "coffee.jpg").read_bytes()
    >>> has_end(photograph), has_end(photograph[:-100])
    (True, False)
    """
    if data[:4] == b"\x89PNG":
        return b"\0\0\0\0IEND" in data
    if data[:3] != b"\xff\xd8\xff":
        return False
    last = max(jpeg_segments(data), default=0)  # a thumbnail before the pixels has an end of its own
    return last > 0 and data[last + 1] == _PIXELS and data.rfind(b"\xff\xd9") > last


def with_exif(file: IO[bytes]) -> bytes:
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

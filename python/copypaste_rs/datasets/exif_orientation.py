"""The EXIF orientation in the bytes of an image file, set to upright without encoding the image anew."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from copypaste_rs.datasets.image_headers import jpeg_segments, orientation

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG, _SHORT = 0x0112, 3


def with_upright_orientation(data: bytes) -> bytes | None:
    """The bytes of a file whose EXIF orientation is 1, all else as it is; None where it stands in no known place.

    Examples
    --------
    >>> with_upright_orientation(b"no image") is None
    True
    """
    made = bytearray(data)
    for start, stop in list(_exif_blocks(data)):
        if (place := _value(data[start:stop])) is None:
            continue
        at, order = start + place[0], place[1]
        made[at : at + 2] = struct.pack(f"{order}H", 1)
        if data[:4] == b"\x89PNG":
            made[stop : stop + 4] = struct.pack(">I", zlib.crc32(made[start - 4 : stop]))
    found = bytes(made)
    return found if found != data and orientation(found) == 1 else None


def _exif_blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each block of EXIF data in a JPEG, PNG or WebP file."""
    if data[:3] == b"\xff\xd8\xff":
        for start in jpeg_segments(data):
            if data[start + 1] == 0xE1 and data[start + 4 : start + 10] == b"Exif\0\0":
                yield start + 4, start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        return
    if data[:4] == b"\x89PNG":
        yield from _chunks(data, 8, b"eXIf")
    elif (data[:4], data[8:12]) == (b"RIFF", b"WEBP"):
        yield from _chunks(data, 12, b"EXIF")


def _chunks(data: bytes, place: int, name: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of what stands in each whole chunk of a name: of PNG, or of WebP where the name is in capitals."""
    is_png = not name.isupper()
    while place + 8 <= len(data):
        one, other = data[place : place + 4], data[place + 4 : place + 8]
        length = int.from_bytes(one, "big") if is_png else int.from_bytes(other, "little")
        stop = place + 8 + length
        after = stop + 4 if is_png else stop + length % 2  # a checksum; a byte that makes the length even
        if (other if is_png else one) == name and after <= len(data):
            yield place + 8, stop
        place = after


def _value(block: bytes) -> tuple[int, str] | None:
    """Place of the orientation in a block of EXIF data, and its order of bytes as `struct` has it."""
    base = 6 if block[:6] == b"Exif\0\0" else 0
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[base : base + 4])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(f"{order}I", block, base + 4)
        (count,) = struct.unpack_from(f"{order}H", block, base + first)
        for entry in range(base + first + 2, base + first + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", block, entry)
            if tag == _TAG and kind == _SHORT and entry + 12 <= len(block):
                return entry + 8, order
    except struct.error:  # cut short
        pass
    return None

"""Encoding of text files: what is no UTF-8 is named, with the byte of the file."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20


LFS_POINTER = "a pointer of Git LFS, in the place of a file that was not fetched (git lfs pull)"


def is_lfs_pointer(data: bytes) -> bool:
    """Whether the first bytes of a file are those of a pointer of Git LFS."""
    return data.startswith(b"version https://git-lfs.github.com/spec/")


def check_utf8(path: Path, data: bytes) -> None:
    """Raise for a JSON file in another encoding than UTF-8.

    Raises
    ------
    ValueError
        When it is in UTF-16 or UTF-32; when a byte is no UTF-8, with its place in the file.
    """
    encoding = json.detect_encoding(data)
    if not encoding.startswith("utf-8"):
        raise ValueError(f"{path}: expected text in UTF-8, got {encoding.upper()}, by its first bytes")
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK):  # in pieces: the text of the whole would take as much memory again
        before = start - len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _CHUNK], final=start + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            at = before + error.start
            raise ValueError(f"{path}: expected text in UTF-8, got 0x{data[at]:02x} (byte {at})") from None


def lines_of(path: Path, data: bytes) -> list[str]:
    """Lines of a text file in UTF-8, with or without its mark, whose lines end as on any system.

    Raises
    ------
    ValueError
        When it is in another encoding; the message names the file and the byte.
    """
    check_utf8(path, data)
    text = data.decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n") if text else []

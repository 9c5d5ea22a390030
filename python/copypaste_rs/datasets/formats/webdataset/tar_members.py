"""Members of tar files as bytes that depend on their names and contents alone."""

from __future__ import annotations

import tarfile

END = bytes(2 * tarfile.BLOCKSIZE)
"""Two blocks of zeros, which end an archive."""


def member(name: str, content: bytes) -> bytes:
    """Bytes of a file in an archive: no time, no owner, mode 644.

    Examples
    --------
    >>> len(member("a.json", b"{}"))
    1024
    """
    head = tarfile.TarInfo(name)
    head.size = len(content)
    return head.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def end(length: int) -> bytes:
    """The end of an archive whose members take so many bytes: as tar writes it, it fills a record."""
    return END + bytes(-(length + len(END)) % tarfile.RECORDSIZE)

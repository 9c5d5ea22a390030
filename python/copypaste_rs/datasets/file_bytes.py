"""A whole file in memory, digested on the way, whose pages can be given back once they are read."""

from __future__ import annotations

import hashlib
import mmap
import os
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_BLOCK = 1 << 20


class FileBytes:
    """Bytes of a file.

    Parameters
    ----------
    path : Path
        The file; it may be a pipe.

    Raises
    ------
    OSError
        When the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._released = 0
        self._pages: mmap.mmap | None = None
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            held: Any = bytearray()
            if size > _BLOCK:
                # Memory of its own, not the file's pages: another process may cut the file short meanwhile.
                held = self._pages = _private_pages(size)
            view, end = memoryview(held), 0
            while end < len(view) and (n := file.readinto(view[end : end + _BLOCK])):
                end += n
            rest = file.read()  # all of a pipe, and what was written meanwhile
        if rest:
            held, self._pages = bytes(view[:end]) + rest, None
            end = len(held)
        self.data: NDArray[np.uint8] = np.frombuffer(held, np.uint8)[:end] if end else np.zeros(0, np.uint8)
        self._digest = _Digest(self.data)

    def digest(self) -> str:
        """SHA-256 of the bytes, hexadecimal; made meanwhile, beside whatever else is done with them."""
        return self._digest.result()

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are still there."""
        return self._released == 0

    def release(self, end: int) -> None:
        """Give back the memory before byte `end`, which is not read again, where the system takes it back."""
        end = min(end, self._digest.done)
        end -= end % mmap.PAGESIZE
        if self._pages is not None and hasattr(mmap, "MADV_DONTNEED") and end > self._released:
            self._pages.madvise(mmap.MADV_DONTNEED, self._released, end - self._released)
            self._released = end


class _Digest(threading.Thread):
    """SHA-256 of an array, made by a thread."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        super().__init__(daemon=True)
        self._view = memoryview(data)
        self._hash = hashlib.sha256()
        self.done = 0
        """Bytes that are in it."""
        self.start()

    def run(self) -> None:
        while self.done < len(self._view):
            self._hash.update(self._view[self.done : self.done + _BLOCK])
            self.done += _BLOCK

    def result(self) -> str:
        self.join()
        return self._hash.hexdigest()


def _private_pages(size: int) -> mmap.mmap:
    if hasattr(mmap, "MAP_ANONYMOUS"):
        return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return mmap.mmap(-1, size)

"""A file read through a window: a piece of memory that moves over it, and is digested by a thread meanwhile."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import NDArray
    from typing_extensions import Self

LENGTH = 1 << 25
"""Bytes of the window: what is read stays in the processor's caches until it is looked at."""


class FileWindow:
    """The window, at the start of a file; a context manager, at whose end no thread is left.

    Parameters
    ----------
    file : binary file
        Read from where it is; not buffered, else its bytes are copied once more.
    size : int
        Bytes that it is thought to have: the window is no larger.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._memory = np.empty(max(1, min(size + 1, LENGTH)), np.uint8)
        self._length = 0
        self.is_last = False
        """Whether the file ends where the window does."""
        self._hash = hashlib.sha256()
        self._digesting: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1)
        self.move(0)

    @property
    def data(self) -> NDArray[np.uint8]:
        """Bytes in the window."""
        return self._memory[: self._length]

    def move(self, start: int) -> None:
        """Move on, so that the byte `start` of the window becomes its first one."""
        self._wait()
        kept = self._length - start
        view = memoryview(self._memory)
        view[:kept] = view[start : self._length]
        self._length = kept
        while self._length < len(view):
            n = self._file.readinto(view[self._length :])  # type: ignore[attr-defined]  # of files that are not buffered
            if not n:
                self.is_last = True
                break
            self._length += n
        self._digesting = self._thread.submit(self._hash.update, view[kept : self._length])

    def digest(self) -> str:
        """SHA-256 of all bytes that have been in the window, hexadecimal."""
        self._wait()
        return self._hash.hexdigest()

    def _wait(self) -> None:
        if self._digesting is not None:
            self._digesting.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

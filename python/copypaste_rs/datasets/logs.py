"""Files of lines that are appended to: a line is there whole or not at all, even on a full disk."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self


class AppendLog:
    """A file open for appending lines.

    Nothing is buffered: what a failed `append` had written is taken back, and neither a later line nor the end can
    write the rest.

    Parameters
    ----------
    path : Path
        The file.
    length : int
        Number of its bytes to keep.
    """

    def __init__(self, path: Path, length: int) -> None:
        self._path = path
        self._length = length
        self._is_torn = False
        """Whether the file may be longer than ``_length``, by what a failed attempt has written."""
        with naming(path):
            self._file = path.open("ab", buffering=0)
            self._file.truncate(length)

    def append(self, line: bytes) -> None:
        """Write a line, which ends with a line break; when that fails, the file is as it was before."""
        with naming(self._path):
            if self._is_torn:
                self._take_back()
            self._is_torn = True
            try:
                rest = memoryview(line)
                while rest:
                    rest = rest[self._file.write(rest) :]
            except BaseException:
                with suppress(OSError):
                    self._take_back()
                raise
        self._length += len(line)
        # Last: where Ctrl-C comes before it, the next line finds the file as long as `_length` says.
        self._is_torn = False

    def _take_back(self) -> None:
        self._file.truncate(self._length)
        self._is_torn = False

    def close(self) -> None:
        """Close the file."""
        with naming(self._path):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def whole_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, up to one that has no line break; none of a file that is not there."""
    if path.exists():
        with path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield line


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an OSError in this block the file that it is about: one of a write, a full disk say, names none."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None

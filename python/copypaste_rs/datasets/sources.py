"""Sources of a data set: files that are read, folders that are listed, places where something is looked for.

Readers of formats read by way of `Sources`, which takes note of it: tables that were made of equal sources are equal.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs.datasets.image_files import entries_of, files_below
from copypaste_rs.datasets.images import image_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.datasets.image_checks import ImageOptions

_THERE, _READ, _LISTED, _HERE = range(4)
"""Kinds of notes: somebody looked what is at a path, read a file, listed a folder, or asked for the working folder."""

_ABSOLUTE = 8
"""Mark of a note whose path does not start from the folder of the set."""

_NOTHING, _FILE, _FOLDER, _OTHER = range(4)
"""Kinds of what may be at a path."""

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP)

_NEW = 2 * 10**9
"""Nanoseconds in which a file may change twice without another time: as the coarsest file systems count."""
_SKEW = 86400 * 10**9
"""Nanoseconds by which the clock of a file server may be ahead of ours; a time that lies further ahead was set so."""


class Stamp(NamedTuple):
    """Sign of a file that changes when the file does, nearly always."""

    size: int
    time: int
    """Nanoseconds; 0 where the file is so new that it may change once more within the clock's step."""
    number: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """The stamp of a file."""
        return cls.of_status(path.stat())

    @classmethod
    def of_status(cls, found: os.stat_result) -> Stamp:
        """The stamp of a file whose status was found."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino & (2**63 - 1))

    @property
    def is_new(self) -> bool:
        """Whether the file may change once more without another time."""
        return -_SKEW < time.time_ns() - self.time < _NEW


class SourceNotes(NamedTuple):
    """Notes of all that a set was read from, as flat arrays: it may have hundreds of thousands of files."""

    paths: NDArray[np.uint8]
    """Paths as the system has them, each with a zero byte after it; from the folder of the set, if they lie in it."""
    kinds: NDArray[np.uint8]
    """Kind of each note, and whether its path is absolute."""
    stamps: NDArray[np.int64]
    """Shape (n, 3): the `Stamp` of a file that was read, the digest of what a folder has, or what there is."""

    def hold(self, base: Path) -> bool:
        """Whether reading the set whose folder is `base` would find the same files as when the notes were taken."""
        prefix = os.fsencode(_prefix(base))
        paths = self.paths.tobytes().split(b"\0")
        for path, mark, stamp in zip(paths, self.kinds.tolist(), self.stamps.tolist(), strict=False):
            kind = mark & ~_ABSOLUTE
            place = path if mark & _ABSOLUTE else prefix + path
            try:
                is_read = kind == _READ
                # A Path for each would take longer than the call.
                now = [*Stamp.of_status(os.stat(place))] if is_read else _now(kind, os.fsdecode(place))  # noqa: PTH116
            except OSError:
                return False
            if now != stamp:
                return False
        return True


class Sources:
    """Files that a reader reads, and a digest of what they say.

    Parameters
    ----------
    is_noting : bool
        Whether notes are taken of them; else they are read alone.
    """

    def __init__(self, *, is_noting: bool = False) -> None:
        self._is_noting = is_noting
        self._hash = hashlib.sha256()
        self._places: dict[str, int] = {}
        """Number of the note of a path."""
        self._kinds = bytearray()
        self._stamps = array("q")
        self._new = array("q")
        """Numbers of the notes of files that were new when they were read."""
        self.files = 0
        """Number of files that were read."""
        self.size = 0
        """Bytes of files that were noted as read whole: not of images, of which the head is enough."""
        self.are_regular = True
        """Whether all files are such that can be read again."""
        self.on_settled: Callable[[Sources, Sequence[NDArray[Any]]], None] | None = None
        """Told, by these sources, which arrays will be part of the tables as they are, before these are ready."""

    def settle(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Tell that arrays will be part of the tables as they are."""
        if self.on_settled is not None:
            self.on_settled(self, arrays)

    def read(self, path: Path) -> bytes:
        """Read a file, whose bytes become part of the digest."""
        self.note(path, is_whole=True)
        data = path.read_bytes()
        self.include(data)
        return data

    def note(self, path: Path, *, is_whole: bool = False) -> None:
        """Take note of a file that somebody is about to read, the head or the whole of it."""
        self.files += 1
        if not self._is_noting:
            return
        found = path.stat()
        self.are_regular &= stat.S_ISREG(found.st_mode)
        stamp = Stamp.of_status(found)
        self.size += stamp.size if is_whole else 0
        self._note(path, _READ, *stamp)
        if stamp.is_new:
            self._new.append(self._places[os.fspath(path)])

    def include(self, data: bytes) -> None:
        """Make something that was read part of the digest."""
        self._hash.update(len(data).to_bytes(8, "big"))
        self._hash.update(data)  # apart: a large file would be copied

    def digest(self) -> str:
        """SHA-256 of what was read, hexadecimal."""
        return self._hash.hexdigest()

    def image_size(self, path: Path, options: ImageOptions) -> tuple[int, int]:
        """Height and width of an image file, as `images.image_size` finds them."""
        self.note(path)
        return image_size(path, options)

    def is_file(self, path: Path) -> bool:
        """Whether there is a file at a path."""
        return self._there(path) == _FILE

    def is_folder(self, path: Path) -> bool:
        """Whether there is a folder at a path."""
        return self._there(path) == _FOLDER

    def exists(self, path: Path) -> bool:
        """Whether there is anything at a path."""
        return self._there(path) != _NOTHING

    def files_below(self, folder: Path) -> list[str]:
        """Names of all files in a folder and the folders in it, as `image_files.files_below` finds them."""
        return files_below(folder, self._entries)

    def names_in(self, folder: Path) -> list[str]:
        """Names of what is in a folder, sorted, without hidden ones."""
        return [entry.name for entry in self._entries(folder)]

    def working_folder(self) -> Path:
        """The folder that relative paths start from."""
        if self._is_noting:
            self._note("", _HERE, *_now(_HERE, ""))
        return Path.cwd()

    def notes(self, base: Path) -> SourceNotes:
        """Notes of all that was read, in the order of reading, of a set whose folder is `base`."""
        prefix, here = _prefix(base), f"{Path.cwd()}{os.sep}"
        kinds = np.frombuffer(bytes(self._kinds), np.uint8).copy()
        paths = []
        for i, path in enumerate(self._places):
            whole = path if os.path.isabs(path) else here + path  # noqa: PTH117 (as above)
            is_inside = f"{whole}{os.sep}".startswith(prefix)  # the folder itself is
            paths.append(whole[len(prefix) :] if is_inside else whole)
            kinds[i] |= 0 if is_inside else _ABSOLUTE
        text = b"".join(os.fsencode(path) + b"\0" for path in paths)
        return SourceNotes(np.frombuffer(text, np.uint8), kinds, np.array(self._stamps, np.int64).reshape(-1, 3))

    def without_new(self, notes: SourceNotes) -> SourceNotes:
        """Notes in which files that were new when they were read have no time, so that they do not hold again."""
        stamps = notes.stamps.copy()
        stamps[np.array(self._new, np.int64), 1] = 0
        return notes._replace(stamps=stamps)

    def are_only(self, path: Path) -> bool:
        """Whether this file was read and nothing else looked at."""
        return [*self._places] == [os.fspath(path)] and self._kinds[0] == _READ

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        entries = entries_of(folder)
        if self._is_noting:
            self._note(folder, _LISTED, *_digest(entries))
        return entries

    def _there(self, path: Path) -> int:
        found = _what(path)
        if self._is_noting and os.fspath(path) not in self._places:
            self._note(path, _THERE, found, 0, 0)
        return found

    def _note(self, path: str | Path, kind: int, *stamp: int) -> None:
        """Note what is at a path; that it was read, or listed, says more than that something is there."""
        at = self._places.setdefault(os.fspath(path), len(self._kinds))
        if at == len(self._kinds):
            self._kinds.append(kind)
            self._stamps.extend(stamp)
        elif self._kinds[at] == _THERE:
            self._kinds[at] = kind
            self._stamps[3 * at : 3 * at + 3] = array("q", stamp)


def _now(kind: int, path: str) -> list[int]:
    """Stamp that a note of another kind than a file that is read would have now."""
    if kind == _LISTED:
        return _digest(entries_of(Path(path)))
    if kind == _HERE:
        return _halves(os.fsencode(Path.cwd()))
    return [_what(path), 0, 0]


def _what(path: str | Path) -> int:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 (as above)
    except ValueError:  # a zero byte in it
        return _NOTHING
    except OSError as error:
        if error.errno not in _ABSENT:
            Path(path).exists()  # raises as `Path.is_file` does, of which some versions of Python do not
        return _NOTHING
    return _FILE if stat.S_ISREG(mode) else _FOLDER if stat.S_ISDIR(mode) else _OTHER


def _digest(entries: list[os.DirEntry[str]]) -> list[int]:
    """Number of entries of a folder, and a digest of their names and of which are folders."""
    text = b"\0".join(os.fsencode(entry.name) + b"/" * entry.is_dir() for entry in entries)
    return [len(entries), *_halves(text)[1:]]


def _halves(text: bytes) -> list[int]:
    """Length of a text, and a digest of it as two numbers."""
    made = hashlib.blake2b(text, digest_size=16).digest()
    return [len(text), *(int.from_bytes(half, "big") >> 1 for half in (made[:8], made[8:]))]


def _prefix(base: Path) -> str:
    """Start of all paths that lie in a folder."""
    return str(base.absolute()).rstrip(os.sep) + os.sep

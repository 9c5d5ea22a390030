"""A folder that images are written to: each appears whole or not at all, and a run that was cut off can go on."""

from __future__ import annotations

import os
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.images import is_inside

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

STATE = ".copypaste-rs"
"""Where a run keeps what it needs to go on; a folder without it was not written by this library."""
ANNOTATIONS = "annotations.json"
IMAGES = "images"


class OtherSettingsError(ValueError):
    """The run there had other settings; `names` are those that differ."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)


class NotEmptyError(FileExistsError):
    """The folder holds an earlier run."""


class ForeignFolderError(FileExistsError):
    """The folder holds files that were not written by this library."""


class Record(msgspec.Struct, gc=False):
    """One image that was written, and what the annotation file will say of it."""

    file: str
    size: int
    crc: int
    annotations: int
    """Their number."""
    image_json: msgspec.Raw
    annotations_json: msgspec.Raw


class OutputFolder:
    """The folder, from the moment it is taken (and locked) until `close`.

    Parameters
    ----------
    root : Path
        The folder; it may be missing.
    settings : mapping
        What the output depends on. A run goes on only with the same.
    resume : bool
        Whether to go on with what is there.
    overwrite : bool
        Whether to delete what is there, as far as it was written by this library.

    Raises
    ------
    OSError
        When the folder holds something and neither `resume` nor `overwrite` allows for it, or when another run
        is writing to it. Nothing has been changed then.
    ValueError
        When the run there had other settings.
    """

    def __init__(self, root: Path, settings: Mapping[str, Any], *, resume: bool, overwrite: bool) -> None:
        self.root = root
        self.files: list[str] = []
        """The images that are there, in order."""
        self.annotations = 0
        """Number of their annotations."""
        self._state = root / STATE
        self._check(resume, overwrite)
        self._state.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self._state / "lock")
        try:
            self._take_over(msgspec.json.encode(settings), overwrite)
        except BaseException:
            self._lock.close()
            raise

    def _check(self, resume: bool, overwrite: bool) -> None:
        if resume and overwrite:
            raise ValueError("resume, overwrite: expected at most one of the two")
        if self.root.exists() and not self.root.is_dir():
            raise FileExistsError(f"{self.root}: expected a folder, got a file")
        if not self.root.exists() or not any(self.root.iterdir()):
            return
        if not self._state.is_dir():
            raise ForeignFolderError(f"{self.root}: holds other files; choose another folder")
        if not (resume or overwrite):
            raise NotEmptyError(
                f"{self.root}: exists already and is not empty; resume goes on with it, overwrite replaces it"
            )

    def _take_over(self, settings: bytes, overwrite: bool) -> None:
        mine = self._state / "settings"
        if overwrite:
            self._clear()
        elif mine.exists() and (theirs := mine.read_bytes()) != settings:
            differing, names = _differences(theirs, settings)
            raise OtherSettingsError(f"{self.root}: the run there had other settings: {differing}", names)
        self._names = set(self._known_names())
        records = self._state / "records"
        if mine.exists():
            os.truncate(records, self._count_whole(records))
        else:
            records.write_bytes(b"")
            self._replace(mine, settings)
        self._name_log = (self._state / "names").open("a", encoding="utf-8", newline="\n")
        self._record_log = records.open("ab")

    def _known_names(self) -> list[str]:
        log = self._state / "names"
        return [line for line in log.read_text("utf-8").split("\n") if line] if log.exists() else []

    def _count_whole(self, log: Path) -> int:
        """Take note of the records up to the first whose line or image is not whole; the bytes that they fill."""
        log.touch()
        decode = msgspec.json.Decoder(Record).decode
        length = 0
        with log.open("rb") as lines:
            for line in lines:
                try:
                    record = decode(line)
                    data = (self.root / IMAGES / record.file).read_bytes()
                except (msgspec.DecodeError, UnicodeDecodeError, OSError):
                    break
                if not line.endswith(b"\n") or len(data) != record.size or zlib.crc32(data) != record.crc:
                    break
                self.files.append(record.file)
                self.annotations += record.annotations
                length += len(line)
        return length

    def _clear(self) -> None:
        """Delete what was written here, and nothing else. Settings go last: until then it can be repeated."""
        (self.root / ANNOTATIONS).unlink(missing_ok=True)
        (self._state / "records").unlink(missing_ok=True)
        images = self.root / IMAGES
        for name in self._known_names():
            if is_inside(name):
                (images / name).unlink(missing_ok=True)
        for folder in sorted((path for path in images.rglob("*") if path.is_dir()), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
        (self._state / "names").unlink(missing_ok=True)
        (self._state / "settings").unlink(missing_ok=True)

    def add(self, data: bytes, file: str, image: Mapping[str, Any], annotations: list[dict[str, Any]]) -> None:
        """Put an image in place, then note it down."""
        if file not in self._names:  # noted first, so that whatever is there can be found again
            self._names.add(file)
            with naming(self._state / "names"):
                self._name_log.write(file + "\n")
                self._name_log.flush()
        path = self.root / IMAGES / file
        path.parent.mkdir(parents=True, exist_ok=True)
        self._replace(path, data)
        record = Record(
            file,
            len(data),
            zlib.crc32(data),
            len(annotations),
            msgspec.Raw(msgspec.json.encode(image)),
            msgspec.Raw(msgspec.json.encode(annotations)),
        )
        with naming(self._state / "records"):
            self._record_log.write(msgspec.json.encode(record) + b"\n")
            self._record_log.flush()
        self.files.append(file)
        self.annotations += len(annotations)

    def finish(self, head: Mapping[str, Any]) -> None:
        """Write the annotation file: `head`, then what was noted of all images."""
        (self.root / IMAGES).mkdir(exist_ok=True)
        part = self._state / "partial"
        with naming(self.root / ANNOTATIONS), part.open("wb") as file:
            for piece in self._annotation_file(head):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.root / ANNOTATIONS)

    def _annotation_file(self, head: Mapping[str, Any]) -> Iterator[bytes]:
        yield msgspec.json.encode(head).removesuffix(b"}") + b"," if head else b"{"
        yield b'"images":['
        for i, record in enumerate(self._records()):
            yield (b"," if i else b"") + bytes(record.image_json)
        yield b'],"annotations":['
        first = True
        for record in self._records():
            if record.annotations:
                yield (b"" if first else b",") + bytes(record.annotations_json)[1:-1]
                first = False
        yield b"]}"

    def _records(self) -> Iterator[Record]:
        # Read once more instead of kept: on a large set they would take a gigabyte.
        with (self._state / "records").open("rb") as lines:
            yield from map(msgspec.json.Decoder(Record).decode, lines)

    def close(self) -> None:
        """Let go of the folder."""
        self._name_log.close()
        self._record_log.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _replace(self, path: Path, data: bytes) -> None:
        part = self._state / "partial"
        with naming(path):
            part.write_bytes(data)
            part.replace(path)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an OSError in this block the file that it is about: one of a write, a full disk say, names none."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def _differences(theirs: bytes, mine: bytes) -> tuple[str, list[str]]:
    """In words, and the names of what differs; long values are named only."""
    try:
        old, new = msgspec.json.decode(theirs), msgspec.json.decode(mine)
        names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        words = [_change(name, old.get(name), new.get(name)) for name in names]
    except (msgspec.DecodeError, AttributeError):
        return "what is noted of them cannot be read", []
    return ", ".join(words), names


def _change(name: str, old: Any, new: Any) -> str:
    short = all(len(repr(value)) <= 40 for value in (old, new))
    return f"{name} was {old!r} and is {new!r}" if short else name


def _lock(path: Path) -> IO[bytes]:
    """Lock the folder. The system lets go of the lock when the process ends, however it ends."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:  # Windows: a file that is open here cannot be locked twice either
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            file.close()
            raise BlockingIOError(f"{path.parent.parent}: another run is writing there") from None
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise BlockingIOError(f"{path.parent.parent}: another run is writing there") from None
    except OSError:  # a file system without locks
        pass
    return file

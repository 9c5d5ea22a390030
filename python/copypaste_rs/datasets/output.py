"""A folder that images are written to: each appears whole or not at all, and a run that was cut off can go on."""

from __future__ import annotations

import os
import zlib
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.images import is_inside
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.logs import AppendLog, naming, whole_lines
from copypaste_rs.datasets.places import ANNOTATIONS, IMAGES, STATE, check_place

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self


class OtherSettingsError(ValueError):
    """The run there had other settings; `names` are those that differ."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.names)


class Record(msgspec.Struct, gc=False):
    """One image that was written, and what the annotation file will say of it."""

    file: str
    size: int
    crc: int
    annotations: int
    """Number of annotations."""
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
        noted = json_text("settings", settings)
        check_place(root, resume=resume, overwrite=overwrite)
        self._state.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(_lock(self._state / "lock"))
            length = self._take_over(noted, overwrite)
            names = list(whole_lines(self._state / "names"))
            self._names = set(map(_name, names))
            self._name_log = stack.enter_context(AppendLog(self._state / "names", sum(map(len, names))))
            self._record_log = stack.enter_context(AppendLog(self._state / "records", length))
            self._closing = stack.pop_all()

    def _take_over(self, settings: bytes, overwrite: bool) -> int:
        """Make the folder that of this run; the bytes of its records that hold."""
        mine = self._state / "settings"
        if overwrite:
            self._clear()
        elif mine.exists() and (theirs := mine.read_bytes()) != settings:
            differing, names = _differences(theirs, settings)
            raise OtherSettingsError(f"{self.root}: the run there had other settings: {differing}", names)
        if mine.exists():
            return self._count_whole()
        (self._state / "records").unlink(missing_ok=True)
        self._replace(mine, settings)
        return 0

    def _count_whole(self) -> int:
        """Take note of the records up to the first whose line or image is not whole; the bytes that they fill."""
        decode = msgspec.json.Decoder(Record).decode
        length = 0
        for line in whole_lines(self._state / "records"):
            try:
                record = decode(line)
                data = (self.root / IMAGES / record.file).read_bytes()
            except (msgspec.DecodeError, ValueError, OSError):
                break
            if len(data) != record.size or zlib.crc32(data) != record.crc:
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
        for name in map(_name, whole_lines(self._state / "names")):
            if is_inside(name):
                (images / name).unlink(missing_ok=True)
        for folder in sorted((path for path in images.rglob("*") if path.is_dir()), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
        (self._state / "names").unlink(missing_ok=True)
        (self._state / "settings").unlink(missing_ok=True)

    def add(self, data: bytes, file: str, image: Mapping[str, Any], annotations: list[dict[str, Any]]) -> None:
        """Put an image in place and note it down; when that fails, what was there before is there."""
        record = Record(
            file,
            len(data),
            zlib.crc32(data),
            len(annotations),
            msgspec.Raw(json_text("image", image)),
            msgspec.Raw(json_text("annotations", annotations)),
        )
        line = msgspec.json.encode(record) + b"\n"
        if file not in self._names:  # noted first, so that whatever is there can be found again
            self._name_log.append(file.encode() + b"\n")
            self._names.add(file)
        path = self.root / IMAGES / file
        path.parent.mkdir(parents=True, exist_ok=True)
        self._replace(path, data)
        try:
            self._record_log.append(line)
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise
        self.files.append(file)
        self.annotations += len(annotations)

    def finish(self, head: Mapping[str, Any]) -> None:
        """Write the annotation file: `head`, then what was noted of all images."""
        start = json_text("head", head)
        (self.root / IMAGES).mkdir(exist_ok=True)
        with self._placing(self.root / ANNOTATIONS) as part, part.open("wb") as file:
            file.writelines(self._annotation_file(start))
            file.flush()
            os.fsync(file.fileno())

    def _annotation_file(self, head: bytes) -> Iterator[bytes]:
        yield head.removesuffix(b"}") + (b"" if head == b"{}" else b",")
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
        """Let go of the folder, whatever happens on the way."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _replace(self, path: Path, data: bytes) -> None:
        with self._placing(path) as part:
            part.write_bytes(data)

    @contextmanager
    def _placing(self, path: Path) -> Iterator[Path]:
        """A name to write a file under, which is then put in place whole, or is gone when that fails."""
        part = self._state / "partial"
        with naming(path):
            try:
                yield part
                part.replace(path)
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                raise


def _name(line: bytes) -> str:
    """The file name that a line holds, if it is one of ours at all."""
    return line.removesuffix(b"\n").decode("utf-8", "replace")


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

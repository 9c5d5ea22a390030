"""A folder that items are written to: each counts whole or not at all, and a run that was cut off can go on."""

from __future__ import annotations

import os
import shutil
import zlib
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.counted_names import CountedNames
from copypaste_rs.datasets.folder_lock import locked
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.logs import AppendLog, naming, whole_lines
from copypaste_rs.datasets.places import COCO, STATE, OutputLayout, check_place
from copypaste_rs.datasets.records import Record, noted, path_of
from copypaste_rs.datasets.shards import SHARD, SHARDS
from copypaste_rs.datasets.taken_files import TakenFile

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self


FORMAT = "output_format"
"""The setting that names the format, where it is not COCO, whose runs have never noted one."""


class OtherSettingsError(ValueError):
    """The run there had other settings; `names` are those that differ."""

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.names)


class Draft(NamedTuple):
    """A file that was written under another name, as it is large."""

    path: Path
    size: int
    crc: int


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
    layout : OutputLayout
        Of the format. A run goes on only in the same.

    Raises
    ------
    OSError
        When the folder holds something and neither `resume` nor `overwrite` allows for it, or when another run
        is writing to it. Nothing has been changed then.
    ValueError
        When the run there had other settings.
    """

    def __init__(
        self, root: Path, settings: Mapping[str, Any], *, resume: bool, overwrite: bool, layout: OutputLayout = COCO
    ) -> None:
        self.root = root
        self.layout = layout
        self.items = 0
        """Number of the items that are there."""
        self.item_names = CountedNames()
        """Names of these."""
        self.taken = CountedNames(map(noted, layout.ends))
        """Further files of these, and those of the end: no item may have one of these names, as `noted` has them."""
        self.annotations = 0
        """Number of their annotations."""
        self.remarks: Counter[str] = Counter()
        """Losses of these in the format, counted."""
        self._state = root / STATE
        self.draft = self._state / "draft"
        """Name under which a large file can be written, to be put in place by `add_encoded`."""
        self._partial = self._state / "partial"
        self._folders = dict.fromkeys((layout.images, *layout.folders), False)
        """Folders of the format, and whether each is known to be there."""
        text = json_text("settings", {**({} if layout.name == COCO.name else {FORMAT: layout.name}), **settings})
        check_place(root, resume=resume, overwrite=overwrite, layout=layout)
        self._state.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(locked(self._state / "lock"))
            length = self._take_over(text, overwrite)
            self._names = CountedNames()
            if layout.name == COCO.name:
                self._names.update(map(noted, layout.ends))  # not noted there, ever
            noted_bytes = 0
            for line in whole_lines(self._state / "names"):
                self._names.add(_name(line))
                noted_bytes += len(line)
            self._name_log = stack.enter_context(AppendLog(self._state / "names", noted_bytes))
            self._record_log = stack.enter_context(AppendLog(self._state / "records", length))
            self._closing = stack.pop_all()

    def _take_over(self, settings: bytes, overwrite: bool) -> int:
        """Make the folder that of this run; the bytes of its records that hold."""
        mine = self._state / "settings"
        if overwrite:
            self._clear()
        elif mine.exists() and (theirs := mine.read_bytes()) != settings:
            differing, names = differences(theirs, settings)
            raise OtherSettingsError(f"{self.root}: the run there had other settings: {differing}", names)
        (self._state / SHARD).unlink(missing_ok=True)  # until it is finished again
        if mine.exists():
            return self._count_whole()
        (self._state / "records").unlink(missing_ok=True)
        self._replace(mine, settings)
        return 0

    def _count_whole(self) -> int:
        """Take note of the records up to the first whose line or files are not whole; the bytes that they fill."""
        decode = msgspec.json.Decoder(Record).decode
        length = 0
        for line in whole_lines(self._state / "records"):
            try:
                record = decode(line)
                whole = all(self._is_whole(*file) for file in record.files())
            except (msgspec.DecodeError, ValueError, OSError):
                break
            if not whole:
                break
            self._count(record)
            length += len(line)
        return length

    def _is_whole(self, name: str, size: int, crc: int) -> bool:
        path = path_of(name)
        if path is None:
            return False
        data = (self.root / path).read_bytes()
        return len(data) == size and zlib.crc32(data) == crc

    def _count(self, record: Record) -> None:
        self.items += record.images
        self.item_names.add(record.item)
        self.taken.update(name for name, _, _ in record.more)
        self.annotations += record.annotations
        self.remarks.update(record.remarks)

    def _clear(self) -> None:
        """Delete what was written here, and nothing else. Settings go last: until then it can be repeated."""
        if _format_of(self._state / "settings") == COCO.name:
            for end in COCO.ends:
                (self.root / end).unlink(missing_ok=True)
        shutil.rmtree(self._state / SHARDS, ignore_errors=True)
        for mine in ("records", SHARD):
            (self._state / mine).unlink(missing_ok=True)
        folders: set[PurePosixPath] = set()
        for name in map(_name, whole_lines(self._state / "names")):
            if (path := path_of(name)) is not None:
                (self.root / path).unlink(missing_ok=True)
                folders.update(PurePosixPath(path).parents)
        for folder in sorted(folders - {PurePosixPath()}, reverse=True):
            with suppress(OSError):  # one that holds other files, or is a link, stays
                (self.root / folder).rmdir()
        (self._state / "names").unlink(missing_ok=True)
        (self._state / "settings").unlink(missing_ok=True)

    def add(
        self,
        item: str,
        files: Mapping[str, bytes],
        image: Mapping[str, Any],
        annotations: list[dict[str, Any]],
        remarks: Mapping[str, int] | None = None,
    ) -> None:
        """Put the files of an item in place and note it down; when that fails, what was there before is there.

        Parameters
        ----------
        item : str
            Its name.
        files : mapping of str to bytes
            What stands in each file, by its path below the root. They are put in place in this order: the last is the
            one without which the others mean nothing, the image.
        image, annotations : mapping, list of dict
            What the files at the end will say of it.
        remarks : mapping of str to int, optional
            What the format cannot hold of it, counted.
        """
        texts = json_text("image", image), json_text("annotations", annotations)
        self.add_encoded(item, files, *texts, len(annotations), remarks or {})

    def add_encoded(
        self,
        item: str,
        files: Mapping[str, bytes | Draft],
        image: bytes,
        annotations: bytes,
        number: int,
        remarks: Mapping[str, int],
        *,
        images: int = 1,
    ) -> None:
        """Put files in place and note them down as `add` does, of one image or several, with JSON for their fields.

        Parameters
        ----------
        item, files, remarks
            As of `add`.
        image, annotations : bytes
            JSON of the image, or a list of images, and the list of annotations.
        number, images : int
            How many annotations and images there are.
        """
        notes = [
            (noted(path), data.size, data.crc)
            if isinstance(data, Draft)
            else (noted(path), len(data), zlib.crc32(data))
            for path, data in files.items()
        ]
        file, size, crc = notes[-1] if notes else ("", 0, 0)
        name = None if item == file else item
        lost = {what: count for what, count in remarks.items() if count}
        texts = msgspec.Raw(image), msgspec.Raw(annotations)
        record = Record(file, size, crc, number, *texts, tuple(notes[:-1]), name, lost, images)
        self._put(record, {path: self._placed(data) for path, data in files.items()})

    def _placed(self, data: bytes | Draft) -> Callable[[Path], object]:
        """The function that puts a file in place."""
        return data.path.replace if isinstance(data, Draft) else partial(self._replace, data=data)

    def take(self, record: Record, root: Path, *, copies: bool) -> bool:
        """Put an item in place that another output has, and note it down; whether its files are links now.

        Parameters
        ----------
        record : Record
            Of the item, with the numbers that it gets here.
        root : Path
            Folder of the other output.
        copies : bool
            Whether its files are copied even where they can be linked.
        """
        linked = []
        put: dict[str, Callable[[Path], object]] = {}
        for name, size, crc in sorted(record.files(), key=lambda file: file[0] == record.file):  # the image last
            if (path := path_of(name)) is None:
                raise ValueError(f"{root}: expected names of files in it, got {name!r} in what is noted there")
            taken = TakenFile(root / path, size, crc)
            put[path] = lambda place, taken=taken: linked.append(taken.put(place, self._placing, copies=copies))  # type: ignore[misc]
        self._put(record, put)
        return all(linked)

    def note(self, record: Record) -> None:
        """Note an item down whose files are elsewhere."""
        self._put(record, {})

    def _put(self, record: Record, files: Mapping[str, Callable[[Path], object]]) -> None:
        """Have files put in place, in order, each by a function of where that is, and note the item down."""
        line = msgspec.json.encode(record) + b"\n"
        self._note(files)
        with ExitStack() as undoing:
            for path, put in files.items():
                put(place := self._place(path))
                undoing.callback(_unlink, place)
            self._record_log.append(line)
            undoing.pop_all()
        self._count(record)

    def _place(self, path: str) -> Path:
        """Path of a file below the root, in a folder that is there now."""
        place, folder = self.root / path, path.rpartition("/")[0]
        if not self._folders.get(folder):
            place.parent.mkdir(parents=True, exist_ok=True)
            if folder in self._folders:
                self._folders[folder] = True
        return place

    def _note(self, paths: Iterable[str]) -> None:
        """Note files before they are there, so that each can be found again; one of somebody else is refused."""
        new = [path for path in paths if noted(path) not in self._names]
        for path in new:
            if os.path.lexists(place := os.path.join(self.root, path)):  # noqa: PTH118 (a path takes as long as looking)
                raise FileExistsError(f"{place}: is there already, and not by this run; move it away")
        if new:
            names = list(map(noted, new))
            self._name_log.append("".join(f"{name}\n" for name in names).encode())
            self._names.update(names)

    def finish(self, ends: Mapping[str, bytes | Iterable[bytes]]) -> None:
        """Write the files of the end, each whole or not at all.

        Parameters
        ----------
        ends : mapping of str to bytes, or iterable of bytes
            What stands in each file, in pieces perhaps, by its path below the root.
        """
        for folder in (self.layout.images, *self.layout.folders):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self._note(ends)
        for path, content in ends.items():
            place = self._place(path)
            with self._placing(place) as part, part.open("wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                os.fsync(file.fileno())
        shutil.rmtree(self._state / SHARDS, ignore_errors=True)

    def finish_shard(self, note: Mapping[str, Any]) -> None:
        """Note that all items of a shard are there, and what its merging needs to know, as `ShardNote` has it."""
        numbers = {"annotations": self.annotations, "records": (self._state / "records").stat().st_size}
        self._replace(self._state / SHARD, json_text("note", {**note, **numbers}))

    def records(self) -> Iterator[Record]:
        """Records of the items, in order."""
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
        with naming(path):
            try:
                yield self._partial
                os.replace(self._partial, path)  # noqa: PTH105 (`Path.replace` makes one more path, of each file)
            except BaseException:
                _unlink(self._partial)
                raise


def _name(line: bytes) -> str:
    """The file name that a line holds, if it is one of ours at all."""
    return line.removesuffix(b"\n").decode("utf-8", "replace")


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _format_of(settings: Path) -> str:
    """The format of the run that noted these settings."""
    try:
        return str(msgspec.json.decode(settings.read_bytes(), type=dict[str, Any]).get(FORMAT, COCO.name))
    except (OSError, msgspec.DecodeError):
        return COCO.name


def differences(theirs: bytes, mine: bytes) -> tuple[str, list[str]]:
    """In words, and the names of what differs; long values are named only."""
    try:
        old, new = ({FORMAT: COCO.name} | msgspec.json.decode(text) for text in (theirs, mine))
        names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        words = [_change(name, old.get(name), new.get(name)) for name in names]
    except (msgspec.DecodeError, TypeError):
        return "what is noted of them cannot be read", []
    return ", ".join(words), names


def _change(name: str, old: Any, new: Any) -> str:
    short = all(len(repr(value)) <= 40 for value in (old, new))
    return f"{name} was {old!r} and is {new!r}" if short else name

"""An output in an object store: parts, each noted once all of its objects are there, and an end that is noted last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.finished_shards import finished_shard
from copypaste_rs.datasets.output import OtherSettingsError, differences
from copypaste_rs.datasets.places import STATE, ForeignFolderError, NotEmptyError
from copypaste_rs.datasets.records import Record, path_of

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from copypaste_rs.datasets.remote import RemoteFolder
    from copypaste_rs.datasets.sample_writer import SampleWriter

SETTINGS, ENDS, FINISHED = (f"{STATE}/{name}" for name in ("settings", "ends", "finished"))


def noted_settings(folder: RemoteFolder) -> dict[str, Any]:
    """Settings of the run that has written there, as far as they can be read."""
    content = folder.read(SETTINGS)
    try:
        return {} if content is None else msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:  # which is told when they are compared
        return {}


class RemoteOutput:
    """Output below a URL.

    Parameters
    ----------
    folder : RemoteFolder
        Where it is.
    settings : bytes
        JSON of what the output depends on, the number of parts among it. A run goes on only with the same.
    ends : sequence of str
        Names of the files of the end.
    resume, overwrite : bool
        As of `OutputFolder`.

    Raises
    ------
    OSError, ValueError
        As from `OutputFolder`, but for other runs that write there: what they write is the same.
    """

    def __init__(
        self, folder: RemoteFolder, settings: bytes, ends: Sequence[str], *, resume: bool, overwrite: bool
    ) -> None:
        self.folder = folder
        self._ends = tuple(ends)
        self._sizes = folder.sizes()
        theirs = folder.read(SETTINGS) if SETTINGS in self._sizes else None
        if self._sizes and theirs is None:
            raise ForeignFolderError(f"{folder.url}: holds other objects; choose another folder")
        if theirs is not None and not (resume or overwrite):
            raise NotEmptyError(f"{folder.url}: exists already and is not empty")
        if overwrite:
            self._clear()
        elif theirs is not None and theirs != settings:
            words, names = differences(theirs, settings)
            raise OtherSettingsError(f"{folder.url}: the run there had other settings: {words}", names)
        self._settings = settings
        self._has_settings = theirs is not None and not overwrite

    @property
    def is_finished(self) -> bool:
        """Whether all of it is there."""
        return FINISHED in self._sizes

    def has(self, number: int) -> bool:
        """Whether all objects of a part are there, in the sizes that are noted of them."""
        if _part(number) not in self._sizes:
            return False
        try:
            files = [file for record in self.records(number) for file in record.files()]
        except (OSError, msgspec.DecodeError):
            return False
        return all(self._sizes.get(path_of(name) or "") == size for name, size, _ in files)

    def begin(self) -> None:
        """Note the settings, before any part is there, and that the end is not there until it is made again.

        A place that cannot be written to is an error before any work.
        """
        if self._sizes.pop(FINISHED, None) is not None:
            self.folder.delete([FINISHED])
        if not self._has_settings:
            self.folder.write(SETTINGS, self._settings)
            self._has_settings = True

    def records(self, number: int) -> Iterator[Record]:
        """Records of a part, whose annotations are numbered from 1."""
        content = self.folder.read(_part(number))
        if content is None:
            raise FileNotFoundError(f"{self.folder.url}/{_part(number)}: No such object")
        yield from map(msgspec.json.Decoder(Record).decode, content.splitlines())

    def finish(self, writer: SampleWriter, root: Path, parts: int) -> None:
        """Send the files of the end, which the writer of the whole makes in a folder of its own, and note the end."""
        for number in range(1, parts + 1):
            for record in self.records(number):
                writer.note(record)
        about = msgspec.json.encode({"images": len(writer), "parts": parts})
        writer.close()
        ends = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
        ends = {name: path for name, path in ends.items() if not name.startswith(f"{STATE}/")}
        self.folder.write(ENDS, msgspec.json.encode([*ends]))  # before they are there, so that each is found again
        self.folder.send(ends)
        self.folder.write(FINISHED, about)

    def _ends_there(self) -> list[str]:
        """Names of the files of the end, as the run there has noted them, or is about to write them."""
        about = self.folder.read(ENDS)
        return [*self._ends] if about is None else msgspec.json.decode(about, type=list[str])

    def _clear(self) -> None:
        """Delete what was written here, and nothing else. Settings go last: until then it can be repeated."""
        noted = [name for name in self._sizes if name.startswith(f"{STATE}/part-")]
        self.folder.delete([FINISHED, *self._ends_there()])
        for name in noted:
            for line in (self.folder.read(name) or b"").splitlines():
                files = msgspec.json.decode(line, type=Record).files()
                self.folder.delete([path for each, _, _ in files if (path := path_of(each)) is not None])
            self.folder.delete([name])
        self.folder.delete([ENDS, SETTINGS])
        self._sizes = {}


def send_part(folder: RemoteFolder, number: int, root: Path) -> None:
    """Send the files of a part, a shard that is finished in a folder, and note it then."""
    shard, _, _ = finished_shard(root)
    lines: list[bytes] = []
    files: dict[str, Path] = {}
    for record in shard.records():
        for name, _, _ in record.files():
            path = path_of(name)
            assert path is not None
            files[path] = root / path
        lines.append(msgspec.json.encode(record) + b"\n")
    folder.send(files)
    folder.write(_part(number), b"".join(lines))


def _part(number: int) -> str:
    return f"{STATE}/part-{number:07d}"

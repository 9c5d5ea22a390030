"""Tables as one file, whose arrays are mapped into memory: nothing is read until it is needed.

A file has a start of fixed length, the arrays, and a header in JSON. Bytes of a file that was cut short, or that a
crash of the system left unwritten, are found by its length and by checksums: of the header, and of a page in each piece
of the arrays. Numbers are in the order of the machine, which is part of `MAGIC`.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.boxes import Boxes
from copypaste_rs.datasets.fields import Field, TextTable
from copypaste_rs.datasets.segmentations import Segmentations
from copypaste_rs.datasets.sources import SourceNotes, Stamp
from copypaste_rs.datasets.tables import AnnotationTables

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from numpy.typing import NDArray
    from typing_extensions import Self

MAGIC = f"copypaste_rs tables 3 {sys.byteorder}\n".encode()
_START = struct.Struct("<32s6q")
"""`MAGIC`; the `Stamp`; length of the header, its checksum, and that of the arrays."""
_STAMP = struct.Struct("<3q")
_STAMP_AT = 32

_ALIGNMENT = 64
_FIRST = _START.size + -_START.size % _ALIGNMENT
"""Place of the first array."""
_PIECE, _PAGE = 1 << 20, 1 << 12

_ARRAYS = ("image_ids", "sizes", "image_json", "image_json_offsets", "row_offsets", "ids", "labels", "iscrowd")
_VALUES = ("categories", "keypoint_names", "info", "licenses", "skipped", "remarks", "digest", "folder")

_NOT_READABLE = (OSError, ValueError, TypeError, KeyError, IndexError, struct.error, msgspec.DecodeError)
"""Errors of a file that is missing, of another version, or damaged."""


NO_STAMP = Stamp(0, 0, 0)
"""In the place of a stamp, of tables that were made from several files."""


class StoredTables(NamedTuple):
    """Tables in a file, and the stamp of the file they were made from, or notes of several."""

    tables: AnnotationTables
    stamp: Stamp
    notes: SourceNotes | None


class TableDraft:
    """A file of tables in the making; a context manager, at whose end it is in its place, or nothing is left of it.

    Arrays that are known before the tables are can be written meanwhile: `begin`.
    """

    def __init__(self, path: Path) -> None:
        """Draft of the file `path`, whose folder may be missing as long as nothing is written."""
        self._path = path
        self._partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")  # others may write one too
        self._file: IO[bytes] | None = None
        self._length = 0
        self._written: list[tuple[NDArray[Any], int]] = []
        """Arrays in the file, and the place of each; they are kept, so that no other is taken for one of them."""
        self._thread: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None

    def begin(self, arrays: Iterable[NDArray[Any]]) -> None:
        """Have arrays written, which stay as they are and will be among those of the tables, and return at once."""
        self._thread = ThreadPoolExecutor(1)
        self._writing = self._thread.submit(self._write_all, [*arrays])

    def save(
        self, tables: AnnotationTables, stamp: Stamp, key: Mapping[str, Any], notes: SourceNotes | None = None
    ) -> None:
        """Write what is missing, and put the file in its place, as `save_tables` does."""
        if self._writing is not None:
            self._writing.result()
        arrays = dict(_arrays(tables))
        if notes is not None:
            arrays |= {f"notes.{name}": array for name, array in notes._asdict().items()}
        places = {name: [array.dtype.str, list(array.shape), self._place(array)] for name, array in arrays.items()}
        values = {name: getattr(tables, name) for name in _VALUES}
        whole = {name: field.whole for name, field in tables.fields.items()}
        parts = {"key": key, "values": values, "whole": whole, "arrays": places, "length": self._length}
        header = msgspec.json.encode(parts)
        with self._opened() as file:
            file.write(header)
            file.flush()
            sums = zlib.crc32(header), _checksum(file, _FIRST, self._length)
            file.seek(0)
            file.write(_START.pack(MAGIC, *stamp, len(header), *sums))
        self._partial.replace(self._path)

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = self._partial.open("x+b")
            self._file.write(bytes(_FIRST))
        return self._file

    def _place(self, array: NDArray[Any]) -> int:
        """Place of an array behind the first one, written where it is not there yet."""
        for known, place in self._written:
            if known is array:
                return place
        place = self._length
        file = self._opened()
        file.write(np.ascontiguousarray(array).data if array.size else b"")
        file.write(bytes(-array.nbytes % _ALIGNMENT))
        self._length += array.nbytes + -array.nbytes % _ALIGNMENT
        self._written.append((array, place))
        return place

    def _write_all(self, arrays: list[NDArray[Any]]) -> None:
        for array in arrays:
            self._place(array)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        self._written.clear()
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._partial.unlink()


def save_tables(
    path: Path,
    tables: AnnotationTables,
    stamp: Stamp,
    key: Mapping[str, Any],
    notes: SourceNotes | None = None,
    draft: TableDraft | None = None,
) -> None:
    """Write tables to a file, whole or not at all.

    What they depend on besides `key` is the file with this stamp or, where they come from several, what `notes` say.
    A draft of the file may have some arrays already.

    Raises
    ------
    OSError, TypeError, ValueError
        When it cannot be written; nothing is left then.
    """
    with TableDraft(path) if draft is None else draft as made:
        made.save(tables, stamp, key, notes)


def load_tables(path: Path, key: Mapping[str, Any]) -> StoredTables | None:
    """Map tables from a file; None where there is none, or one of another key or version, or a damaged one."""
    try:
        with path.open("rb") as file:
            magic, *numbers, length, header_sum, sum_of_pages = _START.unpack(file.read(_START.size))
            at = os.fstat(file.fileno()).st_size - length
            if magic.rstrip(b"\0") != MAGIC or length < 0 or at < _FIRST:
                return None
            file.seek(at)
            text = file.read(length)
            if zlib.crc32(text) != header_sum:
                return None
            header = msgspec.json.decode(text)
            if header["key"] != key or at != _FIRST + header["length"]:
                return None
            if _checksum(file, _FIRST, header["length"]) != sum_of_pages:
                return None
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        arrays = {name: _array(memory, _FIRST, *place) for name, place in header["arrays"].items()}
        notes = [arrays[name] for name in (f"notes.{part}" for part in SourceNotes._fields) if name in arrays]
        return StoredTables(_tables(header, arrays), Stamp(*numbers), SourceNotes(*notes) if notes else None)
    except _NOT_READABLE:
        return None


def renew_stamp(path: Path, stamp: Stamp) -> None:
    """Note the stamp of a file that has others now and equal bytes; where that cannot be, they are compared again."""
    with contextlib.suppress(OSError), path.open("r+b", buffering=0) as file:
        file.seek(_STAMP_AT)
        file.write(_STAMP.pack(*stamp))


def _checksum(file: IO[bytes], start: int, length: int) -> int:
    """Checksum of the first page of each piece of the arrays, and of the last page. Read, so that no more is mapped."""
    found = 0
    for at in (*range(start, start + length, _PIECE), max(start, start + length - _PAGE)):
        file.seek(at)
        found = zlib.crc32(file.read(min(_PAGE, start + length - at)), found)
    return found


def _array(memory: mmap.mmap, start: int, dtype: str, shape: list[int], place: int) -> NDArray[Any]:
    count = int(np.prod(shape, dtype=np.int64))
    if count == 0:
        return np.zeros(shape, dtype)
    return np.frombuffer(memory, np.dtype(dtype), count, start + place).reshape(shape)


def _arrays(tables: AnnotationTables) -> Iterator[tuple[str, NDArray[Any]]]:
    for name in _ARRAYS:
        yield name, getattr(tables, name)
    for name, array in tables.segmentations._asdict().items():
        yield f"segmentations.{name}", array
    for name, array in {} if tables.boxes is None else tables.boxes._asdict().items():
        yield f"boxes.{name}", array
    for i, field in enumerate(tables.fields.values()):
        yield f"field.{i}", field.values
        if isinstance(field.table, TextTable):
            yield f"field.{i}.data", field.table.data
            yield f"field.{i}.offsets", field.table.offsets
        elif field.table is not None:
            yield f"field.{i}.table", field.table


def _tables(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> AnnotationTables:
    plain: dict[str, Any] = {**header["values"], **{name: arrays[name] for name in _ARRAYS}}
    return AnnotationTables(
        **plain,
        fields={name: _field(arrays, f"field.{i}", whole) for i, (name, whole) in enumerate(header["whole"].items())},
        segmentations=Segmentations(*(arrays[f"segmentations.{name}"] for name in Segmentations._fields)),
        boxes=Boxes(*(arrays[f"boxes.{name}"] for name in Boxes._fields)) if "boxes.boxes" in arrays else None,
    )


def _field(arrays: Mapping[str, NDArray[Any]], name: str, whole: bool) -> Field:
    table: NDArray[Any] | TextTable | None = arrays.get(f"{name}.table")
    if (data := arrays.get(f"{name}.data")) is not None:
        table = TextTable(data, arrays[f"{name}.offsets"])
    return Field(arrays[name], table, whole)

"""A cache of tables: a file of annotations is read once, and mapped from a file of its own from then on.

Nothing depends on it. It is made anew when the annotations change, when it is damaged, and by another version; where it
cannot be written, annotations are read each time.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import stat
import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs._checks import wrong_type
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.table_files import Stamp, load_tables, renew_stamp, save_tables

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from copypaste_rs.datasets.tables import AnnotationTables

SUFFIX = ".copypaste-rs"

WORTH_IT = 1 << 23
"""Bytes of an annotation file from which a cache is made beside it; less is read in a moment."""

_NEW = 2_000_000_000
"""Nanoseconds in which a file may change twice without another time: as the coarsest file systems count."""


class CachePlace(NamedTuple):
    """Place of a cache: beside the annotations, in a folder, or none."""

    folder: Path | None = None
    is_off: bool = False

    @classmethod
    def of(cls, value: object) -> CachePlace:
        """The argument `cache_dir`, checked: None, a path, or False."""
        if value is False:
            return cls(is_off=True)
        if value is None:
            return cls()
        if not isinstance(value, str | os.PathLike):
            raise wrong_type("cache_dir", "a path, None or False", repr(value))
        return cls(check_path("cache_dir", value))

    def path(self, annotations: Path, options: bytes) -> Path:
        """The cache of an annotation file, read with options other than the default ones where these are not b""."""
        mark = f".{hashlib.sha256(options).hexdigest()[:8]}" if options else ""
        if self.folder is None:
            return annotations.with_name(f"{annotations.name}{mark}{SUFFIX}")
        whose = hashlib.sha256(os.fsencode(os.path.realpath(annotations))).hexdigest()[:12]
        return self.folder / f"{annotations.name}.{whose}{mark}{SUFFIX}"


class MappedTables:
    """Tables that are mapped from a cache. A pickle has no more than its place, and maps them again."""

    def __init__(
        self, tables: AnnotationTables, path: Path, key: Mapping[str, Any], read: Callable[[], AnnotationTables]
    ) -> None:
        """Tables of the cache `path`, made by `read`."""
        self.tables = tables
        self._path = path
        self._key = key
        self._read = read

    def __reduce__(self) -> tuple[Any, ...]:
        return _mapped_again, (self._path, self._key, self._read, self.tables.digest)


def _mapped_again(
    path: Path, key: Mapping[str, Any], read: Callable[[], AnnotationTables], digest: str
) -> MappedTables:
    """Tables of these annotations, in another process; when their cache is gone meanwhile they are read."""
    found = load_tables(path, key)
    tables = None if found is None else found.tables
    if tables is None or tables.digest != digest:
        tables = read()
    if tables.digest != digest:
        raise ValueError(
            f"{path}: expected the cache of the annotations that were opened, got that of others: they have changed "
            "since; open the data set anew"
        )
    return MappedTables(tables, path, key, read)


def cached_tables(
    annotations: Path, place: CachePlace, options: Mapping[str, Any], read: Callable[[], AnnotationTables]
) -> AnnotationTables | MappedTables:
    """Tables of an annotation file, mapped from its cache where that is valid, else by `read`, and put there.

    Parameters
    ----------
    annotations : Path
        The file.
    place : CachePlace
        Where the cache is; beside a small file none is made.
    options : mapping
        What the tables depend on besides the file, by name, default values left out.
    read : callable
        Reads the file; can be pickled.

    Warns
    -----
    UserWarning
        When a folder that was named cannot be written to.
    """
    before = _stamp(annotations)
    if before is None or place.is_off or (place.folder is None and before.size < WORTH_IT):
        return read()
    key = cache_key(options)
    path = place.path(annotations, msgspec.json.encode(options, order="sorted") if options else b"")
    if (found := _valid(path, key, annotations, before)) is not None:
        return MappedTables(found, path, key, read)
    tables = read()
    if _stamp(annotations) != before:  # it was written to meanwhile
        return tables
    if time.time_ns() - before.time < _NEW:
        before = before._replace(time=0)
    try:
        if place.folder is not None:
            place.folder.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(path)
        save_tables(path, tables, before, key)
    except (OSError, TypeError, ValueError) as error:
        if place.folder is not None:
            warnings.warn(f"cache_dir: {path}: cannot be written: {error}; annotations are read each time", UserWarning,
                          stacklevel=2)  # fmt: skip
        return tables
    made = load_tables(path, key)
    if made is None or made.tables.digest != tables.digest:  # of another process, which saw another file
        return tables
    return MappedTables(made.tables, path, key, read)


def cache_key(options: Mapping[str, Any]) -> dict[str, Any]:
    """Make the key that a cache has to agree with: the version, and the options of the reader."""
    from copypaste_rs import __version__

    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({"version": __version__, "options": options}))
    return plain


def _valid(path: Path, key: dict[str, Any], annotations: Path, now: Stamp) -> AnnotationTables | None:
    """Tables of a cache that is one of the file as it is now."""
    found = load_tables(path, key)
    if found is None or found.stamp.size != now.size:
        return None
    if found.stamp != now:
        with annotations.open("rb") as file:
            if _digest(file) != found.tables.digest:
                return None
        if time.time_ns() - now.time >= _NEW:
            renew_stamp(path, now)
    return found.tables


def _digest(file: Any) -> str:
    made = hashlib.sha256()
    while block := file.read(1 << 20):
        made.update(block)
    return made.hexdigest()


def _stamp(path: Path) -> Stamp | None:
    """The stamp of a regular file; None of anything else, for which there is no cache."""
    try:
        return Stamp.of(path) if stat.S_ISREG(path.stat().st_mode) else None
    except OSError:
        return None


def _clear_leftovers(path: Path) -> None:
    """Delete what processes that were killed an hour ago or earlier have left of this cache."""
    for partial in path.parent.glob(f"{glob.escape(path.name)}.*.partial"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > 3600:
                partial.unlink()

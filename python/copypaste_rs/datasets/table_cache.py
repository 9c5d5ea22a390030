"""A cache of tables: a set of annotations is read once, and mapped from a file of its own from then on.

Nothing depends on it. It is made anew when the annotations change, when it is damaged, and by another version; where it
cannot be written, annotations are read each time. A set of one file is compared by its bytes where its time is another
one, a set of several is read anew then.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from copypaste_rs._checks import wrong_type
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.image_files import CACHE_SUFFIX
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.sources import Sources, Stamp
from copypaste_rs.datasets.table_files import NO_STAMP, TableDraft, load_tables, renew_stamp, save_tables

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from copypaste_rs.datasets.tables import AnnotationTables

    Reader: TypeAlias = Callable[[Sources], AnnotationTables]

WORTH_IT = 1 << 23
"""Bytes of annotations from which a cache is made beside them; less is read in a moment."""
MANY = 1000
"""Files, images among them, from which one is made whatever they hold."""


class CachePlace(NamedTuple):
    """Place of a cache: with the annotations, in a folder, or none."""

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
        """The cache of a file or folder, read with options other than the default ones where these are not b""."""
        mark = f".{hashlib.sha256(options).hexdigest()[:8]}" if options else ""
        if self.folder is None and annotations.is_dir():
            return annotations / f".tables{mark}{CACHE_SUFFIX}"
        if self.folder is None:
            return annotations.with_name(f"{annotations.name}{mark}{CACHE_SUFFIX}")
        real = os.path.realpath(annotations)
        whose = hashlib.sha256(os.fsencode(real)).hexdigest()[:12]
        return self.folder / f"{annotations.name or os.path.basename(real)}.{whose}{mark}{CACHE_SUFFIX}"  # noqa: PTH119


class MappedTables:
    """Tables that are mapped from a cache. A pickle has no more than its place, and maps them again."""

    def __init__(self, tables: AnnotationTables, path: Path, key: Mapping[str, Any], read: Reader) -> None:
        """Tables of the cache `path`, made by `read`."""
        self.tables = tables
        self._path = path
        self._key = key
        self._read = read

    def __reduce__(self) -> tuple[Any, ...]:
        return _mapped_again, (self._path, self._key, self._read, self.tables.digest)


def _mapped_again(path: Path, key: Mapping[str, Any], read: Reader, digest: str) -> MappedTables:
    """Tables of these annotations, in another process; when their cache is gone meanwhile they are read."""
    found = load_tables(path, key)
    tables = None if found is None else found.tables
    if tables is None or tables.digest != digest:
        tables = read(Sources())
    if tables.digest != digest:
        raise ValueError(
            f"{path}: expected the cache of the annotations that were opened, got that of others: they have changed "
            "since; open the data set anew"
        )
    return MappedTables(tables, path, key, read)


def cached_tables(
    annotations: Path, place: CachePlace, options: Mapping[str, Any], read: Reader
) -> AnnotationTables | MappedTables:
    """Tables of a set, mapped from their cache where that is valid, else by `read`, and put there.

    Parameters
    ----------
    annotations : Path
        The file or folder of the set.
    place : CachePlace
        Where the cache is; with a small set none is made.
    options : mapping
        What the tables depend on besides the files, by name, default values left out.
    read : callable
        Reads the set, by way of the `Sources` that it is given; can be pickled.

    Warns
    -----
    UserWarning
        When a folder that was named cannot be written to.
    """
    if place.is_off:
        return read(Sources())
    try:
        key = cache_key(options)
        path = place.path(annotations, msgspec.json.encode(options, order="sorted") if options else b"")
    except (TypeError, ValueError):  # options that are no JSON, as arrays among categories
        return read(Sources())
    found = _valid(path, key, annotations)
    if found is None:
        sources = Sources(is_noting=True)
        with TableDraft(path) as draft:

            def begin(sources: Sources, arrays: Sequence[NDArray[Any]]) -> None:
                is_large = sum(array.nbytes for array in arrays) >= WORTH_IT
                if is_large and _is_worth_it(place, sources) and path.parent.is_dir():
                    draft.begin(arrays)

            sources.on_settled = begin
            tables = read(sources)
            found = _put(path, key, annotations, place, tables, sources, draft)
        if found is None:
            return tables
    return MappedTables(found, path, key, read)


def _put(
    path: Path,
    key: Mapping[str, Any],
    annotations: Path,
    place: CachePlace,
    tables: AnnotationTables,
    sources: Sources,
    draft: TableDraft,
) -> AnnotationTables | None:
    """The tables, mapped from a cache that is made of them; None where none is made."""
    if not _is_worth_it(place, sources):
        return None
    notes = sources.notes(_base(annotations))
    if not notes.hold(_base(annotations)):  # something was written to meanwhile
        return None
    notes = sources.without_new(notes)
    is_one = sources.are_only(annotations)
    stamp = Stamp(*notes.stamps[0].tolist()) if is_one else NO_STAMP
    try:
        if place.folder is not None:
            place.folder.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(path)
        save_tables(path, tables, stamp, key, None if is_one else notes, draft)
    except (OSError, TypeError, ValueError) as error:
        if place.folder is not None:
            warnings.warn(f"cache_dir: {path}: cannot be written: {error}; annotations are read each time", UserWarning,
                          stacklevel=3)  # fmt: skip
        return None
    made = load_tables(path, key)
    if made is None or made.tables.digest != tables.digest:  # of another process, which saw another file
        return None
    return made.tables


def _is_worth_it(place: CachePlace, sources: Sources) -> bool:
    """Whether a cache is made of what these sources say."""
    is_much = sources.size >= WORTH_IT or sources.files >= MANY
    return (place.folder is not None or is_much) and sources.are_regular


def _base(annotations: Path) -> Path:
    """The folder that paths of a cache start from."""
    return annotations if annotations.is_dir() else annotations.parent


def stored_path(folder: Path, annotations: Path) -> str:
    """The folder of images as tables of a set have it: from the folder of the set, if it lies in it."""
    inside, base = folder.absolute(), _base(annotations).absolute()
    return inside.relative_to(base).as_posix() if inside.is_relative_to(base) else str(inside)


def folder_of(given: AnnotationTables | MappedTables, annotations: Path) -> Path:
    """The folder of images that tables of a set have."""
    tables = given.tables if isinstance(given, MappedTables) else given
    return _base(annotations) / (tables.folder or "")


def full_path(path: str | os.PathLike[str]) -> str:
    """A path as an option of a set: one that does not depend on where the program runs, as text of JSON."""
    return os.fsencode(os.path.abspath(path)).decode("utf-8", "backslashreplace")  # noqa: PTH100 (links stay)


def cache_key(options: Mapping[str, Any]) -> dict[str, Any]:
    """Make the key that a cache has to agree with: the version, and the options of the reader."""
    from copypaste_rs import __version__

    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode({"version": __version__, "options": options}))
    return plain


def _valid(path: Path, key: dict[str, Any], annotations: Path) -> AnnotationTables | None:
    """Tables of a cache that is one of the files as they are now."""
    found = load_tables(path, key)
    if found is None:
        return None
    if found.notes is not None:
        return found.tables if found.notes.hold(_base(annotations)) else None
    if not annotations.is_file():
        return None
    now = Stamp.of(annotations)
    if found.stamp.size != now.size:
        return None
    if found.stamp != now:
        with annotations.open("rb") as file:
            if _digest(file) != found.tables.digest:
                return None
        if not now.is_new:
            renew_stamp(path, now)
    return found.tables


def _digest(file: Any) -> str:
    made = hashlib.sha256()
    while block := file.read(1 << 20):
        made.update(block)
    return made.hexdigest()


def _clear_leftovers(path: Path) -> None:
    """Delete what processes that were killed an hour ago or earlier have left of this cache."""
    for partial in path.parent.glob(f"{glob.escape(path.name)}.*.partial"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > 3600:
                partial.unlink()

"""Folders of object stores, by URL, as fsspec reaches them: objects that appear whole, no renames, no locks."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets._extras import extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://(.*)", re.DOTALL)
_LOCAL = ("file", "local")

_WITH_BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci"})
"""Kinds of stores without folders, where to make that of an object is to make its bucket."""


class Url(str):
    """URL of an object, or of a folder of objects."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Last part of its path."""
        return PurePosixPath(self.rstrip("/")).name


def place_of(text: str) -> Path | Url:
    """Path or URL that a text means: ``file://`` and ``local://`` are paths.

    Examples
    --------
    >>> place_of("s3://bucket/train.json"), place_of("file:///data"), place_of("data")
    ('s3://bucket/train.json', PosixPath('/data'), PosixPath('data'))
    """
    found = _URL.fullmatch(text)
    if found is None:
        return Path(text)
    return Path(found[2]) if found[1] in _LOCAL else Url(text)


class RemoteFolder:
    """A folder of objects, each of which is written at once or sent as a whole file.

    Parameters
    ----------
    url : Url
        Of the folder.

    Raises
    ------
    ImportError
        When fsspec, or what it needs for this kind of URL, is not installed.
    OSError
        When it cannot be reached, as from all methods; the message names the URL.
    """

    def __init__(self, url: Url) -> None:
        with extra("remote"):
            from fsspec.core import url_to_fs
        self.url = Url(url.rstrip("/"))
        with self._naming():
            try:
                self._system, path = url_to_fs(self.url)
            except ValueError as error:  # a protocol that is not known
                raise OSError(str(error)) from None
        self._path = str(path).rstrip("/")

    def sizes(self) -> dict[str, int]:
        """Sizes of all objects, by their names below the folder."""
        with self._naming():
            self._system.invalidate_cache()  # others write there too
            try:
                found = self._system.find(self._path, detail=True)
            except FileNotFoundError:
                return {}
        start = len(self._path) + 1
        return {path[start:]: int(about["size"] or 0) for path, about in found.items() if len(path) > start}

    def read(self, name: str) -> bytes | None:
        """Content of an object; None where it is not there."""
        with self._naming(name):
            self._system.invalidate_cache()  # listings of before others wrote
            try:
                content: bytes = self._system.cat_file(self._at(name))
            except FileNotFoundError:
                return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write an object in one piece."""
        with self._naming(name):
            self._make_room([name])
            self._system.pipe_file(self._at(name), content)

    def send(self, files: Mapping[str, Path]) -> None:
        """Write objects from files, by their names."""
        if not files:
            return
        with self._naming(next(iter(files))):
            self._make_room(files)
            self._system.put([str(path) for path in files.values()], [self._at(name) for name in files])

    def fetch(self, files: Mapping[str, Path]) -> None:
        """Read objects to files, by their names; one that is not there is a FileNotFoundError that names it."""
        for path in files.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._naming():
                self._system.get([self._at(name) for name in files], [str(path) for path in files.values()])
        except FileNotFoundError:
            for name in files:
                with self._naming(name):
                    if not self._system.exists(self._at(name)):
                        raise FileNotFoundError(f"{self.url}/{name}: No such object") from None
            raise

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects, as far as they are there."""
        for name in names:
            with self._naming(name):
                try:
                    self._system.rm_file(self._at(name))
                except FileNotFoundError:
                    continue

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    def _make_room(self, names: Iterable[str]) -> None:
        """Make the folders that objects lie in, where a store has such; a bucket that is not there is never made."""
        kinds = self._system.protocol
        if not _WITH_BUCKETS.isdisjoint((kinds,) if isinstance(kinds, str) else kinds):
            return
        for folder in dict.fromkeys(self._at(name).rpartition("/")[0] for name in names):
            self._system.makedirs(folder, exist_ok=True)

    @contextmanager
    def _naming(self, name: str = "") -> Iterator[None]:
        """Give errors in this block the URL that they are about."""
        place = f"{self.url}/{name}" if name else self.url
        try:
            yield
        except ImportError as error:
            raise ImportError(f"{place}: {error}") from None
        except Exception as error:
            if str(error).startswith(self.url):
                raise
            kinds = [each for each in (MemoryError, FileNotFoundError) if isinstance(error, each)]
            kind = kinds[0] if kinds else OSError
            raise kind(f"{place}: {_sentence(error)}") from None


def _sentence(error: Any) -> str:
    """Sentence of an error: libraries of stores have exceptions of their own."""
    return str(getattr(error, "strerror", None) or error) or type(error).__name__

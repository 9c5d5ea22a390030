"""Photographs that two data sets share."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol

from copypaste_rs._checks import wrong_type

if TYPE_CHECKING:
    from pathlib import Path


class ImageFiles(Protocol):
    """Data set of image files."""

    def __len__(self) -> int: ...

    def info(self, index: int, /) -> dict[str, Any]:
        """Fields of the image of an item; ``file_name`` among them."""
        ...

    def path(self, index: int, /) -> Path:
        """The image file of an item."""
        ...


def shared_images(a: ImageFiles, b: ImageFiles) -> list[tuple[int, int]]:
    """Photographs that stand in both of two data sets, such as one for training and one for validation.

    Two are the same when their annotation files have one file name for them, folders included, or when their files hold
    the same bytes. Only files of equal size are read; those that are missing are compared by name.

    Parameters
    ----------
    a, b : CocoDataset
        The data sets, or others with the methods ``info`` and ``path``.

    Returns
    -------
    list of (int, int)
        Items of `a` and of `b`, ascending.

    Raises
    ------
    TypeError
        When one of them is no data set of files.
    OSError
        When a file is there and cannot be read.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_data
    >>> shared_images(sample_data(), sample_data())
    [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]
    """
    for name, value in (("a", a), ("b", b)):
        if not all(hasattr(value, method) for method in ("__len__", "info", "path")):
            raise wrong_type(name, "a data set of image files", type(value).__name__)
    found = _alike([_name(a, i) for i in range(len(a))], [_name(b, j) for j in range(len(b))])
    paths = [a.path(i) for i in range(len(a))], [b.path(j) for j in range(len(b))]
    digests: dict[Path, bytes] = {}
    for i, j in _alike(*([_length(path) for path in side] for side in paths)) - found:
        one, other = paths[0][i], paths[1][j]
        if _digest(one, digests) == _digest(other, digests):
            found.add((i, j))
    return sorted(found)


def _alike(ours: list[Any], theirs: list[Any]) -> set[tuple[int, int]]:
    """Places of values that are equal, and not None."""
    places: dict[Any, list[int]] = {}
    for j, value in enumerate(theirs):
        places.setdefault(value, []).append(j)
    return {(i, j) for i, value in enumerate(ours) if value is not None for j in places.get(value, ())}


def _name(photos: ImageFiles, index: int) -> str | None:
    name = photos.info(index).get("file_name")
    return name.replace("\\", "/") if isinstance(name, str) else None


def _length(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _digest(path: Path, known: dict[Path, bytes]) -> bytes:
    if path not in known:
        known[path] = hashlib.sha256(path.read_bytes()).digest()
    return known[path]

"""Tar files of samples, as the package webdataset streams them; written, and not read as a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.formats.webdataset.writer import LAYOUT, WebdatasetWriter

if TYPE_CHECKING:
    from pathlib import Path


def _recognises(_: Clue) -> bool:
    """False: samples in tar files have no numbers by which they could be taken."""
    return False


def _open(path: Path, *_: Any, **__: Any) -> NoReturn:
    raise ValueError(f"{path}: expected another format than webdataset, whose tar files are streamed, not opened")


FORMAT = Format(LAYOUT.name, "tar files of webdataset", _recognises, _open, WebdatasetWriter)

"""CSV: a table of masks as runs, as competitions have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copypaste_rs.datasets.formats.csv.dataset import CsvDataset
from copypaste_rs.datasets.formats.csv.table import first_line
from copypaste_rs.datasets.formats.csv.writer import CsvWriter
from copypaste_rs.datasets.formats.kind import Clue, Format
from copypaste_rs.datasets.image_files import files_below, is_image_name

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from copypaste_rs.datasets.options import DatasetOptions


def _table(path: Path, split: str | None) -> Path | None:
    """The table that a path is or, of a folder, holds; None where it holds none, or more than one."""
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.csv"))
    if split is not None:
        found = [file for file in found if file.stem == split]
    fitting = [file for file in found if _recognises(Clue.of(file))]
    return fitting[0] if len(fitting) == 1 else None


def _recognises(clue: Clue) -> bool:
    if clue.is_folder:
        return _table(clue.path, clue.split) is not None
    return clue.path.suffix.lower() in (".csv", ".tsv") and first_line(clue.head) is not None


def _open(path: Path, images: Path | None, split: str | None, **options: Unpack[DatasetOptions]) -> CsvDataset:
    table = _table(path, split)
    if table is None:
        raise FileNotFoundError(f"{path}: expected one CSV file with images and runs in the folder; give its path")
    return CsvDataset(table, _folder(table) if images is None else images, **options)


def _folder(table: Path) -> Path:
    """The folder of images beside a table: of its name, ``images``, or that of the table itself."""
    base = table.parent
    for name in (table.stem, "images", f"{table.stem}_images", "train", "."):
        folder = base / name
        if folder.is_dir() and any(map(is_image_name, files_below(folder))):
            return folder
    raise FileNotFoundError(f"{table}: no folder beside it has images; give the folder of its images")


FORMAT = Format("csv", "CSV table of runs", _recognises, _open, CsvWriter)

"""Formats of annotations: one module each, which says how files of it are recognised, opened and written."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from copypaste_rs import _checks

if TYPE_CHECKING:
    from copypaste_rs.datasets.formats.kind import Format

NAMES = ("coco", "lvis", "coco-results", "panoptic", "yolo", "voc", "label-maps", "labelme", "csv", "backgrounds")
"""Names of the formats that are read, each that of a module in this package with a constant ``FORMAT``."""

WRITTEN_ALONE = ("webdataset",)
"""Names of formats that are written and not read."""


def format_named(name: str) -> Format:
    """The format of a name; another name is a ValueError."""
    module = _checks.choice("format", name, (*NAMES, *WRITTEN_ALONE)).replace("-", "_")
    found: Format = import_module(f"copypaste_rs.datasets.formats.{module}").FORMAT
    return found


def all_formats() -> list[Format]:
    """Formats that are read, in the order of `NAMES`."""
    return [format_named(name) for name in NAMES]

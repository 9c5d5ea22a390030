"""Contact sheets of what would be done."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.whole_file import write_whole
from copypaste_rs.visualize import contact_sheet

with extra("cli"):
    import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.sample import Sample


def preview_items(n: int, count: int, items: Sequence[int]) -> list[int]:
    """The items to show: those asked for, else `count` of the n, spread evenly."""
    if n == 0:
        raise ValueError("--annotations: expected at least one image to show, got a set without images")
    for item in items:
        if not 0 <= item < n:
            raise click.UsageError(f"--item: expected a number from 0 to {n - 1}, got {item}")
    return list(items) or [k * n // min(count, n) for k in range(min(count, n))]


def write_sheet(
    path: Path, data: CopyPasteDataset[Sample], items: Sequence[int], categories: Sequence[Mapping[str, Any]], side: int
) -> None:
    """Draw target, sources and result of some items, and put the PNG in place whole."""
    rows = []
    for item in items:
        target, sources = data.inputs(item)
        rows.append((target, sources, data.transform(target, sources, data.key(item))))
    buffer = io.BytesIO()
    contact_sheet(rows, categories=categories, side=side).save(buffer, "PNG")
    write_whole(path, [buffer.getvalue()], overwrite=True)

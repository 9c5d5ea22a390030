"""Shards in, the files of a single run out, with progress."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from copypaste_rs.cli.outputs import wrong_output
from copypaste_rs.cli.progress import progress_bar
from copypaste_rs.cli.writing import keeping
from copypaste_rs.datasets.finished_shards import finished_shards
from copypaste_rs.datasets.merging import check_apart, merge_found, writer_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from copypaste_rs.datasets.merging import Merged


def merge(roots: Sequence[Path], output: Path, *, copies: bool, overwrite: bool, resume: bool) -> Merged:
    """Merge the shards in these folders; what stands in the way of the output is wrong usage."""
    check_apart(roots, output)
    found = finished_shards(roots)
    with wrong_output(output):
        writer = writer_of(found, output, overwrite=overwrite, resume=resume)
    bar = progress_bar(len(writer), found.total)

    def advance(images: int) -> None:
        with suppress(OSError):  # the work goes on when the terminal is gone
            bar.update(images)

    try:
        with keeping(), writer:
            return merge_found(found, writer, copies=copies, progress=advance)
    finally:
        with suppress(OSError):
            bar.close()

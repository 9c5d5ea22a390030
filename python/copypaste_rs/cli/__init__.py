"""The command line, ``copypaste-rs``, and the small sample set that it can show itself on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "sample_paths"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``copypaste-rs`` and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        from copypaste_rs.cli.commands import run
    except ImportError as error:
        print(f"copypaste-rs: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(run(arguments))


def sample_paths() -> tuple[Path, Path]:
    """Annotation file and image folder of the sample set that comes with the package.

    Five photographs in the public domain, with masks; ``LICENCE.txt`` beside them says where they are from.

    Examples
    --------
    >>> annotations, images = sample_paths()
    >>> annotations.name, images.name
    ('annotations.json', 'images')
    """
    folder = Path(__file__).parent / "sample"
    return folder / "annotations.json", folder / "images"

"""The command line, ``copypaste-rs``, and the small sample set that it can show itself on."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "sample_paths"]


class TerminatedError(BaseException):
    """SIGTERM has come: like KeyboardInterrupt, no error that anybody should catch on the way."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``copypaste-rs`` and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        from copypaste_rs.cli.commands import run

        status = run(arguments)
    except ImportError as error:
        print(f"copypaste-rs: {error}", file=sys.stderr)
        status = 1
    except (KeyboardInterrupt, TerminatedError) as error:  # while the above is imported
        print("\ncopypaste-rs: interrupted", file=sys.stderr)
        status = 130 if isinstance(error, KeyboardInterrupt) else 143
    sys.exit(status)


def _terminate(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the second one ends it at once
    raise TerminatedError


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

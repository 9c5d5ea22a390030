"""Files of another output, linked or copied to a place of this one."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

_PIECE = 1 << 20


class TakenFile(NamedTuple):
    """A file of another output, with the size and the CRC that are noted of it there."""

    path: Path
    size: int
    crc: int

    def put(self, place: Path, placing: Callable[[Path], AbstractContextManager[Path]], *, copies: bool) -> bool:
        """Link it to a place, or copy it where that cannot be; whether it is a link.

        Parameters
        ----------
        place : Path
            Where it is put. What is there is replaced.
        placing : callable
            Context that gives a name to write to, and puts what was written in the place.
        copies : bool
            Whether it is copied even where it can be linked.

        Raises
        ------
        OSError
            When it is not as it was noted, or cannot be put there.
        """
        found = self.path.stat().st_size if self.path.is_file() else None
        if found != self.size:
            self._refuse("no file" if found is None else f"{found}")
        if not copies:
            with suppress(OSError):  # another file system, or one without links
                place.unlink(missing_ok=True)
                os.link(self.path, place)
                return True
        with placing(place) as part:
            self._copy(part)
        return False

    def _copy(self, part: Path) -> None:
        crc = 0
        with self.path.open("rb") as source, part.open("wb") as copy:
            while piece := source.read(_PIECE):
                crc = zlib.crc32(piece, crc)
                copy.write(piece)
        if crc != self.crc:
            self._refuse("others")

    def _refuse(self, got: str) -> None:
        raise OSError(f"{self.path}: expected the {self.size} bytes that were written, got {got}; "
                      "the command that made this shard, with --resume, makes it anew")  # fmt: skip

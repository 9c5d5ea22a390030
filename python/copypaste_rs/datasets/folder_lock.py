"""Lock of an output folder, which the system lets go of when the process ends, however it ends."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def locked(path: Path) -> IO[bytes]:
    """Lock file of an output folder, locked until it is closed; where another run has it, a BlockingIOError."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:  # Windows: a file that is open here cannot be locked twice either
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            file.close()
            raise BlockingIOError(f"{path.parent.parent}: another run is writing there") from None
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise BlockingIOError(f"{path.parent.parent}: another run is writing there") from None
    except OSError:  # a file system without locks
        pass
    return file

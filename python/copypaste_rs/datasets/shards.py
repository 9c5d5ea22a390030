"""Shards of an output: parts that are written apart, on many machines say, and merged to the files of a single run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from copypaste_rs import _checks
from copypaste_rs.datasets._extras import extra

if TYPE_CHECKING:
    from typing import SupportsIndex

with extra("coco"):
    import msgspec

SHARD = "shard"
"""Setting that says which shard an output is, and name of the note that is made when it is finished."""

SHARDS = "shards"
"""Folder in the notes of an output where shards of it may lie that are under way."""

MAX_SHARDS = 10**6


@final
@dataclass(frozen=True)
class Shard:
    """A part of an output: the items from `first` on, up to but not including `stop`, counted from 0.

    Parameters
    ----------
    number, count : int
        Which shard of how many, from 1.
    total : int
        Items of the whole output.
    unit : int
        Items that stay together, as they lie in one file.

    Raises
    ------
    ValueError, TypeError
        When a number is not one of these.

    Notes
    -----
    Shards follow one another, and differ in length by one unit at most.

    Examples
    --------
    >>> shard = Shard(2, 3, 10)
    >>> str(shard), shard.first, shard.stop
    ('2/3', 3, 6)
    """

    number: SupportsIndex
    count: SupportsIndex
    total: SupportsIndex
    unit: int = 1

    def __post_init__(self) -> None:
        _checks.integer("count", self.count, 1, MAX_SHARDS)
        _checks.integer("number", self.number, 1, int(self.count))
        _checks.integer("total", self.total, 0, 2**62)

    @property
    def first(self) -> int:
        """Number of its first item, from 0: as many items are in the shards before it."""
        return self._start(int(self.number) - 1)

    @property
    def stop(self) -> int:
        """Number of the first item after its last one."""
        return self._start(int(self.number))

    def _start(self, shards: int) -> int:
        total = int(self.total)
        return min(-(-total // self.unit) * shards // int(self.count) * self.unit, total)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


class ShardNote(msgspec.Struct):
    """Note of a finished shard about itself, beside its settings."""

    shard: str
    first: int
    stop: int
    total: int
    annotations: int
    """Number of its annotations."""
    records: int
    """Bytes of its records."""
    options: dict[str, Any]
    """Options of its format, which stand in the settings too."""
    ends: dict[str, Any]
    """Arguments of the writer that matter to the files of the end alone."""

"""Shards that were finished: read, and put in order, or refused with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.logs import whole_lines
from copypaste_rs.datasets.output import differences
from copypaste_rs.datasets.places import STATE
from copypaste_rs.datasets.records import Record
from copypaste_rs.datasets.shards import SHARD, ShardNote

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

AGAIN = "the command that made it, with --resume, goes on"


@dataclass(frozen=True)
class FinishedShard:
    """A shard whose items are all there."""

    root: Path
    number: int
    count: int
    first: int
    stop: int

    def records(self) -> Iterator[Record]:
        """Records of its items, in order."""
        decode = msgspec.json.Decoder(Record).decode
        found = self.first
        for line in whole_lines(self.root / STATE / "records"):
            try:
                record = decode(line)
            except msgspec.DecodeError:
                raise ValueError(f"{self.root}: what is noted of its images cannot be read; {AGAIN}") from None
            yield record
            found += record.images
        if found != self.stop:
            expected, got = (number - self.first for number in (self.stop, found))
            raise ValueError(f"{self.root}: expected {expected} images, got {got}; {AGAIN}")


class Shards(NamedTuple):
    """Finished shards of one output, in order."""

    shards: list[FinishedShard]
    total: int
    """Items of the whole output."""
    settings: dict[str, Any]
    """Settings of the whole output."""
    note: ShardNote
    """Note of the last shard."""


def finished_shards(roots: Sequence[Path]) -> Shards:
    """Finished shards of one output, all of them, from their folders in any order.

    Raises
    ------
    OSError, ValueError
        When a folder is no finished shard; when settings differ, a shard is missing, or is there twice.
    """
    if not roots:
        raise ValueError("directories: expected the folders of shards, got none")
    by_number: dict[int, FinishedShard] = {}
    first_text, first_root = b"", roots[0]
    last: ShardNote | None = None
    for root in roots:  # of settings, which may be long, those of one shard are held
        shard, settings, note = finished_shard(root)
        text = json_text("settings", settings)
        first_text = first_text or text
        if text != first_text:
            words, _ = differences(first_text, text)
            raise ValueError(f"{root}: expected a shard of the settings of {first_root}; {words}")
        other = next(iter(by_number.values()), shard)
        if shard.count != other.count:
            raise ValueError(
                f"{root}: expected one of {other.count} shards, as {other.root} is, got one of {shard.count}"
            )
        if (twin := by_number.get(shard.number)) is not None:
            raise ValueError(f"{root}: expected each shard once, got shard {note.shard} in {twin.root} too")
        by_number[shard.number] = shard
        if last is None or note.stop >= last.stop:
            last = note
    count = next(iter(by_number.values())).count
    if missing := [number for number in range(1, count + 1) if number not in by_number]:
        raise ValueError(_missing(missing, count))
    shards = [by_number[number] for number in range(1, count + 1)]
    assert last is not None
    stops = [0, *(shard.stop for shard in shards)]
    for shard, before in zip(shards, stops, strict=False):
        if shard.first != before:
            raise ValueError(
                f"{shard.root}: expected a shard that begins with image {before}, got {shard.first}; {AGAIN}"
            )
    return Shards(shards, last.total, msgspec.json.decode(first_text), last)


def _missing(numbers: Sequence[int], count: int) -> str:
    listed = ", ".join(map(str, numbers[:10])) + (f" and {len(numbers) - 10} more" if len(numbers) > 10 else "")
    is_one = len(numbers) == 1
    return (
        f"directories: expected all {count} shards, but {'shard' if is_one else 'shards'} {listed} "
        f"{'is' if is_one else 'are'} missing; copypaste-rs augment with the options of the others and "
        f"--shard {numbers[0]}/{count} makes {'it' if is_one else 'the first'}"
    )


def finished_shard(root: Path) -> tuple[FinishedShard, dict[str, Any], ShardNote]:
    """Finished shard in a folder, settings of the whole, and its note; what is none is a ValueError or an OSError."""
    state = root / STATE
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: expected the folder of a shard, got {'a file' if root.exists() else 'none'}")
    try:
        settings = msgspec.json.decode((state / "settings").read_bytes(), type=dict[str, Any])
        shard = settings.pop(SHARD, None)
    except FileNotFoundError:
        got = f"a folder without {STATE}, which is hidden and has to be copied too"
        raise ValueError(f"{root}: expected a shard, which augment --shard writes, got {got}") from None
    except msgspec.DecodeError:
        raise ValueError(f"{root}: the settings of the shard cannot be read; {AGAIN}") from None
    if shard is None:
        raise ValueError(f"{root}: expected a shard, which augment --shard writes, got a whole output")
    number, _, count = str(shard).partition("/")
    try:
        note = msgspec.json.decode((state / SHARD).read_bytes(), type=ShardNote)
        length = (state / "records").stat().st_size
        found = FinishedShard(root, int(number), int(count), note.first, note.stop)
    except FileNotFoundError:
        raise ValueError(f"{root}: shard {shard} is not finished; {AGAIN}") from None
    except ValueError:  # DecodeError is one
        raise ValueError(f"{root}: what is noted of shard {shard} cannot be read; {AGAIN}") from None
    if (length, shard) != (note.records, note.shard):
        raise ValueError(f"{root}: shard {shard} has changed since it was finished; {AGAIN}")
    return found, settings, note

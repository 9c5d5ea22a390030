"""Images that a part of the items of copy-paste is made of: what has to be there for it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets.partner_checks import may_have_objects

if TYPE_CHECKING:
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.datasets.shards import Shard


def needed_images(data: CopyPasteDataset[Any], shard: Shard) -> tuple[set[int], set[int]]:
    """Numbers of the images that the items of a shard need: of the targets, and of the sources, if these are others.

    Nothing is read. Of a partner whose annotations turn out to cover no pixel, for which another one is drawn, the
    other is not among them.
    """
    targets: set[int] = set()
    partners: set[int] = set()
    for number in range(shard.first, shard.stop):
        copy, i = divmod(number, len(data))
        targets.add(i)
        for numbers in data._candidates(data.key(i, copy), data._schedule.at(copy)):
            partners.update(next(([j] for j in numbers if may_have_objects(data._sources, j)), []))
    return (targets | partners if data._itself else targets), partners

"""Images that a part of the items of copy-paste is made of: what has to be there for it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets.partner_checks import may_have_objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from copypaste_rs.datasets.copy_paste import CopyPasteDataset


def needed_images(data: CopyPasteDataset[Any], items: Iterable[int]) -> tuple[set[int], set[int]]:
    """Numbers of the images that items need, copy after copy: of the targets, and of the sources, if these are others.

    Nothing is read. Of a partner whose annotations turn out to cover no pixel, for which another one is drawn, the
    other is not among them.
    """
    targets: set[int] = set()
    partners: set[int] = set()
    for number in items:
        copy, i = divmod(number, len(data))
        targets.add(i)
        for numbers in data._candidates(data.key(i, copy), data._schedule.at(copy)):
            partners.update(next(([j] for j in numbers if may_have_objects(data._sources, j)), []))
    return (targets | partners if data._itself else targets), partners

"""Jobs that libraries with pycocotools' interface share: dicts of compressed bytes in, dicts out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.peers.masks import dicts, same
from benches.peers.peer import Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from benches.peers.masks import Batch

__all__ = ["boxes", "dicts", "jobs", "one", "planes", "strings"]


def jobs(mask: Any, batch: Batch) -> dict[str, Job]:
    """The operations of the module `pycocotools.mask`, or of one like it."""
    given, others, heap = dicts(batch.masks), dicts(batch.others), dicts(batch.heap)
    crowds = [0] * len(others)
    h, w = batch.masks.size
    columns = batch.columns.transpose(1, 2, 0)

    def rasterize() -> list[dict[str, Any]]:
        return [mask.merge(mask.frPyObjects(parts, h, w)) for parts in batch.polygons]

    return {
        "area": Job(partial(mask.area, given), same),
        "box": Job(partial(mask.toBbox, given), boxes),
        "union": Job(partial(mask.merge, given), one),
        "intersection": Job(partial(mask.merge, heap, 1), one),
        "iou": Job(partial(mask.iou, given, others, crowds), same),
        "encode columns": Job(partial(mask.encode, columns), strings),
        "decode": Job(partial(mask.decode, given), planes),
        "decode rows": Job(lambda: np.ascontiguousarray(mask.decode(given).transpose(2, 0, 1)), same),
        "polygons": Job(rasterize, strings),
    }


def strings(masks: Iterable[dict[str, Any]]) -> list[bytes]:
    """The compressed bytes of several dicts."""
    return [mask["counts"] for mask in masks]


def one(mask: dict[str, Any]) -> list[bytes]:
    """The compressed bytes of one dict."""
    return [mask["counts"]]


def planes(dense: NDArray[Any]) -> NDArray[Any]:
    """Dense masks (h, w, n) as (n, h, w)."""
    return dense.transpose(2, 0, 1)


def boxes(found: Any) -> NDArray[Any]:
    """Boxes x, y, width, height as x0, y0, x1, y1."""
    table = np.asarray(found, np.float32).copy()
    table[:, 2:] += table[:, :2]
    return table

"""pycocotools: masks are dicts of compressed bytes, and every call reads them anew."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benches.peers.adapters import coco_mask
from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from benches.peers.masks import Batch


def masks(batch: Batch) -> dict[str, Job]:
    from pycocotools import _mask, mask

    jobs = coco_mask.jobs(mask, batch)
    given = coco_mask.dicts(batch.masks)
    read = _mask._frString(given)
    return {
        **jobs,
        # What its functions start and end with: nothing public does this alone.
        "parse": Job(partial(_mask._frString, given), lambda runs: coco_mask.strings(_mask._toString(runs))),
        "format": Job(partial(_mask._toString, read), coco_mask.strings),
        "encode rows": Job(lambda: mask.encode(np.asfortranarray(batch.dense.transpose(1, 2, 0))), coco_mask.strings),
    }


PEER = Peer(
    name="pycocotools",
    requirements="pycocotools",
    distributions=("pycocotools",),
    licence="BSD-2-Clause",
    runs="`pycocotools.mask` on lists of dicts of compressed bytes",
    differs="Every call reads compressed bytes and writes them. No difference, no placing.",
    masks=masks,
)

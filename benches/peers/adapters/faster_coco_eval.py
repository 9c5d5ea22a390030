"""faster-coco-eval: pycocotools' interface, in C++, and an object of runs below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benches.peers.adapters import coco_mask
from benches.peers.masks import same
from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from benches.peers.masks import Batch


def masks(batch: Batch) -> dict[str, Job]:
    from faster_coco_eval.core import mask

    view = batch.dense.transpose(1, 2, 0)
    return {
        **coco_mask.jobs(mask, batch),
        "encode rows": Job(lambda: mask.encode(np.asfortranarray(view)), coco_mask.strings),
    }


def objects(batch: Batch) -> dict[str, Job]:
    import faster_coco_eval.mask_api_new_cpp as core

    def read(runs: Any) -> list[bytes]:
        return coco_mask.strings(core._toString(runs))

    h, w = batch.masks.size
    given = core._frString(coco_mask.dicts(batch.masks))
    others, heap = (core._frString(coco_mask.dicts(m)) for m in (batch.others, batch.heap))
    texts = [each["counts"].decode() for each in coco_mask.dicts(batch.masks)]
    n = len(given)
    columns = batch.columns.transpose(1, 2, 0)
    return {
        "area": Job(lambda: [each.area() for each in given], same),
        "box": Job(lambda: core.rleToBbox(given, n), lambda found: coco_mask.boxes(np.reshape(found, (-1, 4)))),
        "union": Job(lambda: [core.RLE(given, 0)], read),
        "intersection": Job(lambda: [core.RLE(heap, 1)], read),
        "iou": Job(lambda: core.rleIou(given, others, n, n, [0] * n), lambda found: np.reshape(found, (n, n))),
        "parse": Job(lambda: [core.rleFrString(text, h, w) for text in texts], read),
        "format": Job(lambda: [core.rleToString(each) for each in given], same),
        "encode columns": Job(lambda: core.rleEncode(columns, h, w, n), read),
        "decode": Job(lambda: core.rleDecode(given), coco_mask.planes),
        "polygons": Job(
            lambda: [
                core.RLE([core.rleFrPoly(part, len(part) // 2, h, w) for part in parts], 0) for parts in batch.polygons
            ],
            read,
        ),
    }


PEER = Peer(
    name="faster-coco-eval",
    requirements="faster-coco-eval",
    distributions=("faster-coco-eval",),
    licence="Apache-2.0",
    runs="`faster_coco_eval.core.mask` on lists of dicts of compressed bytes",
    differs="As pycocotools. No difference, no placing.",
    masks=masks,
)
OBJECTS = Peer(
    name="faster-coco-eval, objects",
    requirements="faster-coco-eval",
    distributions=("faster-coco-eval",),
    licence="Apache-2.0",
    runs="the objects of runs in its extension module, which nothing public leads to",
    differs="Starts from runs, as we do. No difference, no placing.",
    masks=objects,
)

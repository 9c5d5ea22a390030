"""hotcoco: pycocotools' interface, in Rust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benches.peers.adapters import coco_mask
from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from benches.peers.masks import Batch


def masks(batch: Batch) -> dict[str, Job]:
    from hotcoco import mask

    given = coco_mask.dicts(batch.masks)
    texts = [each["counts"].decode() for each in given]
    h, w = batch.masks.size
    view = batch.dense.transpose(1, 2, 0)
    return {
        **coco_mask.jobs(mask, batch),
        "parse": Job(lambda: [mask.rle_from_string(text, h, w) for text in texts], coco_mask.strings),
        "format": Job(
            lambda: [mask.rle_to_string(each) for each in given], lambda found: [text.encode() for text in found]
        ),
        "encode rows": Job(lambda: mask.encode(view), coco_mask.strings),
    }


PEER = Peer(
    name="hotcoco",
    requirements="hotcoco",
    distributions=("hotcoco",),
    licence="MIT",
    runs="`hotcoco.mask` on lists of dicts of compressed bytes",
    differs="As pycocotools. Its parser and its writer each go from bytes to bytes. No difference, no placing.",
    masks=masks,
)

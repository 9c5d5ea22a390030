"""RLEMaskLib: an object of runs for each mask, in C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benches.peers.adapters import coco_mask
from benches.peers.masks import placements, same
from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benches.peers.masks import Batch
    from copypaste_rs import Placement


def masks(batch: Batch) -> dict[str, Job]:
    from rlemasklib import RLEMask

    def read(found: list[Any]) -> list[bytes]:
        return [each.to_dict()["counts"] for each in found]

    coco = coco_mask.dicts(batch.masks)
    given, others, heap, cut = (
        [RLEMask.from_dict(each) for each in coco_mask.dicts(m)]
        for m in (batch.masks, batch.others, batch.heap, batch.cut)
    )
    rows, columns, out = list(batch.dense), list(batch.columns), np.empty_like(batch.dense)

    def decode_into() -> NDArray[np.uint8]:
        for each, plane in zip(given, out, strict=True):
            each.decode_into(plane, fg_value=1, bg_value=0)
        return out

    def rasterize() -> list[Any]:
        size = batch.masks.size
        return [
            RLEMask.union([RLEMask.from_polygon(part, imshape=size) for part in parts])
            if len(parts) > 1
            else RLEMask.from_polygon(parts[0], imshape=size)
            for parts in batch.polygons
        ]

    return {
        "area": Job(lambda: [each.area() for each in given], same),
        "box": Job(lambda: [each.bbox() for each in given], coco_mask.boxes),
        "union": Job(lambda: [RLEMask.union(given)], read),
        "intersection": Job(lambda: [RLEMask.intersection(heap)], read),
        "difference": Job(lambda: [each - cut[0] for each in given], read),
        "iou": Job(lambda: RLEMask.iou_matrix(given, others), same),
        "parse": Job(lambda: [RLEMask.from_dict(each) for each in coco], read),
        "format": Job(lambda: [each.to_dict() for each in given], coco_mask.strings),
        "encode rows": Job(lambda: [RLEMask.from_array(plane) for plane in rows], read),
        "encode columns": Job(lambda: [RLEMask.from_array(plane) for plane in columns], read),
        "decode": Job(lambda: [each.to_array() for each in given], np.stack),
        "decode rows": Job(lambda: [each.to_array(order="C") for each in given], np.stack),
        "decode into": Job(decode_into, same),
        "polygons": Job(rasterize, read),
        **{name: place(given, placement) for name, placement in placements().items()},
    }


def place(given: list[Any], placement: Placement) -> Job:
    """One warp that mirrors, scales, moves and crops; centres of pixels on centres of pixels."""
    (h, w), (rh, rw), (y, x) = placement.input_size, placement.resized_size, placement.offset
    fy, fx = rh / h, rw / w
    matrix = np.array([[-fx, 0, rw - 1 - (fx - 1) / 2 + x], [0, fy, (fy - 1) / 2 + y]])
    return Job(
        lambda: [each.warp_affine(matrix, placement.canvas_size) for each in given],
        lambda found: np.stack([each.to_array() for each in found]),
    )


PEER = Peer(
    name="RLEMaskLib",
    requirements="rlemasklib",
    distributions=("rlemasklib",),
    licence="MIT",
    runs="`RLEMask` objects, one for each mask",
    differs="Starts from runs, as we do, in one object a mask. Placing is an affine warp with another rounding.",
    masks=masks,
)

"""One file for each peer. None of them imports its library before it is asked for jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benches.peers.adapters import (
    albumentations,
    faster_coco_eval,
    hotcoco,
    mmdetection,
    opencv,
    pillow,
    pycocotools,
    rlemasklib,
    torchvision,
    ultralytics,
)

if TYPE_CHECKING:
    from benches.peers.peer import Peer

PEERS: tuple[Peer, ...] = (
    albumentations.PEER,
    mmdetection.PEER,
    torchvision.PEER,
    ultralytics.PEER,
    opencv.PEER,
    pillow.PEER,
    pillow.PILLOW_SIMD,
    pycocotools.PEER,
    hotcoco.PEER,
    faster_coco_eval.PEER,
    faster_coco_eval.OBJECTS,
    rlemasklib.PEER,
)

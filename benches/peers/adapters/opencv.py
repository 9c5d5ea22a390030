"""OpenCV's resize."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from benches.peers.resampling import Resize


def resampling(given: Resize) -> dict[str, Job]:
    import cv2

    cv2.setNumThreads(1)
    h, w = given.size
    return {"linear": Job(lambda: cv2.resize(given.image, (w, h), interpolation=cv2.INTER_LINEAR), np.asarray)}


PEER = Peer(
    name="OpenCV",
    requirements="opencv",
    distributions=("opencv-python",),
    licence="Apache-2.0",
    runs="`resize` with `INTER_LINEAR`",
    differs="Nothing antialiased that is bilinear.",
    resampling=resampling,
)

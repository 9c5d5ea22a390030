"""An item of a data set of Supervision, from files to a scene with its detections."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import cv2
import supervision as sv

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_paths
from copypaste_rs.integrations.supervision import DetectionSamples, to_scene

OWN = ""
CANVAS = (640, 640)

cv2.setNumThreads(1)


def ours() -> Callable[[], object]:
    """Image and detections, masks dense, as annotators and writers take them."""
    annotations, images = map(str, sample_paths())
    photos = DetectionSamples(sv.DetectionDataset.from_coco(images, annotations))
    train = CopyPasteDataset(photos, SimpleCopyPaste(size=CANVAS, select="all"), seed=0, post=to_scene)
    numbers = count()
    return lambda: train[next(numbers) % len(train)]

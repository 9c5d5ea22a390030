"""An image and its labels as FiftyOne has them, pasted into, and the labels made anew."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import fiftyone as fo

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_data, sample_paths
from copypaste_rs.integrations.fiftyone import LabelledSamples, to_labels

OWN = ""
CANVAS = (640, 640)


def ours() -> Callable[[], object]:
    """Image and ``Detections``; labels were read before, images are decoded each time."""
    photos = sample_data()
    names = ["", *(category["name"] for category in photos.categories)]
    samples = [
        fo.Sample(
            filepath=str(sample_paths()[1] / photo.info["file_name"]),
            ground_truth=to_labels(photo.instances, classes=names),
        )
        for photo in photos
    ]
    labelled = LabelledSamples(samples)
    train = CopyPasteDataset(labelled, SimpleCopyPaste(size=CANVAS, select="all"), seed=0, post=labelled.labelled)
    numbers = count()
    return lambda: train[next(numbers) % len(train)]

"""How good the labels of a teacher are, where the objects of its images are known: precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from copypaste_rs import Instances
    from copypaste_rs.datasets import AnnotatedImages

IOU = 0.5
"""Intersection over union of two masks from which on a label is that object."""


def quality(labels: AnnotatedImages, truth: AnnotatedImages, images: Sequence[int]) -> dict[str, float]:
    """Share of the labels that are an object, and of the objects that have a label; crowds are neither.

    Parameters
    ----------
    labels, truth : AnnotatedImages
        Labels with a column ``score``, and objects, of data sets with the same images.
    images : sequence of int
        Numbers of the images that count.
    """
    right = found = there = 0
    for i in images:
        objects = truth.instances(i).without_crowds()
        there += len(objects)
        if labels.rows(i):
            given = labels.instances(i).without_crowds()
            found += len(given)
            right += matches(given, objects)
    return {"precision": right / max(1, found), "recall": right / max(1, there)}


def matches(labels: Instances, objects: Instances) -> int:
    """Number of labels that are an object: each takes, by score, the free one of its class that it covers best."""
    masks, known, classes = labels.masks, objects.masks, labels.labels
    if masks is None or known is None or classes is None:  # no rows
        return 0
    ious = masks.iou(known)
    ious[classes[:, None] != objects.labels] = 0
    count = 0
    for row in np.argsort(-labels.score, kind="stable"):
        if len(objects) and ious[row].max() >= IOU:
            ious[:, ious[row].argmax()] = 0
            count += 1
    return count

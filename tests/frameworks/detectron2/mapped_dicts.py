"""Mapped dicts of Detectron2: what they have to be, and whether two are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from detectron2.structures import BitMasks, Boxes, PolygonMasks

from tests.fixtures.coloured_set import SIZE, Truth, decoded

MOVING: dict[str, Any] = {"size": 64, "target_scale": (0.5, 1.5), "source_scale": (0.5, 1.5)}


def check(mapped: dict[str, Any], truth: Truth, channels: slice = slice(None, None, -1)) -> None:
    """A mapped dict: BGR, boxes that fit, classes from 0, no crowds, masks as they show."""
    assert mapped["image"].dtype == torch.uint8
    np.testing.assert_array_equal(mapped["image"].permute(1, 2, 0).numpy(), truth.image[..., channels])
    objects, found = truth.objects(), mapped["instances"]
    assert found.image_size == SIZE
    assert type(found.gt_boxes) is Boxes
    assert found.gt_boxes.tensor.dtype == torch.float32
    np.testing.assert_array_equal(found.gt_boxes.tensor.numpy(), objects.boxes)
    assert found.gt_classes.dtype == torch.int64
    np.testing.assert_array_equal(found.gt_classes.numpy(), objects.classes)
    np.testing.assert_array_equal(dense(found.gt_masks), objects.masks)
    assert "annotations" not in mapped


def dense(masks: Any) -> Any:
    """Pixels of masks of either class; polygons are filled by pycocotools, as Detectron2 does."""
    if isinstance(masks, BitMasks):
        assert masks.tensor.dtype == torch.bool
        return masks.tensor.numpy()
    assert isinstance(masks, PolygonMasks)
    return np.array([decoded([ring.tolist() for ring in rings]) for rings in masks.polygons], bool).reshape(-1, *SIZE)


def equal(first: Any, second: Any) -> bool:
    one, two = first["instances"], second["instances"]
    return bool(
        first["image_id"] == second["image_id"]
        and torch.equal(first["image"], second["image"])
        and torch.equal(one.gt_classes, two.gt_classes)
        and torch.equal(one.gt_masks.tensor, two.gt_masks.tensor)
    )

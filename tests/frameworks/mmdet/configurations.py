"""Configurations of MMDetection's data sets, and what their results have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mmdet.registry import DATASETS
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from tests.fixtures.coloured_set import CATEGORIES, SIZE, Truth

if TYPE_CHECKING:
    from tests.fixtures.coco_files import Files

LOAD = {"type": "LoadImageFromFile"}
PACK = {"type": "PackDetInputs"}
MASKS = {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True}
POLYGONS = {**MASKS, "poly2mask": False}


def coco(files: Files, *pipeline: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "CocoDataset",
        "ann_file": str(files.annotations),
        "data_prefix": {"img": str(files.images)},
        "metainfo": {"classes": tuple(each["name"] for each in CATEGORIES)},
        "pipeline": [LOAD, *pipeline],
        **more,
    }


def mixed(inner: dict[str, Any], *pipeline: dict[str, Any], **options: Any) -> Any:
    first = {"type": "CopyPasteRs", **options}
    return DATASETS.build({"type": "MultiImageMixDataset", "dataset": inner, "pipeline": [first, *pipeline]})


def check(results: dict[str, Any], truth: Truth) -> None:
    """Results before they are packed: BGR, boxes that fit, labels from 0, crowds flagged."""
    assert results["img"].dtype == np.uint8
    np.testing.assert_array_equal(results["img"], truth.image[..., ::-1])
    assert results["img_shape"] == SIZE
    masks = results["gt_masks"]
    dense = masks.masks if isinstance(masks, BitmapMasks) else masks.to_ndarray()
    np.testing.assert_array_equal(dense, truth.masks)
    assert type(results["gt_bboxes"]) is HorizontalBoxes
    assert results["gt_bboxes"].tensor.dtype == torch.float32
    np.testing.assert_array_equal(results["gt_bboxes"].tensor.numpy(), truth.boxes)
    assert results["gt_bboxes_labels"].dtype == np.int64
    np.testing.assert_array_equal(results["gt_bboxes_labels"], truth.classes)
    np.testing.assert_array_equal(results["gt_ignore_flags"], truth.crowds)


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two items before packing are equal to the byte."""
    return (
        np.array_equal(first["img"], second["img"])
        and np.array_equal(first["gt_masks"].masks, second["gt_masks"].masks)
        and np.array_equal(first["gt_bboxes_labels"], second["gt_bboxes_labels"])
    )

"""A packed item of a ``MultiImageMixDataset``, from the files: ours, and the chain of MMDetection's copy-paste."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets import sample_data, sample_paths

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = "CopyPaste"
CANVAS = (512, 512)

LOAD = {"type": "LoadImageFromFile"}
PACK = {"type": "PackDetInputs"}


def ours() -> Callable[[], object]:
    return items([LOAD], [{"type": "CopyPasteRs", "size": CANVAS, "target_scale": (0.8, 1.25),
                           "source_scale": (0.8, 1.25)}, PACK])  # fmt: skip


def own() -> Callable[[], object]:
    chain: list[dict[str, Any]] = [
        LOAD,
        {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True},
        {"type": "RandomResize", "scale": CANVAS, "ratio_range": (0.8, 1.25), "keep_ratio": True},
        {"type": "RandomCrop", "crop_type": "absolute_range", "crop_size": CANVAS, "recompute_bbox": True,
         "allow_negative_crop": True},
        {"type": "FilterAnnotations", "min_gt_bbox_wh": (1e-2, 1e-2)},
        {"type": "RandomFlip", "prob": 0.5},
        {"type": "Pad", "size": CANVAS},
    ]  # fmt: skip
    return items(chain, [{"type": "CopyPaste", "max_num_pasted": 100}, PACK])


def items(inner: list[dict[str, Any]], outer: list[dict[str, Any]]) -> Callable[[], object]:
    from mmdet.registry import DATASETS
    from mmengine.registry import init_default_scope

    import copypaste_rs.integrations.mmdet  # noqa: F401  # registers the transform

    init_default_scope("mmdet")
    annotations, images = sample_paths()
    data = {
        "type": "CocoDataset",
        "ann_file": str(annotations),
        "data_prefix": {"img": str(images)},
        "metainfo": {"classes": tuple(each["name"] for each in sample_data().categories)},
        "pipeline": inner,
    }
    made = DATASETS.build({"type": "MultiImageMixDataset", "dataset": data, "pipeline": outer})
    indices = itertools.cycle(range(len(made)))
    return lambda: made[next(indices)]

"""mmdetection: the steps of its large-scale jitter configuration, then CopyPaste."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from benches.peers.whole import Given
    from benches.rivals import Dense
    from copypaste_rs import Placement


class NoOps(ModuleType):
    """Stands for mmcv's compiled operators, which transforms import and do not use."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def stub() -> None:
    """mmcv-lite comes without `mmcv.ops`, and mmdet imports names from it."""
    import mmcv  # noqa: F401  # fails here, before anything is replaced, where it is missing

    package = NoOps("mmcv.ops")
    package.__path__ = []
    sys.modules.setdefault("mmcv.ops", package)
    sys.modules.setdefault("mmcv.ops.roi_align", NoOps("mmcv.ops.roi_align"))


def whole(given: Given) -> dict[str, Job]:
    stub()
    import torch
    from mmdet.datasets.transforms import CopyPaste

    torch.set_num_threads(1)
    paste = given.scene.plan.pastes[0]
    target, source = pipeline(given.scene.plan.target), pipeline(paste.placement)
    # Everything is pasted, and what keeps a pixel is kept, as by the others.
    copy_paste = CopyPaste(max_num_pasted=1000, bbox_occluded_thr=-1, mask_occluded_thr=0, selected=False)
    boxes = [sample.instances.masks.boxes for sample in (given.scene.target, given.scene.source)]  # type: ignore[union-attr]

    def run(steps: list[Any], results: Any) -> Any:
        for step in steps:
            results = step(results)
        return results

    def augment() -> Any:
        results = run(target, start(given.target, boxes[0]))
        results["mix_results"] = [run(source, start(given.source, boxes[1]))]
        return copy_paste(results)

    return {"augment": Job(augment, read)}


def start(sample: Dense, boxes: Any) -> dict[str, Any]:
    """Sample as MMDetection's loaders give it. Boxes are moved in place, so they are copied."""
    import torch
    from mmdet.structures.bbox import HorizontalBoxes
    from mmdet.structures.mask import BitmapMasks

    h, w = sample.image.shape[:2]
    return {
        "img": sample.image,
        "img_shape": (h, w),
        "gt_masks": BitmapMasks(sample.masks, h, w),
        "gt_bboxes": HorizontalBoxes(torch.from_numpy(boxes.copy())),
        "gt_bboxes_labels": sample.labels,
        "gt_ignore_flags": np.zeros(len(sample.labels), bool),
    }


def pipeline(place: Placement) -> list[Any]:
    """The placement in its transforms, with the plan's numbers where they would draw."""
    from mmcv.transforms import RandomFlip, Resize
    from mmdet.datasets.transforms import FilterAnnotations, Pad, RandomCrop
    from mmdet.datasets.transforms import RandomFlip as Flip
    from mmdet.datasets.transforms import Resize as ResizeAll

    assert issubclass(Flip, RandomFlip)
    assert issubclass(ResizeAll, Resize)
    (rh, rw), (ch, cw), (y, x) = place.resized_size, place.canvas_size, place.offset
    left = max(rw - cw, 0) + x if place.hflip else -x  # it crops before it mirrors

    class Crop(RandomCrop):  # type: ignore[misc]
        def _rand_offset(self, margin: tuple[int, int]) -> tuple[int, int]:
            return min(-y, margin[0]), min(left, margin[1])

    return [
        ResizeAll(scale=(rw, rh), keep_ratio=False),
        Crop((cw, ch), recompute_bbox=True, allow_negative_crop=True),
        FilterAnnotations(min_gt_bbox_wh=(1e-2, 1e-2), keep_empty=False),
        Flip(prob=float(place.hflip)),
        Pad(size=(cw, ch), pad_val={"img": (128, 128, 128), "masks": 0}),
    ]


def read(results: Any) -> tuple[Any, Any, Any]:
    return results["img"], results["gt_masks"].masks, results["gt_bboxes"].tensor.numpy()


PEER = Peer(
    name="mmdetection",
    requirements="mmdetection",
    distributions=("mmdet", "mmcv-lite", "mmengine", "torch"),
    licence="Apache-2.0",
    runs="`Resize`, `RandomCrop`, `FilterAnnotations`, `RandomFlip`, `Pad` on both images, then `CopyPaste`",
    differs="Its image comes out in int64. Bilinear. Dense masks in and out.",
    whole=whole,
)

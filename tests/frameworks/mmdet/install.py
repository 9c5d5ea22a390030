"""Stand-ins for the compiled operators of mmcv, written into the environment that runs this.

``mmcv-lite`` has no ``mmcv.ops``, and no version of mmcv with operators builds on this torch; but mmdet imports names of
them wherever it starts. What a Mask R-CNN needs in training is done by torchvision's operators, and all else is a class
that does nothing. Users have a real mmcv.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

OPERATORS = '''"""Stand-ins for the compiled operators of mmcv."""

import torch
import torchvision


class RoIAlign(torch.nn.Module):
    """What mmcv's does, by torchvision's operator."""

    def __init__(self, output_size, spatial_scale=1.0, sampling_ratio=0, pool_mode="avg", aligned=True, **_):
        super().__init__()
        self.output_size = (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
        self.spatial_scale, self.sampling_ratio, self.aligned = spatial_scale, sampling_ratio, aligned

    def forward(self, features, rois):
        ratio = self.sampling_ratio or -1
        return torchvision.ops.roi_align(features, rois, self.output_size, self.spatial_scale, ratio, self.aligned)


def roi_align(features, rois, output_size, spatial_scale=1.0, sampling_ratio=0, pool_mode="avg", aligned=True):
    """What mmcv's does, by torchvision's operator."""
    return RoIAlign(output_size, spatial_scale, sampling_ratio, pool_mode, aligned)(features, rois)


def batched_nms(boxes, scores, idxs, nms_cfg, class_agnostic=False):
    """What mmcv's does, by torchvision's operator: rows of box and score, and which were kept."""
    groups = torch.zeros_like(idxs) if class_agnostic else idxs
    kept = torchvision.ops.batched_nms(boxes, scores, groups, nms_cfg.get("iou_threshold", 0.5))
    return torch.cat([boxes[kept], scores[kept, None]], 1), kept


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (torch.nn.Module,), {})
'''

MODULES = (
    "carafe",
    "deform_conv",
    "merge_cells",
    "modulated_deform_conv",
    "multi_scale_deform_attn",
    "nms",
    "roi_align",
)

if __name__ == "__main__":
    folder = Path(sysconfig.get_path("purelib")) / "mmcv" / "ops"
    folder.mkdir(exist_ok=True)
    (folder / "stand_ins.py").write_text(OPERATORS)
    again = "from mmcv.ops import stand_ins\n\n\ndef __getattr__(name):\n    return getattr(stand_ins, name)\n"
    for name in ("__init__", *MODULES):
        (folder / f"{name}.py").write_text(again)

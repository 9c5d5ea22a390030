"""A Mask R-CNN of Detectron2, trained on what the loader gives."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from copypaste_rs import RleMasks, SimpleCopyPaste
from copypaste_rs.datasets import sample_paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("detectron2", reason="detectron2 is not installed: make test-frameworks installs it")
    import torch
    from detectron2.config import get_cfg
    from detectron2.data import DatasetCatalog, MetadataCatalog
    from detectron2.data.datasets import register_coco_instances
    from detectron2.engine import DefaultTrainer
    from detectron2.modeling import build_model
    from detectron2.utils.events import EventStorage

    from copypaste_rs.integrations.detectron2 import build_copy_paste_train_loader

pytestmark = pytest.mark.filterwarnings("ignore")

SIZE, STEPS = 128, 80


@pytest.fixture
def cfg(tmp_path: Path) -> Iterator[Any]:
    """A small Mask R-CNN on the sample data."""
    annotations, images = sample_paths()
    register_coco_instances("sample_train", {}, str(annotations), str(images))
    cfg = get_cfg()
    cfg.merge_from_list([
        "DATASETS.TRAIN", ("sample_train",), "DATASETS.TEST", (), "DATALOADER.NUM_WORKERS", 0,
        "SOLVER.IMS_PER_BATCH", 2, "SOLVER.MAX_ITER", 4, "SOLVER.BASE_LR", 0.001, "SEED", 0,
        "OUTPUT_DIR", str(tmp_path), "INPUT.MIN_SIZE_TEST", SIZE, "INPUT.MAX_SIZE_TEST", SIZE,
        "MODEL.DEVICE", "cpu", "MODEL.MASK_ON", True,
        "MODEL.BACKBONE.NAME", "build_resnet_fpn_backbone", "MODEL.BACKBONE.FREEZE_AT", 0,
        "MODEL.RESNETS.DEPTH", 18, "MODEL.RESNETS.RES2_OUT_CHANNELS", 64, "MODEL.RESNETS.NORM", "BN",
        "MODEL.RESNETS.OUT_FEATURES", ["res2", "res3", "res4", "res5"], "MODEL.PIXEL_STD", [57.4, 57.1, 58.4],
        "MODEL.FPN.IN_FEATURES", ["res2", "res3", "res4", "res5"], "MODEL.FPN.OUT_CHANNELS", 32,
        "MODEL.ANCHOR_GENERATOR.SIZES", [[16], [32], [64], [128], [256]],
        "MODEL.RPN.IN_FEATURES", ["p2", "p3", "p4", "p5", "p6"], "MODEL.RPN.BATCH_SIZE_PER_IMAGE", 64,
        "MODEL.RPN.PRE_NMS_TOPK_TRAIN", 200, "MODEL.RPN.POST_NMS_TOPK_TRAIN", 100,
        "MODEL.ROI_HEADS.NAME", "StandardROIHeads", "MODEL.ROI_HEADS.IN_FEATURES", ["p2", "p3", "p4", "p5"],
        "MODEL.ROI_HEADS.NUM_CLASSES", 7, "MODEL.ROI_HEADS.BATCH_SIZE_PER_IMAGE", 64,
        "MODEL.ROI_BOX_HEAD.NAME", "FastRCNNConvFCHead", "MODEL.ROI_BOX_HEAD.NUM_FC", 2,
        "MODEL.ROI_BOX_HEAD.FC_DIM", 128, "MODEL.ROI_BOX_HEAD.POOLER_RESOLUTION", 7,
        "MODEL.ROI_MASK_HEAD.NAME", "MaskRCNNConvUpsampleHead", "MODEL.ROI_MASK_HEAD.NUM_CONV", 2,
        "MODEL.ROI_MASK_HEAD.CONV_DIM", 32, "MODEL.ROI_MASK_HEAD.POOLER_RESOLUTION", 14,
    ])  # fmt: skip
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield cfg
    torch.set_num_threads(threads)
    DatasetCatalog.remove("sample_train")
    MetadataCatalog.remove("sample_train")


TRANSFORM = SimpleCopyPaste(
    size=SIZE, target_scale=(0.9, 1.1), source_scale=(0.6, 1.0), min_area=SIZE, min_visibility=0.3
)


@pytest.mark.parametrize("mask_format", ["polygon", "bitmask"])
def test_the_trainer_trains(cfg: Any, mask_format: str) -> None:
    """Losses are finite, with masks in either form."""

    class Trainer(DefaultTrainer):  # type: ignore[misc]
        @classmethod
        def build_train_loader(cls, cfg: Any) -> Any:
            return build_copy_paste_train_loader(cfg, TRANSFORM)

    cfg.INPUT.MASK_FORMAT = mask_format
    trainer = Trainer(cfg)
    trainer.train()
    latest = trainer.storage.latest()
    assert trainer.iter == 4
    for name in ("total_loss", "loss_cls", "loss_box_reg", "loss_mask", "loss_rpn_cls", "loss_rpn_loc"):
        assert math.isfinite(latest[name][0])


def test_right_targets_lead_to_the_objects(cfg: Any) -> None:
    """Four items until the model finds their objects, class and mask."""
    cfg.INPUT.MASK_FORMAT = "bitmask"
    loader = build_copy_paste_train_loader(cfg, TRANSFORM, seed=3)
    items = list(itertools.islice(itertools.chain.from_iterable(loader), 4))
    torch.manual_seed(0)
    model = build_model(cfg)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.0)
    for step in range(STEPS):
        model.train()
        with EventStorage(step):
            loss = sum(model(items[2 * (step % 2) : 2 * (step % 2) + 2]).values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    model.eval()
    hits = objects = 0
    for each in items:
        with torch.no_grad():
            found = model([{"image": each["image"], "height": SIZE, "width": SIZE}])[0]["instances"]
        truth = RleMasks.from_dense(each["instances"].gt_masks.tensor.numpy())
        masks = RleMasks.from_dense(found.pred_masks.numpy().reshape(-1, SIZE, SIZE))
        overlap = truth.iou(masks) * (each["instances"].gt_classes.numpy()[:, None] == found.pred_classes.numpy())
        hits += int((np.max(overlap, axis=1, initial=0) >= 0.5).sum())
        objects += len(truth)
    assert objects > 10
    assert hits >= 0.8 * objects, f"{hits} of {objects} objects were found"

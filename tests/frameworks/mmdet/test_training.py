"""A Mask R-CNN of MMDetection, trained by its runner from a configuration that imports the integration."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import RleMasks
from copypaste_rs.datasets import sample_data, sample_paths

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("mmdet", reason="mmdet is not installed: make test-frameworks installs it")
    import torch
    from mmdet.registry import DATASETS, MODELS
    from mmengine.config import Config
    from mmengine.registry import DefaultScope, init_default_scope
    from mmengine.runner import Runner

pytestmark = pytest.mark.filterwarnings("ignore")

SIZE, STEPS = 128, 80

CONFIG = """
default_scope = "mmdet"
custom_imports = dict(imports=["copypaste_rs.integrations.mmdet", "mmdet.models"], allow_failed_imports=False)
norm = dict(type="BN", requires_grad=True)
assigner = dict(type="MaxIoUAssigner", pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.3, ignore_iof_thr=0.5)
roi = dict(type="SingleRoIExtractor", out_channels=32, featmap_strides=[4, 8, 16, 32])
model = dict(
    type="MaskRCNN",
    data_preprocessor=dict(
        type="DetDataPreprocessor", mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395],
        bgr_to_rgb=False, pad_mask=True, pad_size_divisor=32),
    backbone=dict(type="ResNet", depth=18, num_stages=4, out_indices=(0, 1, 2, 3), norm_cfg=norm, frozen_stages=-1),
    neck=dict(type="FPN", in_channels=[64, 128, 256, 512], out_channels=32, num_outs=5),
    rpn_head=dict(
        type="RPNHead", in_channels=32, feat_channels=32,
        anchor_generator=dict(type="AnchorGenerator", scales=[4], ratios=[0.5, 1.0, 2.0], strides=[4, 8, 16, 32, 64]),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True), loss_bbox=dict(type="L1Loss")),
    roi_head=dict(
        type="StandardRoIHead",
        bbox_roi_extractor=dict(roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=0), **roi),
        bbox_head=dict(
            type="Shared2FCBBoxHead", in_channels=32, fc_out_channels=128, roi_feat_size=7, num_classes=NUM_CLASSES,
            bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_stds=[0.1, 0.1, 0.2, 0.2]),
            loss_cls=dict(type="CrossEntropyLoss"), loss_bbox=dict(type="L1Loss")),
        mask_roi_extractor=dict(roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=0), **roi),
        mask_head=dict(
            type="FCNMaskHead", num_convs=2, in_channels=32, conv_out_channels=32, num_classes=NUM_CLASSES,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True))),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(type="MaxIoUAssigner", pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3),
            sampler=dict(type="RandomSampler", num=64, pos_fraction=0.5, neg_pos_ub=-1, add_gt_as_proposals=False),
            allowed_border=-1, pos_weight=-1, debug=False),
        rpn_proposal=dict(nms_pre=200, max_per_img=100, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0),
        rcnn=dict(
            assigner=assigner, mask_size=28, pos_weight=-1, debug=False,
            sampler=dict(type="RandomSampler", num=64, pos_fraction=0.25, neg_pos_ub=-1, add_gt_as_proposals=True))),
    test_cfg=dict(
        rpn=dict(nms_pre=100, max_per_img=50, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0),
        rcnn=dict(score_thr=0.05, nms=dict(type="nms", iou_threshold=0.5), max_per_img=50, mask_thr_binary=0.5)))
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type="CopyPasteRsSampler"),
    batch_sampler=dict(type="AspectRatioBatchSampler"),
    dataset=dict(
        type="CopyPasteRsDataset", size=SIZE, target_scale=(0.8, 1.25), source_scale=(0.8, 1.25), min_area=16, seed=1,
        off_for_last=(1, EPOCHS), pipeline=[dict(type="PackDetInputs")],
        dataset=dict(
            type="CocoDataset", ann_file="ANNOTATIONS", data_prefix=dict(img="IMAGES"),
            metainfo=dict(classes=CLASSES), pipeline=[dict(type="LoadImageFromFile")])))
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=EPOCHS)
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="AdamW", lr=0.001), clip_grad=dict(max_norm=5.0))
default_hooks = dict(logger=dict(type="LoggerHook", interval=1), checkpoint=dict(type="CheckpointHook", interval=1000))
randomness = dict(seed=0)
log_level = "ERROR"
"""


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Any]:
    """The configuration, on the sample data, read as MMDetection's tools read one."""
    annotations, images = sample_paths()
    classes = tuple(each["name"] for each in sample_data().categories)
    words: dict[str, Any] = {
        "ANNOTATIONS": annotations,
        "IMAGES": images,
        "CLASSES": classes,
        "NUM_CLASSES": len(classes),
        "SIZE": SIZE,
        "EPOCHS": 3,
    }
    text = CONFIG
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, str(words[word]))
    path = tmp_path / "config.py"
    path.write_text(text)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    init_default_scope("mmdet")
    made = Config.fromfile(path)
    made.work_dir = str(tmp_path / "work")
    yield made
    DefaultScope._instance_dict.clear()
    torch.set_num_threads(threads)


def test_the_runner_trains(config: Any) -> None:
    """Losses are finite in epochs with pastes, and in the last one without."""
    Runner.from_cfg(config).train()
    logged = [json.loads(line) for line in next(Path(config.work_dir).rglob("scalars.json")).read_text().splitlines()]
    steps = [each for each in logged if "loss" in each]
    assert len(steps) == 3 * 3
    assert all(math.isfinite(each["loss"]) for each in steps)
    assert all({"loss_rpn_bbox", "loss_bbox", "loss_mask"} <= each.keys() for each in steps)


def test_right_targets_lead_to_the_objects(config: Any) -> None:
    """Four items until the model finds their objects, class and mask."""
    train = DATASETS.build({**config.train_dataloader.dataset, "min_area": 150, "min_visibility": 0.3})
    items = [train[5 + i] for i in range(4)]
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.0)
    for step in range(STEPS):
        model.train()
        pair = items[2 * (step % 2) : 2 * (step % 2) + 2]
        batch = {"inputs": [each["inputs"] for each in pair], "data_samples": [each["data_samples"] for each in pair]}
        data = model.data_preprocessor(copy.deepcopy(batch), True)
        loss, _ = model.parse_losses(model(**data, mode="loss"))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    model.eval()
    hits = objects = 0
    for each in items:
        sample = copy.deepcopy(each["data_samples"])
        sample.set_metainfo({"ori_shape": (SIZE, SIZE), "scale_factor": (1.0, 1.0)})
        with torch.no_grad():
            data = model.data_preprocessor({"inputs": [each["inputs"]], "data_samples": [sample]}, False)
            found = model(**data, mode="predict")[0].pred_instances
        truth = RleMasks.from_dense(each["data_samples"].gt_instances.masks.masks)
        masks = found.masks.numpy().astype(np.uint8)
        labels = each["data_samples"].gt_instances.labels.numpy()
        overlap = truth.iou(RleMasks.from_dense(masks)) * (labels[:, None] == found.labels.numpy())
        hits += int((np.max(overlap, axis=1, initial=0) >= 0.5).sum())
        objects += len(truth)
    assert objects > 10
    assert hits >= 0.8 * objects, f"{hits} of {objects} objects were found"

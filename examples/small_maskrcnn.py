"""A small Mask R-CNN of torchvision that learns from random weights, on a CPU too."""

from __future__ import annotations

from functools import partial

from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

DETECTIONS = 300
"""Objects that are found in an image, at most; COCO's own 100 are too few for images of cells."""


def small_maskrcnn(num_classes: int, size: int) -> MaskRCNN:
    """Make the model, with random weights.

    Parameters
    ----------
    num_classes : int
        Classes, with the background.
    size : int
        Side of the images that it is trained on, in pixels. The model resizes its images to that by itself, so that
        canvases of this size stay as they are.
    """
    # resnet_fpn_backbone freezes its norms and first layers otherwise, which are random here. GroupNorm, because the
    # statistics of a batch of one or two images are worth little.
    backbone = resnet_fpn_backbone(
        backbone_name="resnet18", weights=None, norm_layer=partial(nn.GroupNorm, 32), trainable_layers=5
    )
    channels, classes = backbone.out_channels, num_classes
    return MaskRCNN(
        backbone,
        min_size=size,
        max_size=size,
        rpn_anchor_generator=AnchorGenerator(((8,), (16,), (32,), (64,), (128,)), ((0.5, 1.0, 2.0),) * 5),
        rpn_post_nms_top_n_train=200,
        rpn_post_nms_top_n_test=DETECTIONS,
        box_batch_size_per_image=64,
        box_detections_per_img=DETECTIONS,
        box_head=TwoMLPHead(channels * 7 * 7, 256),
        box_predictor=FastRCNNPredictor(256, classes),
        mask_head=MaskRCNNHeads(channels, (128, 128), 1),
        mask_predictor=MaskRCNNPredictor(128, 128, classes),
    )

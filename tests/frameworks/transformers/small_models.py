"""Models of Transformers that are made in a second and trained on a processor."""

from __future__ import annotations

from typing import Any

from transformers import (
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    RfDetrConfig,
    RfDetrForInstanceSegmentation,
    SwinConfig,
)


def small_mask2former(classes: int, queries: int = 40) -> Any:
    """Mask2Former of a million parameters."""
    backbone = SwinConfig(
        image_size=128,
        embed_dim=24,
        depths=[1, 1, 1, 1],
        num_heads=[1, 2, 4, 8],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = Mask2FormerConfig(
        backbone_config=backbone,
        num_labels=classes,
        num_queries=queries,
        hidden_dim=64,
        feature_size=64,
        mask_feature_size=64,
        encoder_layers=1,
        decoder_layers=3,
        encoder_feedforward_dim=128,
        dim_feedforward=128,
        num_attention_heads=4,
        train_num_points=1024,
    )
    return Mask2FormerForUniversalSegmentation(config)


def small_rf_detr(classes: int, size: int) -> Any:
    """RF-DETR with masks, of two million parameters, for images of a size that 64 divides."""
    backbone = {
        "model_type": "rf_detr_dinov2",
        "hidden_size": 48,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "image_size": size,
        "patch_size": 16,
        "num_windows": 2,
        "window_block_indexes": [0, 2],
        "out_features": ["stage2", "stage4"],
        "out_indices": [2, 4],
    }
    config = RfDetrConfig(
        backbone_config=backbone,
        num_labels=classes,
        num_queries=30,
        group_detr=1,
        d_model=64,
        decoder_layers=2,
        decoder_ffn_dim=128,
        decoder_self_attention_heads=4,
        decoder_cross_attention_heads=4,
        intermediate_size=128,
    )
    return RfDetrForInstanceSegmentation(config)

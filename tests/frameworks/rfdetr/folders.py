"""Folders as RF-DETR reads them, and models that are made in a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rfdetr.config import RFDETRNanoConfig, RFDETRSegNanoConfig, SegmentationTrainConfig, TrainConfig

from copypaste_rs import ScaleJitter
from copypaste_rs.datasets import CopyPasteDataset, YoloWriter, sample_data, sample_paths

SIZE = 96


def roboflow_folder(folder: Path, **changes: Any) -> Path:
    """The sample data on canvases of the model's size, as Roboflow exports it; `changes` go into each annotation."""
    photos = CopyPasteDataset(sample_data(), ScaleJitter(size=SIZE, scale=(1, 1), flip=0, min_area=16))
    categories = json.loads(sample_paths()[0].read_text())["categories"]
    for split in ("train", "valid", "test"):
        (folder / split).mkdir(parents=True)
        content: dict[str, Any] = {"images": [], "annotations": [], "categories": categories}
        for i in range(len(photos)):
            sample = photos[i]
            Image.fromarray(sample.image).save(folder / split / f"{i}.png")
            content["images"].append({"id": 10 + i, "file_name": f"{i}.png", "height": SIZE, "width": SIZE})
            masks, labels = sample.instances.masks, sample.instances.labels
            assert masks is not None
            assert labels is not None
            for k, runs in enumerate(masks.to_coco()):
                x0, y0, x1, y1 = (float(each) for each in masks.boxes[k])
                content["annotations"].append(
                    {
                        "id": len(content["annotations"]) + 1,
                        "image_id": 10 + i,
                        "category_id": int(labels[k]),
                        "bbox": [x0, y0, x1 - x0, y1 - y0],
                        "area": float(masks.area[k]),
                        "iscrowd": 0,
                        "segmentation": {"size": runs["size"], "counts": runs["counts"].decode()},
                        **changes,
                    }
                )
        (folder / split / "_annotations.coco.json").write_text(json.dumps(content))
    return folder


def yolo_folder(folder: Path) -> Path:
    """The sample data as a YOLO set."""
    with YoloWriter(folder, sample_data().categories) as writer:
        for photo in sample_data():
            writer.write(photo)
    return folder


def configs(folder: Path, masks: bool = True, **options: Any) -> tuple[Any, Any]:
    """Settings of a model and its training on a processor."""
    classes = options.pop("num_classes", 7)
    sizes = {"resolution": SIZE, "positional_encoding_size": SIZE // (12 if masks else 16)}
    config = RFDETRSegNanoConfig if masks else RFDETRNanoConfig
    model = config(
        pretrain_weights=None, num_classes=classes, device="cpu", num_queries=20, group_detr=1, num_select=20, **sizes
    )
    given = {
        "dataset_dir": str(folder), "output_dir": str(folder / "out"), "epochs": 1, "batch_size": 2, "grad_accum_steps": 1,
        "num_workers": 0, "use_ema": False, "tensorboard": False, "multi_scale": False, "accelerator": "cpu",
    }  # fmt: skip
    return model, (SegmentationTrainConfig if masks else TrainConfig)(**{**given, **options})


def image_of(tensor: Any) -> Any:
    """An image as it was before it was normalised: uint8 (H, W, C)."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return np.rint((tensor.permute(1, 2, 0).numpy() * std + mean) * 255).astype(np.uint8)

"""Data sets and trainers of Ultralytics for the tests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, RleMasks, Sample
from copypaste_rs.datasets import YoloWriter, sample_data
from copypaste_rs.integrations.ultralytics import copy_paste

EVENT = "on_train_epoch_start"

STILL = {"mosaic": 0.0, "scale": 0.0, "translate": 0.0, "fliplr": 0.0, "hsv_h": 0.0, "hsv_s": 0.0, "hsv_v": 0.0}
"""Settings of a training that changes nothing about an image of the size ``imgsz``."""

SIZE = 64
RED, GREEN = (slice(8, 40), slice(4, 40)), (slice(24, 56), slice(20, 60))
"""Rows and columns of the objects of `two_photographs`; they overlap."""


def folder_of_samples(folder: Path, *, empty: bool = False) -> str:
    """The sample data as a YOLO set; with `empty` an image without objects is among them."""
    photos = sample_data()
    with YoloWriter(folder, photos.categories) as writer:
        for sample in photos:
            writer.write(sample)
        if empty:
            writer.write(Sample(np.full((90, 130, 3), 77, np.uint8), Instances()))
    return str(folder / "data.yaml")


def two_photographs(folder: Path, form: str = "png") -> str:
    """A dark image with a red object of class 0, and a grey one with a green object of class 1."""
    with YoloWriter(folder, ["red", "green"], format=form) as writer:
        for label, (place, colour, ground) in enumerate([(RED, (200, 10, 20), 30), (GREEN, (10, 180, 60), 90)]):
            image, mask = np.full((SIZE, SIZE, 3), ground, np.uint8), np.zeros((1, SIZE, SIZE), np.uint8)
            image[place], mask[0][place] = colour, 1
            writer.write(Sample(image, Instances(masks=RleMasks.from_dense(mask), labels=[label])), f"{label}.{form}")
    return str(folder / "data.yaml")


def boxes_alone(data: str) -> str:
    """The set with each outline replaced by its box, as files for detection have them."""
    for file in Path(data).parent.glob("labels/train/*.txt"):
        lines = []
        for line in file.read_text().splitlines():
            name, *numbers = line.split()
            points = np.array(numbers, float).reshape(-1, 2)
            low, high = points.min(0), points.max(0)
            lines.append(" ".join([name, *map(str, (low + high) / 2), *map(str, high - low)]) + "\n")
        file.write_text("".join(lines))
    return data


def a_trainer(data: str, *, task: str = "segment", epochs: int = 3, mode: str = "train", **settings: Any) -> Any:
    """What a callback sees of a trainer: its training set, in a loader without workers, as a new epoch begins."""
    build = pytest.importorskip("ultralytics.data.build")
    from ultralytics.cfg import get_cfg
    from ultralytics.data.utils import check_det_dataset
    from ultralytics.utils import DEFAULT_CFG

    args = get_cfg(DEFAULT_CFG, {"task": task, "epochs": epochs, **settings})
    described = check_det_dataset(data)
    dataset = build.build_yolo_dataset(args, described["train"], 2, described, mode=mode)
    loader = build.build_dataloader(dataset, batch=2, workers=0, shuffle=True)
    callbacks: dict[str, list[Any]] = {EVENT: []}
    return SimpleNamespace(
        args=args,
        data=described,
        train_loader=loader,
        epochs=epochs,
        epoch=0,
        callbacks=callbacks,
        add_callback=lambda event, call: callbacks[event].append(call),
    )


def pasting(data: str, options: dict[str, Any], **settings: Any) -> Any:
    """A training set whose transforms paste."""
    trainer = a_trainer(data, **settings)
    copy_paste(**options)(trainer)
    return trainer.train_loader.dataset

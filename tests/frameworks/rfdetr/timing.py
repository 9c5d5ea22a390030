"""Milliseconds of a sample from a folder with JPEG files to what RF-DETR's collate takes."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from rfdetr.config import RFDETRSegNanoConfig, SegmentationTrainConfig

from copypaste_rs.datasets import sample_paths
from copypaste_rs.integrations.rfdetr import CopyPasteDataModule

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = ""
CANVAS = (312, 312)


def ours() -> Callable[[], object]:
    """Items of the training split, epoch after epoch."""
    folder, (annotations, images) = Path(tempfile.mkdtemp()), sample_paths()
    for split in ("train", "valid"):
        shutil.copytree(images, folder / split)
        shutil.copy(annotations, folder / split / "_annotations.coco.json")
    model = RFDETRSegNanoConfig(pretrain_weights=None, num_classes=7, resolution=CANVAS[0])
    data = CopyPasteDataModule(model, SegmentationTrainConfig(dataset_dir=str(folder), num_workers=0), min_area=16)
    data.setup("fit")
    train, numbers = data._pasted, count()
    assert train is not None

    def sample() -> object:
        epoch, index = divmod(next(numbers), 5)
        return train[epoch, index]

    return sample

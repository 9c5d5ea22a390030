"""An item of a training set of Ultralytics, from files to tensors, beside its own copy-paste of the mode ``mixup``.

Both chains scale and shift the image, paste all objects of another photograph that they would paste, change colours and
draw masks; mosaic, which would cost both alike, is off.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import torch

from copypaste_rs.integrations.ultralytics import copy_paste
from tests.frameworks.ultralytics.loops import a_trainer, folder_of_samples

OWN = 'CopyPaste("mixup")'
CANVAS = (640, 640)
SETTINGS: dict[str, Any] = {"imgsz": CANVAS[0], "mosaic": 0.0}

cv2.setNumThreads(1)
torch.set_num_threads(1)

FOLDER = tempfile.TemporaryDirectory()


def ours() -> Callable[[], object]:
    """Items with objects pasted by the callback."""
    trainer = a_trainer(_data("ours"), **SETTINGS)
    copy_paste(select="all")(trainer)
    return _items(trainer)


def own() -> Callable[[], object]:
    """Items with objects pasted by Ultralytics: with ``copy_paste=1`` in every image."""
    return _items(a_trainer(_data("own"), **SETTINGS, copy_paste=1.0, copy_paste_mode="mixup"))


def _items(trainer: Any) -> Callable[[], object]:
    dataset, numbers = trainer.train_loader.dataset, count()
    return lambda: dataset[next(numbers) % len(dataset)]


def _data(name: str) -> str:
    return folder_of_samples(Path(FOLDER.name) / name)

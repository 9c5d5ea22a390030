"""A mapped dict, from the files; Detectron2 has no copy-paste of its own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from copypaste_rs.datasets import sample_paths

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = ""
CANVAS = (512, 512)


def ours() -> Callable[[], object]:
    from detectron2.data.datasets import load_coco_json

    from copypaste_rs import SimpleCopyPaste
    from copypaste_rs.integrations.detectron2 import CopyPasteMapper

    annotations, images = sample_paths()
    dicts = load_coco_json(str(annotations), str(images), "sample")
    transform = SimpleCopyPaste(size=CANVAS, target_scale=(0.8, 1.25), source_scale=(0.8, 1.25))
    mapper = CopyPasteMapper(dicts, transform)
    given = itertools.cycle(dicts)
    return lambda: mapper(next(given))

"""A sample in Grain: from images in memory to a row of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grain

from copypaste_rs import ForTraining, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_data
from copypaste_rs.integrations.grain import source

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = ""
CANVAS = (512, 512)


def ours() -> Callable[[], object]:
    photos = sample_data()
    kept = [photos[i] for i in range(len(photos))]
    train = CopyPasteDataset(kept, ForTraining(SimpleCopyPaste(size=CANVAS, min_area=16), layout="hwc"))
    options = grain.ReadOptions(num_threads=1, prefetch_buffer_size=1)
    items = iter(source(train).shuffle(seed=0).repeat().to_iter_dataset(options))
    return lambda: next(items)

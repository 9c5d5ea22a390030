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
    options = grain.ReadOptions(num_threads=0, prefetch_buffer_size=0)  # nothing is read ahead of what is counted
    # No shuffle: Grain's takes milliseconds for an index of so few.
    items = iter(source(train).repeat().to_iter_dataset(options))
    return lambda: next(items)

"""Milliseconds of a sample through the data module's loader, with JPEG files, to a batch for torchvision's detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copypaste_rs import ForTraining, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_data
from copypaste_rs.integrations.lightning import CopyPasteDataModule
from copypaste_rs.integrations.torch import collate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OWN = ""
CANVAS = (512, 512)


def ours() -> Callable[[], object]:
    """Batches of one sample, epoch after epoch."""
    train = CopyPasteDataset(sample_data(), ForTraining(SimpleCopyPaste(size=CANVAS, min_area=16)))
    loader = CopyPasteDataModule(train, collate_fn=collate("torchvision")).train_dataloader()

    def forever() -> Iterator[object]:
        while True:
            yield from loader

    samples = forever()
    return lambda: next(samples)

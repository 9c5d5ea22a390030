"""Milliseconds of a sample from a table of Datasets, with JPEG files, to what ``collate`` takes."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from copypaste_rs import ForTraining, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.integrations.transformers import TableSamples
from tests.frameworks.transformers.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = ""
CANVAS = (512, 512)


def ours() -> Callable[[], object]:
    """Samples of a table, large-scale jitter, and copy-paste."""
    augment = ForTraining(SimpleCopyPaste(size=CANVAS, min_area=16))
    train = CopyPasteDataset(TableSamples(table("polygons")), augment)
    numbers = count()

    def sample() -> object:
        epoch, index = divmod(next(numbers), len(train))
        return train[epoch, index]

    return sample

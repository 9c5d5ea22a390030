"""A sample of a stream: from images in memory to what a batch is made of."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from copypaste_rs import ForTraining, SimpleCopyPaste
from copypaste_rs.datasets import sample_data
from copypaste_rs.integrations.webdataset import CopyPaste

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = ""
CANVAS = (512, 512)


def ours() -> Callable[[], object]:
    photos = [photo.replace(info={"__key__": photo.info["file_name"]}) for photo in sample_data()]
    items = CopyPaste(ForTraining(SimpleCopyPaste(size=CANVAS, min_area=16)))(cycle(photos))
    return lambda: next(items)

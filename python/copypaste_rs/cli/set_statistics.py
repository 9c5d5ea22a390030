"""Statistics of a data set, before augmentation and after: replayed, in processes, without an image."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs._engine.fates import Fate
from copypaste_rs.cli.measures import Measures
from copypaste_rs.cli.parallel import ordered
from copypaste_rs.cli.progress import progress_bar
from copypaste_rs.cli.words import of_image
from copypaste_rs.datasets.counting import CountBuilder, known_names

if TYPE_CHECKING:
    from copypaste_rs.datasets.annotated import AnnotatedImages
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.datasets.paste_counts import PasteCounts
    from copypaste_rs.datasets.replay import Replay
    from copypaste_rs.sample import Sample

_NO_AREAS, _NO_BOXES = np.zeros(0, np.int64), np.zeros((0, 4), np.float32)

CHUNK = 256
"""Images that are measured at a time: a worker is asked for so many at once."""


class Statistics(NamedTuple):
    """Measures of a data set, and what copy-paste does to it."""

    before: Measures
    after: Measures
    counts: PasteCounts
    copies: int

    def to_dict(self) -> dict[str, Any]:
        """The statistics for JSON; without copies there is nothing after."""
        names = dict(zip(self.counts.labels, self.counts.names, strict=True))
        after = {"after": self.after.to_dict(names), "pasting": self.counts.to_dict()} if self.copies else {}
        return {"copies": self.copies, "before": self.before.to_dict(names), **after}


@dataclass(frozen=True, slots=True)
class Chunk:
    """The work for some images, number 0 up: those of the data set, then those of copy after copy."""

    data: CopyPasteDataset[Sample]
    photos: AnnotatedImages

    @property
    def of_copy(self) -> int:
        """Number of chunks of all images."""
        return -(-len(self.photos) // CHUNK)

    def images(self, number: int) -> range:
        """Images of a chunk."""
        start = number % self.of_copy * CHUNK
        return range(start, min(start + CHUNK, len(self.photos)))

    def __call__(self, number: int) -> Statistics:
        """Measure it."""
        before, after, builder = Measures(), Measures(), CountBuilder({})
        for i in self.images(number):
            with of_image(self.photos.info(i)["file_name"]):
                if number < self.of_copy:
                    add_photo(before, self.photos, i)
                else:
                    item = self.data._replay(number // self.of_copy - 1, i)
                    builder.add(item)
                    add_result(after, item)
        return Statistics(before, after, builder.finish(), 0)


def add_photo(measures: Measures, photos: AnnotatedImages, i: int) -> None:
    """Measure the objects of an image as they are annotated."""
    objects = photos.instances(i).without_crowds()._in_image(photos.size(i))  # boxes without outlines are rectangles
    if objects.masks is None or objects.boxes is None:
        measures.add(None, _NO_AREAS, _NO_BOXES, 0)
    else:
        measures.add(objects.labels, objects.masks.area, objects.boxes, 0)


def add_result(measures: Measures, item: Replay) -> None:
    """Measure the objects of an augmented image."""
    fates = item.fates
    kept = (fates.fate == Fate.KEPT) & ~item.crowd[item.row]
    labels = None if item.labels is None else item.labels[item.row[kept]]
    covered = int((fates.left < fates.placed)[kept].sum())
    measures.add(labels, fates.left[kept], fates.boxes[kept], covered)


def statistics(data: CopyPasteDataset[Sample], photos: AnnotatedImages, copies: int, workers: int) -> Statistics:
    """Statistics of the images of `data`, which are `photos`, and of so many copies of each."""
    work = Chunk(data, photos)
    before, after = Measures(), Measures()
    counts = CountBuilder(known_names(photos, data._sources)).finish()
    numbers = range(work.of_copy * (1 + copies))
    results = ordered(work, numbers, workers)
    bar = progress_bar(0, len(photos) * (1 + copies))
    try:
        for number, made in zip(numbers, results, strict=True):
            before += made.before
            after += made.after
            counts += made.counts
            with suppress(OSError):  # the work goes on when the terminal is gone
                bar.update(len(work.images(number)))
    finally:
        results.close()  # ends the processes
        with suppress(OSError):
            bar.close()
    labels = dict.fromkeys(before.areas)
    known = counts + CountBuilder({label: None for label in labels if label not in counts.labels}).finish()
    return Statistics(before, after, known, copies)

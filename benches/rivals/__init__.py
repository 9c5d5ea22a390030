"""Rivals of the whole transform: what a capable engineer writes with NumPy and OpenCV, as fast as it gets.

They take dense masks, as most loaders hand them over, and do what the transform does: place both images and all
masks, paste, cut, drop what is hidden, and give areas and boxes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs import Placement, Sample


class Dense(NamedTuple):
    """A sample with dense masks."""

    image: NDArray[Any]
    masks: NDArray[np.uint8]
    labels: NDArray[Any]


class Result(NamedTuple):
    """Result of a rival: rows of the target that are left, then those pasted."""

    image: NDArray[Any]
    masks: NDArray[Any]
    boxes: NDArray[np.float32]
    area: NDArray[np.int64]
    labels: NDArray[Any]


def dense(sample: Sample) -> Dense:
    """A sample as the rivals take it; not timed."""
    assert sample.instances.masks is not None
    assert sample.instances.labels is not None
    return Dense(sample.image, sample.instances.masks.to_dense(), sample.instances.labels)


class Axis(NamedTuple):
    """One axis of a placement: where on the canvas, and the nearest input sample of each position there."""

    start: int
    stop: int
    nearest: NDArray[np.int64]

    @classmethod
    def of(cls, placement: Placement, axis: int) -> Axis:
        """The rows (0) or columns (1)."""
        offset, resized = placement.offset[axis], placement.resized_size[axis]
        start, stop = max(offset, 0), min(offset + resized, placement.canvas_size[axis])
        i = np.arange(start - offset, max(stop, start) - offset)
        n = placement.input_size[axis]
        nearest = (2 * i + 1) * n // (2 * resized)
        return cls(start, max(stop, start), n - 1 - nearest if axis == 1 and placement.hflip else nearest)

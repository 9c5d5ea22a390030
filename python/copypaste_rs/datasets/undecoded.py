"""Samples whose image is decoded last.

What comes before takes a third of the time when it is done for all samples of an item at once: decoding an image leaves
neither the code nor the tables in the processor's caches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs._checks import wrong_type
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from copypaste_rs.instances import Instances


_PIXEL = bytes(1)

_OF_A_PAIR = "a Sample, which Sample(image, Instances(masks=RleMasks.from_dense(masks), labels=labels)) makes"
"""Sentence part for tuples of image and annotations, as data sets of torch and of Supervision have them."""


class UndecodedSample(NamedTuple):
    """A sample of a data set of files, but for its image, which was read and not decoded."""

    image: Callable[..., NDArray[Any]]
    """Decodes the image, or at least so many of its `rows`, from the top."""
    instances: Any
    info: dict[str, Any]
    size: tuple[int, int]
    """Height and width of the image."""

    def decoded(self, rows: int | None = None) -> Sample:
        """The sample; where `rows` are given, its image may be anything below these."""
        return Sample(self.image(rows=rows), self.instances, self.info)

    def blank(self) -> Sample:
        """The sample with a blank image, and without info."""
        return _imageless(self.size, self.instances)


def undecoded(name: str, dataset: Any, index: int) -> Sample | UndecodedSample:
    """Item `index` of a data set, undecoded where that can be; `name` is what errors call the set."""
    # Of the class: a wrapper may hand on the attributes of the data set that it takes some items of.
    take = getattr(type(dataset), "_undecoded", None)
    sample = dataset[index] if take is None else take(dataset, index)
    if type(sample) is not UndecodedSample and not isinstance(sample, Sample):
        expected = _OF_A_PAIR if isinstance(sample, tuple) else "a Sample"
        raise wrong_type((name, index), expected, type(sample).__name__)
    return sample


def _blank_image(size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image of one pixel that stands everywhere."""
    return np.ndarray(size, np.uint8, _PIXEL, strides=(0, 0))  # what `np.broadcast_to` gives, ten times as quick


def _imageless(size: tuple[int, int], instances: Instances) -> Sample:
    """Instances with a blank image of a size."""
    return Sample._trusted(_blank_image(size), instances._in_image(size), {})


def blank(sample: Sample) -> Sample:
    """The sample with an image that takes no memory, and neither info nor maps: what its masks are, and no more."""
    return Sample._trusted(_blank_image(sample.size), sample.instances, {})


def unread(name: str, dataset: Any, index: int) -> Sample:
    """Item `index` of a data set with a blank image; the file of its image is not even read where that can be."""
    take = getattr(type(dataset), "_unread", None)  # of the class, as above
    if take is not None and (parts := take(dataset, index)) is not None:
        size, instances = parts
        return _imageless(size, instances)
    return blank(decoded(undecoded(name, dataset, index)))


def decoded(sample: Sample | UndecodedSample) -> Sample:
    """The sample, decoded now where it is not yet."""
    return sample if isinstance(sample, Sample) else sample.decoded()

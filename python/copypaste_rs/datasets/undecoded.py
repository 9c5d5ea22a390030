"""Samples whose image is decoded last.

What comes before takes a third of the time when it is done for all samples of an item at once: decoding an image leaves
neither the code nor the tables in the processor's caches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs._checks import wrong_type
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class UndecodedSample(NamedTuple):
    """A sample of a data set of files, but for its image, which was read and not decoded."""

    image: Callable[[], NDArray[Any]]
    """Decodes the image."""
    instances: Any
    info: dict[str, Any]

    def decoded(self) -> Sample:
        """The sample."""
        return Sample(self.image(), self.instances, self.info)


def undecoded(name: str, dataset: Any, index: int) -> Sample | UndecodedSample:
    """Item `index` of a data set, undecoded where that can be; `name` is what errors call the set."""
    # Of the class: a wrapper may hand on the attributes of the data set that it takes some items of.
    take = getattr(type(dataset), "_undecoded", None)
    sample = dataset[index] if take is None else take(dataset, index)
    if not isinstance(sample, Sample | UndecodedSample):
        raise wrong_type((name, index), "a Sample", type(sample).__name__)
    return sample


def decoded(sample: Sample | UndecodedSample) -> Sample:
    """The sample, decoded now where it is not yet."""
    return sample if isinstance(sample, Sample) else sample.decoded()

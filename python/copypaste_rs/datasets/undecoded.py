"""Samples whose image is decoded last.

What comes before takes a third of the time when it is done for all samples of an item at once: decoding an image leaves
neither the code nor the tables in the processor's caches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs._checks import wrong_type
from copypaste_rs.sample import Sample
from copypaste_rs.transforms import ForTraining, ScaleJitter, SimpleCopyPaste

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from copypaste_rs.datasets.lent_memory import LentMemory


_SHOWN_TO = ("select", "class_weights")
"""Arguments that may be functions of the user, which see samples and may keep them."""


class UndecodedSample(NamedTuple):
    """A sample of a data set of files, but for its image, which was read and not decoded."""

    image: Callable[[LentMemory | None], NDArray[Any]]
    """Decodes the image, into memory that is lent or into memory of its own."""
    instances: Any
    info: dict[str, Any]

    def decoded(self, memory: LentMemory | None) -> Sample:
        """The sample."""
        return Sample(self.image(memory), self.instances, self.info)


def undecoded(name: str, dataset: Any, index: int) -> Sample | UndecodedSample:
    """Item `index` of a data set, undecoded where that can be; `name` is what errors call the set."""
    # Of the class: a wrapper may hand on the attributes of the data set that it takes some items of.
    take = getattr(type(dataset), "_undecoded", None)
    sample = dataset[index] if take is None else take(dataset, index)
    if type(sample) is not UndecodedSample and not isinstance(sample, Sample):
        raise wrong_type((name, index), "a Sample", type(sample).__name__)
    return sample


def decoded(sample: Sample | UndecodedSample, memory: LentMemory | None) -> Sample:
    """The sample, its image in memory that is lent, where there is any and the image can be decoded into it."""
    return sample if isinstance(sample, Sample) else sample.decoded(memory)


def keeps_no_image(transform: object) -> bool:
    """Whether a transform is known to make its items of memory of their own, and to show images to nobody."""
    inner: Any = transform.transform if type(transform) is ForTraining else transform
    if type(inner) not in (SimpleCopyPaste, ScaleJitter):
        return False
    for name in _SHOWN_TO:  # noqa: SIM110 (a generator would take longer than all else here)
        if callable(inner._arguments.get(name)):
            return False
    return True

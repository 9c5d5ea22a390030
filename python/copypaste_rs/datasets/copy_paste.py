"""Copy-paste as a map-style data set: an item is a function of seed, epoch and index, and of nothing else."""

from __future__ import annotations

import ctypes
import operator
import warnings
from collections.abc import Sequence
from multiprocessing import context, sharedctypes
from typing import TYPE_CHECKING, Any, Generic, Protocol, SupportsIndex, TypeVar, final

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._engine.planning import whole_weights
from copypaste_rs.datasets.categories import category_ids, joined_categories, moved_ids
from copypaste_rs.datasets.lent_memory import SpareMemory
from copypaste_rs.datasets.undecoded import decoded, keeps_no_image, undecoded
from copypaste_rs.transforms import ForTraining, SimpleCopyPaste

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from copypaste_rs.datasets.lent_memory import LentMemory
    from copypaste_rs.datasets.undecoded import UndecodedSample
    from copypaste_rs.sample import Sample

TRIES = 8
"""Words for each source: so many partners are looked at until one has an object to paste."""

MAX_SOURCES = 1024

MAX_SHOWN = 8
"""Weights of partners that a `repr` shows, at most."""

OFTEN = 0.01
"""A share of partners not found that is worth a warning."""

_MAX_WORD = 2**64 - 1


class Samples(Protocol):
    """Data set of samples: has a length, and a `Sample` for each index.

    With a method ``has_objects(index) -> bool`` (is there an instance that is not a crowd?) images without
    objects are passed over without being decoded. That changes the cost, not the result.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...


Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class PairTransform(Protocol[Item_co]):
    """Callable that makes an item of a target and its partners: a `SimpleCopyPaste`, or a `ForTraining` around one."""

    def __call__(self, target: Sample, sources: list[Sample], rng: tuple[int, int, int], /) -> Item_co:
        """The item."""
        ...


@final
class CopyPasteDataset(Generic[Item]):
    """Pairs each image of a data set with others and pastes their objects into it.

    Item i is `transform` of item i of `dataset` and of partners drawn from `sources`, with the key
    ``(seed, epoch, i)``, from which the partners are drawn too. So the same seed and epoch give the same items
    whatever the order, the number of workers, or how these are started. It works as it is in a
    ``torch.utils.data.DataLoader``; nothing of torch is needed or imported.

    Parameters
    ----------
    dataset : sequence of Sample
        The images that are pasted on. A method ``has_objects(index)``, where there is one, is asked before a
        partner is decoded.
    transform : SimpleCopyPaste or ForTraining
        What is done; items are what it gives.
    sources : sequence of Sample, optional
        The images whose objects are pasted; None takes them from `dataset`, another one than the item itself: a
        photograph that stands there twice, under two ids, may become its own partner. Where
        both have `categories`, a name has one id in both, and an id one name; `CocoDataset.with_categories` sees to it.
    num_sources : int
        Partners of an item, 1 to 1024. One without an object is drawn again, up to eight times, then left out.
    seed : int
        0 to 2^64 - 1.
    partner_weights : array, shape (n,), optional
        How often each of the n images of `sources` (of `dataset`, where that is None) becomes a partner, as weights:
        finite numbers of at least 0, which count as shares of the largest, in steps of 2^-20. With 0 it never does.
        None draws all alike. Objects of a partner are drawn by the transform's `class_weights`.

    Raises
    ------
    ValueError
        When an argument has a wrong value; when categories of `dataset` and `sources` contradict one another.
    TypeError
        When an argument is of another type; on access, when an item of a data set is not a `Sample`.

    Warns
    -----
    UserWarning
        When no partner exists, or all objects are boxes without outlines or pseudo-labels that are not to be pasted
        (asked by ``has_unmarked``), so that nothing can ever be pasted; when so few images have objects (asked by
        ``has_objects``) that eight draws find none for more than one partner in a hundred.

    Notes
    -----
    Call `set_epoch` before each pass over the data. The number lies in shared memory, so that worker processes
    that stay alive from one epoch to the next see it too, started by fork, spawn or forkserver. A copy made in
    another way (``pickle.dumps``, another machine) has an epoch of its own from then on.

    Examples
    --------
    >>> import numpy as np
    >>> from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (24, 32))
    >>> photos = [Sample(np.full((24, 32, 3), v, np.uint8), Instances(masks=mask, labels=[v])) for v in (50, 90)]
    >>> augment = SimpleCopyPaste(size=32, target_scale=(1.0, 1.0), source_scale=(0.5, 0.5))
    >>> train = CopyPasteDataset(photos, augment, seed=1)
    >>> train.set_epoch(3)
    >>> train[0].instances.labels
    array([50, 90])
    >>> train = CopyPasteDataset(photos[:1], augment, sources=photos, partner_weights=[1.0, 9.0])
    >>> [train.inputs(0, epoch)[1][0].instances.labels.item() for epoch in range(8)]
    [90, 90, 90, 90, 50, 90, 90, 90]
    """

    def __init__(
        self,
        dataset: Samples,
        transform: PairTransform[Item],
        *,
        sources: Samples | None = None,
        num_sources: int = 1,
        seed: int = 0,
        partner_weights: ArrayLike | None = None,
    ) -> None:
        inner: object = transform
        if isinstance(inner, ForTraining):
            inner = inner.transform
        if not isinstance(inner, SimpleCopyPaste):
            raise wrong_type("transform", "a SimpleCopyPaste", type(inner).__name__)
        self._dataset = _check_samples("dataset", dataset)
        self._itself = sources is None or sources is dataset
        self._sources = dataset if sources is None else _check_samples("sources", sources)
        if not self._itself:
            _check_categories(self._dataset, self._sources)
        self.transform = transform
        self._philox_words = inner._backend.philox_words
        self._num_sources = _checks.integer("num_sources", num_sources, 1, MAX_SOURCES)
        self._seed = _checks.integer("seed", seed, 0, _MAX_WORD)
        self._epoch = _SharedEpoch()
        self._spare = SpareMemory()
        self._weights = _PartnerWeights.of(partner_weights, len(self._sources))
        if self._weights is not None and len(self._sources) and not self._weights.total(None):
            warnings.warn("partner_weights: all are 0; nothing will be pasted", UserWarning, stacklevel=2)
        elif not self._partner_exists():
            message = (
                "sources: no image with an object that is not a crowd can become a partner; nothing will be pasted"
            )
            warnings.warn(message + _crowds_alone(self._sources), UserWarning, stacklevel=2)
        elif not _may_have_unmarked(self._sources, inner._never):
            warnings.warn(
                "sources: each object is a box without an outline or a pseudo-label, which are pasted only with "
                "paste_boxes=True and paste_pseudo=True; nothing will be pasted",
                UserWarning,
                stacklevel=2,
            )
        elif few := self._few_objects():
            warnings.warn(few, UserWarning, stacklevel=2)

    @property
    def epoch(self) -> int:
        """The epoch, 0 until `set_epoch` says otherwise."""
        return self._epoch.get()

    def set_epoch(self, epoch: SupportsIndex) -> None:
        """Say which epoch it is, 0 to 2^64 - 1; worker processes that were started from here see it at once."""
        self._epoch.set(_checks.integer("epoch", epoch, 0, _MAX_WORD))

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: SupportsIndex) -> Item:
        """The augmented item."""
        key = self.key(index)  # read once: another process may call set_epoch meanwhile
        if not keeps_no_image(self.transform):
            return self.transform(*self._inputs(key), key)
        memory = self._spare.lend()
        item = self.transform(*self._inputs(key, memory), key)
        memory.give_back()  # not after an error, whose traceback has the images
        return item

    def key(self, index: SupportsIndex, epoch: SupportsIndex | None = None) -> tuple[int, int, int]:
        """Seed, epoch (None: the one that was set) and index of an item."""
        try:
            i, n = operator.index(index), len(self)
        except TypeError:
            raise wrong_type("index", "an integer", repr(index)) from None
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of range for {n} items")
        number = self.epoch if epoch is None else _checks.integer("epoch", epoch, 0, _MAX_WORD)
        return self._seed, number, i % n

    def inputs(self, index: SupportsIndex, epoch: SupportsIndex | None = None) -> tuple[Sample, list[Sample]]:
        """Target and partners of an item: ``data[i] == data.transform(*data.inputs(i), data.key(i))``."""
        return self._inputs(self.key(index, epoch))

    def _inputs(self, key: tuple[int, int, int], memory: LentMemory | None = None) -> tuple[Sample, list[Sample]]:
        i = key[2]
        target = undecoded("dataset", self._dataset, i)
        left_out = i if self._itself else None
        weights = self._weights
        candidates = len(self._sources) - self._itself if weights is None else weights.total(left_out)
        if candidates < 1:
            return decoded(target, memory), []
        n = TRIES * self._num_sources
        words = draws.words(self._philox_words, draws.resolve(key), draws.PARTNER_STREAM, n)
        partners = []
        for start in range(0, len(words), TRIES):
            for word in words[start : start + TRIES]:
                j = draws.below(word, candidates)
                j = j + (self._itself and j >= i) if weights is None else weights.item(j, left_out)
                if (partner := self._partner(j)) is not None:
                    partners.append(partner)
                    break
        return decoded(target, memory), [decoded(partner, memory) for partner in partners]

    def _partner(self, j: int) -> Sample | UndecodedSample | None:
        if not _may_have_objects(self._sources, j):
            return None
        sample = undecoded("sources", self._sources, j)
        crowd = sample.instances.iscrowd
        none = len(sample.instances) == 0 if crowd is None else crowd.all()
        return None if none else sample

    def _partner_exists(self) -> bool:
        # Only what can be told without decoding. Two images with objects, or one and a target beside it, suffice.
        return len(self._sources) > self._itself and any(
            _may_have_objects(self._sources, j) for j in self._drawn_sources()
        )

    def _drawn_sources(self) -> Iterable[int]:
        """Sources that are drawn now and then."""
        return range(len(self._sources)) if self._weights is None else self._weights.positive()

    def _few_objects(self) -> str | None:
        ask, n, weights = getattr(self._sources, "has_objects", None), len(self._sources), self._weights
        if ask is None:
            return None
        filled = [j for j in self._drawn_sources() if ask(j)]
        share = len(filled) / n if weights is None else weights.share(filled)
        missed = (1 - share) ** TRIES
        if missed <= OFTEN:
            return None
        finding = f"an object that is not a crowd, so that {TRIES} draws find none for {missed:.0%} of the partners; "
        if weights is not None:
            return (
                f"partner_weights: only {share:.0%} of the weight is on images with {finding}give images without "
                "objects the weight 0"
            )
        return (
            f"sources: only {len(filled)} of {n} images {'has' if len(filled) == 1 else 'have'} {finding}leave images "
            "without objects out of `sources`"
        )

    def __repr__(self) -> str:
        weights = "" if self._weights is None else self._weights.shown
        return (
            f"CopyPasteDataset({len(self)} items, {self.transform!r}, seed={self._seed}, epoch={self.epoch}{weights})"
        )


class _PartnerWeights:
    """Weights of partners as running sums of integers, in which a draw finds its partner."""

    def __init__(self, weights: NDArray[np.float64]) -> None:
        # Below 2^63: each is at most 2^20, and no memory holds 2^43 of them.
        self._sums: NDArray[np.int64] = whole_weights(weights).cumsum()
        self.shown = f", partner_weights={weights.tolist()}" if len(weights) <= MAX_SHOWN else ""

    @classmethod
    def of(cls, weights: ArrayLike | None, n: int) -> _PartnerWeights | None:
        """The weights of n partners, checked, where there are any."""
        return None if weights is None else cls(_checks.draw_weights("partner_weights", weights, n))

    def positive(self) -> list[int]:
        """Numbers of the partners that have a weight."""
        found: list[int] = np.flatnonzero(self._of_each()).tolist()
        return found

    def share(self, partners: list[int]) -> float:
        """Share of some partners in the sum of all weights, which is not 0."""
        return int(self._of_each()[partners].sum()) / int(self._sums[-1])

    def _of_each(self) -> NDArray[np.int64]:
        return np.diff(self._sums, prepend=0)

    def total(self, left_out: int | None) -> int:
        """Sum of the weights, without the one that is left out."""
        if len(self._sums) == 0:
            return 0
        return int(self._sums[-1]) - (0 if left_out is None else self._weight(left_out))

    def item(self, drawn: int, left_out: int | None) -> int:
        """Number of the first partner, in order, whose running sum exceeds `drawn`."""
        if left_out is not None and drawn >= self._before(left_out):
            drawn += self._weight(left_out)
        return int(self._sums.searchsorted(drawn, side="right"))

    def _before(self, i: int) -> int:
        return int(self._sums[i - 1]) if i else 0

    def _weight(self, i: int) -> int:
        return int(self._sums[i]) - self._before(i)


class _SharedEpoch:
    """A number that worker processes share with the process that started them."""

    def __init__(self, epoch: int = 0) -> None:
        self._number = sharedctypes.RawValue(ctypes.c_uint64, epoch)

    def get(self) -> int:
        return int(self._number.value)

    def set(self, epoch: int) -> None:
        self._number.value = epoch

    def __reduce__(self) -> tuple[Any, ...]:
        # Shared memory can be handed to a process only while it is being started; a fork inherits it. A pickle
        # made for anything else takes the number along.
        if context.get_spawning_popen() is None:
            return _SharedEpoch, (self.get(),)
        return _attach, (self._number,)


def _attach(number: ctypes.c_uint64) -> _SharedEpoch:
    epoch = _SharedEpoch.__new__(_SharedEpoch)
    epoch._number = number
    return epoch


def _check_samples(name: str, dataset: Samples) -> Samples:
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise wrong_type(name, "a sequence of Sample", type(dataset).__name__)
    return dataset


def _may_have_objects(dataset: Samples, index: int) -> bool:
    ask = getattr(dataset, "has_objects", None)
    return True if ask is None else bool(ask(index))


def _check_categories(dataset: Samples, sources: Samples) -> None:
    """Check that labels mean one thing in both, where both say what they mean."""
    ours, theirs = (getattr(each, "categories", None) for each in (dataset, sources))
    try:
        category_ids("dataset", ours)
        category_ids("sources", theirs)
    except (ValueError, TypeError):  # something else of that name
        return
    assert isinstance(ours, Sequence)
    assert isinstance(theirs, Sequence)
    _, ids = joined_categories("sources", ours, theirs)
    if moved := moved_ids(theirs, ids):
        way = "; sources.with_categories(dataset.categories) joins them by name" * hasattr(sources, "with_categories")
        raise wrong("sources", "categories with the ids that they have in dataset", f"others: {moved}{way}")


def _crowds_alone(dataset: Samples) -> str:
    n = getattr(dataset, "crowds_alone", 0)
    what = "the only instance is a crowd" if n == 1 else f"all {n} instances are crowds"
    return f" ({what}; crowds='objects' of CocoDataset takes crowds as objects)" if n else ""


def _may_have_unmarked(dataset: Samples, flags: tuple[str, ...]) -> bool:
    ask = getattr(dataset, "has_unmarked", None)
    return True if ask is None or not flags else bool(ask(flags))

"""Copy-paste as a map-style data set: an item is a function of seed, epoch and index, and of nothing else."""

from __future__ import annotations

import operator
import warnings
from typing import TYPE_CHECKING, Any, Generic, Protocol, SupportsIndex, TypeAlias, TypeVar, cast, final

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._shown import call
from copypaste_rs.datasets.counting import counted, epoch_numbers, item_numbers, known_names
from copypaste_rs.datasets.needed_rows import item_of
from copypaste_rs.datasets.partner_checks import (
    check_categories,
    check_samples,
    crowds_alone,
    may_have_objects,
    may_have_unmarked,
)
from copypaste_rs.datasets.partner_weights import PartnerWeights
from copypaste_rs.datasets.replay import replayed, taken_for
from copypaste_rs.datasets.scheduling import Schedule, pasting
from copypaste_rs.datasets.shared_epoch import SharedEpoch
from copypaste_rs.datasets.undecoded import decoded, undecoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import ArrayLike

    from copypaste_rs.datasets.paste_counts import PasteCounts
    from copypaste_rs.datasets.replay import Replay
    from copypaste_rs.datasets.scheduling import AnyTransform
    from copypaste_rs.datasets.undecoded import UndecodedSample
    from copypaste_rs.sample import Sample

TRIES = 8
"""Words for each source: so many partners are looked at until one has an object to paste."""

MAX_SOURCES = 1024

OFTEN = 0.01
"""A share of partners not found that is worth a warning."""

_MAX_WORD = 2**64 - 1


Index: TypeAlias = "SupportsIndex | tuple[SupportsIndex, ...]"
"""Number of an item, or a pair of epoch and number, or both with how often the item came before in that epoch."""


class Samples(Protocol):
    """Data set of samples: has a length, and a `Sample` for each index.

    With a method ``has_objects(index) -> bool`` (is there an instance that is not a crowd?) images without
    objects are passed over without being decoded. That changes the cost, not the result.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...


Taken = TypeVar("Taken", bound="Sample | UndecodedSample")
Take: TypeAlias = "Callable[[str, Any, int], Taken]"
"""Taker of a sample: by the name of a data set, the set, and the number of the item."""

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class ItemTransform(Protocol[Item_co]):
    """Callable that makes an item: a `SimpleCopyPaste`, a `ScaleJitter`, or a `ForTraining` around one."""

    @property
    def __call__(self) -> Callable[..., Item_co]:
        """Call that makes the item."""
        ...


@final
class CopyPasteDataset(Generic[Item]):
    """Pairs each image of a data set with others and pastes their objects into it.

    Item i is `transform` of item i of `dataset` and of partners drawn from `sources`, with the key
    ``(seed, epoch, i)``, from which the partners are drawn too. So the same seed and epoch give the same items
    whatever the order, the number of workers, or how these are started. It works as it is in a
    ``torch.utils.data.DataLoader`` whose ``collate_fn`` takes samples, as those of
    `copypaste_rs.integrations.torch.collate` do; nothing of torch is needed or imported.

    Parameters
    ----------
    dataset : sequence of Sample
        The images that are pasted on. A method ``has_objects(index)``, where there is one, is asked before a
        partner is decoded.
    transform : SimpleCopyPaste, ScaleJitter or ForTraining, optional
        What is done; items are what it gives. With a `ScaleJitter` no partner is drawn and nothing is pasted: the
        baseline. None where `schedule` begins at epoch 0 or is a function: it could only say what that says.
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
    schedule : mapping of int to transform, or callable, optional
        Transforms by their first epoch, as ``{0: strong, 90: jitter}``, before which `transform` is applied; or a
        function that gives the transform of an epoch. `copypaste_rs.schedules` makes common ones.
    post : callable, optional
        What is done to each item at last, in the worker: items are what it gives. Worker processes that are spawned
        have to be able to pickle it.

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

    Or let the epoch travel with the index: ``data[epoch, index]`` is an item of any epoch, ``data[epoch, index, k]``
    another one of it, drawn anew, for samplers by which an item comes k times before in an epoch, and
    `copypaste_rs.integrations.torch.EpochSampler` gives such pairs. Where `set_epoch` was called too, the epoch of the
    index is taken, and one that differs is warned of once.

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
    >>> train[3, 0] == train[0]
    True
    >>> train = CopyPasteDataset(photos[:1], augment, sources=photos, partner_weights=[1.0, 9.0])
    >>> [train.inputs(0, epoch)[1][0].instances.labels.item() for epoch in range(8)]
    [90, 90, 90, 90, 50, 90, 90, 90]
    """

    def __init__(
        self,
        dataset: Samples,
        transform: ItemTransform[Item] | None = None,
        *,
        sources: Samples | None = None,
        num_sources: int = 1,
        seed: int = 0,
        partner_weights: ArrayLike | None = None,
        schedule: Mapping[int, ItemTransform[Item]] | Callable[[int], ItemTransform[Item]] | None = None,
        post: Callable[[Any], Any] | None = None,
    ) -> None:
        self._schedule = Schedule(transform, schedule)
        if post is not None and not callable(post):
            raise wrong_type("post", "a function", type(post).__name__)
        self._post = post
        self._dataset = check_samples("dataset", dataset)
        self._itself = sources is None or sources is dataset
        self._sources = dataset if sources is None else check_samples("sources", sources)
        if not self._itself:
            check_categories(self._dataset, self._sources)
        self._num_sources = _checks.integer("num_sources", num_sources, 1, MAX_SOURCES)
        self._seed = _checks.integer("seed", seed, 0, _MAX_WORD)
        self._epoch = SharedEpoch()
        self._weights = PartnerWeights.of(partner_weights, len(self._sources))
        known = [pasting(each) for each in self._schedule.known]
        never = [each._never for each in known if each is not None]
        if known and not never:  # jitter alone
            return
        if self._weights is not None and len(self._sources) and not self._weights.total(None):
            warnings.warn("partner_weights: all are 0; nothing will be pasted", UserWarning, stacklevel=2)
        elif not self._partner_exists():
            message = (
                "sources: no image with an object that is not a crowd can become a partner; nothing will be pasted"
            )
            warnings.warn(message + crowds_alone(self._sources), UserWarning, stacklevel=2)
        elif never and not any(may_have_unmarked(self._sources, each) for each in never):
            warnings.warn(
                "sources: each object is a box without an outline or a pseudo-label, which are pasted only with "
                "paste_boxes=True and paste_pseudo=True; nothing will be pasted",
                UserWarning,
                stacklevel=2,
            )
        elif few := self._few_objects():
            warnings.warn(few, UserWarning, stacklevel=2)

    @property
    def transform(self) -> ItemTransform[Item]:
        """The transform of the epoch that was set."""
        return self.transform_at()

    def transform_at(self, epoch: SupportsIndex | None = None) -> ItemTransform[Item]:
        """The transform of an epoch (None: the one that was set)."""
        number = self.epoch if epoch is None else _checks.integer("epoch", epoch, 0, _MAX_WORD)
        return cast("ItemTransform[Item]", self._schedule.at(number))

    @property
    def epoch(self) -> int:
        """The epoch, 0 until `set_epoch` says otherwise."""
        return self._epoch.get()

    def set_epoch(self, epoch: SupportsIndex) -> None:
        """Say which epoch it is, 0 to 2^64 - 1; worker processes that were started from here see it at once."""
        self._epoch.set(_checks.integer("epoch", epoch, 0, _MAX_WORD))

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: Index) -> Item:
        """The augmented item: of the epoch that was set, or of the first number of a pair ``(epoch, index)``."""
        key = self.key(index)  # read once: another process may call set_epoch meanwhile
        transform = self._schedule.at(key[1])
        item = item_of(transform, *self._drawn(key, transform, undecoded), key)
        return cast("Item", item if self._post is None else self._post(item))

    def key(self, index: Index, epoch: SupportsIndex | None = None) -> tuple[int, int, int]:
        """Seed, epoch (None: that of a pair ``(epoch, index)``, or the one that was set) and index of an item.

        Of ``(epoch, index, k)``, an item that came k times before in that epoch, the last number is
        ``index + k * len(data)``: drawn anew each time.
        """
        single, paired, repeat = index, isinstance(index, tuple) and len(index) in (2, 3), 0
        n = len(self)
        try:
            if isinstance(index, tuple) and paired and epoch is None:
                epoch, single, *more = index
                repeat = operator.index(more[0]) if more else 0
            i = operator.index(cast("SupportsIndex", single))
        except TypeError:
            raise wrong_type("index", "an integer, or a pair of epoch and index", repr(index)) from None
        if not 0 <= repeat <= _MAX_WORD // max(1, n) - 1:
            raise wrong("index", "how often the item came before as third number, 0 or more", repr(index))
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of range for {n} items")
        number = self.epoch if epoch is None else _checks.integer("epoch", epoch, 0, _MAX_WORD)
        if paired and self._epoch.first_contradicted_by(number):
            warnings.warn(
                f"index: its epoch {number} is taken, where set_epoch of the data set said {self.epoch}; a sampler "
                "that gives epochs counts by itself, and has a set_epoch of its own",
                UserWarning,
                stacklevel=3,
            )
        return self._seed, number, i % n + repeat * n

    def inputs(self, index: Index, epoch: SupportsIndex | None = None) -> tuple[Sample, list[Sample]]:
        """Target and partners of an item: ``data[i] == data.transform(*data.inputs(i), data.key(i))``.

        Where only scale jitter is applied there are no partners; ``data[i] == data.transform(target, data.key(i))``.
        Neither has what `post` does.
        """
        key = self.key(index, epoch)
        return self._inputs(key, self._schedule.at(key[1]))

    def _inputs(self, key: tuple[int, int, int], transform: AnyTransform) -> tuple[Sample, list[Sample]]:
        target, partners = self._drawn(key, transform, undecoded)
        return decoded(target), [decoded(partner) for partner in partners]

    def _drawn(
        self, key: tuple[int, int, int], transform: AnyTransform, take: Take[Taken]
    ) -> tuple[Taken, list[Taken]]:
        """Target and partners of an item, each as `take` takes them from a data set."""
        target = take("dataset", self._dataset, key[2] % len(self))
        partners = []
        for numbers in self._candidates(key, transform):
            for j in numbers:
                if (partner := self._partner(j, take)) is not None:
                    partners.append(partner)
                    break
        return target, partners

    def _candidates(self, key: tuple[int, int, int], transform: AnyTransform) -> Iterator[Iterator[int]]:
        """For each partner of an item, numbers of images in the order in which they are asked for an object."""
        i = key[2] % len(self)
        if (inner := pasting(transform)) is None:
            return
        left_out = i if self._itself else None
        weights = self._weights
        candidates = len(self._sources) - self._itself if weights is None else weights.total(left_out)
        if candidates < 1:
            return
        n = TRIES * self._num_sources
        words = draws.words(inner._backend.philox_words, draws.resolve(key), draws.PARTNER_STREAM, n)
        for start in range(0, len(words), TRIES):
            below = (draws.below(word, candidates) for word in words[start : start + TRIES])
            yield (j + (self._itself and j >= i) if weights is None else weights.item(j, left_out) for j in below)

    def _partner(self, j: int, take: Take[Taken]) -> Taken | None:
        if not may_have_objects(self._sources, j):
            return None
        sample = take("sources", self._sources, j)
        crowd = sample.instances.iscrowd
        none = len(sample.instances) == 0 if crowd is None else crowd.all()
        return None if none else sample

    def count(
        self, epochs: SupportsIndex | Iterable[SupportsIndex], items: Iterable[SupportsIndex] | None = None
    ) -> PasteCounts:
        """Count, by class, what is pasted, covered and dropped, without an image: it is replayed from keys and masks.

        The counts are those of the items, exactly: of the same seed, epochs and numbers, whatever epoch was set.

        Parameters
        ----------
        epochs : int or iterable of int
            The epochs: of an int n those from 0 to n - 1, which is what n epochs of training see.
        items : iterable of int, optional
            Numbers of items, each counted as often as it stands there; None for all. Counts of parts add up to those
            of the whole, so several processes can each take some.

        Returns
        -------
        PasteCounts
            Columns by class. Classes have names where `dataset` or `sources` has categories; objects without labels
            are counted under the label None.

        Raises
        ------
        ValueError
            When there is no epoch, or an epoch or item that does not exist.
        TypeError
            When these are no integers.

        Notes
        -----
        Images are decoded only where others decide by them: those of partners, for a `select` of your own, and all
        images of a data set that is not one of files. What `post` does is not counted.

        Examples
        --------
        >>> from copypaste_rs import SimpleCopyPaste
        >>> from copypaste_rs.datasets import sample_data
        >>> train = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=512, min_area=16))
        >>> train.count(20)
        PasteCounts(100 images, 0 unpasted, 7 classes, objects=600, pasted=354, covered=134, dropped=181, kept=419)
        """
        names = known_names(self._dataset, self._sources)
        return counted(self._replay, names, epoch_numbers(epochs), item_numbers(items, len(self)))

    def _replay(self, epoch: int, item: int) -> Replay:
        """Item of an epoch without its pixels."""
        key, transform = (self._seed, epoch, item), self._schedule.at(epoch)
        return replayed(transform, *self._drawn(key, transform, taken_for(transform)), key)

    def _partner_exists(self) -> bool:
        # Only what can be told without decoding. Two images with objects, or one and a target beside it, suffice.
        return len(self._sources) > self._itself and any(
            may_have_objects(self._sources, j) for j in self._drawn_sources()
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
        weights = [] if self._weights is None else self._weights.shown
        parts = [f"{len(self)} items", repr(self._schedule), f"seed={self._seed}", f"epoch={self.epoch}", *weights]
        return call("CopyPasteDataset", parts)

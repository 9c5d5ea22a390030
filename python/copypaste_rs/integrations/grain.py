"""Copy-paste in Grain: a data set with random access that knows its epochs, a random transform, and batches.

``pip install grain`` brings what is needed; nothing of JAX is imported.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.datasets._extras import needed
from copypaste_rs.integrations._class_labels import class_count, class_labels
from copypaste_rs.sample import Sample
from copypaste_rs.transforms import TrainingSample

with needed("pip install grain brings what copypaste_rs.integrations.grain needs"):
    import grain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place
    from copypaste_rs.instances import Instances

__all__ = ["CopyPaste", "PaddedBatch", "source"]

SURPLUS = ("error", "drop")

PADDING = -1
"""Label of rows that are no objects: in a one-hot encoding of JAX it becomes zeros."""


def source(train: CopyPasteDataset[Any]) -> Any:
    """A data set of Grain of the augmented items, in the place of ``grain.MapDataset.source``.

    Grain counts on from epoch to epoch: item i of epoch e of n items has the number ``e * n + i``, which ``shuffle``,
    ``repeat`` and prefetching keep. So each epoch is augmented anew, a `schedule` of the data set holds, and an item is
    ``train[e, i]``, whatever the number of threads or processes. Grain's own seeds draw the order alone; how items are
    augmented is drawn from the seed of `train`.

    Parameters
    ----------
    train : CopyPasteDataset
        The data set. What it pastes on may be a ``grain.MapDataset`` of samples.

    Returns
    -------
    grain.MapDataset
        The items, as many as `train` has in an epoch.

    Raises
    ------
    TypeError
        When `train` is no `CopyPasteDataset`.

    Examples
    --------
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import sample_data
    >>> train = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=64), seed=1)
    >>> ds = source(train).shuffle(seed=7).repeat(2)
    >>> [item.info["image_id"] for item in ds]
    [5, 1, 4, 2, 3, 2, 4, 1, 3, 5]
    >>> ds[5] == train[1, 1]
    True
    """
    return _Source(_copy_paste_dataset(train))


@final
class CopyPaste(grain.transforms.RandomMap):  # type: ignore[misc]  # Grain is not there where types are checked
    """Copy-paste as a random transform, for ``grain.DataLoader``: elements are numbers of items, not images.

    Each element is augmented with what the generator that Grain gives it draws, which depends on the seed of the
    sampler and the place in the stream, so that every epoch is augmented anew.

    Parameters
    ----------
    train : CopyPasteDataset
        The data set, whose seed counts too. It has one transform for all epochs: a loader does not say which epoch it
        is; `source` knows.

    Raises
    ------
    ValueError
        When `train` has a schedule; when called without a generator, as for a sampler without a seed.
    TypeError
        When `train` is no `CopyPasteDataset`; when an element is not the number of an item.

    Examples
    --------
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import sample_data
    >>> train = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=64))
    >>> sampler = grain.samplers.IndexSampler(len(train), shuffle=True, seed=7, num_epochs=2)
    >>> loader = grain.DataLoader(data_source=range(len(train)), sampler=sampler, operations=[CopyPaste(train)])
    >>> [item.info["image_id"] for item in loader]
    [5, 1, 4, 2, 3, 2, 4, 1, 3, 5]
    """

    def __init__(self, train: CopyPasteDataset[Any]) -> None:
        self._train = _copy_paste_dataset(train)
        if not train._schedule.is_constant:
            expected = "one transform for all epochs, as nothing says here which epoch it is (source(train) knows)"
            raise wrong("train", expected, repr(train._schedule))

    def random_map(self, element: SupportsIndex, rng: np.random.Generator | None) -> Any:
        """The augmented item of that number."""
        if rng is None:
            expected = "the generator of a sampler with a seed, as IndexSampler(..., seed=7) has it"
            raise wrong("rng", expected, "none")
        try:
            number = operator.index(element)
        except TypeError:
            expected = "the number of an item, as range(len(train)) gives it"
            raise wrong_type("element", expected, type(element).__name__) from None
        return self._train[int(rng.integers(2**63)), number]

    def __repr__(self) -> str:
        return f"CopyPaste({self._train!r})"


@final
class PaddedBatch:
    """Arrays of a batch, padded to one number of objects: the ``batch_fn`` of Grain's ``batch``.

    The batch is a dict, where B is the number of images and M that of rows, objects first:

    - ``image``, (B, H, W, C) or whatever `ForTraining` made of each image
    - ``boxes``, float32 (B, M, 4): x0, y0, x1, y1 in pixels, half-open; zeros in rows that are no objects
    - ``labels``, int32 (B, M): -1 in rows that are no objects
    - ``masks``, uint8 (B, M, H, W): 1 where the object shows; decoded from runs, so that ``ForTraining(masks="runs")``
      need not do it before; left out without `masks`
    - ``area``, float32 (B, M): pixels of each mask
    - ``valid``, bool (B, M): which rows are objects
    - ``image_id``, int64 (B,): of the samples' info, where all have an integer there

    Crowds and rows without any pixel are left out. Rows that have only a box have their rectangle as mask.

    Parameters
    ----------
    max_objects : int
        M, so that compiled functions meet one shape.
    surplus : {"error", "drop"}
        What to do with an image of more objects: refuse it, or keep the `max_objects` largest.
    num_classes : int, optional
        Classes of the model, against which labels are checked: they are 0 to ``num_classes - 1``.
    masks : bool
        Whether masks are decoded.

    Raises
    ------
    ValueError, TypeError
        When an argument is wrong; when called with samples that do not fit: the sample is named.

    Examples
    --------
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import sample_data
    >>> train = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=64, min_area=9))
    >>> batch = source(train).batch(2, batch_fn=PaddedBatch(50))[0]
    >>> {name: array.shape for name, array in batch.items()}  # doctest: +NORMALIZE_WHITESPACE
    {'image': (2, 64, 64, 3), 'boxes': (2, 50, 4), 'labels': (2, 50), 'area': (2, 50), 'valid': (2, 50),
     'masks': (2, 50, 64, 64), 'image_id': (2,)}
    """

    def __init__(
        self,
        max_objects: SupportsIndex,
        *,
        surplus: str = "error",
        num_classes: SupportsIndex | None = None,
        masks: bool | np.bool_ = True,
    ) -> None:
        self._rows = _checks.integer("max_objects", max_objects, 1, 2**31 - 1)
        self._surplus = _checks.choice("surplus", surplus, SURPLUS)
        self._num_classes = class_count(num_classes)
        self._masks = _checks.flag("masks", masks)

    def __call__(self, samples: Sequence[Sample | TrainingSample]) -> dict[str, NDArray[Any]]:
        """Make the batch."""
        items = _checks.items("samples", samples)
        kept = [self._objects(("samples", i), each) for i, each in enumerate(items)]
        for i, each in enumerate(items):
            if each.image.shape != items[0].image.shape:
                expected = f"an image of shape {items[0].image.shape}, as the first one has"
                raise wrong(("samples", i), expected, str(each.image.shape))
        n, rows = len(items), self._rows
        batch: dict[str, NDArray[Any]] = {
            "image": np.stack([each.image for each in items]),
            "boxes": np.zeros((n, rows, 4), np.float32),
            "labels": np.full((n, rows), PADDING, np.int32),
            "area": np.zeros((n, rows), np.float32),
            "valid": np.zeros((n, rows), np.bool_),
        }
        if self._masks:
            batch["masks"] = np.zeros((n, rows, *_size(items)), np.uint8)
        for i, instances in enumerate(kept):
            if count := len(instances):
                assert instances.masks is not None
                batch["boxes"][i, :count] = instances.boxes
                batch["labels"][i, :count] = instances.labels
                batch["area"][i, :count] = instances.masks.area
                batch["valid"][i, :count] = True
                if self._masks:
                    instances.masks.to_dense(out=batch["masks"][i, :count])
        numbers = [each.info.get("image_id") for each in items]
        if all(isinstance(number, int | np.integer) for number in numbers):
            batch["image_id"] = np.array(numbers, np.int64)
        return batch

    def _objects(self, place: Place, sample: Sample | TrainingSample) -> Instances:
        """The rows that are put into the batch."""
        if not isinstance(sample, Sample | TrainingSample):
            raise wrong_type(place, "a Sample or a TrainingSample", type(sample).__name__)
        instances = sample.instances.without_crowds()
        if not len(instances):
            return instances
        if instances.masks is None:
            raise wrong(place, f"masks of its {len(instances)} objects", "none")
        area = instances.masks.area
        instances, area = instances[area > 0], area[area > 0]
        if instances.labels is None:
            raise wrong(place, f"labels of its {len(instances)} objects", "none")
        class_labels(place, instances.labels, self._num_classes, way="labels='from0' of a data set counts so")
        if len(instances) > self._rows:
            if self._surplus == "error":
                expected = f"at most {self._rows} objects (surplus='drop' keeps the largest)"
                raise wrong(place, expected, str(len(instances)))
            instances = instances[np.sort(np.argsort(-area, kind="stable")[: self._rows])]
        return instances

    def __repr__(self) -> str:
        return (
            f"PaddedBatch({self._rows}, surplus={self._surplus!r}, num_classes={self._num_classes}, "
            f"masks={self._masks})"
        )


@final
class _Source(grain.MapDataset):  # type: ignore[misc]  # Grain is not there where types are checked
    """Items of all epochs, by numbers that go on from epoch to epoch."""

    def __init__(self, train: CopyPasteDataset[Any]) -> None:
        super().__init__()
        self._train = train

    def __len__(self) -> int:
        return len(self._train)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.slice(index)
        epoch, number = divmod(operator.index(index), len(self._train))
        return self._train[max(0, epoch), number]

    def __str__(self) -> str:
        return f"source({self._train!r})"


def _copy_paste_dataset(train: object) -> CopyPasteDataset[Any]:
    if not isinstance(train, CopyPasteDataset):
        raise wrong_type("train", "a CopyPasteDataset", type(train).__name__)
    return train


def _size(samples: Sequence[Sample | TrainingSample]) -> tuple[int, int]:
    """Height and width of the images: those of masks, or of the first image where there are none."""
    for each in samples:
        if (masks := each.instances.masks) is not None:
            return masks.size
    shape = samples[0].image.shape
    chw = isinstance(samples[0], TrainingSample) and len(shape) == 3
    return (shape[1], shape[2]) if chw else (shape[0], shape[1])

"""Data sets of a training run: images with labels, images with pseudo-labels, and those that are evaluated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import ForTraining, Sample, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import (
    CopyPasteDataset,
    MixedBatchSampler,
    MixedDataset,
    PseudoLabels,
    open_dataset,
    shared_images,
)
from copypaste_rs.integrations.torch import EpochSampler

if TYPE_CHECKING:
    import argparse

    from copypaste_rs.datasets import AnnotatedImages

Batch = list[tuple[int, ...]]
"""Pairs of epoch and index."""

SELECT = {"paper": "subset", "one": "one", "all": "all"}
"""Choices of objects: the random subset of the paper, or what the paper compares it with."""

MIN_AREA, MIN_VISIBILITY = 10, 0.1
"""Pixels, and share of an object that must be left, for it to be learnt from."""


class Part(Sequence[Sample]):
    """Part of a data set: some of its images."""

    def __init__(self, whole: AnnotatedImages, indices: list[int]) -> None:
        self.whole = whole
        self.indices = indices
        self.categories = whole.categories

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: int) -> Sample:  # type: ignore[override]  # no slices: they would decode
        return self.whole[self.indices[i]]

    def has_objects(self, i: int) -> bool:
        """Whether there is anything to paste; asked so that images without objects are not decoded for nothing."""
        return self.whole.has_objects(self.indices[i])


class TrainingData:
    """Data that a run learns from, and those that it is evaluated on."""

    def __init__(self, args: argparse.Namespace) -> None:
        whole = open_dataset(args.train, args.train_images, labels="from1")  # 0 is the background
        val = open_dataset(args.val, args.val_images, labels="from1").with_categories(whole.categories)
        for photos in (whole, val):
            check_images(photos)
        check_validation(args, whole, val)
        labelled, others = split(len(whole), args.fraction, args.seed)
        self.labelled, self.others = Part(whole, labelled), Part(whole, others)
        self.category_ids = dict(zip((each["id"] for each in whole.categories), whole.category_ids, strict=True))
        self.annotations = sum(whole.rows(i) for i in self.labelled.indices)
        self.pseudo_labels: dict[str, int] = {}
        self.num_classes = 1 + max(self.category_ids)
        size = {"size": args.size, "scale_reference": args.scale_reference}
        transform = ForTraining(augmentation(args, size))
        labelled_items = CopyPasteDataset(self.labelled, transform, seed=args.seed)
        self.train: CopyPasteDataset[Any] | MixedDataset = labelled_items
        if args.teacher:
            of_file = open_dataset(args.train, args.train_images)  # results have the category ids of the file
            labels = PseudoLabels.from_results(args.teacher, of_file)
            print(labels.table(), flush=True)
            pseudo = Part(labels.dataset(whole.image_folder, labels="from1"), self.others.indices)
            self.pseudo_labels = count_pseudo_labels(args.teacher, pseudo)
            # True objects are pasted into both kinds of images, those of the teacher into none.
            made = CopyPasteDataset(pseudo, transform, sources=self.labelled, seed=args.seed + 2**32)
            self.train = MixedDataset(labelled_items, made)
        # At scale 1, cut or padded to the canvas, in one way always.
        self.val = CopyPasteDataset(val, ScaleJitter(scale=(1.0, 1.0), flip=0.0, **size), seed=0)


def split(images: int, fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Numbers of images whose labels are used, and of the others, each ascending."""
    order = np.random.Generator(np.random.Philox(seed)).permutation(images)
    labelled, others = np.split(order, [math.ceil(fraction * images)])
    return np.sort(labelled).tolist(), np.sort(others).tolist()


def check_images(photos: AnnotatedImages) -> None:
    """Find out before the first step, not after hours, that image files are missing."""
    if missing := [path for i in range(len(photos)) if not (path := photos.path(i)).is_file()]:
        more = f" ({len(missing)} of {counted(len(photos), 'image')} are missing)" if len(missing) > 1 else ""
        raise FileNotFoundError(f"{missing[0]}: no such image{more}")


def check_validation(args: argparse.Namespace, train: AnnotatedImages, val: AnnotatedImages) -> None:
    """Refuse objects that no training can find, and tell of images that are trained on."""
    if unknown := set(val.unknown_labels(train.categories)):
        names = sorted(str(each.get("name", each["id"])) for each in val.categories if each["id"] in unknown)
        raise ValueError(f"{args.val}: expected objects of the categories of {args.train}, got {', '.join(names)} too")
    if shared := len({j for _, j in shared_images(train, val)}):
        print(f"warning: {shared} of {counted(len(val), 'image')} of --val are images of --train too: AP will be too "
              "high", flush=True)  # fmt: skip


def count_pseudo_labels(teacher: str, pseudo: Part) -> dict[str, int]:
    """Count what a teacher found in images without labels: objects, and images that have any.

    Raises
    ------
    ValueError
        When there is no object: all that these images show would be learnt as background.
    """
    labels = pseudo.whole
    counts = [objects_of(labels, i) for i in range(len(labels))]
    found = [counts[i] for i in pseudo.indices]
    objects, images, elsewhere = sum(found), sum(map(bool, found)), sum(counts) - sum(found)
    if not objects:
        reason = "no result has a score that makes it an object"
        if elsewhere:
            reason = f"its {counted(elsewhere, 'object')} are in images that have labels here (of another --fraction "
            reason += "or --seed?)"
        raise ValueError(f"{teacher}: expected objects in images without labels, got none: {reason}")
    print(f"teacher: {counted(objects, 'object')} in {images} of {counted(len(pseudo), 'image')} without labels",
          flush=True)  # fmt: skip
    if elsewhere:
        print(f"warning: {elsewhere} of {counted(objects + elsewhere, 'object')} of {teacher} are in images that have "
              "labels here (of another --fraction or --seed?), and are left out", flush=True)  # fmt: skip
    return {"objects": objects, "images": images}


def objects_of(labels: AnnotatedImages, i: int) -> int:
    """Number of objects of an image, without crowds."""
    return len(labels.instances(i).without_crowds()) if labels.rows(i) else 0


def counted(number: int, one: str, more: str = "") -> str:
    """Say a number of things: 1 image, 2 images."""
    return f"{number} {one if number == 1 else more or one + 's'}"


class Batches:
    """Batches of a run, epoch after epoch: pairs that a data set takes, from any step on.

    With pseudo-labels half of each batch is labelled; where a batch is one image, every other one.

    Parameters
    ----------
    train : CopyPasteDataset or MixedDataset
        Data to learn from.
    size : int
        Images of a batch.
    seed : int
        Seed of the order.
    """

    def __init__(self, train: CopyPasteDataset[Any] | MixedDataset, size: int, seed: int) -> None:
        self._size, self._start = size, 0
        self._sampler: EpochSampler | MixedBatchSampler
        if isinstance(train, MixedDataset):
            self._sampler = MixedBatchSampler(train.labelled, train.pseudo, max(2, size), seed=seed)
            self._length = len(self._sampler) * (2 if size == 1 else 1)
        else:
            self._sampler = EpochSampler(dataset=train, seed=seed)
            self._length = math.ceil(len(train) / size)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self._length

    def start_at(self, step: int) -> None:
        """Begin the next pass with that batch of all epochs together."""
        epoch, self._start = divmod(step, self._length)
        self._sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[Batch]:
        pairs: list[Any] = list(self._sampler)
        if pairs and isinstance(pairs[0], list):
            pairs = [pair for batch in pairs for pair in batch]
        start, self._start = self._start, 0
        batches = (pairs[i : i + self._size] for i in range(0, len(pairs), self._size))
        return islice(batches, start, None)


def augmentation(args: argparse.Namespace, size: dict[str, Any]) -> ScaleJitter | SimpleCopyPaste:
    """Scale jitter, alone or with copy-paste."""
    if args.copy_paste == "none":
        return ScaleJitter(scale=args.scale, min_area=MIN_AREA, **size)
    return SimpleCopyPaste(
        target_scale=args.scale,
        source_scale=args.scale,
        select=SELECT[args.copy_paste],
        blend_sigma=args.blend_sigma,
        min_area=MIN_AREA,
        min_visibility=MIN_VISIBILITY,
        **size,
    )

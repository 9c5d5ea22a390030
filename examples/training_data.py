"""Data sets of a training run: images with labels, images with pseudo-labels, and those that are evaluated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import ForTraining, Sample, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, open_dataset

if TYPE_CHECKING:
    import argparse

    from copypaste_rs.datasets import AnnotatedImages

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
        order = np.random.Generator(np.random.Philox(args.seed)).permutation(len(whole))
        labelled = math.ceil(args.fraction * len(whole))
        self.labelled = Part(whole, np.sort(order[:labelled]).tolist())
        self.others = Part(whole, np.sort(order[labelled:]).tolist())
        self.category_ids = dict(zip((each["id"] for each in whole.categories), whole.category_ids, strict=True))
        self.num_classes = 1 + max(self.category_ids)
        size = {"size": args.size, "scale_reference": args.scale_reference}
        self.train = CopyPasteDataset(self.labelled, ForTraining(augmentation(args, size)), seed=args.seed)
        # At scale 1, cut or padded to the canvas, in one way always.
        self.val = CopyPasteDataset(val, ScaleJitter(scale=(1.0, 1.0), flip=0.0, **size), seed=0)


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

"""Copy-paste for RF-DETR: a data module, and the same in ``model.train``.

``pip install 'rfdetr[train]'`` brings what is needed.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from copypaste_rs import _checks, schedules
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets._extras import needed
from copypaste_rs.datasets.copy_paste import CopyPasteDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import Instances
from copypaste_rs.integrations._class_labels import class_labels, weights_by_class, with_names
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement, Plan
from copypaste_rs.sample import Sample
from copypaste_rs.transforms import ForTraining, ScaleJitter, SimpleCopyPaste

with needed("pip install 'rfdetr[train]' brings what copypaste_rs.integrations.rfdetr needs"):
    from rfdetr import training
    from torchvision.datasets import CocoDetection

    from copypaste_rs.datasets.images import read_image
    from copypaste_rs.integrations._rank_loader import RankSampler, ResumableLoader, ranks
    from copypaste_rs.integrations.torch import OUTLINES, Collate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from copypaste_rs.transforms import TrainingSample

__all__ = ["CopyPasteDataModule", "copy_paste"]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Numbers by which RF-DETR normalises images."""


class CopyPasteDataModule(training.RFDETRDataModule):  # type: ignore[misc]  # a class without types
    """RF-DETR's data module with copy-paste in the training: in the place of ``RFDETRDataModule``.

    Images, labels and crowds are those of RF-DETR's training split, and its own transforms of them are replaced: each
    image is stretched to a square, as validation and prediction have it, unless ``square_resize_div_64=False`` of the
    training; then it is jittered, mirrored and cropped on a canvas of the model's resolution, and gets objects of
    another one.
    Boxes are tight around what is left of each object. Crowds are never pasted, and in no target, as RF-DETR has it.
    Validation and test stay as they are.

    Each epoch has other images, on any number of processes, and a run that goes on gets the batches that it would have
    got, as with `copypaste_rs.integrations.lightning.CopyPasteDataModule`. An epoch is as long as RF-DETR makes it;
    items that come again to fill it are drawn anew.

    Parameters
    ----------
    model_config, train_config
        As ``RFDETRDataModule`` takes them.
    seed : int
        Seed of the items and of their order, 0 to 2^64 - 1.
    off_for_last : int
        Epochs at the end in which nothing is pasted.
    num_sources : int
        Partners of an item, as `CopyPasteDataset` takes them.
    box_only : {"error", "keep", "drop"}
        What to do with objects that have no outline, where the model predicts masks; as `collate` takes it.
    **options
        Arguments of `SimpleCopyPaste`, without ``size``. Keys of `class_weights` are names of the categories, or the
        labels that RF-DETR makes of their ids: 0, 1, ... in the order of the ids, in most files.

    Raises
    ------
    ValueError, TypeError
        When an argument is none of these, or RF-DETR's settings ask for what copy-paste replaces; when `setup` finds a
        key of `class_weights` that is no class; in training, when an annotation cannot be read, or has a label that the
        model does not know.

    Examples
    --------
    >>> from rfdetr.config import RFDETRSegNanoConfig, SegmentationTrainConfig
    >>> model = RFDETRSegNanoConfig(pretrain_weights=None, num_classes=2)
    >>> settings = SegmentationTrainConfig(dataset_dir="leaves", num_workers=0)
    >>> CopyPasteDataModule(model, settings, min_area=16).transform.size
    312
    """

    def __init__(
        self,
        model_config: Any,
        train_config: Any,
        *,
        seed: SupportsIndex = 0,
        off_for_last: SupportsIndex = 0,
        num_sources: int = 1,
        box_only: str = "error",
        **options: Any,
    ) -> None:
        super().__init__(model_config, train_config)
        if "size" in options:
            raise wrong("size", "none, as it is the resolution of the model", repr(options["size"]))
        if model_config.use_grouppose_keypoints:
            raise wrong("model_config", "a model without keypoints", "one with use_grouppose_keypoints")
        if train_config.aug_config:
            raise wrong("train_config", "no aug_config, as copy-paste takes the place of these transforms", "one")
        self._options = {"size": model_config.resolution, **options}
        self._off_for_last = off_for_last
        self._schedule = self._scheduled({"class_weights": None} if with_names(options) else {})
        self._seed = _checks.integer("seed", seed, 0, 2**64 - 1)
        self._num_sources = _checks.integer("num_sources", num_sources, 1, 1024)
        self._box_only = Collate("detr", box_only=box_only)._box_only
        self._pasted: CopyPasteDataset[Any] | None = None

    def _scheduled(self, changes: Mapping[str, Any]) -> Any:
        """Transforms by epoch; the one that pastes is `transform` from now on."""
        self.transform = SimpleCopyPaste(**{**self._options, **changes})
        for_training = ForTraining(self.transform, mean=MEAN, std=STD, masks="runs")
        try:
            return schedules.off_for_last(self._off_for_last, self.train_config.epochs, for_training)
        except (ArgumentError, ArgumentTypeError) as error:
            raise error.renamed("off_for_last") from None

    def setup(self, stage: str) -> None:
        """Build the data sets of a stage; Lightning calls this."""
        super().setup(stage)
        if stage != "fit" or self._pasted is not None:
            return
        if self._kornia_pipeline is not None:
            raise wrong("train_config", "augmentation_backend='cpu', as images are augmented in the workers", "another")
        split = SplitSamples(self._dataset_train, square=self.train_config.square_resize_div_64)
        # Of files whose ids are the labels, the model has one output more than classes, for id 0.
        outputs = split.outputs = self.model_config.num_classes + split.ids_are_labels
        has_masks = bool(self.model_config.segmentation_head)
        split.outlines = has_masks and self._box_only == "error"
        if isinstance(weights := self._options.get("class_weights"), Mapping):
            self._schedule = self._scheduled({"class_weights": weights_by_class(weights, split.names)})
        self._pasted = CopyPasteDataset(
            split,
            schedule=self._schedule,
            num_sources=self._num_sources,
            seed=self._seed,
            post=_Item(Collate("detr", num_classes=outputs, box_only=self._box_only, masks=has_masks)),
        )
        n = sum(map(split.has_objects, range(len(split))))
        logging.getLogger("rf-detr").info("copypaste_rs: objects of %d photographs are pasted", n)

    def train_dataloader(self) -> ResumableLoader:
        """The loader of the training; Lightning calls this."""
        own = super().train_dataloader()
        if self._pasted is None:
            raise wrong_type("stage", "setup('fit') before the training loader", "none")
        sampler = RankSampler(
            self._pasted, seed=self._seed, multiple=own.batch_size, least=len(own.sampler), **ranks(self.trainer)
        )
        return ResumableLoader(
            self._pasted,
            own.batch_size,
            sampler=sampler,
            collate_fn=own.collate_fn,
            num_workers=own.num_workers,
            pin_memory=own.pin_memory,
            persistent_workers=own.persistent_workers,
            prefetch_factor=own.prefetch_factor,
            worker_init_fn=own.worker_init_fn,
        )


@contextmanager
def copy_paste(**options: Any) -> Iterator[None]:
    """Copy-paste in ``model.train(...)``, which makes its data module itself: ``with copy_paste(): model.train(...)``.

    Inside the block the name ``RFDETRDataModule`` of ``rfdetr.training`` is `CopyPasteDataModule` with these options.

    Parameters
    ----------
    **options
        As `CopyPasteDataModule` takes them.

    Raises
    ------
    ValueError, TypeError
        When ``train`` makes the data module, as there.

    Examples
    --------
    >>> with copy_paste(min_area=16, seed=1):
    ...     from rfdetr.training import RFDETRDataModule
    >>> RFDETRDataModule.func.__name__
    'CopyPasteDataModule'
    """
    own = training.RFDETRDataModule
    training.RFDETRDataModule = partial(CopyPasteDataModule, **options)
    try:
        yield
    finally:
        training.RFDETRDataModule = own


class SplitSamples:
    """A split as RF-DETR reads it, as samples: a COCO file's annotations as they stand, or items of another set.

    Parameters
    ----------
    split : data set
        What RF-DETR made of a folder.
    square : bool
        Whether images are stretched to squares, of their longer side.
    """

    outputs: int | None = None
    """Labels are less than this number, which a model has as outputs; None does not look."""

    outlines = False
    """Whether objects need outlines."""

    def __init__(self, split: Any, *, square: bool = False) -> None:
        if not (hasattr(split, "__len__") and hasattr(split, "prepare")):
            raise wrong_type("dataset_dir", "a COCO or YOLO data set", f"one that is read by {type(split).__name__}")
        self._coco = split.coco if isinstance(split, CocoDetection) else None
        self._split = copy.copy(split)
        self._split._transforms = None
        labels: Mapping[int, int] | None = getattr(split, "cat2label", None)
        self._labels = labels
        self._square = square
        self.ids_are_labels = self._coco is not None and labels is None

    @property
    def names(self) -> dict[int, str]:
        """Names of the classes by their labels."""
        if self._coco is None:
            return dict(enumerate(getattr(self._split, "classes", ())))
        labels = {number: number for number in self._coco.cats} if self._labels is None else self._labels
        return {label: self._coco.cats[number]["name"] for number, label in labels.items() if number in self._coco.cats}

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> Sample:
        sample = self._read(index)
        return stretched(sample) if self._square else sample

    def _read(self, index: int) -> Sample:
        if self._coco is None:
            return _of_item(*self._split[index])
        number = self._split.ids[index]
        record = self._coco.loadImgs(number)[0]
        path = Path(self._split.root) / record["file_name"]
        image = read_image(path)
        annotations = self._coco.imgToAnns[number]
        try:
            instances = Instances.from_coco(annotations, (image.shape[0], image.shape[1]))
        except (ArgumentError, ArgumentTypeError) as error:
            raise error.renamed(f"{path}: {error.argument}", error.index) from None
        if self._labels is not None and instances.labels is not None:
            unknown = set(instances.labels.tolist()) - set(self._labels)
            if unknown:
                raise wrong(str(path), "categories that RF-DETR has a label for", f"category_id {min(unknown)}")
            instances = instances.replace(labels=[self._labels[each] for each in instances.labels.tolist()])
        self._check(str(path), instances.without_crowds())
        return Sample(image, instances, {"image_id": int(number)})

    def _check(self, path: str, rows: Instances) -> None:
        """Refuse what the batch would refuse too, which no longer knows the file: an object may have been pasted."""
        class_labels(path, rows.labels, self.outputs)
        if self.outlines and rows.box_only is not None and rows.masks is not None:
            without = rows.box_only & (rows.masks.area > 0)
            if without.any():
                raise wrong(path, OUTLINES, f"{int(without.sum())} that have only a box")

    def has_objects(self, index: int) -> bool:
        """Whether an image has an object that is not a crowd; of a set that is no COCO file it may have."""
        if self._coco is None:
            return True
        return any(not each.get("iscrowd") for each in self._coco.imgToAnns[self._split.ids[index]])


def stretched(sample: Sample) -> Sample:
    """A sample on a square of its longer side, as RF-DETR squeezes images that it validates or predicts on."""
    side = max(sample.size)
    if sample.size == (side, side):
        return sample
    square = (side, side)
    return _on_square(side).apply(Plan(Placement(sample.size, square, (0, 0), square)), sample)


@lru_cache(maxsize=64)
def _on_square(side: int) -> ScaleJitter:
    return ScaleJitter(size=side)


class _Item:
    """Image and target of RF-DETR, of a result; it pickles, for workers that are spawned."""

    def __init__(self, collate: Collate) -> None:
        self._collate = collate

    def __call__(self, sample: TrainingSample) -> tuple[Any, dict[str, Any]]:
        image, target = self._collate._detr_item("sample", sample)
        target["labels"] = target.pop("class_labels")
        return image, target


def _of_item(picture: Any, target: Mapping[str, Any]) -> Sample:
    """An item of RF-DETR before its transforms: boxes are corners in pixels, and crowds are out already."""
    image, boxes = np.asarray(picture.convert("RGB")), np.asarray(target["boxes"], np.float32)
    columns: dict[str, Any] = {"labels": np.asarray(target["labels"])}
    if "masks" in target:
        columns["masks"] = RleMasks.from_dense(np.asarray(target["masks"]), size=image.shape[:2])
    elif len(boxes):
        columns["boxes"] = boxes
    else:
        columns["masks"] = RleMasks.empty(image.shape[:2])
    return Sample(image, Instances(**columns), {"image_id": int(np.ravel(target["image_id"])[0])})

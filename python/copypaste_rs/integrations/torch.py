"""Batches of torch tensors for data loaders, in the forms that detection models take, and the epoch of each index.

``pip install torch torchvision`` brings what is needed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.box_formats import convert_boxes
from copypaste_rs.datasets._extras import needed
from copypaste_rs.functional import convert_image
from copypaste_rs.instances import Instances
from copypaste_rs.integrations._class_labels import class_count, class_labels
from copypaste_rs.integrations.epoch_sampler import EpochSampler
from copypaste_rs.integrations.object_columns import checked_names, object_columns
from copypaste_rs.masks import RleMasks
from copypaste_rs.sample import Sample
from copypaste_rs.transforms import TrainingSample

with needed("pip install torch torchvision brings what copypaste_rs.integrations needs"):
    import torch
    from torch.utils.data import default_collate
    from torch.utils.data._utils.collate import default_collate_fn_map  # where torch's documentation says to add to it

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place

__all__ = ["Collate", "EpochSampler", "collate"]

FORMS = ("torchvision", "mask2former", "detr")
BOX_ONLY = ("error", "keep", "drop")
OUTLINES = "outlines of all objects (box_only='keep' takes rectangles, 'drop' leaves such objects out)"
"""Expectation of masks with ``box_only="error"``."""


MADE = frozenset({"masks", "boxes", "labels", "iscrowd", "area"})
"""Names that a column for the targets cannot have, beside those that a form of batches has."""

NAMES = {
    "torchvision": frozenset({"image_id"}),
    "mask2former": frozenset({"pixel_values", "mask_labels", "class_labels"}),
    "detr": frozenset({"class_labels", "size", "orig_size", "image_id"}),
}


def collate(
    form: str,
    *,
    num_classes: SupportsIndex | None = None,
    box_only: str = "error",
    columns: Sequence[str] = (),
    masks: bool = False,
) -> Collate:
    """A collate function that makes a batch of tensors out of samples: the ``collate_fn`` of a data loader.

    Tensors are made where the function runs, in the worker; those of the image and the masks of a `TrainingSample`
    share their memory.

    Parameters
    ----------
    form : {"torchvision", "mask2former", "detr"}
        What the batch looks like: see `Collate`.
    num_classes : int, optional
        Classes of the model, against which labels are checked: in torchvision's count, with the background, labels are
        1 to ``num_classes - 1``; in that of the others 0 to ``num_classes - 1``. None checks that none is too small.
    box_only : {"error", "keep", "drop"}
        What to do with objects that have a box and no outline, where masks are made: refuse them, take their rectangle
        for the mask, or leave them out, though they are in the picture. For ``"detr"`` without `masks` boxes are all,
        and they stay.
    columns : sequence of str
        Names of further columns of the instances that the targets get, such as ``score`` for a loss weighted by it:
        tensors with a row for each object, bool, int64 or float32, beside ``labels``, or in lists beside
        ``class_labels`` of ``"mask2former"``. Of images that lack a column, true objects have ``pseudo`` False and
        ``score`` 1.
    masks : bool
        Whether targets of ``"detr"`` have masks too, for models that predict them; those of other forms always have.

    Returns
    -------
    Collate
        The function; it pickles, so that workers may be spawned.

    Raises
    ------
    ValueError, TypeError
        When an argument is none of these.

    Examples
    --------
    >>> from torch.utils.data import DataLoader
    >>> from copypaste_rs import ForTraining, SimpleCopyPaste
    >>> from copypaste_rs.datasets import CopyPasteDataset, sample_data
    >>> train = CopyPasteDataset(sample_data(), ForTraining(SimpleCopyPaste(size=128, min_area=16)))
    >>> loader = DataLoader(train, 2, sampler=EpochSampler(dataset=train), collate_fn=collate("torchvision"))
    >>> images, targets = next(iter(loader))
    >>> images[0].shape, images[0].dtype, sorted(targets[0])
    (torch.Size([3, 128, 128]), torch.float32, ['area', 'boxes', 'image_id', 'iscrowd', 'labels', 'masks'])
    """
    return Collate(form, num_classes=num_classes, box_only=box_only, columns=columns, masks=masks)


@final
class Collate:
    """A function from samples to a batch of tensors; `collate` makes it.

    Samples are `TrainingSample`, whose image is taken in the dtype that `ForTraining` gave it, or `Sample`, whose image
    becomes float32 in 0..1. Images are channels first; one without a channel axis gets one.

    N is the number of objects of an image. Crowds are left out, as no loss here knows what to do with them, and so are
    rows without any pixel, whose boxes have no width. Images without objects stay, with N = 0.

    ``"torchvision"``, as its detection models and their training scripts have it: a list of images, and a list of
    targets, dicts of

    - ``boxes``, float32 (N, 4): x0, y0, x1, y1 in pixels, half-open
    - ``labels``, int64 (N,): classes from 1; 0 is the background, and refused
    - ``masks``, uint8 (N, H, W): 1 where the object shows
    - ``area``, float32 (N,): pixels of each mask
    - ``iscrowd``, int64 (N,): 0, as crowds are left out
    - ``image_id``: that of the sample's info, an int, where there is one

    ``"mask2former"``, as `forward` of Mask2Former and MaskFormer in transformers has it: a dict of ``pixel_values``
    (B, C, H, W), and of ``mask_labels``, float32 (N, H, W), and ``class_labels``, int64 (N,), classes from 0, lists of
    one tensor for each image.

    ``"detr"``, as `forward` of DETR and its kin has it: a dict of ``pixel_values`` (B, C, H, W), ``pixel_mask``, int64
    (B, H, W) of 1, since the canvas with what fills it is the image, and ``labels``, a list of dicts of

    - ``class_labels``, int64 (N,): classes from 0
    - ``boxes``, float32 (N, 4): centre x, centre y, width and height, as shares of the canvas
    - ``area``, float32 (N,), and ``iscrowd``, int64 (N,): as above
    - ``size`` and ``orig_size``, int64 (2,): height and width of the canvas
    - ``image_id``, int64 (1,): where the sample's info has one that is an integer
    - ``masks``, bool (N, H, W): where `masks` are asked for

    Parameters
    ----------
    form, num_classes, box_only, columns, masks
        As `collate` takes them.
    """

    def __init__(
        self,
        form: str,
        *,
        num_classes: SupportsIndex | None = None,
        box_only: str = "error",
        columns: Sequence[str] = (),
        masks: bool = False,
    ) -> None:
        self._form = _checks.choice("form", form, FORMS)
        self._first = 1 if form == "torchvision" else 0
        self._num_classes = class_count(num_classes, self._first)
        self._box_only = _checks.choice("box_only", box_only, BOX_ONLY)
        self._columns = checked_names(columns, MADE | NAMES[form])
        self._masks = _checks.flag("masks", masks) or form != "detr"

    def __call__(self, samples: Sequence[Sample | TrainingSample]) -> Any:
        """Make the batch.

        Raises
        ------
        ValueError, TypeError
            When a sample has no masks or no labels, a label that the model does not know, an object that has only a
            box, or none of `columns` or something other than numbers in it; for forms with one tensor of all images,
            when these differ in shape. The sample is named.
        """
        items = _checks.items("samples", samples)
        for i, each in enumerate(items):
            if not isinstance(each, Sample | TrainingSample):
                raise wrong_type(("samples", i), "a Sample or a TrainingSample", type(each).__name__)
        columns = object_columns(self._columns, [each.instances for each in items])
        made = [
            self._item(("samples", i), each, more) for i, (each, more) in enumerate(zip(items, columns, strict=True))
        ]
        if self._form == "torchvision":
            return [each.image for each in made], [_torchvision(each) for each in made]
        for i, each in enumerate(made):
            if each.image.shape != made[0].image.shape:
                expected = f"an image of shape {tuple(made[0].image.shape)}, as the first one has"
                raise wrong(("samples", i), expected, str(tuple(each.image.shape)))
        # In a worker it stacks into shared memory, so that nothing is copied once more.
        batch: dict[str, Any] = {"pixel_values": default_collate([each.image for each in made])}
        if self._form == "mask2former":
            batch["mask_labels"] = [tensor(each.masks()).float() for each in made]
            batch["class_labels"] = [each.labels for each in made]
            batch |= {name: [each.columns[name] for each in made] for name in self._columns}
        else:
            batch["pixel_mask"] = torch.ones((len(made), *made[0].image.shape[1:]), dtype=torch.int64)
            batch["labels"] = [_detr(each, self._masks) for each in made]
        return batch

    def _detr_item(self, place: Place, sample: Sample | TrainingSample) -> tuple[Any, dict[str, Any]]:
        """Image and target of one sample, for frameworks that make batches of these themselves."""
        if not isinstance(sample, Sample | TrainingSample):
            raise wrong_type(place, "a Sample or a TrainingSample", type(sample).__name__)
        made = self._item(place, sample, {})
        return made.image, _detr(made, self._masks)

    def _item(self, place: Place, sample: Sample | TrainingSample, columns: dict[str, NDArray[Any]]) -> ItemParts:
        image, instances = _image(sample), sample.instances
        size = (int(image.shape[1]), int(image.shape[2]))
        if (runs := instances.masks) is None:
            if len(instances):
                raise wrong(place, f"masks of its {len(instances)} objects", "none")
            runs = RleMasks.empty(size)
            instances = Instances(masks=runs)
        area = runs.area
        kept = area > 0
        if instances.iscrowd is not None:
            kept &= ~instances.iscrowd
        if instances.box_only is not None and self._masks and self._box_only != "keep":
            if (instances.box_only & kept).any() and self._box_only == "error":
                raise wrong(place, OUTLINES, f"{int((instances.box_only & kept).sum())} that have only a box")
            kept &= ~instances.box_only
        whole = bool(kept.all())
        if not whole:
            instances, area = instances[kept], area[kept]
            columns = {name: values[kept] for name, values in columns.items()}
        dense = sample.masks if isinstance(sample, TrainingSample) else None
        decoded = partial(_decoded, dense, runs if whole else runs[kept], None if whole else kept)
        labels = self._labels(place, instances)
        # Copies of what is small: samples may be those that a data set keeps, and loops change targets in place.
        boxes = np.array(instances.boxes, np.float32)
        more = {name: tensor(values) for name, values in columns.items()}
        areas = tensor(area.astype(np.float32))
        return ItemParts(image, size, boxes, tensor(labels), areas, decoded, sample.info, more)

    def _labels(self, place: Place, instances: Instances) -> NDArray[np.int64]:
        if instances.labels is None and len(instances):
            raise wrong(place, f"labels of its {len(instances)} objects", "none")
        way = f"labels='from{self._first}' of a data set counts its categories so"
        return class_labels(place, instances.labels, self._num_classes, self._first, way)

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, Collate) else NotImplemented

    def __hash__(self) -> int:
        return hash((self._form, self._num_classes, self._box_only, self._columns, self._masks))

    def __repr__(self) -> str:
        columns = f", columns={self._columns}" if self._columns else ""
        masks = ", masks=True" * (self._form == "detr" and self._masks)
        return f"Collate({self._form!r}, num_classes={self._num_classes}, box_only={self._box_only!r}{columns}{masks})"


class ItemParts(NamedTuple):
    """One image with the rows that are kept; masks are decoded when they are asked for."""

    image: Any
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    labels: Any
    area: Any
    masks: Callable[[], NDArray[np.uint8]]
    info: dict[str, Any]
    columns: dict[str, Any]


def tensor(array: NDArray[Any]) -> Any:
    """A tensor of an array, in its memory where that can be written to."""
    return torch.from_numpy(np.require(array, requirements="W"))


def _torchvision(item: ItemParts) -> dict[str, Any]:
    target = {
        "boxes": tensor(item.boxes),
        "labels": item.labels,
        "masks": tensor(item.masks()),
        "area": item.area,
        "iscrowd": torch.zeros(len(item.boxes), dtype=torch.int64),
    }
    if "image_id" in item.info:
        target["image_id"] = item.info["image_id"]
    return target | item.columns


def _detr(item: ItemParts, masks: bool) -> dict[str, Any]:
    target = {
        "class_labels": item.labels,
        "boxes": tensor(convert_boxes(item.boxes, "xyxy", "cxcywhn", size=item.size)),
        "area": item.area,
        "iscrowd": torch.zeros(len(item.boxes), dtype=torch.int64),
        "size": torch.tensor(item.size, dtype=torch.int64),
        "orig_size": torch.tensor(item.size, dtype=torch.int64),
    }
    if isinstance(number := item.info.get("image_id"), int | np.integer):
        target["image_id"] = torch.tensor([int(number)], dtype=torch.int64)
    if masks:
        target["masks"] = tensor(item.masks()).view(torch.bool)
    return target | item.columns


def _image(sample: Sample | TrainingSample) -> Any:
    """The image as a tensor (C, H, W)."""
    if isinstance(sample, Sample):
        pixels = tensor(convert_image(sample.image, layout="chw", dtype="float32"))
    else:
        pixels, masks = tensor(sample.image), sample.instances.masks
        if pixels.ndim == 3 and masks is not None and tuple(pixels.shape[1:]) != masks.size:
            pixels = pixels.permute(2, 0, 1)
    return pixels[None] if pixels.ndim == 2 else pixels


def _decoded(dense: object, runs: RleMasks, kept: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Dense masks of the rows that are kept: those that were made already, or the runs (of these rows) decoded."""
    if isinstance(dense, np.ndarray) and dense.ndim == 3:
        masks = dense if kept is None else dense[kept]
        return masks.view(np.uint8)
    return runs.to_dense()


def _without_collate(_: Sequence[object], *, collate_fn_map: object = None) -> NoReturn:  # noqa: ARG001 (by name)
    """Refusal of a batch of samples by what torch calls itself, which could only say that they are no tensors."""
    expected = (
        "a function that takes samples: copypaste_rs.integrations.torch.collate makes one (collate_fn=list gives the "
        "samples as they are)"
    )
    raise wrong_type("collate_fn", expected, "the default of torch")


for _kind in (Sample, TrainingSample):
    default_collate_fn_map.setdefault(_kind, _without_collate)

"""Copy-paste in MMDetection: a transform, a data set and a sampler, registered by the import of this module.

``custom_imports = dict(imports=["copypaste_rs.integrations.mmdet"], allow_failed_imports=False)`` in a configuration
registers `CopyPasteRs`, `CopyPasteRsDataset` and `CopyPasteRsSampler` under their names. MMDetection 3 with its mmcv is
needed, whose operators ``mmcv-lite`` has not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.datasets._extras import needed
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import Instances
from copypaste_rs.integrations._class_labels import class_count, class_labels
from copypaste_rs.maps import PixelMap
from copypaste_rs.masks import RleMasks
from copypaste_rs.sample import Sample
from copypaste_rs.schedules import off_for_last
from copypaste_rs.transforms import SimpleCopyPaste

with needed("mim install mmcv mmdet brings what copypaste_rs.integrations.mmdet needs (mmcv-lite lacks mmcv.ops)"):
    import mmdet

    if str(mmdet.__version__).startswith(("0.", "1.", "2.")):
        _found = f"mmdet {mmdet.__version__} is installed; copypaste_rs.integrations.mmdet needs version 3 or newer"
        raise ImportError(_found, name="mmdet")
    import torch
    from mmcv.transforms import BaseTransform, Compose
    from mmdet.registry import DATA_SAMPLERS, DATASETS, TRANSFORMS
    from mmdet.structures.bbox import HorizontalBoxes
    from mmdet.structures.mask import BitmapMasks, PolygonMasks
    from mmengine.dataset import DefaultSampler
    from torch.utils.data import get_worker_info

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from copypaste_rs._checks import Place

__all__ = ["CopyPasteRs", "CopyPasteRsDataset", "CopyPasteRsSampler"]

TRIES = 8
"""Images that are looked at for each source, until one has an object to paste."""

MADE = ("gt_bboxes", "gt_bboxes_labels", "gt_ignore_flags", "gt_masks", "gt_seg_map")
"""Entries that are made anew."""

OUTDATED = ("instances", "mix_results")
"""Entries that say where objects were: they are left out."""


class CopyPasteRs(BaseTransform):  # type: ignore[misc]  # mmcv is not there where types are checked
    """Copy-paste under scale jitter as a transform of MMDetection: ``dict(type="CopyPasteRs", size=(1024, 1024))``.

    It stands in the pipeline of a ``MultiImageMixDataset``, which gives it other images of the data set, and it does
    what ``RandomResize``, ``RandomCrop``, ``RandomFlip``, ``Pad`` and ``CopyPaste`` do there; ``PackDetInputs`` follows
    it. The pipeline of the data set within loads the image, and nothing more is needed: outlines are read from the
    annotations as they stand. Where it has ``LoadAnnotations(with_mask=True)``, and whatever transforms, the masks that
    these give are taken, ``BitmapMasks`` or ``PolygonMasks``, and the result has masks of that class.

    Of the results, ``img`` (H, W, C), uint8 BGR as it was loaded, ``img_shape``, ``gt_bboxes``, ``gt_bboxes_labels``,
    ``gt_ignore_flags``, ``gt_masks`` and ``gt_seg_map`` are made anew. Boxes fit the masks that are left. What is to be
    ignored by its flag, as crowds are, is cut and kept, and never pasted. Entries that would be wrong after a paste,
    such as proposals, are refused.

    Parameters
    ----------
    num_sources : int
        Images whose objects are pasted, in each call.
    num_classes : int, optional
        Classes of the model, against which labels are checked; None checks that none is negative.
    **options
        Options of `SimpleCopyPaste`; `size` is height and width, and `fill` a colour in the order of the image, BGR.

    Raises
    ------
    ValueError, TypeError
        When an option is wrong; when called with results that have no masks, labels outside the classes, or parts that
        do not fit.

    Notes
    -----
    Everything is drawn from NumPy's global generator, as MMEngine seeds it in each worker, and from the seed that the
    loader gives the worker: ``randomness=dict(seed=0)`` and the number of workers say what is drawn.
    `CopyPasteRsDataset` gives items that depend on nothing but seed, epoch and index.

    Examples
    --------
    >>> from mmdet.structures.mask import BitmapMasks
    >>> def photo(value):
    ...     mask = np.zeros((1, 24, 32), np.uint8)
    ...     mask[0, 4:20, 8:24] = 1
    ...     image, flags = np.full((24, 32, 3), value, np.uint8), np.zeros(1, bool)
    ...     return {"img": image, "gt_masks": BitmapMasks(mask, 24, 32),
    ...             "gt_bboxes_labels": np.array([value]), "gt_ignore_flags": flags}
    >>> paste = CopyPasteRs(size=32, target_scale=(1, 1), source_scale=(0.5, 0.5), flip=0)
    >>> made = paste({**photo(50), "mix_results": [photo(90)]})
    >>> made["img_shape"], made["gt_bboxes_labels"], made["gt_bboxes"].tensor.shape
    ((32, 32), array([50, 90]), torch.Size([2, 4]))
    """

    def __init__(
        self, *, num_sources: SupportsIndex = 1, num_classes: SupportsIndex | None = None, **options: Any
    ) -> None:
        self._num_sources = _checks.integer("num_sources", num_sources, 1, 1024)
        self._num_classes = class_count(num_classes)
        self._transform = SimpleCopyPaste(**options)

    def get_indexes(self, dataset: Any) -> list[int]:
        """Numbers of images to paste from, such as have objects; ``MultiImageMixDataset`` asks for them."""
        return [self._index(dataset) for _ in range(self._num_sources)]

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Results with objects of those in ``mix_results`` pasted."""
        if "mix_results" not in results:
            raise wrong("results", "mix_results, which a MultiImageMixDataset around the data set gives", "none")
        target = self._sample("results", results)
        others = [self._sample(("mix_results", i), each) for i, each in enumerate(results["mix_results"])]
        sources = [each for each in others if len(each.instances.without_crowds())]
        return results_of(self._transform(target, sources, rng=drawn_number()))

    def _sample(self, place: Place, results: dict[str, Any]) -> Sample:
        return sample_of(place, results, self._num_classes, self._transform)

    @staticmethod
    def _index(dataset: Any) -> int:
        for _ in range(TRIES):
            i = drawn_number(len(dataset))
            if has_objects(dataset, i):
                break
        return i

    def __repr__(self) -> str:
        return f"CopyPasteRs({self._transform!r}, num_sources={self._num_sources}, num_classes={self._num_classes})"


@final
class CopyPasteRsDataset:
    """Copy-paste around a data set of MMDetection, where seed, epoch and index alone determine an item.

    Used in the place of ``MultiImageMixDataset`` with `CopyPasteRs`, whose notes about images, masks and crowds hold
    here too. Items are those of `copypaste_rs.datasets.CopyPasteDataset`, which is underneath: the same whatever the
    number of workers and of GPUs, and never with objects of the image itself.

    Indices have their epoch with them, so `CopyPasteRsSampler` has to be the sampler. Those of another one have none:
    then everything is drawn as `CopyPasteRs` draws.

    Parameters
    ----------
    dataset : dict or data set
        The data set within, or its configuration. Its pipeline loads images.
    pipeline : sequence of dict
        What follows the paste, ``PackDetInputs`` at last.
    seed : int
        0 to 2^64 - 1.
    num_sources, num_classes
        As `CopyPasteRs` takes them.
    off_for_last : tuple of int, optional
        ``(10, 100)``: in the last 10 of 100 epochs nothing is pasted, and images are only scaled, cropped and mirrored.
    **options
        Options of `SimpleCopyPaste`.

    Examples
    --------
    A training data set of a configuration::

        train_dataloader = dict(
            sampler=dict(type="CopyPasteRsSampler"),
            dataset=dict(type="CopyPasteRsDataset", dataset=train, pipeline=[dict(type="PackDetInputs")],
                         size=(1024, 1024), min_area=16, off_for_last=(10, 100)))
    """

    def __init__(
        self,
        dataset: Any,
        pipeline: Sequence[Any] = (),
        *,
        seed: int = 0,
        num_sources: int = 1,
        num_classes: SupportsIndex | None = None,
        off_for_last: Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.dataset.full_init()
        self.pipeline = Compose(pipeline)
        self.metainfo = self.dataset.metainfo
        transform = SimpleCopyPaste(**options)
        self._off = None if off_for_last is None else _off(off_for_last, transform)
        self._samples = Results(self.dataset, class_count(num_classes), transform)
        self._items: CopyPasteDataset[Any] = CopyPasteDataset(
            self._samples,
            transform,
            num_sources=num_sources,
            seed=seed,
            schedule=self._off,
            post=results_of,
        )

    def full_init(self) -> None:
        """Do nothing: the data set within was loaded already."""

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Entries that the data set within knows of an image, for which samplers of batches ask."""
        info: dict[str, Any] = self.dataset.get_data_info(idx % len(self))
        return info

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, idx: SupportsIndex) -> Any:
        """The item of an index, as the pipeline gives it."""
        passes, i = divmod(_checks.integer("idx", idx, 0, 2**63 - 1), len(self))
        if not passes and self._off is not None:
            raise wrong("idx", "an index with its epoch (sampler=dict(type='CopyPasteRsSampler'))", f"{i} alone")
        return self.pipeline(self._items[passes - 1 if passes else drawn_number(), i])

    def __repr__(self) -> str:
        return f"CopyPasteRsDataset({self._items!r})"


class CopyPasteRsSampler(DefaultSampler):  # type: ignore[misc]  # as above
    """MMEngine's ``DefaultSampler`` whose indices have their epoch with them, which `CopyPasteRsDataset` takes.

    It takes the arguments of ``DefaultSampler``. Index i of epoch e of a data set of n images comes as
    ``(e + 1) * n + i``; so the epoch is right in every worker, however far it reads ahead, and whoever runs the loop.
    """

    def __iter__(self) -> Iterator[int]:
        first = (self.epoch + 1) * len(self.dataset)
        return (first + index for index in super().__iter__())


class Results:
    """Samples of the results that a data set of MMDetection gives."""

    def __init__(self, dataset: Any, num_classes: int | None, transform: SimpleCopyPaste) -> None:
        self._dataset = dataset
        self._num_classes = num_classes
        self._transform = transform

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        results = self._dataset[index]
        if results is None:
            raise wrong(("dataset", index), "results", "None from its pipeline")
        return sample_of(("dataset", index), results, self._num_classes, self._transform)

    def has_objects(self, index: int) -> bool:
        """Whether an image has an object that is not to be ignored."""
        return has_objects(self._dataset, index)


def has_objects(dataset: Any, index: int) -> bool:
    """Whether an image has an object that is not to be ignored, by its annotations."""
    info = dataset.get_data_info(index) if hasattr(dataset, "get_data_info") else {}
    return "instances" not in info or any(not each.get("ignore_flag") for each in info["instances"])


def drawn_number(end: int = 2**63 - 1) -> int:
    """A number below `end` of NumPy's global generator, moved by the seed of the worker where there is one.

    MMEngine seeds NumPy's generator alike whenever a worker starts, and workers that are not persistent start in each
    epoch: by it alone all epochs would be the same. The seed that a loader gives a worker differs.
    """
    drawn, worker = int(np.random.randint(end, dtype=np.int64)), get_worker_info()  # noqa: NPY002
    return (drawn + (0 if worker is None else int(worker.seed))) % end


def sample_of(place: Place, results: dict[str, Any], num_classes: int | None, transform: SimpleCopyPaste) -> Sample:
    """The sample of results; what it does not hold is its info, from which `results_of` makes results again."""
    if (image := results.get("img")) is None:
        raise wrong(place, "an img (LoadImageFromFile gives it)", "none")
    if image.dtype == np.float32 and transform._arguments["fill"] is None:
        raise wrong(item(place, "img"), "uint8, or fill= in the units of the image", "float32")
    stale = {name for name in results if name.startswith(("gt_", "proposals"))}.difference(MADE)
    if stale:
        raise wrong(place, "no entries that a paste would make wrong", ", ".join(sorted(stale)))
    raw = "gt_bboxes" not in results and "gt_masks" not in results
    columns = _of_annotations(place, results) if raw else _of_arrays(place, results, transform)
    columns["labels"] = class_labels(item(place, "gt_bboxes_labels"), np.asarray(columns["labels"]), num_classes)
    fill = results.get("ignore_index", 255)
    maps = {"gt_seg_map": PixelMap(results["gt_seg_map"], fill=fill)} if "gt_seg_map" in results else {}
    others = {name: value for name, value in results.items() if name not in {"img", *MADE, *OUTDATED}}
    others["masks"] = PolygonMasks if isinstance(results.get("gt_masks"), PolygonMasks) else BitmapMasks
    if "masks" not in columns and "boxes" in columns:
        others["masks"] = None
    return Sample(image, Instances(**columns), others, maps)


def _of_annotations(place: Place, results: dict[str, Any]) -> dict[str, Any]:
    """Columns of annotations as they stand, of an image that was not moved."""
    size = results["img"].shape[:2]
    if "instances" not in results:
        raise wrong(place, "instances, or the masks of LoadAnnotations(with_mask=True)", "neither")
    if size != (stored := (results.get("height", size[0]), results.get("width", size[1]))):
        expected = f"the image of the annotations, {stored} (after other transforms: LoadAnnotations(with_mask=True))"
        raise wrong(item(place, "img"), expected, str(size))
    rows = results["instances"]
    for i, row in enumerate(rows):
        if row.get("mask") is None and not row.get("ignore_flag"):
            raise wrong(item(place, "instances", i), "a mask", "a box alone")
    try:
        masks = RleMasks.from_segmentations([row.get("mask") for row in rows], size)
    except (ArgumentError, ArgumentTypeError) as error:
        raise error.renamed(str(results.get("img_path", "results")), error.index) from None
    flags = [bool(row.get("ignore_flag")) for row in rows]
    labels = np.array([row["bbox_label"] for row in rows], np.int64)
    columns: dict[str, Any] = {"masks": masks, "labels": labels, "iscrowd": np.array(flags, np.bool_)}
    alone = np.array([row.get("mask") is None for row in rows], np.bool_)
    if alone.any():  # regions to ignore, of which a rectangle is known
        columns |= {"box_only": alone, "boxes": np.array([row["bbox"] for row in rows], np.float32)}
    return columns


def _of_arrays(place: Place, results: dict[str, Any], transform: SimpleCopyPaste) -> dict[str, Any]:
    """Columns of what ``LoadAnnotations`` gives."""
    if "gt_bboxes_labels" not in results:
        raise wrong(place, "gt_bboxes_labels (LoadAnnotations gives them)", "none")
    labels = results["gt_bboxes_labels"]
    flags = np.asarray(results.get("gt_ignore_flags", np.zeros(len(labels), np.bool_)), np.bool_)
    size, masks, boxes = results["img"].shape[:2], results.get("gt_masks"), results.get("gt_bboxes")
    if boxes is not None and not isinstance(boxes, HorizontalBoxes):
        raise wrong_type(item(place, "gt_bboxes"), "HorizontalBoxes", type(boxes).__name__)
    if masks is None:
        if not transform._arguments["paste_boxes"]:
            raise wrong(place, "gt_masks (with_mask=True; paste_boxes=True pastes rectangles)", "boxes alone")
        assert boxes is not None
        return {"boxes": boxes.tensor.numpy(), "labels": labels, "iscrowd": flags}
    if not isinstance(masks, BitmapMasks | PolygonMasks):
        raise wrong_type(item(place, "gt_masks"), "BitmapMasks or PolygonMasks", type(masks).__name__)
    if (masks.height, masks.width) != size:
        raise wrong(item(place, "gt_masks"), f"masks of the image's size {size}", str((masks.height, masks.width)))
    if isinstance(masks, PolygonMasks):
        return {"masks": RleMasks.from_polygons(masks.masks, size), "labels": labels, "iscrowd": flags}
    dense = masks.masks.reshape(-1, *size)
    return {"masks": RleMasks.from_dense(dense.astype(np.uint8, copy=False)), "labels": labels, "iscrowd": flags}


def results_of(made: Sample) -> dict[str, Any]:
    """Results of a sample that `sample_of` made, after a paste."""
    size, instances, others = made.size, made.instances, dict(made.info)
    form = others.pop("masks")
    runs, boxes = instances.masks, instances.boxes
    if runs is None or boxes is None:
        runs, boxes = RleMasks.empty(size), np.zeros((0, 4), np.float32)
    results = {**others, "img": made.image, "img_shape": size, **made.maps}
    results["gt_bboxes"] = HorizontalBoxes(torch.from_numpy(np.array(boxes)), clone=False)
    results["gt_bboxes_labels"] = np.array(instances.labels, np.int64)
    results["gt_ignore_flags"] = np.array(instances.iscrowd, np.bool_)
    if form is PolygonMasks:
        results["gt_masks"] = PolygonMasks(runs.to_polygons(), *size)
    elif form is BitmapMasks:
        results["gt_masks"] = BitmapMasks(runs.to_dense(), *size)
    return results


def _off(given: Sequence[int], transform: SimpleCopyPaste) -> Any:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise wrong_type("off_for_last", "a pair: the last epochs, and all epochs", repr(given))
    return off_for_last(given[0], given[1], transform)


for _registry, _class in (
    (TRANSFORMS, CopyPasteRs),
    (DATASETS, CopyPasteRsDataset),
    (DATA_SAMPLERS, CopyPasteRsSampler),
):
    _registry.register_module(module=_class)

"""Copy-paste in Detectron2: a mapper of dataset dicts, and a training loader whose items depend on a seed alone.

Detectron2 0.6 or newer is needed; its own pages say how it is built and installed.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.datasets._extras import needed
from copypaste_rs.integrations.epoch_sampler import EpochSampler
from copypaste_rs.transforms import ForTraining, ScaleJitter, SimpleCopyPaste

with needed("its own pages say how detectron2, which copypaste_rs.integrations.detectron2 needs, is installed"):
    from detectron2.data import build_detection_train_loader, get_detection_dataset_dicts
    from detectron2.utils import comm
    from torch.utils.data import Dataset, Sampler

    from copypaste_rs.integrations._dataset_dicts import DictSamples, Form, form_of, mapped, sample_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from copypaste_rs.sample import Sample

__all__ = ["CopyPasteMapper", "DictSamples", "build_copy_paste_train_loader"]

TRIES = 8
"""Images that are looked at for each source, until one has an object to paste."""


@final
class CopyPasteMapper:
    """Mapper that pastes: a dataset dict becomes what a model trains on, with objects of other images.

    It takes the place of ``DatasetMapper``, as in ``build_detection_train_loader(cfg, mapper=CopyPasteMapper(cfg,
    transform))``. What it gives is the dict without its annotations, and with

    - ``image``: uint8 tensor (C, H, W) in ``cfg.INPUT.FORMAT``
    - ``instances``: of the canvas, with ``gt_boxes``, float32, which fit the masks that are left; ``gt_classes``,
      int64, from 0; ``gt_masks``, bitmasks or polygons as ``cfg.INPUT.MASK_FORMAT`` says, where ``cfg.MODEL.MASK_ON``;
      and ``gt_keypoints``, where ``cfg.MODEL.KEYPOINT_ON``. Crowds are never pasted, and left out.
    - ``sem_seg``: int64 (H, W), where there is a ``sem_seg_file_name``

    Everything that is drawn comes from NumPy's global generator, which Detectron2 seeds in each worker: ``cfg.SEED``
    and the number of workers say what is drawn. With `build_copy_paste_train_loader` an item depends on nothing but
    seed, epoch and index.

    Parameters
    ----------
    dataset_dicts : sequence of dict or config
        The images whose objects are pasted. A config in its place stands for those of ``cfg.DATASETS.TRAIN``, and is
        taken for `cfg`.
    transform : SimpleCopyPaste or ScaleJitter
        What is done to the images.
    num_sources : int
        Images whose objects are pasted, in each call; never the image itself.
    cfg : config, optional
        Where all that follows is taken from, as far as it is not given.
    image_format : str, optional
        As ``cfg.INPUT.FORMAT``; without a config ``"BGR"``.
    mask_format : {"bitmask", "polygon"}, optional
        As ``cfg.INPUT.MASK_FORMAT``; without a config ``"bitmask"``. Either is exact: holes and parts stay.
    use_masks, use_keypoints : bool, optional
        Whether results have ``gt_masks`` and ``gt_keypoints``; without a config they have masks alone.
    num_classes : int, optional
        Classes of the model, against which labels are checked; Detectron2 takes a label of `num_classes` for the
        background. A config says it for ``GeneralizedRCNN``, ``PanopticFPN`` and ``RetinaNet``; else it is checked
        that no label is negative.
    ignore_value : int, optional
        Value of ``sem_seg`` where no image lands; without a config 255.

    Raises
    ------
    ValueError, TypeError
        When an argument is wrong; when called with annotations that have no outline where masks are to be made, or with
        labels outside the classes: file and annotation are named.

    Warns
    -----
    UserWarning
        When no image has an object to paste.

    Examples
    --------
    >>> from detectron2.data.datasets import load_coco_json
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import sample_paths
    >>> annotations, images = sample_paths()
    >>> dicts = load_coco_json(str(annotations), str(images), "sample")
    >>> mapper = CopyPasteMapper(dicts, SimpleCopyPaste(size=128, min_area=16))
    >>> mapped = mapper(dicts[2])
    >>> mapped["image"].shape, mapped["image"].dtype, sorted(mapped["instances"].get_fields())
    (torch.Size([3, 128, 128]), torch.uint8, ['gt_boxes', 'gt_classes', 'gt_masks'])
    """

    def __init__(
        self,
        dataset_dicts: Any,
        transform: SimpleCopyPaste | ScaleJitter,
        *,
        num_sources: SupportsIndex = 1,
        cfg: Any = None,
        image_format: str | None = None,
        mask_format: str | None = None,
        use_masks: bool | None = None,
        use_keypoints: bool | None = None,
        num_classes: SupportsIndex | None = None,
        ignore_value: int | None = None,
    ) -> None:
        self._ready = _ready(transform)
        self._num_sources = _checks.integer("num_sources", num_sources, 1, 1024)
        given, cfg = _given(dataset_dicts, cfg)
        self._form = form_of(
            cfg,
            image_format=image_format,
            mask_format=mask_format,
            use_masks=use_masks,
            use_keypoints=use_keypoints,
            num_classes=num_classes,
            ignore_value=ignore_value,
        )
        self._samples = _samples(given, self._form)
        pastes = isinstance(transform, SimpleCopyPaste)
        if pastes and not any(map(self._samples.has_objects, range(len(self._samples)))):
            warnings.warn("dataset_dicts: no image with an object; nothing will be pasted", UserWarning, stacklevel=2)

    def __call__(self, dataset_dict: Mapping[str, Any]) -> dict[str, Any]:
        """Map one dict."""
        target = sample_of(dataset_dict, self._form)
        sources = [] if isinstance(self._ready.transform, ScaleJitter) else self._drawn(dataset_dict)
        return mapped(self._ready(target, sources, rng=_number(2**63 - 1)), self._form)

    def _drawn(self, target: Mapping[str, Any]) -> list[Sample]:
        found = []
        for _ in range(self._num_sources):
            for _ in range(TRIES):
                i = _number(len(self._samples))
                if self._samples.has_objects(i):
                    other = self._samples._dicts[i]
                    if other["file_name"] != target["file_name"]:
                        found.append(sample_of(other, self._form))
                        break
        return found

    def __repr__(self) -> str:
        return f"CopyPasteMapper({len(self._samples)} dicts, {self._ready.transform!r})"


def build_copy_paste_train_loader(
    dataset_dicts: Any,
    transform: SimpleCopyPaste | ScaleJitter | None = None,
    *,
    cfg: Any = None,
    total_batch_size: int | None = None,
    num_workers: int | None = None,
    seed: int = 0,
    schedule: Mapping[int, Any] | Callable[[int], Any] | None = None,
    num_sources: int = 1,
    source_dicts: Sequence[Mapping[str, Any]] | None = None,
    start_iter: SupportsIndex = 0,
    image_format: str | None = None,
    mask_format: str | None = None,
    use_masks: bool | None = None,
    use_keypoints: bool | None = None,
    num_classes: SupportsIndex | None = None,
    ignore_value: int | None = None,
) -> Any:
    """A training loader with copy-paste, in the place of ``build_detection_train_loader(cfg)``.

    Items are those of `copypaste_rs.datasets.CopyPasteDataset`, in the form that `CopyPasteMapper` gives them: each is
    a function of seed, epoch and index, whatever the number of workers and of GPUs. The loader goes through all images
    in an order of `seed`, again and again, and each index has its epoch with it: epoch e begins after
    ``e * len(dataset_dicts)`` images.

    Parameters
    ----------
    dataset_dicts : sequence of dict or config
        The images. A config in its place stands for those of ``cfg.DATASETS.TRAIN``, and is taken for `cfg`.
    transform : SimpleCopyPaste or ScaleJitter, optional
        What is done to the images; None where `schedule` says it.
    cfg : config, optional
        Where sizes of batches, workers and the form of the items are taken from, as far as they are not given.
    total_batch_size, num_workers : int, optional
        As ``build_detection_train_loader`` takes them; without a config `total_batch_size` has to be given, and there
        are no workers.
    seed : int
        Seed of the order and of all that is drawn, 0 to 2^64 - 1.
    schedule
        Transforms by epoch, as `copypaste_rs.datasets.CopyPasteDataset` takes them.
    num_sources : int
        Images whose objects are pasted into one.
    source_dicts : sequence of dict, optional
        Images whose objects are pasted; None takes them from `dataset_dicts`.
    start_iter : int
        Iterations that were done already, where a training is resumed: the loader goes on behind their items, in the
        epoch that was reached.
    image_format, mask_format, use_masks, use_keypoints, num_classes, ignore_value
        As `CopyPasteMapper` takes them.

    Returns
    -------
    DataLoader
        Batches are lists of dicts, for ever.

    Examples
    --------
    >>> from detectron2.data.datasets import load_coco_json
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import sample_paths
    >>> annotations, images = sample_paths()
    >>> dicts = load_coco_json(str(annotations), str(images), "sample")
    >>> loader = build_copy_paste_train_loader(dicts, SimpleCopyPaste(size=128, min_area=16), total_batch_size=2)
    >>> [mapped["image"].shape for mapped in next(iter(loader))]
    [torch.Size([3, 128, 128]), torch.Size([3, 128, 128])]
    """
    for each in (transform, *(schedule.values() if isinstance(schedule, Mapping) else ())):
        if each is not None:
            _ready(each)
    given, cfg = _given(dataset_dicts, cfg)
    if cfg is not None and (name := cfg.DATALOADER.SAMPLER_TRAIN) != "TrainingSampler":
        raise wrong("cfg.DATALOADER.SAMPLER_TRAIN", "TrainingSampler (a CopyPasteMapper goes with all)", str(name))
    if cfg is not None:
        total_batch_size = cfg.SOLVER.IMS_PER_BATCH if total_batch_size is None else total_batch_size
        num_workers = cfg.DATALOADER.NUM_WORKERS if num_workers is None else num_workers
    if total_batch_size is None:
        raise wrong_type("total_batch_size", "a number of images, or a config that says it (cfg=)", "none")
    batch_size = _checks.integer("total_batch_size", total_batch_size, 1, 2**31 - 1)
    start = _checks.integer("start_iter", start_iter, 0, 2**31 - 1) * batch_size
    form = form_of(
        cfg,
        image_format=image_format,
        mask_format=mask_format,
        use_masks=use_masks,
        use_keypoints=use_keypoints,
        num_classes=num_classes,
        ignore_value=ignore_value,
    )
    items: CopyPasteDataset[Any] = CopyPasteDataset(
        _samples(given, form),
        transform,
        sources=None if source_dicts is None else _samples(source_dicts, form),
        num_sources=num_sources,
        seed=seed,
        schedule=schedule,
    )
    data = Items(items, form)
    return build_detection_train_loader(
        dataset=data,
        mapper=None,
        sampler=Passes(len(data), seed, start),
        total_batch_size=batch_size,
        aspect_ratio_grouping=False,  # all have the shape of the canvas
        num_workers=num_workers or 0,
    )


class Items(Dataset):  # type: ignore[misc]  # torch is not there where types are checked
    """Mapped items by numbers that have their epoch with them: index i of n in epoch e is ``e * n + i``."""

    def __init__(self, items: CopyPasteDataset[Any], form: Form) -> None:
        self._items = items
        self._form = form

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, number: int) -> dict[str, Any]:
        index = divmod(int(number), len(self))
        key = self._items.key(index)
        target, sources = self._items.inputs(index)
        ready = _ready(self._items.transform_at(key[1]))
        return mapped(ready(target, sources, key), self._form)


class Passes(Sampler):  # type: ignore[misc]  # as above
    """Numbers of all items, pass after pass, for ever, shared among the processes of a training."""

    def __init__(self, n: int, seed: int, start: int) -> None:
        self._n = n
        self._seed = seed
        self._start = start

    def __iter__(self) -> Iterator[int]:
        sampler = EpochSampler(dataset=range(self._n), seed=self._seed)
        sampler.load_state_dict(dict(zip(("epoch", "position"), divmod(self._start, self._n), strict=True)))
        passes = itertools.chain.from_iterable(sampler for _ in itertools.count())
        numbers = (epoch * self._n + index for epoch, index in passes)
        return itertools.islice(numbers, comm.get_rank(), None, comm.get_world_size())


def _given(dataset_dicts: Any, cfg: Any) -> tuple[Any, Any]:
    """Dicts and config, where a config may have come in the place of the dicts."""
    alone = hasattr(dataset_dicts, "DATASETS")
    if alone:
        cfg = dataset_dicts
    if cfg is not None and cfg.MODEL.LOAD_PROPOSALS:
        raise wrong("cfg.MODEL.LOAD_PROPOSALS", "False, as proposals know nothing of what is pasted", "True")
    if not alone:
        return dataset_dicts, cfg
    points = cfg.MODEL.ROI_KEYPOINT_HEAD.MIN_KEYPOINTS_PER_IMAGE if cfg.MODEL.KEYPOINT_ON else 0
    filled = cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS
    return get_detection_dataset_dicts(cfg.DATASETS.TRAIN, filter_empty=filled, min_keypoints=points), cfg


def _samples(dataset_dicts: Any, form: Form) -> DictSamples:
    return DictSamples(
        dataset_dicts, form.image_format, use_keypoints=form.use_keypoints, ignore_value=form.ignore_value
    )


def _ready(transform: object) -> ForTraining:
    """The transform with results in the form of images here."""
    if not isinstance(transform, SimpleCopyPaste | ScaleJitter):
        expected = "a SimpleCopyPaste or a ScaleJitter (images become tensors by themselves)"
        raise wrong_type("transform", expected, type(transform).__name__)
    return ForTraining(transform, layout="chw", dtype="uint8", scale=False, masks="runs")


def _number(end: int) -> int:
    """A number below `end` of NumPy's global generator, which Detectron2 seeds in each worker."""
    return int(np.random.randint(end, dtype=np.int64))  # noqa: NPY002

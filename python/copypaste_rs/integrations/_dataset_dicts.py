"""Dataset dicts of Detectron2 as samples, and results as the dicts that its models take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.datasets._extras import needed
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import Instances
from copypaste_rs.integrations._class_labels import class_count, class_labels
from copypaste_rs.maps import PixelMap
from copypaste_rs.masks import RleMasks
from copypaste_rs.sample import Sample

with needed("its own pages say how detectron2, which copypaste_rs.integrations.detectron2 needs, is installed"):
    import torch
    from detectron2.data import detection_utils
    from detectron2.data.common import DatasetFromList
    from detectron2.structures import BitMasks, Boxes, BoxMode, Keypoints, PolygonMasks
    from detectron2.structures import Instances as DetectronInstances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.transforms import TrainingSample

MASK_FORMATS = ("polygon", "bitmask")

SEM_SEG = "sem_seg"


@dataclass(frozen=True)
class Form:
    """Form of images and targets, as a configuration says it."""

    image_format: str = "BGR"
    mask_format: str = "bitmask"
    use_masks: bool = True
    use_keypoints: bool = False
    num_classes: int | None = None
    ignore_value: int = 255


def form_of(cfg: Any, **options: Any) -> Form:
    """The form that a config (None: nobody) says, but for options that are not None; all of it checked.

    The number of classes is known where it is known which head counts them.
    """
    given: dict[str, Any] = {}
    if cfg is not None:
        heads = {"GeneralizedRCNN": "ROI_HEADS", "PanopticFPN": "ROI_HEADS", "RetinaNet": "RETINANET"}
        head = heads.get(cfg.MODEL.META_ARCHITECTURE)
        given = {
            "image_format": cfg.INPUT.FORMAT,
            "mask_format": cfg.INPUT.MASK_FORMAT,
            "use_masks": cfg.MODEL.MASK_ON,
            "use_keypoints": cfg.MODEL.KEYPOINT_ON,
            "num_classes": None if head is None else cfg.MODEL[head].NUM_CLASSES,
            "ignore_value": cfg.MODEL.SEM_SEG_HEAD.IGNORE_VALUE,
        }
    form = Form(**{**given, **{name: value for name, value in options.items() if value is not None}})
    _checks.choice("mask_format", form.mask_format, MASK_FORMATS)
    class_count(form.num_classes)
    return form


@final
class DictSamples:
    """Dataset dicts of Detectron2 as a sequence of `Sample`, read when they are asked for.

    Images are read as Detectron2 reads them, EXIF orientation included. ``category_id`` is the label, from 0; polygons
    and run lengths are masks; keypoints and ``sem_seg_file_name`` come along.

    Parameters
    ----------
    dataset_dicts : sequence of dict
        The dicts, as ``get_detection_dataset_dicts`` or ``DatasetCatalog.get`` gives them. They are kept serialised, so
        that workers share their memory.
    image_format : str
        As ``cfg.INPUT.FORMAT``: ``"BGR"``, ``"RGB"``, ``"L"``.
    use_keypoints : bool
        Whether samples have the keypoints.
    ignore_value : int
        Value of semantic labels where no image lands, after a transform.

    Examples
    --------
    >>> from detectron2.data.datasets import load_coco_json
    >>> from copypaste_rs.datasets import sample_paths
    >>> annotations, images = sample_paths()
    >>> photos = DictSamples(load_coco_json(str(annotations), str(images), "sample"), "RGB")
    >>> photos[0].size, photos[0].instances.labels
    ((400, 600), array([0]))
    """

    def __init__(
        self,
        dataset_dicts: Sequence[Mapping[str, Any]],
        image_format: str = "BGR",
        *,
        use_keypoints: bool = False,
        ignore_value: int = 255,
    ) -> None:
        given = list(_checks.items("dataset_dicts", dataset_dicts))
        for i, each in enumerate(given):
            if not hasattr(each, "keys") or "file_name" not in each:
                raise wrong(("dataset_dicts", i), "a dict with a file_name", _shown(each))
        if not given:
            raise wrong("dataset_dicts", "at least one dict", "none")
        self._form = Form(image_format=image_format, use_keypoints=use_keypoints, ignore_value=ignore_value)
        self._filled = np.array([any(_is_object(row) for row in _rows(each)) for each in given])
        self._dicts = DatasetFromList(given, copy=False)

    def __len__(self) -> int:
        return len(self._filled)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return sample_of(self._dicts[index], self._form)

    def has_objects(self, index: int) -> bool:
        """Whether an image has an object that is no crowd."""
        return bool(self._filled[index])


def sample_of(dataset_dict: Mapping[str, Any], form: Form) -> Sample:
    """The sample of a dict; what it does not hold is its info."""
    others = dict(dataset_dict)
    name = str(others.get("file_name"))
    if "proposal_boxes" in others:
        raise wrong(name, "no proposal_boxes, which know nothing of what is pasted", "some")
    rows = others.pop("annotations", [])
    image = detection_utils.read_image(name, format=form.image_format)
    detection_utils.check_image_size(others, image)
    size = (image.shape[0], image.shape[1])
    for i, row in enumerate(rows):
        if row.get("segmentation") is None and row.get("bbox") is None:
            raise wrong((name, "annotations", i), "a segmentation or a bbox", ", ".join(sorted(row)))
    try:
        instances = Instances.from_coco([_row(row, form) for row in rows], size)
    except (ArgumentError, ArgumentTypeError) as error:
        index = error.index if isinstance(error.index, tuple) else () if error.index is None else (error.index,)
        raise error.renamed(name, (error.argument, *index)) from None
    maps = {}
    if (path := others.pop(f"{SEM_SEG}_file_name", None)) is not None:
        labels = detection_utils.read_image(path, "L").squeeze(2)
        maps[SEM_SEG] = PixelMap(labels, fill=form.ignore_value)
    return Sample(image, instances, others, maps)


def _rows(dataset_dict: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = dataset_dict.get("annotations", ())
    return rows


def _is_object(row: Mapping[str, Any]) -> bool:
    return not row.get("iscrowd", 0)


def _row(row: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """An annotation in COCO's form."""
    made = {"category_id": row.get("category_id"), "iscrowd": row.get("iscrowd", 0)}
    if row.get("segmentation") is not None:
        made["segmentation"] = row["segmentation"]
    else:
        made["bbox"] = BoxMode.convert(list(row["bbox"]), row["bbox_mode"], BoxMode.XYWH_ABS)
    if form.use_keypoints and row.get("keypoints") is not None:
        points = np.array(row["keypoints"], np.float64).reshape(-1, 3)
        points[:, :2] -= 0.5 * (points[:, 2:] > 0)  # these count pixels from their corners, COCO from their centres
        made["keypoints"] = points.ravel().tolist()
    return made


def mapped(made: TrainingSample, form: Form) -> dict[str, Any]:
    """Dict that a model trains on, of a result."""
    name = str(made.info["file_name"])
    given = made.instances.without_crowds()
    runs, boxes = given.masks, given.boxes
    size = (made.image.shape[1], made.image.shape[2])
    if runs is None or boxes is None:
        runs, boxes = RleMasks.empty(size), np.zeros((0, 4), np.float32)
    classes = class_labels((name, "category_id"), given.labels, form.num_classes)
    found = DetectronInstances(size)
    found.gt_boxes = Boxes(_tensor(np.array(boxes)))
    found.gt_classes = _tensor(classes)
    if form.use_masks:
        if given.box_only is not None and given.box_only.any():
            expected = "outlines of all objects (without: cfg.MODEL.MASK_ON = False, use_masks=False)"
            raise wrong((name, "annotations"), expected, f"{int(given.box_only.sum())} that have only a box")
        found.gt_masks = (
            PolygonMasks(runs.to_polygons())
            if form.mask_format == "polygon"
            else BitMasks(_tensor(runs.to_dense().view(np.bool_)))
        )
    if form.use_keypoints:
        points = np.zeros((len(given), 0, 3), np.float32) if given.keypoints is None else given.keypoints
        found.gt_keypoints = Keypoints(_tensor(np.array(points)))
    result = {**made.info, "image": _tensor(made.image), "instances": found}
    if SEM_SEG in made.maps:
        result[SEM_SEG] = _tensor(made.maps[SEM_SEG].astype(np.int64))
    return result


def _tensor(array: NDArray[Any]) -> Any:
    return torch.from_numpy(np.require(array, requirements="W"))


def _shown(value: object) -> str:
    return ", ".join(sorted(map(str, value))) if isinstance(value, dict) else type(value).__name__

"""Detections of Supervision as instances, and back; its data sets as sequences of samples.

``pip install supervision`` brings what is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._checks.places import item
from copypaste_rs.datasets._extras import needed
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import RESERVED, Instances
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement
from copypaste_rs.sample import Sample
from copypaste_rs.transforms import TrainingSample

with needed("pip install supervision brings it"):
    import supervision as sv

if TYPE_CHECKING:
    from copypaste_rs._checks import Place, Size

__all__ = ["DetectionSamples", "from_detections", "to_detections", "to_scene"]

FIELDS = {"labels": "class_id", "score": "confidence", "tracker_id": "tracker_id"}
"""Columns, and the fields of ``Detections`` that they are."""

MEASURED = ("area", "segmentation")
"""Entries of ``data`` that say anew what masks say, and would be wrong after a paste."""

TURNED = "xyxyxyxy"
"""Entry of ``data`` with corners of turned boxes, which nothing here moves."""

BOXES = ("error", "keep")


def from_detections(detections: Any, size: Size) -> Instances:
    """The rows of ``Detections`` as `Instances`.

    ``class_id`` becomes `labels`, ``confidence`` the column `score`, and ``tracker_id`` and the entries of ``data``,
    such as ``iscrowd`` and ``class_name``, columns of their names. Masks, dense or a ``CompactMask``, become runs;
    boxes are measured on them. Without masks, rows are `box_only`. ``area`` and ``segmentation`` in ``data``, which
    masks say anew, and ``metadata``, which has no rows, are left out.

    Parameters
    ----------
    detections : supervision.Detections
        What a data set, a model or a file gave.
    size : (int, int)
        Height and width of the image.

    Returns
    -------
    Instances

    Raises
    ------
    ValueError, TypeError
        When masks are not of that size, boxes are turned (``data["xyxyxyxy"]``), an entry of ``data`` has a name that
        means something else here, or values of no kind that columns have.

    Examples
    --------
    >>> import numpy as np
    >>> import supervision as sv
    >>> mask = np.zeros((1, 4, 6), bool)
    >>> mask[0, 1:3, 2:5] = True
    >>> found = sv.Detections(np.array([[2.0, 1.0, 5.0, 3.0]]), mask, np.array([0.75]), np.array([1]))
    >>> rows = from_detections(found, (4, 6))
    >>> rows.labels, rows.score, rows.boxes
    (array([1]), array([0.75]), array([[2., 1., 5., 3.]], dtype=float32))
    """
    return _instances("detections", detections, _checks.size("size", size))


def to_detections(instances: Instances, *, size: Size | None = None, compact: bool = False) -> Any:
    """`Instances` as ``Detections``.

    `labels` become ``class_id``, the column `score` ``confidence``, ``tracker_id`` itself; all other columns are
    entries of ``data``, `source` and `visibility` of a result among them. Boxes are those of the masks, half-open as
    those of Supervision's COCO and YOLO readers, float32. Where there is `iscrowd`, ``data`` has ``iscrowd`` and
    ``area`` as the COCO reader makes them.

    Parameters
    ----------
    instances : Instances
        Rows of one image.
    size : (int, int), optional
        Height and width of the image; needed where there are no masks and `instances` has no rows.
    compact : bool
        Whether masks are a ``CompactMask``, made from runs without a dense array, or bool (N, H, W).

    Returns
    -------
    supervision.Detections

    Raises
    ------
    ValueError, TypeError
        When an argument is wrong.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_data
    >>> to_detections(sample_data().instances(2)).class_id
    array([4, 5, 7])
    """
    if not isinstance(instances, Instances):
        raise wrong_type("instances", "Instances", type(instances).__name__)
    n, columns = len(instances), instances.columns
    masks, boxes = columns.pop("masks", None), columns.pop("boxes", None)
    fields: dict[str, Any] = {
        field: np.array(columns.pop(column)) if column in columns else None for column, field in FIELDS.items()
    }
    flags = columns.get("box_only")
    if masks is None or (flags is not None and n and flags.all()):
        given = None if size is None else _checks.size("size", size)
        drawn: Any = np.zeros((0, *given), bool) if given is not None and not n else None
    elif _checks.flag("compact", compact):
        drawn = _compact(masks)
    else:
        drawn = masks.to_dense().view(bool)
    data: dict[str, Any] = {name: np.array(values) for name, values in columns.items() if name != "box_only"}
    if "iscrowd" in data:
        data["iscrowd"] = data["iscrowd"].astype(int)
        data["area"] = np.zeros(n) if masks is None else masks.area.astype(float)
    corners = np.zeros((0, 4), np.float32) if boxes is None else np.array(boxes, np.float32)
    return sv.Detections(xyxy=corners, mask=drawn, data=data, **fields)


def to_scene(sample: Sample) -> tuple[Any, Any]:
    """The image of a sample, BGR as Supervision and OpenCV have it, and its ``Detections``: what annotators take.

    As ``post`` of `copypaste_rs.datasets.CopyPasteDataset` it makes pairs of its items.

    Parameters
    ----------
    sample : Sample
        A sample with an image of three channels, RGB, or of any other number, which stay as they are.

    Returns
    -------
    (array, supervision.Detections)

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_data
    >>> photo = sample_data()[2]
    >>> image, detections = to_scene(photo)
    >>> image[0, 0].tolist() == photo.image[0, 0, ::-1].tolist(), len(detections)
    (True, 3)
    """
    if not isinstance(sample, Sample):
        raise wrong_type("sample", _expected(sample), type(sample).__name__)
    return _channels(sample.image), to_detections(sample.instances, size=sample.size)


def _expected(value: object) -> str:
    return "a Sample, as transforms give it without ForTraining" if isinstance(value, TrainingSample) else "a Sample"


@final
class DetectionSamples:
    """A ``DetectionDataset`` of Supervision as a sequence of `Sample`, for `copypaste_rs.datasets.CopyPasteDataset`.

    Images come as RGB, while Supervision has BGR. `info` has ``file_name``, without folders, and ``image_path``. Labels
    are class ids from 0, as Supervision has them.

    Parameters
    ----------
    dataset : supervision.DetectionDataset
        The data set; images are read when an item is taken.
    boxes : {"error", "keep"}
        What to do with images whose objects have boxes and no masks: refuse the set, or keep their rows as `box_only`,
        which ``paste_boxes=True`` pastes.

    Raises
    ------
    ValueError
        When objects have no masks, the image is named; when annotations do not fit, as of `from_detections`.
    TypeError
        When `dataset` is none.

    Examples
    --------
    >>> import supervision as sv
    >>> from copypaste_rs.datasets import sample_paths
    >>> annotations, images = sample_paths()
    >>> photos = DetectionSamples(sv.DetectionDataset.from_coco(str(images), str(annotations)))
    >>> len(photos), photos[2].instances.labels, photos.categories[3]["name"]
    (5, array([3, 4, 6]), 'person')
    """

    def __init__(self, dataset: Any, *, boxes: str = "error") -> None:
        if not isinstance(dataset, sv.DetectionDataset):
            raise wrong_type("dataset", "a supervision.DetectionDataset", type(dataset).__name__)
        self._dataset = dataset
        self._boxes = _checks.choice("boxes", boxes, BOXES)
        for i, path in enumerate(dataset.image_paths):
            found = dataset.annotations[path]
            if len(found) and found.mask is None and self._boxes == "error":
                expected = "masks of all objects (boxes='keep' takes boxes alone, from_yolo has force_masks=True)"
                raise wrong("dataset", expected, f"{len(found)} boxes alone in item {i}, {path}")

    @property
    def categories(self) -> list[dict[str, Any]]:
        """The classes, as other data sets have them: ids are labels."""
        return [{"id": i, "name": name} for i, name in enumerate(self._dataset.classes)]

    def __len__(self) -> int:
        """Number of images."""
        return len(self._dataset)

    def __getitem__(self, index: SupportsIndex) -> Sample:
        """Image and objects of an item."""
        i = self._index(index)
        path, image, found = self._dataset[i]
        pixels = _channels(image)
        rows = _instances(("dataset", i), found, (pixels.shape[0], pixels.shape[1]))
        return Sample(pixels, rows, {"file_name": Path(path).name, "image_path": str(path)})

    def has_objects(self, index: SupportsIndex) -> bool:
        """Whether an item has an object that is not a crowd; no image is read."""
        found = self._dataset.annotations[self._dataset.image_paths[self._index(index)]]
        crowds = np.asarray(found.data.get("iscrowd", np.zeros(len(found))), bool)
        return not crowds.all()

    def _index(self, index: SupportsIndex) -> int:
        return _checks.position(index, len(self), "images")

    def __repr__(self) -> str:
        return f"DetectionSamples({len(self)} images, {len(self._dataset.classes)} classes)"


def _instances(place: Place, detections: Any, size: tuple[int, int]) -> Instances:
    if not isinstance(detections, sv.Detections):
        raise wrong_type(place, "supervision.Detections", type(detections).__name__)
    if TURNED in detections.data:
        raise wrong(item(place, "data", TURNED), "no corners of turned boxes, which cannot be pasted", "some")
    n = len(detections)
    columns: dict[str, Any] = {}
    if detections.mask is None and n:
        columns["boxes"] = np.asarray(detections.xyxy, np.float32)
    else:
        columns["masks"] = RleMasks.empty(size) if not n else _runs(item(place, "mask"), detections.mask, size)
    for column, field in FIELDS.items():
        if (values := getattr(detections, field)) is not None:
            columns[column] = values
    for name, values in detections.data.items():
        if name == "iscrowd":
            columns[name] = np.asarray(values, bool)
        elif name not in MEASURED:
            if name in columns or name in RESERVED:
                raise wrong(item(place, "data", name), "a name without a meaning of its own", repr(name))
            columns[name] = np.asarray(values)
    try:
        return Instances(**columns)
    except (ArgumentError, ArgumentTypeError) as error:
        make = wrong_type if isinstance(error, ArgumentTypeError) else wrong
        raise make(item(place, "data", error.argument), error.expected, error.got) from None


def _runs(place: Place, mask: Any, size: tuple[int, int]) -> RleMasks:
    """Runs of dense masks, or of a ``CompactMask``, crop by crop."""
    if mask.shape[1:] != size:
        raise wrong(place, f"masks of the image's size {size}", str(tuple(mask.shape[1:])))
    if not hasattr(mask, "crop"):
        return RleMasks.from_dense(np.ascontiguousarray(mask, bool))
    parts = [RleMasks.empty(size)]
    for i, (x, y) in enumerate(np.asarray(mask.offsets).tolist()):
        crop = np.ascontiguousarray(mask.crop(i), bool)
        parts.append(RleMasks.from_dense(crop[None]).place(Placement(crop.shape, crop.shape, (y, x), size)))
    return RleMasks.concat(parts)


def _compact(masks: RleMasks) -> Any:
    if not hasattr(sv, "CompactMask"):
        raise wrong("compact", "a version of supervision that has CompactMask", f"supervision {sv.__version__}")
    last = masks.boxes - np.array([0, 0, 1, 1], np.float32)  # where its crops end, corners are inclusive
    return sv.CompactMask.from_coco_rle(masks.to_coco(), np.maximum(last, 0), masks.size)


def _channels(image: Any) -> Any:
    """RGB for BGR, and the other way round."""
    return np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 and image.shape[2] == 3 else image

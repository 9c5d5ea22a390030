"""Labels of FiftyOne as instances, and back; its samples as a sequence of samples.

``pip install fiftyone`` brings what is needed. Labels need no data base.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._checks.places import item
from copypaste_rs.datasets._extras import needed
from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.images import image_size, read_image
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import Instances
from copypaste_rs.integrations.object_columns import columns_alike
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement
from copypaste_rs.sample import Sample

with needed("pip install fiftyone brings it (and needs 'setuptools<81' from Python 3.12 on)"):
    import fiftyone as fo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place, Size

__all__ = ["LabelledSamples", "from_labels", "to_labels"]

BOXES = ("error", "keep")
NO_ATTRIBUTES = frozenset({"masks", "boxes", "labels", "label", "score", "box_only"})
"""Columns that say what fields of a ``Detection`` say."""

WHOLE = frozenset({"index", "iscrowd"})
"""Columns that FiftyOne takes as integers alone."""

RENAMED = {"id": "coco_id"}
"""Columns whose names are fields of a ``Detection``, and how FiftyOne's COCO importer calls these attributes."""

FIELDS = frozenset({"attributes", "bounding_box", "confidence", "instance", "mask", "mask_path", "tags"})
"""Fields of a ``Detection`` that no column can be."""

NO_TRAINING = "a Sample (ForTraining makes arrays for a model: leave it or post= out)"

DECIMALS = 6
"""Decimals of a pixel to which corners are exact after they were shares of the image."""


def from_labels(labels: Any, size: Size, *, classes: Sequence[str] | None = None) -> Instances:
    """The rows of ``Detections`` or ``Polylines`` as `Instances`.

    A mask is put where its box is, by the rule of FiftyOne's importers, which cut it out between rounded corners; one
    of another size than its box is resized by nearest. Polylines are filled by COCO's rule. Detections without a mask
    are `box_only`. ``confidence`` is the column `score`. ``index`` and attributes that are numbers, bools or texts,
    such as ``iscrowd``, are columns of their names; where a row has none, it is NaN, False or an empty text. Tags,
    ids, and attributes of other kinds are left out.

    Parameters
    ----------
    labels : fiftyone.Detections, fiftyone.Polylines, or None
        Labels of one image; None, as a field that is empty, is no object.
    size : (int, int)
        Height and width of the image.
    classes : sequence of str, optional
        Names of the classes: `labels` are numbers in this sequence. Without, there is a column ``label`` of names.

    Returns
    -------
    Instances

    Raises
    ------
    ValueError, TypeError
        When a label is none of the classes, or is no box, mask or polygon: its number is named.

    Examples
    --------
    >>> import fiftyone as fo
    >>> import numpy as np
    >>> mask = np.array([[True, False], [True, True]])
    >>> cat = fo.Detection(label="cat", bounding_box=[0.25, 0.5, 0.5, 0.5], mask=mask, confidence=0.75)
    >>> rows = from_labels(fo.Detections(detections=[cat]), (4, 4), classes=["dog", "cat"])
    >>> rows.labels, rows.score, rows.masks.to_dense()[0, 2:].tolist()
    (array([1]), array([0.75]), [[0, 1, 0, 0], [0, 1, 1, 0]])
    """
    return _instances("labels", labels, _checks.size("size", size), None if classes is None else _numbers(classes))


def to_labels(instances: Instances, *, size: Size | None = None, classes: Sequence[str] | None = None) -> Any:
    """`Instances` as ``Detections``, whose boxes are tight around their masks.

    Masks are cut out by their boxes, which end where FiftyOne's own rendering puts them back to the pixel. The column
    `score` is the ``confidence``, ``index`` itself; other columns of numbers, bools and texts are attributes, `source`
    and `visibility` of a result among them, but for values that are NaN or empty; ``id`` is ``coco_id``.

    Parameters
    ----------
    instances : Instances
        Rows of one image.
    size : (int, int), optional
        Height and width of the image; needed where there are no masks.
    classes : sequence of str, optional
        Names of the classes, for `labels`; the column ``label`` is taken where there is one.

    Returns
    -------
    fiftyone.Detections

    Raises
    ------
    ValueError, TypeError
        When `size` or `classes` are missing, or a label is beyond the classes.

    Examples
    --------
    >>> from copypaste_rs.datasets import sample_data
    >>> photos = sample_data()
    >>> names = ["background", *(category["name"] for category in photos.categories)]  # ids count from 1
    >>> [found.label for found in to_labels(photos.instances(2), classes=names).detections]
    ['person', 'helmet', 'shuttle model']
    """
    if not isinstance(instances, Instances):
        raise wrong_type("instances", "Instances", type(instances).__name__)
    masks, columns, n = instances.masks, instances.columns, len(instances)
    if size is None and masks is None and n:
        raise wrong("size", "height and width of the image, as there are no masks", "none")
    whole = masks.size if masks is not None else (1, 1) if size is None else _checks.size("size", size)
    names = _names(instances, classes)
    if taken := sorted(FIELDS & columns.keys()):
        raise wrong("instances", "no column of the name of a field of Detection", repr(taken[0]))
    found = []
    for row in range(n):
        attributes: dict[str, Any] = {}
        for name, values in columns.items():
            if name not in NO_ATTRIBUTES and np.ndim(values) == 1:
                value = np.asarray(values)[row].item()
                if value is not None and value != "" and value == value:  # noqa: PLR0124  (NaN)
                    attributes[RENAMED.get(name, name)] = int(value) if name in WHOLE else value
        only_box = masks is None or (instances.box_only is not None and bool(instances.box_only[row]))
        y0, x0, y1, x1 = _corners(instances, row)
        if not only_box and masks is not None and y1 > y0:
            part = Placement(whole, whole, (-y0, -x0), (y1 - y0, x1 - x0))
            attributes["mask"] = masks[row].place(part).to_dense()[0].view(bool)
            box = [*_shares(x0, x1, whole[1]), *_shares(y0, y1, whole[0])]
        else:
            assert instances.boxes is not None
            left, top, right, bottom = instances.boxes[row].astype(float).tolist()
            box = [left / whole[1], right / whole[1], top / whole[0], bottom / whole[0]]
        if "score" in columns and not math.isnan(score := float(np.asarray(columns["score"])[row])):
            attributes["confidence"] = score
        bounding_box = [box[0], box[2], box[1] - box[0], box[3] - box[2]]
        found.append(fo.Detection(label=names[row], bounding_box=bounding_box, **attributes))
    return fo.Detections(detections=found)


@final
class LabelledSamples:
    """Samples of FiftyOne, from a list, a view or a data set, as a sequence of `Sample`.

    Labels are read once, and kept as runs, so that neither the data base nor FiftyOne is asked again, in workers
    least of all. Attributes that only some images have are columns of all: where a row has none, it is NaN, False or an
    empty text. Images are read when an item is taken, RGB. `info` has ``file_name``, without folders, ``image_path``
    and ``sample_id``.

    Parameters
    ----------
    samples : iterable of fiftyone.Sample
        A data set, a view, or a list of samples.
    field : str
        Name of the field with ``Detections`` or ``Polylines``; samples where it is empty have no objects.
    classes : sequence of str, optional
        Names of the classes; labels are numbers in it. None takes the names that there are, in order of the alphabet.
    boxes : {"error", "keep"}
        What to do with detections that have a box and no mask: refuse them, or keep them as `box_only`.
    apply_exif : bool
        Whether images are turned by their EXIF orientation, as FiftyOne does, whose labels are shares of the upright
        image. False suits labels imported from a COCO file, whose outlines are of the stored pixels.

    Raises
    ------
    OSError
        When an image file is missing or is none; it is named.
    ValueError, TypeError
        When labels do not fit, as of `from_labels`, or a detection has no mask; the image is named.

    Examples
    --------
    >>> import fiftyone as fo
    >>> from copypaste_rs.datasets import sample_data, sample_paths
    >>> photos = sample_data()
    >>> cup = fo.Sample(filepath=str(sample_paths()[1] / "coffee.jpg"))
    >>> cup["ground_truth"] = to_labels(photos.instances(0), classes=["", "cup"])
    >>> samples = LabelledSamples([cup])
    >>> samples.classes, samples[0].instances.labels, samples[0].instances.masks == photos[0].instances.masks
    (['cup'], array([0]), True)
    """

    def __init__(
        self,
        samples: Iterable[Any],
        field: str = "ground_truth",
        *,
        classes: Sequence[str] | None = None,
        boxes: str = "error",
        apply_exif: bool = True,
    ) -> None:
        _checks.choice("boxes", boxes, BOXES)
        self._options = ImageOptions(_checks.flag("apply_exif", apply_exif))
        rows: list[tuple[Any, Any]] = []
        for i, each in enumerate(samples):
            if not hasattr(each, "filepath") or not hasattr(each, "has_field"):
                raise wrong_type(("samples", i), "a fiftyone.Sample", type(each).__name__)
            if not each.has_field(field):
                raise wrong(("samples", i), f"a field {field!r}", f"none in {each.filepath}")
            rows.append((each, each[field]))
        if classes is None:
            found_in = (_items(("samples", i, field), found) for i, (_, found) in enumerate(rows))
            classes = sorted({str(one.label) for ones in found_in for one in ones if one.label is not None})
        self.classes = [str(name) for name in _checks.items("classes", classes)]
        numbers = _numbers(self.classes)
        made: list[Instances] = []
        for i, (each, found) in enumerate(rows):
            path = str(each.filepath)
            try:
                instances = _instances(("samples", i, field), found, image_size(path, self._options), numbers)
            except (ArgumentError, ArgumentTypeError) as error:
                make = wrong_type if isinstance(error, ArgumentTypeError) else wrong
                raise make(error.place, error.expected, f"{error.got}, in {path}") from None
            if boxes == "error" and instances.box_only is not None and instances.box_only.any():
                n = int(instances.box_only.sum())
                expected = "masks of all detections (boxes='keep' takes boxes alone)"
                raise wrong(("samples", i, field), expected, f"{n} without, in {path}")
            made.append(instances)
        self._items = [
            (str(each.filepath), None if each.id is None else str(each.id), instances)
            for (each, _), instances in zip(rows, columns_alike("samples", made), strict=True)
        ]

    @property
    def categories(self) -> list[dict[str, Any]]:
        """The classes, as other data sets have them: ids are labels."""
        return [{"id": i, "name": name} for i, name in enumerate(self.classes)]

    def __len__(self) -> int:
        """Number of images."""
        return len(self._items)

    def __getitem__(self, index: SupportsIndex) -> Sample:
        """Image and objects of an item."""
        path, number, instances = self._items[self._index(index)]
        info = {"file_name": Path(path).name, "image_path": path, "sample_id": number}
        return Sample(read_image(path, options=self._options), instances, info)

    def has_objects(self, index: SupportsIndex) -> bool:
        """Whether an item has an object that is not a crowd; no image is read."""
        return len(self._items[self._index(index)][2].without_crowds()) > 0

    def labelled(self, sample: Sample) -> tuple[NDArray[Any], Any]:
        """Image and ``Detections`` of a result: as ``post`` of a `copypaste_rs.datasets.CopyPasteDataset` its items."""
        if not isinstance(sample, Sample):
            raise wrong_type("sample", NO_TRAINING, type(sample).__name__)
        return sample.image, to_labels(sample.instances, size=sample.size, classes=self.classes)

    def _index(self, index: SupportsIndex) -> int:
        return _checks.position(index, len(self), "images")

    def __repr__(self) -> str:
        return f"LabelledSamples({len(self)} images, {len(self.classes)} classes)"


def _items(place: Place, labels: Any) -> list[Any]:
    """Detections or polylines of a field."""
    if labels is None:
        return []
    if isinstance(labels, fo.Detections):
        return list(labels.detections)
    if isinstance(labels, fo.Polylines):
        return list(labels.polylines)
    raise wrong_type(place, "fiftyone.Detections, fiftyone.Polylines or None", type(labels).__name__)


def _numbers(classes: Sequence[str]) -> dict[str, int]:
    names = _checks.items("classes", classes)
    numbers = {str(name): i for i, name in enumerate(names)}
    if len(numbers) < len(names):
        raise wrong("classes", "names that differ", str(names))
    return numbers


def _instances(place: Place, labels: Any, size: tuple[int, int], classes: dict[str, int] | None) -> Instances:
    """Rows as those of COCO annotations, which columns are made of where rows have different attributes."""
    rows, back = [], {other: name for name, other in RENAMED.items()}
    for i, one in enumerate(_items(place, labels)):
        row = {back.get(name, name): value for name, value in one.iter_attributes() if value is not None}
        row |= {"score": one.confidence, "index": one.index}
        if classes is None:
            row["label"] = one.label
        elif one.label in classes:
            row["category_id"] = classes[one.label]
        elif one.label is None:
            raise wrong(item(place, i), "a label", "none")
        else:
            raise wrong(item(place, i), f"a label of the classes {', '.join(classes) or '(none)'}", repr(one.label))
        row |= _shape(item(place, i), one, size)
        rows.append(row)
    try:
        made = Instances.from_coco(rows, size)
    except (ArgumentError, ArgumentTypeError) as error:
        index = error.index if isinstance(error.index, tuple) else (error.index,)
        make = wrong_type if isinstance(error, ArgumentTypeError) else wrong
        raise make(item(place, *(each for each in index if each is not None)), error.expected, error.got) from None
    return made if classes is not None or rows else Instances(masks=made.masks)


def _shape(place: Place, one: Any, size: tuple[int, int]) -> dict[str, Any]:
    """Segmentation of a polyline or of a detection with a mask, else the box."""
    h, w = size
    if isinstance(one, fo.Polyline):
        if not one.closed:
            raise wrong(place, "a polyline that is closed", "an open one")
        return {"segmentation": [[each for x, y in part for each in (x * w, y * h)] for part in one.points]}
    box = one.bounding_box
    if box is None or len(box) != 4 or not all(isinstance(side, int | float) and math.isfinite(side) for side in box):
        raise wrong(place, "a bounding box of four numbers", repr(box))
    x, y, width, height = box[0] * w, box[1] * h, box[2] * w, box[3] * h
    if (mask := one.get_mask()) is None:
        return {"bbox": [x, y, width, height]}
    crop = np.asarray(mask) != 0
    if crop.ndim != 2:
        raise wrong(place, "a mask (h, w)", f"shape {crop.shape}")
    top, left = _whole(y), _whole(x)
    sides = (_whole(y + height) - top, _whole(x + width) - left)
    if min(*sides, *crop.shape) < 1:
        return {"segmentation": RleMasks.from_dense(np.zeros((1, h, w), bool)).to_coco()[0]}
    runs = RleMasks.from_dense(np.ascontiguousarray(crop)[None])
    return {"segmentation": runs.place(Placement(crop.shape, sides, (top, left), size)).to_coco()[0]}


def _whole(position: float) -> int:
    """The pixel between which and the one before it a corner lies, rounded as FiftyOne's importers do, halves too."""
    return round(round(position, DECIMALS))


def _names(instances: Instances, classes: Sequence[str] | None) -> list[str | None]:
    """Names of the labels of each row."""
    if classes is None:
        given = instances.columns.get("label")
        if given is None and instances.labels is not None and len(instances):
            raise wrong("classes", "names of the classes, as rows have numbers", "none")
        return [None] * len(instances) if given is None else [str(name) for name in np.asarray(given)]
    names = [str(name) for name in _checks.items("classes", classes)]
    if instances.labels is None:
        return [None] * len(instances)
    for row, label in enumerate(instances.labels.tolist()):
        if not 0 <= label < len(names):
            raise wrong(("instances", row), f"a label from 0 to {len(names) - 1}, as there are classes", str(label))
    return [names[label] for label in instances.labels.tolist()]


def _corners(instances: Instances, row: int) -> tuple[int, int, int, int]:
    """First row and column of a box, and those behind the last."""
    assert instances.boxes is not None
    x0, y0, x1, y1 = instances.boxes[row].tolist()
    return int(y0), int(x0), int(y1), int(x1)


def _shares(low: int, high: int, side: int) -> tuple[float, float]:
    """Ends of a box in shares of a side: FiftyOne's rendering, which cuts fractions off, makes these pixels of them."""
    start = low / side
    while int(side * start) < low:
        start = math.nextafter(start, 2.0)
    end = high / side
    while int(side * (start + (end - start))) < high:
        end = math.nextafter(end, 2.0)
    return start, end

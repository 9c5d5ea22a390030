"""A sample as it is written: the bytes of an image file, and annotations as plain data."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.column_kinds import COLUMN_KINDS, POSITIONS, Origin, kind_of
from copypaste_rs.datasets.category_lists import category_lists
from copypaste_rs.datasets.images import encode_image
from copypaste_rs.datasets.json_values import check_text, json_text
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place
    from copypaste_rs.masks import RleMasks

_TAKEN = {"image_id": "the image"} | {
    field: name
    for name, kind in COLUMN_KINDS.items()
    for field in kind.fields or ()
    if field not in COLUMN_KINDS or COLUMN_KINDS[field].origin is Origin.UNMOVABLE
}
"""Fields of each annotation that no column may replace, and what they are made from."""


NO_FILE = ""
"""Format of images of which no file is made."""


class EncodedSample(NamedTuple):
    """A sample as it will be written: plain data, which a worker process can make and hand over."""

    data: bytes | None
    """The image file; None for a format without one."""
    image: dict[str, Any]
    """Fields of the image in the annotation file, but for its id and file name."""
    annotations: list[dict[str, Any]]
    """The annotations, but for ``id`` and ``image_id``."""
    files: Mapping[str, bytes] = {}
    """Further files by their paths below the root, in which ``{}`` stands for the image's name without its suffix."""
    remarks: Mapping[str, int] = {}
    """Losses of the sample in the format, counted: ``{"holes that were filled": 3}``."""
    format: str = "coco"
    """Name of the output format that it is made for."""
    suffix: str | None = None
    """Suffix of the image file where that is copied as it is; else that of the writer's format."""


class Encoder(Protocol):
    """A function that makes of a sample what is written: pure, and picklable, so that worker processes can have it."""

    def __call__(self, sample: Sample, sources: Sequence[Sample] = (), /) -> EncodedSample:
        """The sample, and the sources that the transform was given."""
        ...


def encode_sample(
    sample: Sample,
    sources: Sequence[Sample] = (),
    *,
    format: str,  # noqa: A002 (as in Pillow)
    quality: int,
    integers: Collection[str] = (),
) -> EncodedSample:
    """The image file and the annotations of a sample. A pure function."""
    check_sample(sample, "a COCO data set")
    image, annotations = sample_fields(sample, sources, integers)
    return EncodedSample(image_file(sample, format, quality), image, annotations)


def sample_fields(
    sample: Sample, sources: Sequence[Sample], integers: Collection[str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Fields of the image and of the annotations of a sample, as COCO has them, but for their ids."""
    image_id = _scalar(item("sample.info", "image_id"), sample.info.get("image_id"))
    return image_fields(sample), _annotations(sample, image_id, _source_ids(sources), integers)


def image_fields(sample: Sample) -> dict[str, Any]:
    """Fields of a sample's image in an annotation file, but for id and file name: size, origin, scalars of its info."""
    h, w = sample.size
    scalars = {name: _scalar(item("sample.info", name), value) for name, value in sample.info.items()}
    info = {name: value for name, value in scalars.items() if value is not None}
    json_text("sample.info", dict.fromkeys(info))  # are the names text?
    image_id, file_name = info.pop("image_id", None), info.pop("file_name", None)
    image = {**info, **category_lists(sample.info), "width": w, "height": h}
    image.pop("id", None)
    if image_id is not None:
        image["source_image_id"] = image_id
    if file_name is not None:
        image["source_file_name"] = file_name
    return image


def check_sample(sample: object, output: str) -> None:
    """Refuse what is no sample, or holds maps; `output` says what cannot hold these."""
    if not isinstance(sample, Sample):
        raise wrong_type("sample", "a Sample", type(sample).__name__)
    if sample.maps:
        names = ", ".join(map(repr, sample.maps))
        left_out = f"{names}; leave them out: Sample(sample.image, sample.instances, sample.info)"
        raise wrong("sample.maps", f"none, since {output} cannot hold them", left_out)


def image_file(sample: Sample, format: str, quality: int) -> bytes:  # noqa: A002 (as in Pillow)
    """The file of a sample's image; what cannot be written is an error about ``sample.image``.

    With the format `NO_FILE` it is empty, for an image that is a file already.
    """
    if format == NO_FILE:
        return b""
    try:
        return encode_image(sample.image, format, quality)
    except (ArgumentError, ArgumentTypeError) as error:
        raise error.renamed("sample.image") from None


def masks_and_labels(sample: Sample) -> tuple[RleMasks, NDArray[np.integer[Any]]]:
    """Masks and category ids of a sample's instances, shape (n,) each; a sample without them is refused."""
    masks, labels = sample.instances.masks, sample.instances.labels
    if masks is None:
        raise wrong("sample", "masks for its instances", "none")
    if labels is None or labels.ndim != 1 or labels.dtype.kind not in "iu":
        got = "none" if labels is None else f"shape {labels.shape} and dtype {labels.dtype}"
        raise wrong_type("sample", "integer labels, which become category ids", got)
    return masks, labels


def positions_of(labels: NDArray[np.integer[Any]], ids: Sequence[int]) -> list[int]:
    """Position of each label among category ids, from 0; a label that is not among them is refused.

    Examples
    --------
    >>> positions_of(np.array([7, 3, 7]), [3, 7])
    [1, 0, 1]
    """
    positions = {number: k for k, number in enumerate(ids)}
    for label in labels.tolist():
        if label not in positions:
            raise wrong("sample", "labels that are among the categories", str(label))
    return [positions[label] for label in labels.tolist()]


def _source_ids(sources: Sequence[object]) -> list[Any]:
    if isinstance(sources, str | bytes) or not isinstance(sources, Sequence):
        raise wrong_type("sources", "a sequence of Sample", type(sources).__name__)
    ids = []
    for i, source in enumerate(sources):
        if not isinstance(source, Sample):
            raise wrong_type(item("sources", i), "a Sample", type(source).__name__)
        ids.append(_scalar(item(f"sources[{i}].info", "image_id"), source.info.get("image_id")))
    return ids


def _annotations(
    sample: Sample, image_id: Any, source_ids: list[Any], integers: Collection[str]
) -> list[dict[str, Any]]:
    columns = sample.instances.columns
    for name in columns:
        if name in _TAKEN:
            raise wrong("sample", f"no column {name!r}, which is made from {_TAKEN[name]}", "one; leave it out")
        check_text("sample", name, "names of columns")
    for name in POSITIONS.intersection(columns):
        of = COLUMN_KINDS[name].of
        if of is not None and of not in columns:
            raise wrong("sample", f"no column {name!r} without {of!r}", "one; leave it out")
    n = len(sample.instances)
    if n == 0:
        return []
    annotations = _geometry(sample)
    for name, values in columns.items():
        for field, written in _fields(name, values, name in integers).items():
            for annotation, value in zip(annotations, written, strict=True):
                if value is not None:
                    annotation[field] = value
    ids = column_values("id", columns["id"], "id" in integers) if "id" in columns else [None] * n
    for annotation, number, source in zip(annotations, ids, _origins(columns.get("source"), n), strict=True):
        origin = image_id if source < 0 else source_ids[source] if source < len(source_ids) else None
        if origin is not None:
            annotation["source_image_id"] = origin
        if number is not None:
            annotation["source_annotation_id"] = number
    return annotations


def _fields(name: str, column: NDArray[Any], whole: bool) -> dict[str, list[Any]]:
    """Fields of annotations that a column becomes, but for those that are made from masks and labels."""
    kind = kind_of(name)
    if kind.form is not None:
        derived = {} if kind.geometry is None else kind.geometry.derived
        return {name: kind.form.write(column)} | {other: count(column).tolist() for other, count in derived.items()}
    return {} if kind.fields is not None else {name: column_values(name, column, whole)}


def _geometry(sample: Sample) -> list[dict[str, Any]]:
    """The annotations with what is made from masks and labels."""
    instances = sample.instances
    masks, labels = masks_and_labels(sample)
    crowd = instances.iscrowd if instances.iscrowd is not None else np.zeros(len(masks), np.bool_)
    assert instances.boxes is not None  # they come with the masks
    annotations = geometry_fields(masks, labels, crowd, instances.boxes)
    if instances.box_only is not None:
        for row in np.flatnonzero(instances.box_only):
            del annotations[row]["segmentation"]  # a rectangle is no outline
    return annotations


def geometry_fields(
    masks: RleMasks, labels: NDArray[np.integer[Any]], iscrowd: NDArray[np.bool_], boxes: NDArray[np.float32]
) -> list[dict[str, Any]]:
    """Fields of annotations that are made from masks and labels, whose boxes these are: x0, y0, x1, y1."""
    x0, y0, x1, y1 = boxes.astype(np.float64).T
    sides = np.stack([x0, y0, x1 - x0, y1 - y0], axis=1).tolist()
    return [
        {
            "category_id": label,
            "iscrowd": int(flag),
            "area": area,
            "bbox": box,
            "segmentation": {"size": list(masks.size), "counts": mask["counts"].decode("ascii")},
        }
        for label, flag, area, box, mask in zip(
            labels.tolist(), iscrowd.tolist(), masks.area.tolist(), sides, masks.to_coco(), strict=True
        )
    ]


def _origins(source: NDArray[Any] | None, n: int) -> list[int]:
    """The source that each row is from, -1 for the target, as copy-paste writes it; one that is not there for NaN."""
    if source is None:
        return [-1] * n
    if source.ndim != 1 or source.dtype.kind not in "biuf":
        got = f"shape {source.shape} and dtype {source.dtype}"
        raise wrong_type("sample.instances.source", f"numbers of sources, shape ({n},)", got)
    return [int(value) if np.isfinite(value) else sys.maxsize for value in source.tolist()]


def column_values(name: str, column: NDArray[Any], whole: bool) -> list[Any]:
    """A column as Python values; None for what JSON cannot say, and `whole` for integers among floats."""
    place = f"sample.instances.{name}"
    if column.dtype.kind == "O" and all(isinstance(value, str) for value in column.ravel()):
        for i, text in enumerate(column):
            check_text(item(place, i), "".join(np.ravel(text).tolist()))
        return list(column.tolist())
    if column.dtype.kind not in "biufU":
        raise wrong_type(place, "numbers, bools or strings to write", f"dtype {column.dtype}")
    if column.dtype.char == "g":
        raise wrong_type(place, "numbers of at most 64 bits to write", f"dtype {column.dtype}")
    if column.dtype.kind == "U":
        for i, row in enumerate(column):
            check_text(item(place, i), "".join(np.ravel(row).tolist()))
    if column.dtype.kind != "f":
        return list(column.tolist())
    if column.dtype.itemsize < 8:  # the shortest number that is the same float32
        column = column.astype(str).astype(np.float64)
    finite = np.isfinite(column).all(axis=tuple(range(1, column.ndim)))
    values = [value if good else None for value, good in zip(column.tolist(), finite.tolist(), strict=True)]
    if whole and column.ndim == 1:
        return [value if value is None or not value.is_integer() else int(value) for value in values]
    return values


def _scalar(name: Place, value: Any) -> Any:
    """A number, a string or a bool; None for what is none of these, and for NaN and infinity."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str):
        check_text(name, value)
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float | str) else None

"""Reading a COCO annotation file into flat arrays.

A list of dicts would cost gigabytes on a large file, once more in every worker process; the arrays made here
cost what the numbers cost, are shared by forked workers, and pickle fast.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NoReturn, TypeAlias

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._ragged import offsets_of
from copypaste_rs.column_names import DERIVED, KEYPOINTS, PROVENANCE
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.categories import category_ids
from copypaste_rs.datasets.fields import FieldReader
from copypaste_rs.datasets.images import is_inside
from copypaste_rs.datasets.segmentations import MalformedCountsError, Segmentations, SegmentationsBuilder

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.datasets.fields import Field

Id: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _File(msgspec.Struct):
    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw] = []
    categories: list[dict[str, Any]] = []
    info: Any = None
    licenses: Any = None


class _Image(msgspec.Struct, gc=False):
    id: Id
    file_name: str
    width: int
    height: int


class Rle(msgspec.Struct, gc=False):
    """A segmentation as run lengths: a compressed string or a plain list."""

    size: list[int]
    counts: str | list[Annotated[int, msgspec.Meta(ge=0, le=_checks.MAX_PIXELS)]]


# Derived from the masks, or geometry that does not move along: whatever stands there is skipped unread.
_SKIPPED = ("area", "bbox", *KEYPOINTS)
_KNOWN = ("id", "image_id", "category_id", "iscrowd", "segmentation", *_SKIPPED)


class CocoTables(NamedTuple):
    """A COCO annotation file as arrays; rows are annotations, grouped by image."""

    categories: list[dict[str, Any]]
    info: Any
    licenses: Any
    image_ids: NDArray[np.int64]
    """Shape (m,)."""
    sizes: NDArray[np.int64]
    """Height and width of each image, shape (m, 2)."""
    image_json: NDArray[np.uint8]
    """The JSON objects of all images, as text, one after the other."""
    image_json_offsets: NDArray[np.int64]
    row_offsets: NDArray[np.int64]
    """Image i has the rows ``row_offsets[i]`` to ``row_offsets[i + 1]``, in the order of the file."""
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    iscrowd: NDArray[np.bool_]
    fields: dict[str, Field]
    """Every further field of the annotations."""
    segmentations: Segmentations
    skipped: list[str]
    """Remarks on what was left out, with its count."""
    remarks: list[str]
    """Remarks on what was read and may surprise."""


class _Rows(NamedTuple):
    """The annotations of images that are there, in the order of the file."""

    image: NDArray[np.int64]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    iscrowd: NDArray[np.bool_]
    fields: dict[str, Field]
    segmentations: Segmentations


def read_coco(path: str | Path) -> CocoTables:
    """Read an annotation file.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is not COCO JSON; the message names the file and the place.
    """
    path = Path(path)
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        cut = f" (byte {len(data)})" if "truncated" in str(error) else ""
        raise ValueError(f"{path}: cannot be read as COCO annotations: {error}{cut}") from None
    known = category_ids(f"{path}: categories", file.categories)
    image_ids, sizes = _read_images(path, file.images)
    skipped: list[str] = []
    remarks: list[str] = []
    rows = _read_annotations(path, file.annotations, image_ids, sizes, skipped, remarks)
    if empty := int((~(filled := rows.segmentations.filled(sizes[rows.image]))).sum()):
        skipped.append(_count(empty, "annotation that covers no pixel", "annotations that cover no pixel"))
    remarks += _remarks_on_ids(rows.ids[filled], rows.labels[filled], known)
    order = np.argsort(rows.image[filled], kind="stable")
    keep = np.flatnonzero(filled)[order]
    return CocoTables(
        categories=file.categories,
        info=file.info,
        licenses=file.licenses,
        image_ids=image_ids,
        sizes=sizes,
        image_json=np.frombuffer(b"".join(file.images), np.uint8),
        image_json_offsets=offsets_of([len(memoryview(raw)) for raw in file.images]),
        row_offsets=offsets_of(np.bincount(rows.image[keep], minlength=len(image_ids))),
        ids=rows.ids[keep],
        labels=rows.labels[keep],
        iscrowd=rows.iscrowd[keep],
        fields={name: field.take(keep) for name, field in rows.fields.items()},
        segmentations=rows.segmentations.take(keep),
        skipped=skipped,
        remarks=remarks,
    )


def image_info(text: bytes) -> dict[str, Any]:
    """The scalar fields of an image object; ``id`` under the name ``image_id``."""
    fields: dict[str, Any] = msgspec.json.decode(text)
    first = {"image_id": fields.pop("id"), **{name: fields.pop(name) for name in ("file_name", "width", "height")}}
    scalars = {name: value for name, value in fields.items() if isinstance(value, bool | int | float | str)}
    return scalars | first


def _remarks_on_ids(ids: NDArray[np.int64], labels: NDArray[np.int64], known: frozenset[int]) -> list[str]:
    remarks = []
    strange, times = np.unique(labels, return_counts=True)
    if unknown := [(label, n) for label, n in zip(strange.tolist(), times.tolist(), strict=True) if label not in known]:
        named = ", ".join(str(label) for label, _ in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        count = _count(sum(n for _, n in unknown), "annotation has a category", "annotations have a category")
        remarks.append(f"{count} that is not among the categories ({named})")
    if repeated := len(ids) - len(np.unique(ids)):
        remarks.append(
            _count(repeated, "annotation has the id of another one", "annotations have the id of another one")
        )
    return remarks


def _read_images(path: Path, raws: list[msgspec.Raw]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    decode = msgspec.json.Decoder(_Image).decode
    ids = np.empty(len(raws), np.int64)
    sizes = np.empty((len(raws), 2), np.int64)
    for i, raw in enumerate(raws):
        try:
            image = decode(raw)
            sizes[i] = _checks.size("height and width", (image.height, image.width))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            _refuse(path, f"images[{i}]", error)
        if not is_inside(image.file_name):
            raise ValueError(
                f"{path}: images[{i}]: expected a file_name inside the folder of images, got {image.file_name!r}"
            )
        ids[i] = image.id
    unique, times = np.unique(ids, return_counts=True)
    if len(unique) < len(ids):
        raise ValueError(f"{path}: images: expected each id once, got {unique[times > 1][0]} more than once")
    return ids, sizes


def _read_annotations(
    path: Path,
    raws: list[msgspec.Raw],
    image_ids: NDArray[np.int64],
    sizes: NDArray[np.int64],
    skipped: list[str],
    remarks: list[str],
) -> _Rows:
    index = {number: i for i, number in enumerate(image_ids.tolist())}
    all_sizes = [tuple(size) for size in sizes.tolist()]
    images, ids, labels, crowd = array("q"), array("q"), array("q"), array("b")
    shapes = SegmentationsBuilder()
    fields = FieldReader()
    decode = _decoder(fields)
    unknown = 0
    numbers = array("q")
    keypoints = dict.fromkeys(KEYPOINTS, 0)
    for number, raw in enumerate(raws):
        try:
            try:
                item = decode(raw)
            except msgspec.ValidationError:
                # Most files have the same few fields everywhere: the type grows when a new one turns up, and
                # what is still wrong then is wrong indeed.
                fields.learn(name for name in msgspec.json.decode(raw, type=dict[str, Any]) if name not in _KNOWN)
                decode = _decoder(fields)
                item = decode(raw)
            image = index.get(item.image_id, -1)
            if image < 0:
                unknown += 1
                continue
            shapes.add(item.segmentation, all_sizes[image])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            _refuse(path, f"annotations[{number}]", error)
        numbers.append(number)
        for name in KEYPOINTS:
            keypoints[name] += bytes(getattr(item, name)) not in (b"", b"null")
        images.append(image)
        ids.append(item.id)
        labels.append(item.category_id)
        crowd.append(bool(item.iscrowd))
        if fields.names:
            fields.read(len(images) - 1, item)
    try:
        segmentations = shapes.finish()
    except MalformedCountsError as error:
        _refuse(path, f"annotations[{numbers[error.row]}]", error)
    if shapes.short_parts:
        skipped.append(
            _count(
                shapes.short_parts,
                "polygon part of fewer than three points",
                "polygon parts of fewer than three points",
            )
        )
    if unknown:
        skipped.append(
            _count(unknown, "annotation of an image that is not there", "annotations of images that are not there")
        )
    try:
        columns, reserved, compound = fields.finish(len(images))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    skipped.extend(f"the field {name!r}, whose name has a meaning of its own here" for name in reserved)
    skipped.extend(f"{_field_of(name, fields.count(name))}, which is a list or an object" for name in compound)
    skipped.extend(f"{_field_of(name, n)}, which would not move along" for name, n in keypoints.items() if n)
    if not fields.count(PROVENANCE[0]):  # else `CocoWriter` wrote the file, and the derived ones are its own too
        remarks.extend(f"{_field_of(name, fields.count(name))} is overwritten by copy-paste"
                       for name in sorted(DERIVED) if name in columns)  # fmt: skip
    return _Rows(
        np.frombuffer(images, np.int64) if images else np.zeros(0, np.int64),
        np.array(ids, np.int64),
        np.array(labels, np.int64),
        np.array(crowd, np.bool_),
        columns,
        segmentations,
    )


def _decoder(fields: FieldReader) -> Any:
    anything = [(attribute, Any, msgspec.UNSET) for attribute in fields.names.values()]
    return msgspec.json.Decoder(
        msgspec.defstruct(
            "Annotation",
            [
                ("id", Id),
                ("image_id", Id),
                ("category_id", Id),
                ("segmentation", list[list[float] | float] | Rle | None, None),
                ("iscrowd", bool | Literal[0, 1] | None, None),
                *((name, msgspec.Raw, msgspec.Raw()) for name in _SKIPPED),
                *anything,
            ],
            rename={attribute: name for name, attribute in fields.names.items()},
            forbid_unknown_fields=True,
        )
    ).decode


def _refuse(path: Path, place: str, error: Exception) -> NoReturn:
    raise ValueError(f"{path}: {place}: {error}") from None


def _field_of(name: str, n: int) -> str:
    return f"the field {name!r} of {_count(n, 'annotation', 'annotations')}"


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"

"""Rows of annotations put together as tables: grouped by image, without those that are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs._ragged import offsets_of, stable_order
from copypaste_rs.datasets.boxes import covering
from copypaste_rs.datasets.tables import AnnotationTables, repeated_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from copypaste_rs.datasets.boxes import Boxes
    from copypaste_rs.datasets.fields import Field
    from copypaste_rs.datasets.segmentations import Segmentations


SPREAD = 4
"""Places in a table of ids for each of them, at most; ids further apart are sorted."""


class AnnotationRows(NamedTuple):
    """The annotations of images that are there, in the order of the file."""

    image: NDArray[np.int64]
    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    iscrowd: NDArray[np.bool_]
    fields: dict[str, Field]
    segmentations: Segmentations
    boxes: Boxes | None
    dropped: int
    """Number of rows that have a box alone, which is left out."""


class ImageRows(NamedTuple):
    """The images, in the order of the file."""

    ids: NDArray[np.int64]
    sizes: NDArray[np.int64]
    """Height and width, shape (m, 2)."""
    json: NDArray[np.uint8]
    """JSON objects of all, one after the other: ``id``, ``file_name``, ``width``, ``height`` and whatever else."""
    json_offsets: NDArray[np.int64]
    names_differ: bool = False
    """Whether each image is known to have a file of its own."""


class Head(NamedTuple):
    """Properties of a whole set."""

    categories: list[dict[str, Any]]
    keypoint_names: list[str] | None
    digest: str
    info: Any = None
    licenses: Any = None


def assembled(
    head: Head, images: ImageRows, rows: AnnotationRows, crowds: str, skipped: list[str], remarks: list[str]
) -> AnnotationTables:
    """The tables of a set; crowds are dealt with as `crowds`, out of `CROWDS`, says."""
    filled = rows.segmentations.may_cover()
    if rows.boxes is not None:
        filled |= covering(rows.boxes.boxes, images.sizes[rows.image])
    if empty := int((~filled).sum()) - rows.dropped:
        skipped.append(counted(empty, "annotation that covers no pixel", "annotations that cover no pixel"))
    iscrowd = rows.iscrowd
    if crowds == "objects":
        iscrowd = np.zeros_like(iscrowd)
    elif crowds == "drop":
        if dropped := int((filled & iscrowd).sum()):
            skipped.append(counted(dropped, "annotation that is a crowd", "annotations that are crowds"))
        filled &= ~iscrowd
    known = frozenset(category["id"] for category in head.categories)
    remarks += _remarks_on_ids(rows.ids[filled], rows.labels[filled], known)
    times, repeated = (0, "") if images.names_differ else repeated_files(images.json, images.json_offsets)
    if times:
        have = "1 image has" if times == 1 else f"{times} images have"
        remarks.append(f"{have} the file of another one ({repeated!r} is the first)")
    keep = np.flatnonzero(filled)[stable_order(rows.image[filled])]
    return AnnotationTables(
        categories=head.categories,
        keypoint_names=head.keypoint_names,
        info=head.info,
        licenses=head.licenses,
        image_ids=images.ids,
        sizes=images.sizes,
        image_json=images.json,
        image_json_offsets=images.json_offsets,
        row_offsets=offsets_of(np.bincount(rows.image[keep], minlength=len(images.ids))),
        ids=rows.ids[keep],
        labels=rows.labels[keep],
        iscrowd=iscrowd[keep],
        fields={name: field.take(keep) for name, field in rows.fields.items()},
        segmentations=rows.segmentations.take(keep),
        boxes=None if rows.boxes is None else rows.boxes.take(keep),
        skipped=skipped,
        remarks=remarks,
        digest=head.digest,
    )


def joined_texts(texts: Sequence[Buffer]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Texts one after the other, and the offsets of each."""
    return np.frombuffer(b"".join(texts), np.uint8), offsets_of([len(memoryview(text)) for text in texts])


def _remarks_on_ids(ids: NDArray[np.int64], labels: NDArray[np.int64], known: frozenset[int]) -> list[str]:
    remarks = []
    strange, times = _distinct(labels)
    if unknown := [(label, n) for label, n in zip(strange.tolist(), times.tolist(), strict=True) if label not in known]:
        named = ", ".join(str(label) for label, _ in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        count = counted(sum(n for _, n in unknown), "annotation has a category", "annotations have a category")
        remarks.append(f"{count} that is not among the categories ({named})")
    if repeated := len(ids) - len(_distinct(ids)[0]):
        remarks.append(
            counted(repeated, "annotation has the id of another one", "annotations have the id of another one")
        )
    return remarks


def _distinct(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct values, ascending, and how often each is there."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if high - low >= SPREAD * len(values):
        return np.unique(values, return_counts=True)
    times = np.bincount(values - low)  # in a part of the time that sorting takes
    found = np.flatnonzero(times)
    return found + low, times[found]


def counted(n: int, one: str, many: str) -> str:
    """A number of things, in words."""
    return f"{n} {one if n == 1 else many}"

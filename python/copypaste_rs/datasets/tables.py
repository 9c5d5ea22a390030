"""Annotations of a whole data set in flat arrays: what every format is read into.

A list of dicts would cost gigabytes on a large set, once more in every worker process; these arrays cost what the
numbers cost, are shared by forked workers, and pickle fast.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.category_lists import category_lists
from copypaste_rs.datasets.file_names import name_of
from copypaste_rs.datasets.given_ids import GIVEN, plain_id

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from copypaste_rs.datasets.boxes import Boxes
    from copypaste_rs.datasets.fields import Field
    from copypaste_rs.datasets.segmentations import Segmentations


class AnnotationTables(NamedTuple):
    """Images and annotations of a set as arrays; rows are annotations, grouped by image."""

    categories: list[dict[str, Any]]
    keypoint_names: list[str] | None
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
    boxes: Boxes | None
    """Boxes without outlines; None where each annotation has an outline."""
    skipped: list[str]
    """Remarks on what was left out, with its count."""
    remarks: list[str]
    """Remarks on what was read and may surprise."""
    digest: str
    """SHA-256 of the bytes that were read, hexadecimal."""
    folder: str | None = None
    """The folder of images where the files say which it is: from that of the set, if it lies in it."""


class _Names(msgspec.Struct, gc=False):
    file_name: Any = None
    coco_url: Any = None


def repeated_files(image_json: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[int, str]:
    """Number of images that have the file of an earlier one, by name, and the first such name."""
    decode = msgspec.json.Decoder(_Names).decode
    text, ends = memoryview(image_json), offsets.tolist()
    seen: set[str] = set()
    first, times = "", 0
    for start, stop in itertools.pairwise(ends):
        names = decode(text[start:stop])
        name = names.coco_url if names.file_name is None else names.file_name
        if not isinstance(name, str):
            continue
        if name in seen:
            first, times = first or name, times + 1
        seen.add(name)
    return times, first


def image_info(text: bytes, number: int) -> dict[str, Any]:
    """Scalar fields of an image object and its lists of categories; ``image_id`` is its number, for ``id``."""
    fields: dict[str, Any] = msgspec.json.decode(text)
    first: dict[str, Any] = {"image_id": number, "file_name": name_of(fields)}
    first |= {name: int(fields[name]) for name in ("width", "height")}
    if isinstance(given := fields.pop("id"), str) and isinstance(plain_id(given), str):
        first[GIVEN] = given
    scalars = {name: value for name, value in fields.items() if isinstance(value, bool | int | float | str)}
    return {name: value for name, value in scalars.items() if name not in first} | category_lists(fields) | first

"""Reading a COCO annotation file into tables."""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import os
import stat
from typing import TYPE_CHECKING, Any, TypeVar, get_origin

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.assembly import Head, ImageRows, assembled, joined_texts
from copypaste_rs.datasets.categories import category_ids, keypoint_names, plain_categories
from copypaste_rs.datasets.coco_annotations import AnnotationsReader, Id
from copypaste_rs.datasets.file_names import name_of, possible_names
from copypaste_rs.datasets.file_window import FileWindow
from copypaste_rs.datasets.given_ids import IdNumbers, plain_id
from copypaste_rs.datasets.image_files import is_inside
from copypaste_rs.datasets.plain_coco import read_plain
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.datasets.text_encoding import LFS_POINTER, check_utf8, is_lfs_pointer
from copypaste_rs.errors import ArgumentError

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from copypaste_rs.datasets.tables import AnnotationTables

Decoded = TypeVar("Decoded")


class CocoFile(msgspec.Struct):
    """Parts of an annotation file."""

    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw] = []
    categories: list[dict[str, Any]] = []
    info: Any = None
    licenses: Any = None


class _Image(msgspec.Struct, gc=False):
    id: Id
    width: int
    height: int
    file_name: str | None = None
    coco_url: str | None = None


def read_coco(
    path: Path,
    folder: Path,
    boxes: str,
    crowds: str,
    columns: frozenset[str] | None,
    settle: Callable[[Sequence[NDArray[Any]]], None] = lambda _: None,
) -> AnnotationTables:
    """Read an annotation file, whose images are in a folder.

    What is done with annotations without an outline is said by `boxes`, out of `BOXES`, and with crowds by `crowds`,
    out of `CROWDS`. Of further fields those of `columns` are read, or all. `settle` is told which arrays will be part
    of the tables as they are, if that is known before.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is not COCO JSON; the message names the file and the place.
    """
    with path.open("rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        # What comes through a pipe can be read once.
        piped = None if stat.S_ISREG(found.st_mode) else file.readall()
        content: Any = file if piped is None else io.BytesIO(piped)
        with FileWindow(content, found.st_size if piped is None else len(piped)) as window:
            tables = read_plain(window, boxes, crowds, columns, settle)
    if tables is not None:
        return tables
    return read_any(path, path.read_bytes() if piped is None else piped, folder, boxes, crowds, columns)


def read_any(
    path: Path, data: bytes, folder: Path, boxes: str, crowds: str, columns: frozenset[str] | None
) -> AnnotationTables:
    """Read the bytes of an annotation file whatever is in it, as `read_coco` does."""
    file = decoded(path, data, CocoFile, "COCO annotations")
    if file.annotations and (what := _what_annotation_it_is(file.annotations[0])):
        raise ValueError(f"{path}: cannot be read as COCO annotations; this is {what}")
    file.categories, category_names = plain_categories(file.categories)
    problems = Problems(str(path))
    names = _checked_categories(problems, file.categories)
    index, image_ids, sizes = read_images(problems, file.images, folder)
    skipped: list[str] = []
    remarks: list[str] = []
    reader = AnnotationsReader(problems, index, sizes, {"keypoints": names}, columns, category_names)
    for number, raw in enumerate(file.annotations):
        reader.read(number, raw)
    try:
        rows = reader.finish(boxes, skipped, remarks)
    except ValueError as error:
        if NULL in str(error) and any(name in data for name in NO_JSON):
            raise ValueError(f"{error}\n  where NaN and infinity, which are no JSON, are taken as `null`") from None
        raise
    digest = hashlib.sha256(data).hexdigest()
    return assembled(
        Head(file.categories, names, digest, file.info, file.licenses),
        ImageRows(image_ids, sizes, *joined_texts(file.images)),
        rows,
        crowds,
        skipped,
        remarks,
    )


def _checked_categories(problems: Problems, categories: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Names of the keypoints of categories; what is wrong with these is noted."""
    try:
        category_ids("categories", categories)
        return keypoint_names("categories", categories)
    except ArgumentError as error:
        problems.add(error.place, f"expected {error.expected}, got {error.got}")
        return None


def decoded(path: Path, data: bytes, kind: type[Decoded], what: str) -> Decoded:
    """The JSON text of a file as a value of this kind; `what` it should be, in words, for errors."""
    check_utf8(path, data)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{path}: cannot be read as {what}: {error}{_what_it_is(data, kind)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        try:  # NaN and infinity are no JSON, but written by many; what they stand for is not there
            plain = msgspec.json.encode(json.loads(data, parse_constant=lambda _: None))
            return msgspec.json.decode(plain, type=kind)
        except (ValueError, RecursionError):
            if is_lfs_pointer(data):
                raise ValueError(f"{path}: expected {what}, got {LFS_POINTER}") from None
            if not data.strip():
                raise ValueError(f"{path}: expected {what}, got a file that is empty") from None
            cut = f" (byte {len(data)})" if "truncated" in str(error) else ""
            raise ValueError(f"{path}: cannot be read as {what}: {error}{cut}") from None


KINDS: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"image_id", "category_id", "score"}),
        "a list of results, predictions of a model; ResultsDataset reads it",
    ),
    (frozenset({"image_id", "caption"}), "a list of captions"),
    (frozenset({"shapes", "imagePath"}), "a LabelMe file, of one image; LabelMeDataset reads a folder of them"),
    (frozenset({"image", "annotations"}), "a file of one image, as SA-1B has them"),
    (frozenset({"type", "features"}), "a GeoJSON file"),
    (frozenset({"_via_img_metadata"}), "a project of the VGG Image Annotator; its COCO export can be read"),
)
"""Files that are met in the place of annotation files, by keys that they have."""


NULL = "got `null`"
NO_JSON = (b"NaN", b"Infinity")
"""Names of numbers that JSON does not have."""


def _what_annotation_it_is(raw: msgspec.Raw) -> str:
    """Name of another kind of file that the first annotation, a JSON value, is of, for an error."""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(found, dict) or "category_id" in found:
        return ""
    if "segments_info" in found:
        return "a panoptic file; PanopticDataset reads it"
    return "a file of captions" if "caption" in found else ""


def _what_it_is(data: bytes, expected: type[Any]) -> str:
    """Name of another kind of file that the JSON text is than one that is expected, for an error."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    first = found[0] if isinstance(found, list) and found else found
    if isinstance(first, dict):
        for keys, name in KINDS:
            if keys <= first.keys():
                return f"; this is {name}"
    if get_origin(expected) is list and isinstance(found, dict) and "images" in found:
        return "; this is a COCO data set; results are a list"
    return ""


def read_images(
    problems: Problems, raws: Sequence[msgspec.Raw], folder: Path | None
) -> tuple[dict[int | str, int], NDArray[np.int64], NDArray[np.int64]]:
    """Number of each image by its id in the file, its id here, and its size; what is wrong is noted.

    Names of files that are not plain are looked for below `folder`, where one is known.
    """
    ids = IdNumbers()
    index: dict[int | str, int] = {}
    sizes = np.ones((len(raws), 2), np.int64)
    twice = None
    for i, raw in enumerate(raws):
        try:
            # All fields are decoded now: `info` decodes them again and has no place in the file to name. Whole numbers
            # may be written as 1.0 or "1".
            image = msgspec.convert(msgspec.json.decode(raw), _Image, strict=False)
            sizes[i] = _checks.size("height and width", (image.height, image.width))
            if image.file_name is None or not is_inside(image.file_name):
                _check_name(image, folder)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            problems.add(f"images[{i}]", error)
            continue
        number = plain_id(image.id)
        if index.setdefault(number, i) < i and twice is None:
            twice = number
        ids.add(number)
    if twice is not None:
        problems.add("images", f"expected each id once, got {twice} more than once")
    return index, ids.finish(), sizes


def _check_name(image: _Image, folder: Path | None) -> None:
    """Raise for an image whose record names no file, or none inside the folder."""
    record = {name: value for name, value in msgspec.structs.asdict(image).items() if value is not None}
    if name_of(record) is None:
        raise ValueError("Object missing required field `file_name`")
    if folder is not None and not possible_names(record, folder):
        raise ValueError(f"expected a file_name inside the folder of images, got {image.file_name!r}")

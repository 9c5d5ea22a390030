"""Pseudo-labels of an earlier round, as rows of the images and categories of this one."""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs._checks import wrong_type
from copypaste_rs._ragged import offsets_of
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.boxes import BoxAloneError
from copypaste_rs.datasets.categories import joined_categories
from copypaste_rs.datasets.coco_json import read_coco
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.datasets.pseudo_labels.reading import MASK_SCORE, Found
from copypaste_rs.datasets.tables import image_info

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.datasets.pseudo_labels.images import ImageSet
    from copypaste_rs.datasets.tables import AnnotationTables


def tables_of_round(given: Any) -> tuple[str, AnnotationTables]:
    """Name and tables of an earlier round: a file as `PseudoLabels.save` writes it, or tables that are there."""
    if isinstance(given, str | os.PathLike):
        path = check_path("merge", given)
        columns = frozenset({"score", MASK_SCORE, "pseudo"})
        try:
            return str(path), read_coco(path, path.parent, "error", "keep", columns)
        except BoxAloneError as error:
            raise ValueError(error.args[0]) from None  # no option for boxes is about this file
    if isinstance(given, AnnotatedImages):
        return "merge", given._tables
    expected = "the path of a file that save has written, PseudoLabels, or a data set of such"
    raise wrong_type("merge", expected, type(given).__name__)


def rows_of_round(name: str, tables: AnnotationTables, images: ImageSet) -> tuple[Found, ImageSet]:
    """Rows of an earlier round, and the images with its categories too, joined by name.

    Raises
    ------
    ValueError
        When an annotation has no score from 0 to 1, or is not marked as a pseudo-label; when it is of images that are
        not there, or are others here, or of other categories.
    """
    _check_marks(name, tables)
    categories, ids = joined_categories(name, images.categories, tables.categories)
    given, numbers = np.unique(tables.labels, return_inverse=True)
    labels = np.array([ids.get(label, label) for label in given.tolist()], np.int64)[numbers]
    ours = _images_here(name, tables, images)
    times = np.diff(tables.row_offsets)
    image = np.repeat(ours, times)
    order = np.argsort(image, kind="stable")
    scores, mask_scores = (
        tables.fields[each].values[order].astype(np.float64) if each in tables.fields else None
        for each in ("score", MASK_SCORE)
    )
    found = Found(
        offsets_of(np.bincount(image, minlength=len(images.file_names))),
        labels[order],
        tables.iscrowd[order],
        np.zeros(0) if scores is None else scores,
        mask_scores,
        tables.segmentations.take(order),
    )
    return found, images._replace(categories=categories)


def _check_marks(name: str, tables: AnnotationTables) -> None:
    """Refuse what is no pseudo-label: drawn by somebody, it would be marked as one, and go as the first."""
    fields = tables.fields
    if len(tables.ids) and not {"score", "pseudo"} <= fields.keys():
        absent = next(each for each in ("score", "pseudo") if each not in fields)
        raise ValueError(
            f"{name}: expected pseudo-labels, each with score and pseudo, got annotations without {absent}"
        )
    problems = Problems(name)
    expectations = (
        ("pseudo", "true"),
        ("score", "a number from 0 to 1"),
        (MASK_SCORE, "a number from 0 to 1, or none"),
    )
    for field, expected in expectations:
        if field not in fields:
            continue
        values = fields[field].of(slice(None))
        if values.dtype.kind not in "biuf":
            raise ValueError(f"{name}: annotations: field {field!r}: expected numbers, got text")
        right = values == 1 if field == "pseudo" else (values >= 0) & (values <= 1)
        if field == MASK_SCORE:
            right |= np.isnan(values)
        for row in np.flatnonzero(~right).tolist():
            got = "none" if np.isnan(values[row]) else json.dumps(values[row].item())
            problems.add(f"annotation {tables.ids[row]}", f"{field}: expected {expected}, got {got}")
    problems.tell()


def _images_here(name: str, tables: AnnotationTables, images: ImageSet) -> NDArray[np.int64]:
    """The number here of each image of the round."""
    problems = Problems(name)
    numbers = np.zeros(len(tables.image_ids), np.int64)
    text, ends = memoryview(tables.image_json), tables.image_json_offsets.tolist()
    sizes, here = tables.sizes.tolist(), images.rows.sizes.tolist()
    for i, number in enumerate(tables.image_ids.tolist()):
        info = image_info(bytes(text[ends[i] : ends[i + 1]]), number)
        given = info.get("given_id", number)
        found = images.number_of.get(given)
        if found is None:
            problems.add(f"images[{i}]", f"expected an image of {images.name}, got one of another id, {given!r}")
            continue
        own, other = (PurePosixPath(each or "").name for each in (images.file_names[found], info["file_name"]))
        if sizes[i] != here[found]:
            problems.add(f"images[{i}]", f"expected size {here[found]}, as image {given!r} has it, got {sizes[i]}")
        elif own != other:
            problems.add(f"images[{i}]", f"expected the file {own!r}, as image {given!r} has it, got {other!r}")
        numbers[i] = found
    problems.tell()
    return numbers

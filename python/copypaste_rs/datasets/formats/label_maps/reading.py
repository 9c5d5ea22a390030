"""Reading pairs of an image and a label image into tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.building import TableBuilder
from copypaste_rs.datasets.formats.label_maps.pairing import LABEL_ENDINGS, LABEL_SUFFIXES, paired
from copypaste_rs.datasets.label_images import read_label_image
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from copypaste_rs.datasets.formats.label_maps.classes import LabelClasses
    from copypaste_rs.datasets.label_images import LabelImage
    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables


class _Labelled(NamedTuple):
    """An image, and the masks of its label image."""

    name: str
    place: str
    size: tuple[int, int]
    masks: RleMasks
    values: list[int]


def read_label_maps(
    images: Path,
    label_maps: Path,
    classes: LabelClasses,
    background: int | None,
    options: CheckedOptions,
    sources: Sources,
) -> AnnotationTables:
    """Read the pairs of two folders."""
    for folder, what in ((images, "images"), (label_maps, "label images")):
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder}: expected a folder of {what}, which is not there")
    names = paired(images, label_maps, sources)
    if not names.pairs:
        raise FileNotFoundError(
            f"{label_maps}: expected label images (.{', .'.join(LABEL_SUFFIXES)}) of the names that the images in "
            f"{images} have, perhaps with {', '.join(LABEL_ENDINGS)} after it, got none; "
            f"{_listed(names.without_labels, 'image', 'images')} and "
            f"{_listed(names.without_image, 'label image', 'label images')} are there"
        )
    found = _read(images, label_maps, names.pairs, classes, background, options, sources)
    categories = classes.categories
    if categories is None:
        labels = {label for one in found for label, is_whole in map(classes.label, one.values) if not is_whole}
        categories = [{"id": label, "name": str(label)} for label in sorted(labels)]
    builder = TableBuilder(str(label_maps), categories, options, sources)
    left_out = _add(builder, found, classes, {category["id"] for category in categories})
    for files, one, many in (
        (names.without_labels, "image without a label image", "images without a label image"),
        (names.without_image, "label image without an image", "label images without an image"),
    ):
        if files:
            builder.skipped.append(_listed(files, one, many))
    if left_out:
        words = "region of a class without instances", "regions of classes without instances"
        builder.skipped.append(counted(left_out, *words))
    values = {value for one in found for value in one.values}
    if classes.divisor is None and len(found) > 1 and len(values) == 1:
        builder.remarks.append(
            f"no label image has another value than {values.pop()}: perhaps these are masks of a class, in which "
            "objects are not told apart"
        )
    return builder.finish()


def _read(
    images: Path,
    label_maps: Path,
    pairs: list[tuple[str, str]],
    classes: LabelClasses,
    background: int | None,
    options: CheckedOptions,
    sources: Sources,
) -> list[_Labelled]:
    problems = Problems(str(label_maps))
    found = []
    for image, label_map in pairs:
        size = sources.image_size(images / image, options.images)
        path = label_maps / label_map
        data = sources.read(path)
        try:
            raster = read_label_image(path, data, images / image, size, options.images)
            masks, values = RleMasks.from_label_map(_one_channel(raster), background=background)
            if classes.divisor is not None:
                _check_values(values.tolist())
        except ValueError as error:
            problems.add(label_map, str(error).removeprefix(f"{path}: "))
            continue
        found.append(_Labelled(image, label_map, size, masks, values.tolist()))
    problems.tell()
    return found


def _one_channel(raster: LabelImage) -> NDArray[np.integer]:
    """Values of a raster, of which colours are no numbers unless they are grey."""
    values = raster.numbers
    if not raster.has_colours:
        return values
    grey = values & 255
    if (values != grey * 0x010101).any():
        raise ValueError("expected one number a pixel, got colours")
    return grey


def _check_values(values: list[int]) -> None:
    for value in values:
        if not 0 <= value < 2**63:
            raise ValueError(f"expected values from 0 to 2^63 - 1 where there is a divisor, got {value}")


def _add(builder: TableBuilder, found: list[_Labelled], classes: LabelClasses, known: Collection[int]) -> int:
    """Add all images; the number of regions that are left out, as their class has no instances."""
    left_out = 0
    for one in found:
        builder.add_image(one.name, one.size)
        for row, value in enumerate(one.values):
            label, is_whole = classes.label(value)
            if is_whole and label not in known:
                left_out += 1
            else:
                builder.add(one.place, label, one.masks[row], iscrowd=is_whole)
    return left_out


def _listed(names: list[str], one: str, many: str) -> str:
    """A number of files in words, with the first of them."""
    more = ", ..." if names[1:] else ""
    return counted(len(names), one, many) + (f" ({names[0]}{more})" if names else "")

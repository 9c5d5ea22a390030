"""Reading a PASCAL VOC set into tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.building import TableBuilder
from copypaste_rs.datasets.file_names import check_there
from copypaste_rs.datasets.formats.voc.annotation_files import read_annotation
from copypaste_rs.datasets.formats.voc.classes import classes_of
from copypaste_rs.datasets.formats.voc.image_sets import list_of_split, listed_names
from copypaste_rs.datasets.formats.voc.matching import matched
from copypaste_rs.datasets.formats.voc.palette import INDICES, PALETTE, VOID, number_of
from copypaste_rs.datasets.image_files import is_image_name
from copypaste_rs.datasets.label_images import read_label_image
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from copypaste_rs.datasets.formats.voc.annotation_files import VocAnnotation
    from copypaste_rs.datasets.label_images import LabelImage
    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables

_TOLD = {
    "without": ("image without annotation", "images without annotation"),
    "classless": ("object without a class", "objects without a class"),
    "unmatched": ("object of an XML file that no instance is", "objects of XML files that no instance is"),
}
_REMARKED = {
    "several": ("object has pixels of several classes", "objects have pixels of several classes"),
    "unexplained": ("object is not in its XML file", "objects are not in their XML files"),
    "loose": (
        "image has pixels of a class that belong to no object",
        "images have pixels of a class that belong to no object",
    ),
    "again": ("name stands again in the list", "names stand again in the list"),
}


class _VocFiles(NamedTuple):
    """Files of one image, by their names."""

    image: str
    """Below the folder of images."""
    objects: Path
    classes: Path
    annotation: Path


def read_voc(
    root: Path,
    split: str | None,
    images: Path,
    names: list[str] | None,
    options: CheckedOptions,
    sources: Sources,
) -> AnnotationTables:
    """Read a split of a set, or all of it."""
    return _VocReader(root, images, names, options, sources).read(split)


class _VocReader:
    def __init__(
        self, root: Path, images: Path, names: list[str] | None, options: CheckedOptions, sources: Sources
    ) -> None:
        self._classes = classes_of(root, names, sources)
        self._labels = {name: i for i, name in enumerate(self._classes.names, 1)}
        self._builder = TableBuilder(str(root), self._classes.categories, options, sources)
        self._sources = sources
        self._root = root
        self._images = images
        self._options = options.images
        self._counts: Counter[str] = Counter()

    def read(self, split: str | None) -> AnnotationTables:
        found = self._files(split)
        is_file = self._sources.is_file
        check_there((one.classes for one in found if is_file(one.objects)), "the class of an instance is read from")
        problems = Problems(str(self._root))
        for one in found:
            try:
                self._add(one)
            except ValueError as error:
                problems.add(one.image, error)
        problems.tell()
        for told, words in ((self._builder.skipped, _TOLD), (self._builder.remarks, _REMARKED)):
            told += [counted(n, *words[what]) for what in words if (n := self._counts[what])]
        return self._builder.finish()

    def _files(self, split: str | None) -> list[_VocFiles]:
        """Files of the images of a split, or of all that have annotations."""
        names = [name for name in self._sources.files_below(self._images) if is_image_name(name)]
        by_stem: dict[str, list[str]] = {}
        for name in names:
            by_stem.setdefault(name.rpartition(".")[0], []).append(name)
        is_file = self._sources.is_file
        if split is None:
            found = [self._named(name) for name in names]
            annotated = [one for one in found if is_file(one.objects) or is_file(one.annotation)]
            self._counts["without"] = len(found) - len(annotated)
            return annotated
        by_name = by_stem | {name: [name] for name in names}
        file = list_of_split(self._root, split, self._sources)
        listed, self._counts["again"] = listed_names(file, self._sources.read(file), by_name.__contains__)
        if missing := [name for name in listed if name not in by_name]:
            more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
            raise FileNotFoundError(f"{file}: no image in {self._images} has the name {', '.join(missing[:10])}{more}")
        problems = Problems(str(file))
        for name in listed:
            if len(by_name[name]) > 1:
                problems.add(name, f"expected one image of this name, got {' and '.join(by_name[name])}")
        problems.tell()
        found = [self._named(by_name[name][0]) for name in listed]
        bare = [one.objects for one in found if not is_file(one.annotation)]
        check_there(bare, f"{file.name} needs where there is no XML file in Annotations")
        return found

    def _named(self, image: str) -> _VocFiles:
        stem = image.rpartition(".")[0]
        return _VocFiles(
            image,
            self._root / "SegmentationObject" / f"{stem}.png",
            self._root / "SegmentationClass" / f"{stem}.png",
            self._root / "Annotations" / f"{stem}.xml",
        )

    def _add(self, one: _VocFiles) -> None:
        """Add an image and its objects."""
        size = self._sources.image_size(self._images / one.image, self._options)
        self._builder.add_image(one.image, size)
        annotation = None
        if self._sources.is_file(one.annotation):
            annotation = read_annotation(one.annotation, self._sources.read(one.annotation))
        if self._sources.is_file(one.objects):
            objects, classes = (self._raster(path, one.image, size) for path in (one.objects, one.classes))
            self._add_instances(one, objects, classes, annotation)
        elif annotation is not None:
            if annotation.size not in (None, size):
                raise ValueError(
                    f"{one.annotation}: expected height and width {size}, as the image has, got {annotation.size}"
                )
            for each in annotation.objects:
                if each.name not in self._labels:
                    raise ValueError(
                        f"{each.place}: expected the name of a class ({self._listed_names()}), got {each.name!r}; "
                        "names says which there are"
                    )
                x0, y0, x1, y1 = each.box
                box = [x0, y0, x1 - x0, y1 - y0]
                self._builder.add(each.place, self._labels[each.name], None, bbox=box, fields=each.fields)

    def _raster(self, path: Path, image: str, size: tuple[int, int]) -> LabelImage:
        data = self._sources.read(path)
        raster = read_label_image(path, data, self._images / image, size, self._options)
        if not raster.has_colours and (top := int(raster.numbers.max(initial=0))) > VOID:
            raise ValueError(f"{path}: expected indices up to {VOID}, or colours, got {top}")
        return raster

    def _add_instances(
        self, one: _VocFiles, objects: LabelImage, classes: LabelImage, annotation: VocAnnotation | None
    ) -> None:
        """Add the instances of the two rasters of an image."""
        masks, values = RleMasks.from_label_map(objects.numbers)
        areas = self._areas(one, objects, classes)
        void = number_of(PALETTE[VOID]) if objects.has_colours else VOID
        rows, labels, numbers = [], [], []
        for row, value in enumerate(values.tolist()):
            if value == void:
                continue
            of_classes = areas.get(value, {})
            if not of_classes:
                self._counts["classless"] += 1
                continue
            self._counts["several"] += len(of_classes) > 1
            rows.append(row)
            labels.append(max(of_classes, key=lambda label: (of_classes[label], -label)))
            numbers.append(INDICES.get(value, 0) if objects.has_colours else value)
        self._counts["loose"] += 0 in areas
        kept = masks[rows]
        found = [-1] * len(rows)
        theirs = [] if annotation is None else annotation.objects
        if annotation is not None:
            names = [self._classes.names[label - 1] for label in labels]
            found = matched(theirs, names, kept.boxes, numbers)
            self._counts["unexplained"] += found.count(-1)
            self._counts["unmatched"] += len(theirs) - (len(found) - found.count(-1))
        for k, (label, number, at) in enumerate(zip(labels, numbers, found, strict=True)):
            fields = None if at < 0 else theirs[at].fields
            self._builder.add(f"{one.objects}: {number}", label, kept[k], fields=fields)

    def _areas(self, one: _VocFiles, objects: LabelImage, classes: LabelImage) -> dict[int, dict[int, int]]:
        """Pixels of each class within each object, by its value, 0 for none; void and background are left out."""
        of_classes = classes.numbers
        both = objects.numbers.astype(np.uint64) << np.uint64(32) | of_classes.astype(np.uint64)
        regions, keys = RleMasks.from_label_map(both)
        areas: dict[int, dict[int, int]] = {}
        for key, area in zip(keys.tolist(), regions.area.tolist(), strict=True):
            value = key & 0xFFFFFFFF
            label = self._classes.id_of(value, classes)
            if label is None:
                raise ValueError(self._unknown(one.classes, of_classes, value, classes))
            if label not in (0, VOID):
                inside = areas.setdefault(key >> 32, {})
                inside[label] = inside.get(label, 0) + area
        return areas

    def _unknown(self, path: Path, values: NDArray[np.integer], value: int, raster: LabelImage) -> str:
        y, x = np.argwhere(values == value)[0].tolist()
        colour = f"the colour {value % 256},{value // 256 % 256},{value // 65536}"
        return (
            f"{path}: expected a class ({self._listed_names()}), got {colour if raster.has_colours else value} at "
            f"x {x}, y {y}; names, or a labelmap.txt beside the folders, says which there are"
        )

    def _listed_names(self) -> str:
        names = self._classes.names
        return ", ".join([f"{i} {name}" for i, name in enumerate(names[:3], 1)] + ["..."] * (len(names) > 3))

"""Reading a COCO panoptic annotation file and its PNG files into tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from copypaste_rs import _checks
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.building import TableBuilder
from copypaste_rs.datasets.categories import category_ids
from copypaste_rs.datasets.coco_json import decoded
from copypaste_rs.datasets.file_names import check_there, find_file, name_of, possible_names
from copypaste_rs.datasets.formats.image_folders import folder_of_images
from copypaste_rs.datasets.label_images import read_label_image
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.datasets.table_cache import stored_path
from copypaste_rs.masks import RleMasks

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables

STUFF = ("drop", "crowd", "keep")
"""Ways to deal with segments that are no things."""


class _PanopticFile(msgspec.Struct):
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    categories: list[dict[str, Any]] = []
    info: Any = None
    licenses: Any = None


class _PanopticImage(msgspec.Struct, gc=False):
    id: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    width: int
    height: int


class _Segment(msgspec.Struct, gc=False):
    id: int
    category_id: int
    iscrowd: bool = False


class _Segmented(msgspec.Struct, gc=False):
    """An annotation: the segments of one image."""

    image_id: int
    file_name: str
    segments_info: list[_Segment]


def read_panoptic(
    path: Path, images: Path | None, masks: Path, stuff: str, options: CheckedOptions, sources: Sources
) -> AnnotationTables:
    """Read an annotation file; the folder of images is looked for where none is given."""
    data = sources.read(path)
    file = decoded(path, data, _PanopticFile, "panoptic annotations")
    if not sources.is_folder(masks):
        raise NotADirectoryError(f"{masks}: expected the folder of PNG files of {path.name}, which is not there")
    if images is None:
        name = name_of(file.images[0]) if file.images else None
        images = folder_of_images(path, name=name, but=masks, sources=sources)
    elif not sources.is_folder(images):
        raise NotADirectoryError(f"{images}: expected a folder of images, which is not there")
    tables = _PanopticReader(path, file, images, masks, stuff, options, sources).read()
    return tables._replace(folder=stored_path(images, path))


def _whole(place: str, value: object) -> int:
    try:
        return msgspec.convert(value, int, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{place}: {error}") from None


class _PanopticReader:
    def __init__(
        self,
        path: Path,
        file: _PanopticFile,
        images: Path,
        masks: Path,
        stuff: str,
        options: CheckedOptions,
        sources: Sources,
    ) -> None:
        self._file = file
        self._images = images
        self._masks = masks
        self._stuff = stuff
        self._options = options
        self._sources = sources
        self._problems = Problems(str(path))
        for i, category in enumerate(file.categories):
            category["id"] = _whole(f"{path}: categories[{i}]: id", category.get("id"))
        self._known = category_ids(f"{path}: categories", file.categories)
        self._of_stuff = {each["id"] for each in file.categories if each.get("isthing", 1) in (0, False)}
        kept = [each for each in file.categories if stuff != "drop" or each["id"] not in self._of_stuff]
        self._builder = TableBuilder(str(path), kept, options, sources)
        self._counts: Counter[str] = Counter()

    def read(self) -> AnnotationTables:
        places = {image.id: (i, image) for i, image in enumerate(self._checked_images())}
        annotations: dict[int, tuple[int, _Segmented]] = {}
        for k, given in enumerate(self._file.annotations):
            self._note(k, given, places.keys(), annotations)
        self._problems.tell()
        self._check_files(annotations)
        for number, (i, image) in places.items():
            given = self._file.images[i]
            size = image.height, image.width
            self._builder.add_image(name_of(given) or "", size, number=number, fields=given)
            if number in annotations:
                self._add(find_file(given, self._images), size, *annotations[number])
            else:
                self._counts["without"] += 1
        self._problems.tell()
        return self._finished()

    def _checked_images(self) -> list[_PanopticImage]:
        found = []
        seen: set[int] = set()
        for i, given in enumerate(self._file.images):
            try:
                image = msgspec.convert(given, _PanopticImage, strict=False)
                _checks.size("height and width", (image.height, image.width))
            except ValueError as error:
                self._problems.add(f"images[{i}]", error)
                continue
            name = name_of(given)
            if name is None:
                self._problems.add(f"images[{i}]", "Object missing required field `file_name`")
            elif not possible_names(given, self._images):
                self._problems.add(f"images[{i}]", f"expected a file_name inside the folder of images, got {name!r}")
            if image.id in seen:
                self._problems.add(f"images[{i}]", f"expected each id once, got {image.id} again")
            seen.add(image.id)
            found.append(image)
        self._problems.tell()
        return found

    def _note(
        self, k: int, given: dict[str, Any], ids: Collection[int], annotations: dict[int, tuple[int, _Segmented]]
    ) -> None:
        """Take note of what is said of an image, checked."""
        place = f"annotations[{k}]"
        try:
            one = msgspec.convert(given, _Segmented, strict=False)
        except ValueError as error:
            self._problems.add(place, error)
            return
        if one.image_id not in ids:
            self._counts["strange"] += 1
            return
        if one.image_id in annotations:
            self._problems.add(place, f"expected one annotation of each image, got another of image {one.image_id}")
        if not possible_names({"file_name": one.file_name}, self._masks):
            self._problems.add(place, f"expected a file_name inside the folder of PNG files, got {one.file_name!r}")
        seen: set[int] = set()
        for j, segment in enumerate(one.segments_info):
            if segment.category_id not in self._known:
                self._problems.add(
                    f"{place}: segments_info[{j}]",
                    f"expected a category_id among the categories, got {segment.category_id}",
                )
            if segment.id in seen:
                self._problems.add(f"{place}: segments_info[{j}]", f"expected each id once, got {segment.id} again")
            seen.add(segment.id)
        annotations[one.image_id] = k, one

    def _check_files(self, annotations: Mapping[int, tuple[int, _Segmented]]) -> None:
        paths = (find_file({"file_name": one.file_name}, self._masks) for _, one in annotations.values())
        check_there(paths, "the annotations name")

    def _add(self, image: Path, size: tuple[int, int], k: int, annotation: _Segmented) -> None:
        """Add the segments of an image."""
        place = f"annotations[{k}]"
        path = find_file({"file_name": annotation.file_name}, self._masks, self._sources.is_file)
        try:
            raster = read_label_image(path, self._sources.read(path), image, size, self._options.images)
        except ValueError as error:
            self._problems.add(place, error)
            return
        if not raster.has_colours:
            self._problems.add(place, f"{path}: expected a PNG of RGB colours, got one of a single channel")
            return
        masks, numbers = RleMasks.from_label_map(raster.numbers)
        rows = {number: row for row, number in enumerate(numbers.tolist())}
        for segment in annotation.segments_info:
            row = rows.pop(segment.id, None)
            is_stuff = segment.category_id in self._of_stuff
            if row is None:
                self._counts["empty"] += 1
            elif is_stuff and self._stuff == "drop":
                self._counts["stuff"] += 1
            else:
                iscrowd = segment.iscrowd or (is_stuff and self._stuff == "crowd")
                self._builder.add(place, segment.category_id, masks[row], iscrowd=iscrowd)
        self._counts["unnamed"] += len(rows)

    def _finished(self) -> AnnotationTables:
        told = {
            "strange": (
                "annotation of an image that is not in the file",
                "annotations of images that are not in the file",
            ),
            "stuff": ("segment of stuff", "segments of stuff"),
            "empty": ("segment without a pixel in its PNG", "segments without a pixel in their PNG"),
            "unnamed": (
                "segment of a PNG without an entry in the file",
                "segments of PNG files without an entry in the file",
            ),
        }
        self._builder.skipped += [counted(n, *told[what]) for what in told if (n := self._counts[what])]
        if n := self._counts["without"]:
            self._builder.remarks.append(counted(n, "image has no annotation", "images have no annotation"))
        return self._builder.finish(info=self._file.info, licenses=self._file.licenses)

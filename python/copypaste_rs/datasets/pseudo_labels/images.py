"""Images that pseudo-labels are made for, with their categories: of a COCO file or its parts, a folder, a data set."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeAlias

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.annotated import AnnotatedImages
from copypaste_rs.datasets.assembly import ImageRows, joined_texts
from copypaste_rs.datasets.categories import category_ids, plain_categories
from copypaste_rs.datasets.coco_json import CocoFile, decoded, read_images
from copypaste_rs.datasets.file_names import name_of
from copypaste_rs.datasets.formats.backgrounds import BackgroundDataset
from copypaste_rs.datasets.images import check_path
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.problems import Problems

with extra("coco"):
    import msgspec

Images: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | Iterable[Mapping[str, Any]] | AnnotatedImages"


NO_CATEGORIES = "none; categories= gives them"
"""End of the error about images without categories, by which it is known."""


class ImageSet(NamedTuple):
    """Images by their ids, and the categories of what is seen on them."""

    name: str
    """Name of the set in errors."""
    number_of: dict[int | str, int]
    """Number of each image by its id, as files have it."""
    rows: ImageRows
    given_ids: list[int | str]
    """Id of each image as its record has it."""
    file_names: list[str]
    """Name of each image's file; "" where a record has none."""
    categories: list[dict[str, Any]]
    categories_name: str
    """Name of the categories in errors."""
    category_names: dict[str, int]
    """Ids here of categories whose given ids are names."""
    info: Any
    licenses: Any

    def by_file_name(self) -> dict[str, int]:
        """Number of each image by the name of its file, with and without folders and suffix, where that names one."""
        found: dict[str, int] = {}
        several = set()
        for i, name in enumerate(self.file_names):
            path = PurePosixPath(name.replace("\\", "/"))
            for each in {name, path.name, path.stem} - {""}:
                if found.setdefault(each, i) != i:
                    several.add(each)
        return {name: i for name, i in found.items() if name not in several}


class _Record(msgspec.Struct, gc=False):
    id: int | str
    file_name: str | None = None
    coco_url: str | None = None


def image_set(images: Images, categories: Any) -> ImageSet:
    """The images that an argument says, with the categories of `categories`, where these are given.

    Raises
    ------
    OSError, ValueError, TypeError
        When it is none, or something of it is malformed; when there are no categories.
    """
    name, file = _file(images)
    source = name
    if categories is not None:
        file.categories = _categories(categories)
        source = str(categories) if isinstance(categories, str | os.PathLike) else ""
    if not file.categories:
        expected = f"the categories of the results, as {source} has none" if source else "those of the results"
        raise wrong("categories", expected, "none" if categories is not None else NO_CATEGORIES)
    found, names = plain_categories(file.categories)
    category_ids(f"{source}: categories" if source else "categories", found)
    problems = Problems(name)
    index, ids, sizes = read_images(problems, file.images, None)
    problems.tell()
    record = msgspec.json.Decoder(_Record, strict=False).decode
    records = [record(raw) for raw in file.images]
    file_names = [name_of({"file_name": each.file_name, "coco_url": each.coco_url}) or "" for each in records]
    return ImageSet(
        name,
        index,
        ImageRows(ids, sizes, *joined_texts(file.images)),
        [msgspec.json.decode(raw)["id"] for raw in file.images],
        file_names,
        found,
        f"the categories of {source}" if source else "categories",
        names,
        file.info,
        file.licenses,
    )


def _file(images: Any) -> tuple[str, CocoFile]:
    """Name of the images for errors, and the parts of a COCO file that they are."""
    if isinstance(images, str | os.PathLike):
        path = check_path("images", images)
        if path.is_dir():
            return str(path), CocoFile(_records("images", records_of_folder(BackgroundDataset(path))))
        return str(path), decoded(path, path.read_bytes(), CocoFile, "COCO annotations")
    if isinstance(images, AnnotatedImages):
        tables = images._tables
        text, offsets = memoryview(tables.image_json), tables.image_json_offsets.tolist()
        raws = [msgspec.Raw(text[a:b]) for a, b in itertools.pairwise(offsets)]
        return "images", CocoFile(raws, [], images.categories, tables.info, tables.licenses)
    if isinstance(images, Mapping):
        for key in ("images", "categories"):
            if key not in images:
                raise wrong(
                    "images", "a dict with images and categories, as a COCO file has them", f"one without {key}"
                )
        raws = _records(("images", "images"), images["images"])
        return "images", CocoFile(
            raws, [], _categories(images["categories"]), images.get("info"), images.get("licenses")
        )
    if isinstance(images, Iterable) and not isinstance(images, bytes):
        return "images", CocoFile(_records("images", images))
    expected = "the path of a COCO file or of a folder of images, a dict or list of images, or a data set"
    raise wrong_type("images", expected, type(images).__name__)


def records_of_folder(photos: BackgroundDataset) -> list[dict[str, Any]]:
    """Records of the images of a folder, whose ids are their names: numbers where all are, as those of COCO's images.

    Nobody else knows a numbering of them, by which results of another set would be taken for theirs.
    """
    names = [str(photos.info(i)["file_name"]) for i in range(len(photos))]
    stems = [PurePosixPath(name).stem for name in names]
    numbers = [int(stem) for stem in stems if stem.isascii() and stem.isdecimal()]
    ids: list[int | str] = [*numbers] if len(set(numbers)) == len(names) else [*names]
    sizes = [photos.size(i) for i in range(len(photos))]
    return [
        {"id": number, "file_name": name, "height": h, "width": w}
        for number, name, (h, w) in zip(ids, names, sizes, strict=True)
    ]


def _records(place: Any, records: Any) -> list[msgspec.Raw]:
    made = []
    for i, record in enumerate(_checks.items(place, records)):
        where = _checks.item(place, i)
        if not isinstance(record, Mapping):
            raise wrong_type(where, "a dict, the record of an image", type(record).__name__)
        made.append(msgspec.Raw(json_text(where, record)))
    return made


def _categories(given: Any) -> list[dict[str, Any]]:
    """Categories as they were given, or those of a COCO file."""
    if isinstance(given, str | os.PathLike):
        path = check_path("categories", given)
        return decoded(path, path.read_bytes(), CocoFile, "COCO annotations").categories
    found = _checks.items("categories", given)
    for i, category in enumerate(found):
        if not isinstance(category, Mapping):
            raise wrong_type(("categories", i), "a dict", type(category).__name__)
    return found

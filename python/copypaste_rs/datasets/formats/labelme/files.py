"""Files of LabelMe into annotation tables."""

from __future__ import annotations

import base64
import binascii
import codecs
import posixpath
from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from copypaste_rs import _checks
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.building import TableBuilder
from copypaste_rs.datasets.formats.labelme.shapes import Shape, is_drawn, is_region, mask_of
from copypaste_rs.datasets.image_files import SUFFIXES, is_image_name, is_inside
from copypaste_rs.datasets.problems import Problems
from copypaste_rs.datasets.text_encoding import check_utf8
from copypaste_rs.masks import RleMasks

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables

NO_OBJECTS = ("__ignore__", "_background_")
"""Labels that LabelMe's own scripts for export take for no class."""


class LabelFile(msgspec.Struct, rename={"image_path": "imagePath", "height": "imageHeight", "width": "imageWidth"}):
    """A file as it stands there, without the image in it."""

    shapes: list[msgspec.Raw]
    image_path: str
    height: int | float | None = None
    width: int | float | None = None
    flags: Any = None


class _WithImage(msgspec.Struct, rename={"image_data": "imageData"}):
    image_data: str | None = None


def read_label_file(data: bytes) -> LabelFile | None:
    """A file of LabelMe; None for JSON of another kind. What is no JSON, or no such shapes, is a ValueError."""
    try:
        return msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8), type=LabelFile)
    except msgspec.ValidationError as error:
        try:
            found = msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8))
        except RecursionError:
            return None
        if isinstance(found, dict) and {"shapes", "imagePath"} <= found.keys():
            raise ValueError(f"cannot be read as a LabelMe file: {error}") from None
        return None
    except RecursionError:
        raise ValueError("cannot be read as JSON: values lie too deep in others") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"cannot be read as JSON: {error}") from None


def embedded_image(path: Path) -> bytes:
    """The image file that a file of LabelMe holds.

    Raises
    ------
    OSError
        When there is none.
    """
    try:
        text = msgspec.json.decode(path.read_bytes().removeprefix(codecs.BOM_UTF8), type=_WithImage).image_data
        return base64.b64decode(text or "", validate=True)
    except (msgspec.DecodeError, binascii.Error, RecursionError, ValueError) as error:
        raise OSError(f"{path}: imageData: expected an image in base64: {error}") from None


def read_labelme(folder: Path, images: Path | None, options: CheckedOptions, sources: Sources) -> AnnotationTables:
    """Read the files in a folder, whose images lie beside them, or in another folder.

    Raises
    ------
    OSError
        When a file cannot be read, or there is none.
    ValueError
        When files say what cannot be, with file and shape of up to ten.
    """
    names = sources.files_below(folder)
    if not any(name.lower().endswith(".json") for name in names):
        raise FileNotFoundError(f"{folder}: expected JSON files of LabelMe in the folder, got none")
    builder = TableBuilder(str(folder), None, options, sources)
    problems = Problems(str(folder))
    reader = _Reader(builder, problems, folder, images, options, sources)
    others = 0
    for name in names:
        if name.lower().endswith(".json"):
            others += not reader.read(name)
    problems.tell()
    if not len(builder):
        raise FileNotFoundError(f"{folder}: expected JSON files of LabelMe in the folder, got {others} of other kinds")
    if others:
        builder.skipped.append(counted(others, "JSON file of another kind", "JSON files of other kinds"))
    reader.tell(names)
    return builder.finish()


class _Reader:
    """Reads files, and counts what is left out of them."""

    def __init__(
        self,
        builder: TableBuilder,
        problems: Problems,
        folder: Path,
        images: Path | None,
        options: CheckedOptions,
        sources: Sources,
    ) -> None:
        self._builder, self._problems, self._options = builder, problems, options
        self._folder, self._images, self._sources = folder, images, sources
        self._found: set[str] = set()
        self._lines: Counter[str] = Counter()
        self._ignored = self._short = 0

    def read(self, name: str) -> bool:
        """Read a file; False for one of another kind."""
        path = self._folder / name
        data = self._sources.read(path)
        try:
            check_utf8(path, data)
            file = read_label_file(data)
        except ValueError as error:
            self._problems.add(name, str(error).removeprefix(f"{path}: "))
            return True
        if file is None:
            return False
        try:
            image = self._image(name, file)
            size = self._size(file, image)
        except ValueError as error:
            self._problems.add(name, error)
            return True
        self._found.add(image)
        flags = file.flags if isinstance(file.flags, dict) else {}
        self._builder.add_image(image, size, fields={key: value for key, value in flags.items()
                                                     if isinstance(value, bool)})  # fmt: skip
        self._read_shapes(name, file.shapes, size)
        return True

    def _size(self, file: LabelFile, image: str) -> tuple[int, int]:
        if file.height is None or file.width is None:
            if image.endswith(".json"):
                raise ValueError("imageHeight: expected a number, as the image is in the file, got none")
            return self._sources.image_size((self._images or self._folder) / image, self._options.images)
        try:
            return _checks.size("imageHeight and imageWidth", (_whole(file.height), _whole(file.width)))
        except TypeError as error:
            raise ValueError(str(error)) from None

    def _image(self, name: str, file: LabelFile) -> str:
        """Name of the image of a file, below the folder of images; that of the file, if the image is in it."""
        base = self._images or self._folder
        own = PurePosixPath(name)
        given = PureWindowsPath(file.image_path).as_posix()
        last = PurePosixPath(given).name
        tried = [str(own.parent / given), str(own.parent / last)]
        tried += [str(own.parent / f"{own.stem}.{suffix}") for suffix in ("jpg", "jpeg", "png", *sorted(SUFFIXES))]
        if self._images is not None:
            tried += [given, last]
        for each in map(posixpath.normpath, tried):
            if is_inside(each) and not each.lower().endswith(".json") and self._sources.is_file(base / each):
                return each
        if self._images is None and _has_image(self._folder / name):
            return name
        outside = ".." in PurePosixPath(given).parts or PureWindowsPath(given).drive or given.startswith("/")
        hint = "; give images, the folder of images" if outside and self._images is None else ""
        raise ValueError(f"imagePath: no such image in {base}: {file.image_path!r}, nor is it in the file{hint}")

    def _read_shapes(self, name: str, raws: list[msgspec.Raw], size: tuple[int, int]) -> None:
        objects: dict[tuple[Any, ...], list[tuple[int, Shape, RleMasks]]] = {}
        for k, raw in enumerate(raws):
            try:
                shape = msgspec.json.decode(raw, type=Shape)
                if not self._counts(shape):
                    continue
                mask = mask_of(shape, size)
            except (ValueError, RecursionError) as error:  # msgspec's are ValueErrors
                self._problems.add(f"{name}: shapes[{k}]", str(error))
                continue
            key = (shape.label, k) if shape.group_id is None else (shape.label, "group", shape.group_id)
            objects.setdefault(key, []).append((k, shape, mask))
        for parts in objects.values():
            k, shape, mask = parts[0]
            if len(parts) > 1:
                mask = RleMasks.concat([each for _, _, each in parts]).union()
            fields: dict[str, Any] = {}
            for _, each, _ in parts:
                for flag, value in (each.flags or {}).items():
                    fields[flag] = fields.get(flag, False) or value
                if each.description and "description" not in fields:
                    fields["description"] = each.description
            self._builder.add(f"{self._folder / name}: shapes[{k}]", self._builder.label_of(shape.label), mask,
                              fields=fields)  # fmt: skip

    def _counts(self, shape: Shape) -> bool:
        """Whether a shape is an object; others are counted."""
        if shape.label in NO_OBJECTS:
            self._ignored += 1
        elif not is_region(shape):
            self._lines[str(shape.shape_type)] += 1
        elif not is_drawn(shape):
            self._short += 1
        else:
            return True
        return False

    def tell(self, names: list[str]) -> None:
        """Say what was left out."""
        skipped = self._builder.skipped
        if n := sum(self._lines.values()):
            skipped.append(f"{counted(n, 'shape', 'shapes')} without an area ({', '.join(sorted(self._lines))})")
        if self._short:
            skipped.append(counted(self._short, "polygon", "polygons") + " of fewer than three points")
        if self._ignored:
            labels = " or ".join(map(repr, NO_OBJECTS))
            skipped.append(f"{counted(self._ignored, 'shape', 'shapes')} with the label {labels}")
        if self._images is None:
            rest = sorted({name for name in names if is_image_name(name)} - self._found)
            if rest:
                skipped.append(f"{counted(len(rest), 'image', 'images')} without a JSON file ({rest[0]}"
                               f"{', ...' if rest[1:] else ''})")  # fmt: skip


def _whole(value: float) -> float:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _has_image(path: Path) -> bool:
    try:
        return bool(embedded_image(path))
    except OSError:
        return False

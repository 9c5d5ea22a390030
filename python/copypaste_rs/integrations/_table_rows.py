"""Rows of a table of Datasets: which fields they have, and what stands in them as instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from datasets import Dataset, Image

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.instances import Instances
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs._checks import Place

SEGMENTATIONS = ("segmentation", "segmentations", "mask", "masks")
LABELS = ("category_id", "category", "categories", "label", "labels")

BESIDE = frozenset({"id", "iscrowd", "bbox", "keypoints", "num_keypoints", "score"})
"""Further fields of objects that are read where fields are columns of the table."""

_SECOND = 2**32
"""Weight of the class in the number by which a pixel's class and object are one."""


class TableRows:
    """Columns of a table that have images and objects.

    Parameters
    ----------
    table, image, objects, segmentation, label, id_map
        As `TableSamples` takes them.
    """

    def __init__(
        self,
        table: Any,
        image: str,
        objects: str | None,
        segmentation: str | None,
        label: str | SupportsIndex | None,
        id_map: str | None,
    ) -> None:
        if not isinstance(table, Dataset):
            keys = ", ".join(map(str, table)) if isinstance(table, Mapping) else ""
            got = type(table).__name__ + (f" of {keys}" if keys else "")
            raise wrong_type("table", "a datasets.Dataset, whose rows have numbers", got)
        # Other formats give arrays or tensors in the place of lists and images, at their cost.
        self.transformed = table.format["type"] == "custom"
        self.table = table if self.transformed else table.with_format(None)
        self.image, self.objects, self.id_map = image, objects, id_map
        self._one_label: int | None = None
        if label is not None and not isinstance(label, str):
            self._one_label, label = _checks.integer("label", label, -(2**31), 2**31 - 1), None
        self._given = (segmentation, label)
        if self.transformed:  # it says itself what its rows have
            return
        for name, column in (("image", image), ("objects", objects), ("id_map", id_map)):
            if column is not None and column not in table.column_names:
                raise wrong(name, f"a column of the table: {', '.join(table.column_names)}", repr(column))
        if id_map is None and (fields := self._features()) is not None:
            self._fields("table" if objects is None else ("table", objects), fields)
        columns = [objects] if objects is not None else [each for each in table.column_names if each in self._names()]
        self._light = table.select_columns(columns).with_format("arrow")

    def _names(self) -> set[str]:
        """Columns that have fields of objects, where these are columns of the table."""
        return {*BESIDE, *SEGMENTATIONS, *LABELS, *(each for each in self._given if each is not None)}

    def _features(self) -> Mapping[str, Any] | None:
        """Features of the fields, where the table says which they are."""
        if self.objects is None:
            return {name: each for name, each in self.table.features.items() if name != self.image}
        feature = self.table.features[self.objects]
        inner = getattr(feature, "feature", feature)
        return inner if isinstance(inner, Mapping) else None

    def _fields(self, place: Place, fields: Any) -> tuple[str | None, str | None]:
        """Names of the fields with segmentations and labels, of those that there are."""
        segmentation = _found(place, "segmentation", self._given[0], SEGMENTATIONS, fields, "bbox")
        if self._one_label is not None:
            return segmentation, None
        return segmentation, _found(place, "label", self._given[1], LABELS, fields)

    def class_names(self) -> list[str] | None:
        """Names of the classes, where labels are a ``ClassLabel``."""
        if self.transformed or self.id_map is not None or (fields := self._features()) is None:
            return None
        _, label = self._fields("table", fields)
        feature = fields.get(label) if label is not None else None
        names = getattr(getattr(feature, "feature", feature), "names", None)
        return None if names is None else list(names)

    def number(self, index: SupportsIndex) -> int:
        """Number of a row, from 0."""
        return _checks.position(index, len(self.table), "rows")

    def row(self, i: int) -> Mapping[str, Any]:
        """A row, with all columns that are read."""
        row: Mapping[str, Any] = self.table[i]
        for column in (self.image, self.objects, self.id_map):
            if column is not None and column not in row:
                raise wrong(("table", i), f"a row with {column!r}", f"one with {', '.join(row)}")
        return row

    def info(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Numbers and texts of a row."""
        return {name: value for name, value in row.items() if isinstance(value, bool | int | float | str)}

    def instances(self, i: int, row: Mapping[str, Any], size: tuple[int, int]) -> Instances:
        """Objects of a row whose image has that size."""
        if self.id_map is not None:
            return self._of_map(("table", i, self.id_map), row[self.id_map], size)
        if self.objects is None:
            place: Place = ("table", i)
            value = {name: row[name] for name in row if name in self._names() and name != self.image}
        else:
            place, value = ("table", i, self.objects), row[self.objects]
        return self._of_objects(place, value, size)

    def label_place(self, i: int, k: int) -> Place:
        """Place of the label of object k of row i."""
        if self.id_map is not None:
            return ("table", i, self.id_map)
        return ("table", i, k) if self.objects is None else ("table", i, self.objects, k)

    def _of_objects(self, place: Place, value: Any, size: tuple[int, int]) -> Instances:
        rows = _rows(place, value)
        if not rows:
            return Instances.from_coco([], size)
        segmentation, label = self._fields(place, rows[0])
        renamed = {segmentation: "segmentation", label: "category_id"}
        left_out = set(renamed.values()) - set(renamed)  # of another meaning, where another field was given
        annotations = [{renamed.get(name, name): row[name] for name in row if name not in left_out} for row in rows]
        if self._one_label is not None:
            annotations = [{**row, "category_id": self._one_label} for row in annotations]
        masks = None
        if segmentation is not None and any(_is_raster(row.get("segmentation"), size) for row in annotations):
            masks = RleMasks.concat(
                [
                    _mask(item(place, k, segmentation), row.pop("segmentation"), size)
                    for k, row in enumerate(annotations)
                ]
            )
            for row in annotations:
                row.pop("bbox", None)
        try:
            instances = Instances.from_coco(annotations, size)
        except (ArgumentError, ArgumentTypeError) as error:
            given = {new: old for old, new in renamed.items()}
            index = error.index if isinstance(error.index, tuple) else (error.index,)
            kept = [given.get(each, each) if isinstance(each, str) else each for each in index if each is not None]
            raise error.renamed("table", (*place[1:], *kept)) from None  # type: ignore[arg-type]  # names and numbers
        return instances if masks is None else instances.replace(masks=masks)

    def _of_map(self, place: Place, value: Any, size: tuple[int, int]) -> Instances:
        array = _array(place, value)
        if array.shape[:2] != size:
            raise wrong(place, f"a map of the image's size {size}", str(array.shape[:2]))
        if array.ndim == 3 and self._one_label is None:
            numbers = array[:, :, 1].astype(np.int64)
            keys = np.where(numbers == 0, 0, numbers + _SECOND * array[:, :, 0].astype(np.int64))
        elif array.ndim == 2 and self._one_label is not None:
            keys = array
        else:
            expected = "a class and a number in the channels of each pixel, or numbers alone and label=an integer"
            raise wrong(place, expected, f"shape {array.shape} and label={self._one_label}")
        masks, keys_there = RleMasks.from_label_map(keys)
        ids = keys_there.astype(np.int64)
        labels = ids // _SECOND if self._one_label is None else np.full(len(ids), self._one_label, np.int64)
        return Instances(masks=masks, labels=labels, id=ids % _SECOND)

    def has_objects(self, i: int) -> bool:
        """Whether row i may have an object that is not a crowd; True where only its pixels say."""
        if self.transformed or self.id_map is not None:
            return True
        row = self._light[i]
        values = {name: row.column(name)[0] for name in row.column_names}
        if self.objects is not None:
            value = values[self.objects]
            if not value.is_valid:
                return False
            if not isinstance(value, Mapping):  # a list of dicts
                names = [field.name for field in value.type.value_type] if len(value) else []
                crowds = value.values.field("iscrowd").to_pylist() if "iscrowd" in names else [False]
                return len(value) > 0 and not all(crowds)
            values = {name: value[name] for name in value}
        listed = [each for each in values.values() if hasattr(each.type, "value_type") and each.is_valid]
        crowds = values["iscrowd"].as_py() if "iscrowd" in values else None
        return any(len(each) for each in listed) and not (crowds and all(crowds))


def _found(
    place: Place, what: str, given: str | None, known: Sequence[str], fields: Any, instead: str | None = None
) -> str | None:
    """Name of a field: the one that was given, or the one that is known."""
    names = [str(name) for name in fields]
    if given is not None:
        if given not in names:
            raise wrong(what, f"a field of the objects: {', '.join(names)}", repr(given))
        return given
    found = [name for name in known if name in names]
    if not found and instead in names:
        return None
    if not found:
        either = ", ".join(known) if instead is None else f"{', '.join(known)}, {instead}"
        raise wrong(place, f"objects with a field of {either} ({what}= names another one)", ", ".join(names) or "none")
    return found[0]


def _rows(place: Place, value: Any) -> list[dict[str, Any]]:
    """Objects of an image, each as a dict, of a list of dicts or a dict of lists."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        columns = {name: each for name, each in value.items() if isinstance(each, Sequence | np.ndarray)}
        lengths = {name: len(each) for name, each in columns.items()}
        if len(set(lengths.values())) > 1:
            raise wrong(place, "lists of one length", ", ".join(f"{name}: {n}" for name, n in lengths.items()))
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not all(isinstance(each, Mapping) for each in value)
    ):
        raise wrong_type(place, "a list of dicts or a dict of lists", type(value).__name__)
    return [dict(each) for each in value]


def _is_image(value: Any) -> bool:
    """Whether a value is a picture, or the file of one."""
    return hasattr(value, "getbands") or (isinstance(value, Mapping) and {"bytes", "path"} >= set(value) != set())


def _is_raster(value: Any, size: tuple[int, int]) -> bool:
    """Whether a segmentation has a value for each pixel."""
    if _is_image(value):
        return True
    if isinstance(value, np.ndarray):
        return value.ndim >= 2
    return isinstance(value, list) and len(value) == size[0] and list(np.shape(value[:1])) == [1, size[1]]


def _mask(place: Place, value: Any, size: tuple[int, int]) -> RleMasks:
    if not _is_raster(value, size):
        raise wrong_type(place, "a mask, as others there", type(value).__name__)
    array = _array(place, value)
    if array.ndim == 3:  # the colours of a drawn mask, without its transparency
        array = array[:, :, : 3 if array.shape[2] > 2 else 1].any(axis=2)
    if array.shape != size:
        raise wrong(place, f"a mask of the image's size {size}", str(array.shape))
    return RleMasks.from_dense((array != 0)[None])


def _array(place: Place, value: Any) -> NDArray[Any]:
    """The values of a picture, of an array, or of lists."""
    array = np.asarray(_picture(place, value) if _is_image(value) else value)
    if array.ndim not in (2, 3) or array.dtype.kind not in "biuf":
        raise wrong(place, "a raster (H, W) or (H, W, C)", f"shape {array.shape}, dtype {array.dtype}")
    return array


def _picture(place: Place, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    try:
        return Image().decode_example({"path": None, "bytes": None, **value})
    except (OSError, ValueError) as error:
        raise type(error)(f"{_checks.places.part(place)}: {error}") from None


def pixels(place: Place, value: Any) -> NDArray[np.uint8]:
    """A picture, or an array, as 8-bit RGB."""
    if not _is_image(value):
        array = np.asarray(value)
        if array.ndim == 3 and array.shape[2] == 3 and (array.dtype == np.uint8 or isinstance(value, list)):
            return np.ascontiguousarray(array.astype(np.uint8))
        got = f"{type(value).__name__} {array.shape}"
        raise wrong_type(place, "a picture (cast_column(name, datasets.Image()) makes one), or uint8 (H, W, 3)", got)
    picture = _picture(place, value)
    if picture.mode.startswith(("I", "F")):
        raise wrong(place, "a picture of 8 bits", f"mode {picture.mode}")
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))

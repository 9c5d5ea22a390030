"""Annotated images: a sequence of samples out of tables, whose images are decoded when they are taken."""

from __future__ import annotations

import copy
import functools
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat, SupportsIndex

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.datasets.categories import category_ids as checked_ids
from copypaste_rs.datasets.categories import flip_pairs, joined_categories, label_weights
from copypaste_rs.datasets.category_lists import category_lists, moved_lists
from copypaste_rs.datasets.fields import taken
from copypaste_rs.datasets.file_names import find_file, possible_names
from copypaste_rs.datasets.image_files import is_inside, whole_file
from copypaste_rs.datasets.images import image_size, read_image
from copypaste_rs.datasets.label_numbers import FIRST, numbered
from copypaste_rs.datasets.table_cache import MappedTables
from copypaste_rs.datasets.tables import image_info
from copypaste_rs.datasets.undecoded import UndecodedSample
from copypaste_rs.instances import Instances

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.tables import AnnotationTables
    from copypaste_rs.sample import Sample


class AnnotatedImages(Sequence["Sample"]):
    """Base of data sets of files: samples out of tables and a folder of images."""

    def __init__(
        self, given: AnnotationTables | MappedTables, images: Path, name: str, options: CheckedOptions
    ) -> None:
        """The set of tables, which may be mapped from a cache; `name` is what its one warning calls it."""
        self._mapped = given if isinstance(given, MappedTables) else None
        tables = given.tables if isinstance(given, MappedTables) else given
        self.category_ids: list[int | None] = [category["id"] for category in tables.categories]
        tables = numbered(tables, options.labels, name)
        self._is_numbered = options.labels in FIRST
        self._tables = tables
        self._images = images
        self._options = options.images
        self._has_told = False
        self.categories: list[dict[str, Any]] = tables.categories
        self._moved = self._by_file_id() if self._is_numbered else None
        """Ids of categories by those that they have in the files, where they may be others."""
        self.file_info: Any = tables.info
        self.licenses: Any = tables.licenses
        self.keypoint_names = tables.keypoint_names
        self.flip_pairs = flip_pairs(tables.keypoint_names)
        self.fields: dict[str, np.dtype[Any]] = {name: field.dtype for name, field in tables.fields.items()}
        self.integers = frozenset(name for name, field in tables.fields.items() if field.whole)
        skipped = [f"left out {', '.join(tables.skipped)}"] if tables.skipped else []
        if told := [*skipped, *tables.remarks]:
            warnings.warn(f"{name}: {'; '.join(told)}", UserWarning, stacklevel=3)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if self._mapped is not None:
            state["_tables"] = _changes(self._mapped.tables, self._tables)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._mapped is not None:
            self._tables = _changed(self._mapped.tables, state["_tables"])

    def __len__(self) -> int:
        return len(self._tables.image_ids)

    def __getitem__(self, index: SupportsIndex) -> Sample:  # type: ignore[override]  # no slices: they would decode
        """Item `index`: its image is decoded now, to what `dtype` says."""
        return self._read(self._index(index)).decoded()

    def _undecoded(self, index: int) -> Sample | UndecodedSample:
        """Item `index`, undecoded, unless a class below gives another one."""
        if type(self).__getitem__ is not AnnotatedImages.__getitem__:
            return self[index]
        return self._read(self._index(index))

    def _unread(self, index: int) -> tuple[tuple[int, int], Instances] | None:
        """Size and instances of item `index`; None where a class below gives another item."""
        if type(self).__getitem__ is not AnnotatedImages.__getitem__:
            return None
        return self.size(index), self.instances(index)

    def _read(self, i: int) -> UndecodedSample:
        info = self._info(i)
        h, w = self._tables.sizes[i].tolist()
        path, content = self._file(info)
        remark = functools.partial(self._tell, path)
        image = functools.partial(read_image, path, (h, w), self._options, remark, content)
        return UndecodedSample(image, self._instances(i, (h, w)), info, (h, w))

    def _file(self, info: Mapping[str, Any]) -> tuple[str | Path, bytes]:
        """The image file that a record means, and its bytes."""
        if is_inside(name := info["file_name"]):  # nearly all names mean what they say: no other is looked for then
            plain = os.path.join(self._images, name)  # noqa: PTH118 (paths take longer to make than files to open)
            try:  # without `suppress`, which takes a tenth of the time of reading the file
                return plain, self._content(plain)
            except OSError:
                pass
        path = find_file(info, self._images)
        try:
            return path, self._content(path)
        except FileNotFoundError:
            others = [str(self._images / name) for name in possible_names(info, self._images)][1:]
            if not others:
                raise
            raise FileNotFoundError(f"{path}: no such file, nor is {' or '.join(others)}") from None

    def _content(self, path: str | Path) -> bytes:
        """The bytes of an image; a format may have them in a file of its own."""
        return whole_file(path)

    def _tell(self, path: str | Path, orientation: int) -> None:
        """Say once that there are images whose EXIF orientation is not applied."""
        if not self._has_told:
            self._has_told = True
            warnings.warn(
                f"{Path(path)}, and perhaps other images: the EXIF orientation, here {orientation}, is not applied, as "
                "outlines are taken to be of the stored pixels; apply_exif=True applies it",
                UserWarning,
                stacklevel=3,
            )

    def instances(self, index: SupportsIndex) -> Instances:
        """The instances of item `index`, without decoding its image."""
        i = self._index(index)
        h, w = self._tables.sizes[i].tolist()
        return self._instances(i, (h, w))

    def _instances(self, i: int, size: tuple[int, int]) -> Instances:
        tables = self._tables
        start, stop = tables.row_offsets[i : i + 2].tolist()
        rows: slice | NDArray[np.int64] = slice(start, stop)
        masks, boxes, covers = tables.segmentations.masks((start, stop), size)
        if covers is not None:  # of a small or flat polygon it turns out only now that it covers no pixel
            if tables.boxes is not None:
                covers |= tables.boxes.box_only[rows]
            rows, masks, boxes = start + np.flatnonzero(covers), masks[covers], boxes[covers]
        labels, iscrowd = taken(tables.labels, rows), taken(tables.iscrowd, rows)
        fields = {"id": taken(tables.ids, rows)}
        for name, field in tables.fields.items():
            fields[name] = field.of(rows)
        if tables.boxes is None:
            return Instances._of_tables(masks, labels, boxes, iscrowd, fields)
        given = tables.boxes.take(np.arange(start, stop) if isinstance(rows, slice) else rows)
        return Instances(masks, labels, iscrowd=iscrowd, **given._asdict(), **fields)

    def info(self, index: SupportsIndex) -> dict[str, Any]:
        """Fields of the image of item `index` in the file: image_id, file_name, width, height, further scalars.

        Beside these the lists of category ids that LVIS has: ``neg_category_ids``, ``not_exhaustive_category_ids``.
        """
        return self._info(self._index(index))

    def _info(self, i: int) -> dict[str, Any]:
        start, stop = self._tables.image_json_offsets[i : i + 2].tolist()
        info = image_info(self._tables.image_json[start:stop].tobytes(), int(self._tables.image_ids[i]))
        return info if self._moved is None else info | moved_lists(category_lists(info), self._moved)

    @property
    def image_folder(self) -> Path:
        """The folder that names of images start from."""
        return self._images

    @property
    def digest(self) -> str:
        """SHA-256 of the annotations as they were read, hexadecimal."""
        return self._tables.digest

    @property
    def applies_exif(self) -> bool:
        """Whether images are turned as their EXIF orientation says."""
        return self._options.apply_exif

    @property
    def has_instances(self) -> bool:
        """Whether there is any instance in the whole set."""
        return len(self._tables.ids) > 0

    @property
    def crowds_alone(self) -> int:
        """Number of instances in the whole set where all are crowds, which are never pasted; else 0."""
        return len(self._tables.ids) if self._tables.iscrowd.all() else 0

    def has_unmarked(self, flags: Collection[str]) -> bool:
        """Whether the set has an instance that is no crowd and not marked by any of `flags`, such as `pseudo`."""
        tables = self._tables
        marked = tables.iscrowd.copy()
        if tables.boxes is not None and "box_only" in flags:
            marked |= tables.boxes.box_only
        for name in tables.fields.keys() & flags:
            marked |= tables.fields[name].values.astype(np.bool_)
        return not marked.all()

    def unknown_labels(self, categories: Sequence[Mapping[str, Any]]) -> list[int]:
        """Labels that occur but are not among these categories, ascending."""
        known = {category["id"] for category in categories}
        return [label for label in np.unique(self._tables.labels).tolist() if label not in known]

    def with_categories(self, categories: Sequence[Mapping[str, Any]]) -> Self:
        """The data set with labels of these categories, joined by name; those of other names are added to them.

        Added categories keep their ids; where labels count categories (``labels="from0"``), they go on counting.

        Parameters
        ----------
        categories : sequence of dict
            Of another data set, which this one is to meet.

        Returns
        -------
        CocoDataset
            A new one, which shares all but the labels.

        Raises
        ------
        ValueError, TypeError
            When these are no categories; when an id has one name there and here another one, which is not among them
            (where labels are ids); when several have the name by which one would be joined.

        Examples
        --------
        >>> from copypaste_rs.datasets import sample_data
        >>> photos = sample_data()
        >>> photos.instances(0).labels, photos.categories[0]["name"]
        (array([1]), 'cup')
        >>> joined = photos.with_categories([{"id": 90, "name": "cup"}])
        >>> joined.instances(0).labels, [category["id"] for category in joined.categories][:2]
        (array([90]), [90, 2])
        """
        checked_ids("categories", categories)
        joined, ids = joined_categories("categories", categories, self.categories, counts=self._is_numbered)
        given, numbers = np.unique(self._tables.labels, return_inverse=True)
        labels = np.array([ids.get(label, label) for label in given.tolist()], np.int64)[numbers]
        made = copy.copy(self)
        made._tables = self._tables._replace(labels=labels, categories=joined)
        made.categories = joined
        of_file = {ids[own["id"]]: given for own, given in zip(self.categories, self.category_ids, strict=True)}
        made.category_ids = [of_file.get(category["id"]) for category in joined]
        made._moved = made._by_file_id()
        return made

    def _by_file_id(self) -> dict[int, int]:
        pairs = zip(self.category_ids, self.categories, strict=True)
        return {given: category["id"] for given, category in pairs if given is not None}

    def class_weights(self, weights: Mapping[str, SupportsFloat]) -> dict[int, float]:
        """Weights by label, for `SimpleCopyPaste`, of weights by the name of a category.

        Parameters
        ----------
        weights : mapping of str to float
            Finite numbers of at least 0. Categories that are not named are left out, and so weigh 1.

        Returns
        -------
        dict of int to float
            For each category of these names its id and weight; two categories may share a name.

        Raises
        ------
        ValueError, TypeError
            When no category has a name, with those that are near; when a weight is no such number.

        Examples
        --------
        >>> from copypaste_rs.datasets import sample_data
        >>> sample_data().class_weights({"cat": 4})
        {2: 4.0}
        """
        return label_weights("weights", self.categories, weights)

    def path(self, index: SupportsIndex) -> Path:
        """The image file of item `index`."""
        return find_file(self.info(index), self._images)

    def size(self, index: SupportsIndex) -> tuple[int, int]:
        """Height and width of item `index`, in pixels."""
        h, w = self._tables.sizes[self._index(index)].tolist()
        return h, w

    def rows(self, index: SupportsIndex) -> int:
        """Number of annotations of item `index`: of its instances, and of polygons that turn out to cover no pixel."""
        start, stop = self._tables.row_offsets[self._index(index) :][:2].tolist()
        return int(stop - start)

    def check_image(self, index: SupportsIndex) -> None:
        """Check the size of the image file of item `index`, without decoding it: an error where taking it fails so."""
        i = self._index(index)
        image_size(self.path(i), self._options, self.size(i))

    def has_objects(self, index: SupportsIndex) -> bool:
        """Whether item `index` has an instance that is not a crowd. Cheap: nothing is decoded."""
        i = self._index(index)
        start, stop = self._tables.row_offsets[i : i + 2].tolist()
        return False in self._tables.iscrowd[start:stop].tolist()  # of so few, `all` of NumPy takes longer

    def _index(self, index: SupportsIndex) -> int:
        return _checks.position(index, len(self), "images")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} images, {len(self._tables.ids)} instances)"


def _changes(mapped: AnnotationTables, tables: AnnotationTables) -> dict[str, Any]:
    """Find what tables have else than those that they were made from; labels as the new one of each old one."""
    changes = {name: value for name, value in tables._asdict().items() if value is not getattr(mapped, name)}
    if "labels" in changes:
        old, first = np.unique(mapped.labels, return_index=True)
        changes["labels"] = old, tables.labels[first]
    return changes


def _changed(mapped: AnnotationTables, changes: Mapping[str, Any]) -> AnnotationTables:
    if "labels" not in changes:
        return mapped._replace(**changes)
    old, new = changes["labels"]
    labels = new[np.searchsorted(old, mapped.labels)] if len(old) else mapped.labels
    return mapped._replace(**{**changes, "labels": labels})

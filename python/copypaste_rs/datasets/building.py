"""Tables of formats that are read image by image: all but COCO's, which has them in one file."""

from __future__ import annotations

import itertools
from array import array
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.datasets.assembly import AnnotationRows, Head, ImageRows, assembled, counted, joined_texts
from copypaste_rs.datasets.boxes import BoxesReader
from copypaste_rs.datasets.categories import category_ids, keypoint_names
from copypaste_rs.datasets.column_names import read_with
from copypaste_rs.datasets.fields import FORMS, FieldReader, FormReader
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.segmentations import SegmentationsBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.datasets.options import CheckedOptions
    from copypaste_rs.datasets.sources import Sources
    from copypaste_rs.datasets.tables import AnnotationTables
    from copypaste_rs.masks import RleMasks


def one_by_one(masks: RleMasks) -> Iterator[RleMasks]:
    """Masks one by one, for `TableBuilder.add`: faster than by their numbers, where there are many."""
    offsets = masks.offsets.tolist()
    for start, end in itertools.pairwise(offsets):
        yield type(masks)._trusted(masks.size, masks.counts[start:end], np.array([0, end - start], np.int64))


class TableBuilder:
    """Collects images, and the objects of each, as tables.

    Parameters
    ----------
    name : str
        What errors call the set.
    categories : sequence of dict, or None
        As COCO has them: ``id``, ``name``, and for keypoints ``keypoints``. Labels are among the ids. None where the
        names turn up with the objects: `label_of` gives the labels then.
    options : CheckedOptions
        Options of the data set.
    sources : Sources
        What it is read from: its digest, with that of the images, is that of the tables.
    """

    def __init__(
        self,
        name: str,
        categories: Sequence[Mapping[str, Any]] | None,
        options: CheckedOptions,
        sources: Sources,
    ) -> None:
        self._categories = [dict(category) for category in categories or ()]
        self._labels_of: dict[str, int] | None = {} if categories is None else None
        category_ids(f"{name}: categories", self._categories)
        self._names = keypoint_names(f"{name}: categories", self._categories)
        self._options = options
        self._sources = sources
        self._records: list[bytes] = []
        self._image_ids, self._sizes = array("q"), array("q")
        self._image, self._ids, self._labels, self._crowd = array("q"), array("q"), array("q"), array("b")
        self._places: dict[int, str] = {}
        """Places of rows with a box alone, for the error."""
        self._shapes, self._boxes, self._fields = SegmentationsBuilder(), BoxesReader(), FieldReader()
        wanted = [form for form in FORMS if options.columns is None or form in options.columns]
        self._forms = {form: FormReader(form, self._names if form == "keypoints" else None) for form in wanted}
        self.skipped: list[str] = []
        """Remarks on what was left out, with its count; readers add theirs."""
        self.remarks: list[str] = []
        """Remarks on what was read and may surprise; readers add theirs."""

    def __len__(self) -> int:
        """Number of images that were added."""
        return len(self._records)

    def label_of(self, name: str) -> int:
        """Label of the category of a name, for `add`, where no categories were given.

        When all is read, they are numbered from 1 by their names, sorted.
        """
        if self._labels_of is None:
            raise ValueError("label_of: the categories were given")
        return self._labels_of.setdefault(name, len(self._labels_of))

    def add_image(
        self,
        file_name: str,
        size: tuple[int, int],
        *,
        number: int | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an image, to which the objects that follow belong.

        Parameters
        ----------
        file_name : str
            Relative to the folder of images.
        size : (int, int)
            Height and width.
        number : int, optional
            Its id; else images count from 1.
        fields : mapping, optional
            Further fields, which ``Sample.info`` will have: numbers, text, flags.
        """
        size = _checks.size(f"{file_name}: size", size)
        number = len(self._records) + 1 if number is None else number
        record = {**(fields or {}), "id": number, "file_name": file_name, "height": size[0], "width": size[1]}
        self._records.append(json_text(file_name, record))
        self._sources.include(self._records[-1])
        self._image_ids.append(number)
        self._sizes.extend(size)

    def add(
        self,
        place: str,
        label: int,
        outline: list[Any] | RleMasks | None,
        *,
        bbox: Sequence[float] | None = None,
        iscrowd: bool = False,
        number: int | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an object of the last image.

        Parameters
        ----------
        place : str
            Where it stands, file and place in it, for errors.
        label : int
            Id of its category.
        outline : list or RleMasks
            Polygon parts, each a flat list of x, y, ... in pixels (edges of pixels: 0 is the left edge of the first),
            or one mask of the image's size; None or an empty list for an object that has a box alone.
        bbox : sequence of float, optional
            x, y, width and height; of an object without outline it is the rectangle.
        iscrowd : bool
            Whether it is a crowd: a region with objects that are not told apart.
        number : int, optional
            Its id; else objects count from 1.
        fields : mapping, optional
            Further fields, which become columns; ``keypoints`` as COCO has them.
        """
        row = len(self._labels)
        fields = {} if fields is None else fields
        h, w = self._sizes[-2:]
        try:
            if outline is None or isinstance(outline, list):
                self._shapes.add(outline or None, (h, w))
            else:
                self._shapes.add_mask(outline, (h, w))
            if not (outline if isinstance(outline, list) else outline is not None) and bbox is not None:
                self._boxes.read(row, list(bbox))
                self._places.setdefault(row, place)
            for name, form in self._forms.items():
                form.read(row, fields.get(name))
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        asked = read_with(self._options.columns)
        further = {key: value for key, value in fields.items() if key not in FORMS and (asked is None or key in asked)}
        self._fields.read_values(row, further)
        self._image.append(len(self._records) - 1)
        self._ids.append(row + 1 if number is None else number)
        self._labels.append(label)
        self._crowd.append(iscrowd)

    def _final_labels(self) -> NDArray[np.int64]:
        labels = np.array(self._labels, np.int64)
        if self._labels_of is None:
            return labels
        names = sorted(self._labels_of)
        self._categories = [{"id": i, "name": name} for i, name in enumerate(names, 1)]
        numbers = np.zeros(len(names), np.int64)
        numbers[[self._labels_of[name] for name in names]] = np.arange(1, len(names) + 1)
        return numbers[labels]

    def finish(self, *, info: Any = None, licenses: Any = None) -> AnnotationTables:
        """The tables of all that was added."""
        n = len(self._labels)
        skipped, remarks = self.skipped, self.remarks
        if short := self._shapes.short_parts:
            name = "of fewer than three points"
            skipped.append(counted(short, f"polygon part {name}", f"polygon parts {name}"))
        columns, left_out = self._fields.finish(n)
        skipped.extend(left_out.told())
        columns |= {name: column for name, form in self._forms.items() if (column := form.finish(n)) is not None}
        kept = self._boxes.are_kept(self._options.boxes, self._places.__getitem__)
        if alone := 0 if kept else len(self._boxes.rows):
            skipped.append(counted(alone, "annotation with a bbox alone", "annotations with a bbox alone"))
        rows = AnnotationRows(
            np.array(self._image, np.int64),
            np.array(self._ids, np.int64),
            self._final_labels(),
            np.array(self._crowd, np.bool_),
            columns,
            self._shapes.finish(),
            self._boxes.finish(n) if kept else None,
            alone,
        )
        images = ImageRows(
            np.array(self._image_ids, np.int64),
            np.array(self._sizes, np.int64).reshape(-1, 2),
            *joined_texts(self._records),
        )
        head = Head(self._categories, self._names, self._sources.digest(), info, licenses)
        return assembled(head, images, rows, self._options.crowds, skipped, remarks)

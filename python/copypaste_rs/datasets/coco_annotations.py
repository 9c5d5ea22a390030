"""Annotations of a COCO file, read one by one into flat arrays."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.boxes import BoxesReader
from copypaste_rs.datasets.coco_rows import COUNTED, KNOWN, ReadAnnotations, counted_with
from copypaste_rs.datasets.column_names import read_with
from copypaste_rs.datasets.fields import FORMS, FieldReader, FormReader, field_of, text_field
from copypaste_rs.datasets.given_ids import GIVEN, IdNumbers, plain_id
from copypaste_rs.datasets.segmentations import MalformedCountsError, SegmentationsBuilder

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.datasets.assembly import AnnotationRows
    from copypaste_rs.datasets.problems import Problems

Id: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | str
"""An id as files have it: an integer, perhaps as text, or a name."""


class Rle(msgspec.Struct, gc=False):
    """A segmentation as run lengths: a compressed string or a plain list."""

    size: list[int]
    counts: str | list[Annotated[int, msgspec.Meta(ge=0, le=_checks.MAX_PIXELS)]]


_LATER = ("bbox", *FORMS)
"""Fields that are decoded where they matter."""
_TEXTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class AnnotationsReader:
    """Collects annotations of images that are there; what is malformed is noted with its place."""

    words: ClassVar[tuple[str, str]] = "annotation", "annotations"
    """Names of one, and of several."""
    have_ids: ClassVar[bool] = True
    """Whether each has an ``id``; else they count from 1."""

    def __init__(
        self,
        problems: Problems,
        images: Mapping[int | str, int],
        sizes: NDArray[np.int64],
        names: Mapping[str, Sequence[str] | None],
        columns: frozenset[str] | None,
        categories: Mapping[str, int],
    ) -> None:
        """Reader of annotations of images, given by id and size; categories list `names` for some fields.

        Of further fields only those of `columns` are read, or all. `categories` has the numbers of categories whose
        ids are names.
        """
        self._problems = problems
        self._index = images
        self._sizes = [(h, w) for h, w in sizes.tolist()]
        self._categories = categories
        self._numbers = array("q")  # of the rows, in the file
        self._images, self._labels, self._crowd = array("q"), array("q"), array("b")
        self._ids = IdNumbers()
        self._shapes, self._boxes, self._fields = SegmentationsBuilder(), BoxesReader(), FieldReader()
        self._asked, self._columns = columns, read_with(columns)
        forms = [name for name in FORMS if columns is None or name in columns]
        self._forms = {name: FormReader(name, names.get(name)) for name in forms}
        self._counted = dict.fromkeys(counted_with(columns), 0)
        self._unknown = 0
        if self._columns is not None:
            self._fields.learn(sorted(self._columns - KNOWN))
        self._decode = self._decoder()

    def read(self, number: int, raw: msgspec.Raw) -> None:
        """Take an annotation, whose number in the file is given."""
        try:
            item = self._decoded(raw)
            image = self._index.get(item.image_id, -1)
            if image < 0 and isinstance(item.image_id, str):
                image = self._index.get(plain_id(item.image_id), -1)
            if image < 0:
                self._unknown += 1
                return
            crowd, label = _flag(item.iscrowd), self._label(item.category_id)
            row = len(self._images)
            if not item.segmentation:
                self._boxes.read(row, _value(item.bbox))
            further = self._further(raw) if self._fields.are_texts else {}
            values = {name: msgspec.json.decode(text) for name, text in further.items()}
            for name, form in self._forms.items():
                form.read(row, _value(getattr(item, name)))
            # Last, so that its rows are ours also after a problem: finish() names them.
            self._shapes.add(item.segmentation, self._sizes[image])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            self._problems.add(f"{self.words[1]}[{number}]", error)
            return
        self._numbers.append(number)
        for name in self._counted:
            self._counted[name] += bytes(getattr(item, name)) not in (b"", b"null")
        self._images.append(image)
        self._ids.add(item.id if self.have_ids else number + 1)
        self._labels.append(label)
        self._crowd.append(crowd)
        if self._fields.are_texts:
            self._fields.read_values(row, values)
        elif self._fields.names:
            self._fields.read(row, item)

    def _label(self, given: int | str) -> int:
        """The number of a category, by its id in the file."""
        label = plain_id(given)
        if isinstance(label, str):
            try:
                return self._categories[label]
            except KeyError:
                raise ValueError(f"Expected an id of a category, got {label!r} - at `$.category_id`") from None
        return label

    def _decoded(self, raw: msgspec.Raw) -> Any:
        try:
            return self._decode(raw)
        except msgspec.ValidationError:
            # Most files have the same few fields everywhere: the type grows when a new one turns up, and what is
            # still wrong then is wrong indeed.
            if self._columns is not None:
                raise
            known = len(self._fields.names)
            self._fields.learn(self._further(raw))
            if len(self._fields.names) == known:
                raise
            self._decode = self._decoder()
            return self._decode(raw)

    def _further(self, raw: msgspec.Raw) -> dict[str, msgspec.Raw]:
        """The fields that no program knows beforehand, as JSON by name."""
        found = {name: text for name, text in _TEXTS.decode(raw).items() if name not in KNOWN}
        return found if self._columns is None else {name: found[name] for name in found.keys() & self._columns}

    def _decoder(self) -> Any:
        """Decoder of annotations with the fields met so far, or, where they are many, of what else annotations have."""
        names = {} if self._fields.are_texts else self._fields.names
        return _decoder(names, others=self._fields.are_texts or self._columns is not None, have_ids=self.have_ids)

    def finish(self, boxes: str, skipped: list[str], remarks: list[str]) -> AnnotationRows:
        """The rows; what was left out, and what may surprise, is added to the remarks."""
        n = len(self._images)
        try:
            segmentations = self._shapes.finish()
        except MalformedCountsError as error:
            for row, message in error.rows.items():
                self._problems.add(f"{self.words[1]}[{self._numbers[row]}]", message)
            self._problems.tell()
            raise
        self._problems.tell()
        try:
            columns, left_out = self._fields.finish(n)
            forms = {name: form.finish(n) for name, form in self._forms.items()}
        except ValueError as error:
            raise ValueError(f"{self._problems.name}: {error}") from None
        if (names := self._ids.names) and (self._columns is None or GIVEN in self._columns):
            if GIVEN in columns:
                skipped.append(f"{field_of(GIVEN, self._fields.count(GIVEN))}, beside ids that are names")
            columns[GIVEN] = text_field(n, np.array(list(names), np.int64), list(names.values()))
            left_out.counts[GIVEN] = len(names)
        place = f"{self._problems.name}: {self.words[1]}"
        kept = self._boxes.are_kept(boxes, lambda row: f"{place}[{self._numbers[row]}]")
        read = ReadAnnotations(
            np.array(self._images, np.int64),
            self._ids.finish(),
            np.array(self._labels, np.int64),
            np.array(self._crowd, np.bool_),
            segmentations,
            self._boxes.finish(n) if kept else None,
            0 if kept else len(self._boxes.rows),
            columns,
            left_out,
            forms,
            self._counted,
            self._shapes.short_parts,
            self._unknown,
            self.words,
        )
        return read.rows(self._asked, skipped, remarks)


def _flag(value: bool | int | None) -> bool:
    if value not in (None, 0, 1):
        raise ValueError(f"Expected true, false, 0 or 1, got {value} - at `$.iscrowd`")
    return bool(value)


def _value(raw: msgspec.Raw) -> Any:
    """The value of a field that was not decoded yet; None where it is not there."""
    return msgspec.json.decode(raw) if bytes(raw) else None


def _decoder(names: Mapping[str, str], *, others: bool, have_ids: bool) -> Any:
    """Decoder of annotations with an attribute for each of these fields; whether other fields are passed over."""
    number: tuple[Any, ...] = ("id", Id) if have_ids else ("id", Any, None)
    anything = [(attribute, Any, msgspec.UNSET) for attribute in names.values()]
    return msgspec.json.Decoder(
        msgspec.defstruct(
            "Annotation",
            [
                ("image_id", Id),
                ("category_id", Id),
                number,
                ("segmentation", list[list[float] | float | Rle] | Rle | None, None),
                ("iscrowd", bool | int | None, None),
                *((name, msgspec.Raw, msgspec.Raw()) for name in (*COUNTED, *_LATER)),
                *anything,
            ],
            rename={attribute: name for name, attribute in names.items()},
            forbid_unknown_fields=not others,
        ),
        strict=False,  # whole numbers may be written as 1.0 or "1"
    ).decode

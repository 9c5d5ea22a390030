"""Further fields of annotations as columns: each has one dtype in the whole file."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs._field_values import InexactError, as_float, as_text
from copypaste_rs._ragged import offsets_of
from copypaste_rs.column_kinds import COLUMN_KINDS, kind_of
from copypaste_rs.instances import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


LONGEST = 256
"""Characters of the longest text that makes a column of NumPy's text: there each takes as much room as the longest."""


MANY = 64
"""Fields that become columns however few annotations have them; of a file with more, `RARE` decides."""
RARE = 16
"""Annotations for one that has a field, at most: so columns take room in proportion to the file."""


_EXACT = 2**53
"""Integers up to this one have floats of their own."""

_ODD = re.compile(r'["\\\x00-\x1f]')
"""Characters that no name has in a decoder of msgspec."""


class TextTable(NamedTuple):
    """Distinct texts, one after the other as UTF-8, so that each takes the room that it needs."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> TextTable:
        """The table of some texts."""
        parts = [text.encode("utf-8", "surrogatepass") for text in texts]
        return cls(np.frombuffer(b"".join(parts), np.uint8), offsets_of([len(part) for part in parts]))

    def all_texts(self) -> list[str]:
        """Texts in the order of their numbers."""
        return list(self.texts(np.arange(len(self.offsets) - 1)))

    def texts(self, numbers: NDArray[np.int64]) -> NDArray[np.object_]:
        """Texts of these numbers, as objects."""
        found = np.empty(len(numbers), object)
        for i, number in enumerate(numbers.tolist()):
            part = self.data[self.offsets[number] : self.offsets[number + 1]]
            found[i] = part.tobytes().decode("utf-8", "surrogatepass")
        return found


class LeftOut(NamedTuple):
    """Names of fields that are no columns, by why they are none, and the number of annotations that have each."""

    reserved: list[str]
    compound: list[str]
    inexact: list[str]
    rare: list[str]
    counts: dict[str, int]

    def told(self) -> list[str]:
        """Remarks on what is left out."""
        counts = self.counts
        words = [f"the field {name!r}, whose name has a meaning of its own here" for name in self.reserved]
        words += [f"{field_of(name, counts[name])}, which is a list or an object" for name in self.compound]
        words += [
            f"{field_of(name, counts[name])}, whose integers float64 does not hold exactly" for name in self.inexact
        ]
        if rare := len(self.rare):
            named = f"field ({self.rare[0]!r})" if rare == 1 else f"fields ({self.rare[0]!r}, ...)"
            words.append(f"{rare} {named} that fewer than one in {RARE} annotations have, of a file with over {MANY}")
        return words


def taken(values: NDArray[Any], rows: slice | NDArray[np.int64]) -> NDArray[Any]:
    """Values of some rows, as an array of their own."""
    found: NDArray[Any] = values[rows]
    return found.copy() if isinstance(rows, slice) else found


class Field(NamedTuple):
    """One column: values, or, of strings, numbers into a table of those that occur."""

    values: NDArray[Any]
    table: NDArray[np.str_] | TextTable | None = None
    whole: bool = False
    """Whether the file has integers here, perhaps not in every annotation (the values are floats then)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the column."""
        if isinstance(self.table, TextTable):
            return np.dtype(object)
        return self.values.dtype if self.table is None else self.table.dtype

    def of(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Return the values of these rows."""
        column = taken(self.values, rows)
        if isinstance(self.table, TextTable):
            return self.table.texts(column)
        return column if self.table is None else self.table[column]

    def take(self, rows: NDArray[np.int64]) -> Field:
        """The column of these rows."""
        return self._replace(values=self.values[rows])


FORMS = {name: kind.form for name, kind in COLUMN_KINDS.items() if kind.form is not None}
"""Fields whose value is more than a number or a text, and how they become columns."""


class FormReader:
    """Collects the values of one field of `FORMS`, as numbers."""

    def __init__(self, name: str, names: Sequence[str] | None) -> None:
        """Reader of the field `name`, for which categories list `names`, if any."""
        self._name = name
        per_name = FORMS[name].per_name
        self._names = None if names is None or per_name is None else (len(names), per_name * len(names))
        self._rows = array("q")
        self._numbers = array("d")

    def read(self, row: int, value: Any) -> None:
        """Take the value of one annotation; what is malformed is a ValueError."""
        numbers = [] if value is None else FORMS[self._name].read(value)
        if not numbers:
            return
        if self._names is not None and len(numbers) != self._names[1]:
            n, expected = self._names
            each = f"{expected} numbers, {expected // n} for each of {n} names in the categories"
            raise ValueError(f"{self._name}: expected {each}, got {len(numbers)}")
        if self._rows and len(numbers) != (expected := len(self._numbers) // len(self._rows)):
            raise ValueError(f"{self._name}: expected {expected} numbers as in other annotations, got {len(numbers)}")
        self._rows.append(row)
        self._numbers.extend(numbers)

    def finish(self, n: int) -> Field | None:
        """The column of n rows; None where no annotation has values."""
        if not self._rows:
            return None
        found = FORMS[self._name].column(np.reshape(self._numbers, (len(self._rows), -1)))
        values = np.zeros((n, *found.shape[1:]), found.dtype)
        values[np.array(self._rows)] = found
        return Field(values)


class FieldReader:
    """Collects the fields that no program knows beforehand."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        """Fields met so far, and the attribute under which a decoded annotation has each."""
        self._has_odd = False
        self._values: dict[str, tuple[list[int], list[Any]]] = {}

    @property
    def are_many(self) -> bool:
        """Whether a decoder for all of them takes too long to make and to run."""
        return len(self.names) > MANY

    @property
    def are_texts(self) -> bool:
        """Whether they are read by name, as no decoder has attributes for them."""
        return self.are_many or self._has_odd

    def learn(self, names: Iterable[str]) -> None:
        """Note fields that an annotation has."""
        for name in names:
            if name not in self.names:
                self.names[name] = f"field_{len(self.names)}"
                self._has_odd |= _ODD.search(name) is not None
                self._values[name] = ([], [])

    def read(self, row: int, item: Any) -> None:
        """Take the values of one annotation, which was decoded with an attribute for each field."""
        for name, attribute in self.names.items():
            self._take(row, name, getattr(item, attribute))

    def read_values(self, row: int, values: Mapping[str, Any]) -> None:
        """Take the values of one annotation by name."""
        self.learn(values)
        for name, value in values.items():
            self._take(row, name, value)

    def _take(self, row: int, name: str, value: Any) -> None:
        if isinstance(value, bool | int | float | str | list | dict):  # null is as good as absent
            rows, values = self._values[name]
            rows.append(row)
            values.append(None if isinstance(value, list | dict) else value)

    def count(self, name: str) -> int:
        """Number of annotations that have this field."""
        return len(self._values[name][0]) if name in self._values else 0

    def finish(self, n: int) -> tuple[dict[str, Field], LeftOut]:
        """The scalar fields as columns of n rows, and those that cannot be columns."""
        columns, left_out = {}, LeftOut([], [], [], [], {name: self.count(name) for name in self._values})
        for name, (rows, values) in self._values.items():
            if not values:  # null everywhere
                continue
            if self.are_many and RARE * len(rows) < n:
                left_out.rare.append(name)
            elif None in values:
                left_out.compound.append(name)
            elif name in RESERVED or name.startswith("_"):
                left_out.reserved.append(name)
            elif kind_of(name).absent is False:
                columns[name] = _flags(name, n, np.array(rows, np.int64), values)
            else:
                try:
                    columns[name] = _column(n, np.array(rows, np.int64), values)
                except InexactError:
                    left_out.inexact.append(name)
        return columns, left_out


def _flags(name: str, n: int, rows: NDArray[np.int64], values: list[Any]) -> Field:
    for value in values:
        if isinstance(value, str) or value not in (0, 1):
            raise ValueError(f"annotations: field {name!r}: expected true or false, got {value!r}")
    flags = np.zeros(n, np.bool_)
    flags[rows] = values
    return Field(flags)


def _column(n: int, rows: NDArray[np.int64], values: list[Any]) -> Field:
    kinds = {type(value) for value in values}
    if str in kinds:  # mixed with numbers: all as text
        return text_field(n, rows, [as_text(value) for value in values])
    if kinds == {bool}:
        flags = np.zeros(n, np.bool_)
        flags[rows] = values
        return Field(flags)
    if float not in kinds and len(rows) == n and all(-(2**63) <= value < 2**63 for value in values):
        return Field(np.array(values, np.int64), whole=True)
    numbers_or_nan = np.full(n, np.nan)
    numbers_or_nan[rows] = [as_float(value) for value in values]
    return Field(numbers_or_nan, whole=float not in kinds)


class TypedValues(NamedTuple):
    """Values of one field that are all of one type, as arrays."""

    name: str
    rows: NDArray[np.int64]
    """Rows that have the field, ascending."""
    values: NDArray[Any] | None
    """Flags, int64, float64, or int32 numbers of texts; None where there are lists or objects."""
    texts: TextTable | None
    """Texts that these number, the first of which is empty."""


def typed_columns(found: Sequence[TypedValues], n: int) -> tuple[dict[str, Field], LeftOut]:
    """Columns of n rows, and fields that cannot be columns, as `FieldReader.finish` gives them; few fields alone."""
    columns, left_out = {}, LeftOut([], [], [], [], {each.name: len(each.rows) for each in found})
    for each in found:
        if len(each.rows) == 0:  # null everywhere
            continue
        if each.values is None:
            left_out.compound.append(each.name)
        elif each.name in RESERVED or each.name.startswith("_"):
            left_out.reserved.append(each.name)
        elif each.texts is not None and kind_of(each.name).absent is not False:
            codes = np.zeros(n, np.int32)
            codes[each.rows] = each.values
            columns[each.name] = _text_column(codes, each.texts.all_texts(), each.texts)
        elif each.values.dtype == np.bool_ or kind_of(each.name).absent is False:
            columns[each.name] = _typed_flags(n, each)
        elif (column := _typed_numbers(n, each.rows, each.values)) is None:
            left_out.inexact.append(each.name)
        else:
            columns[each.name] = column
    return columns, left_out


def _typed_flags(n: int, each: TypedValues) -> Field:
    if each.values is None or each.texts is not None or not np.isin(each.values, (0, 1)).all():
        raise ValueError(f"annotations: field {each.name!r}: expected true or false, got something else")
    flags = np.zeros(n, np.bool_)
    flags[each.rows] = each.values
    return Field(flags)


def _typed_numbers(n: int, rows: NDArray[np.int64], values: NDArray[Any]) -> Field | None:
    """The column of numbers; None where float64 would have to hold integers and does not."""
    whole = values.dtype == np.int64
    if whole and len(rows) == n:
        return Field(values, whole=True)
    if whole and any(int(float(value)) != value for value in values[np.abs(values) > _EXACT].tolist()):
        return None
    numbers_or_nan = np.full(n, np.nan)
    numbers_or_nan[rows] = values
    return Field(numbers_or_nan, whole=whole)


def text_field(n: int, rows: NDArray[np.int64], texts: list[str]) -> Field:
    """A column of n texts, which some rows have; "" in the others."""
    numbers = {"": 0}
    codes = np.zeros(n, np.int32)
    codes[rows] = [numbers.setdefault(text, len(numbers)) for text in texts]
    return _text_column(codes, [*numbers], None)


def _text_column(codes: NDArray[np.int32], distinct: list[str], table: TextTable | None) -> Field:
    """The column of numbers into distinct texts, which `table` may hold already."""
    longest, total = max(map(len, distinct)), sum(map(len, distinct))
    if longest <= LONGEST and longest * len(distinct) <= 4 * total + LONGEST:
        return Field(codes, np.array(distinct))
    return Field(codes, TextTable.of(distinct) if table is None else table)


def field_of(name: str, n: int) -> str:
    """The field of n annotations, in words."""
    return f"the field {name!r} of {n} {'annotation' if n == 1 else 'annotations'}"


def is_text(dtype: np.dtype[Any]) -> bool:
    """Whether a column of this dtype, made from fields of a file, holds texts."""
    return dtype.kind in "UO"

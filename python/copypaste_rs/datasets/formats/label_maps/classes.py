"""Classes of label images: what the values of one mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.categories import category_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CITYSCAPES = {
    24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus", 29: "caravan", 30: "trailer", 31: "train",
    32: "motorcycle", 33: "bicycle",
}  # fmt: skip
"""Classes of Cityscapes that have instances, by their ids there."""

_CITYSCAPES_DIVISOR = 1000


class LabelClasses(NamedTuple):
    """Meaning of the values of label images."""

    categories: list[dict[str, Any]] | None
    """Categories as COCO has them; None where the values say which there are."""
    divisor: int | None
    """Value = label * divisor + number of the instance; None where each value is an instance of one category."""

    @classmethod
    def of(cls, categories: object, divisor: object, name: object) -> LabelClasses:
        """The classes of arguments as `LabelMapDataset` has them, checked."""
        if not isinstance(name, str):
            raise wrong_type("name", "a string", repr(name))
        by = None if divisor is None else _checks.integer("divisor", divisor, 2, 2**63 - 1)  # type: ignore[arg-type]
        if isinstance(categories, str):
            _checks.choice("categories", categories, ("cityscapes",))
            return cls([{"id": i, "name": each} for i, each in CITYSCAPES.items()], by or _CITYSCAPES_DIVISOR)
        if categories is None:
            return cls([{"id": 1, "name": name}] if by is None else None, by)
        category_ids("categories", categories)
        given: Sequence[Mapping[str, Any]] = categories  # type: ignore[assignment]  # that is checked
        if by is None and len(given) != 1:
            raise wrong("categories", "one category where there is no divisor, since values are instances of one",
                        f"{len(given)}")  # fmt: skip
        return cls([dict(each) for each in given], by)

    def label(self, value: int) -> tuple[int, bool]:
        """Label of a value, and whether it is a whole class, whose objects are not told apart."""
        if self.divisor is None:
            assert self.categories is not None
            return self.categories[0]["id"], False
        label = value // self.divisor
        return (label, False) if label else (value, True)

"""Looks: how objects are drawn, by what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.sample import Sample


class Look(NamedTuple):
    """How an object is drawn."""

    color: tuple[int, int, int]
    fill: float
    """Opacity of its area."""
    stripes: bool
    meaning: str


LOOKS = {
    "kept": Look((64, 196, 255), 0.20, False, "target, whole"),
    "cut": Look((255, 221, 51), 0.40, True, "target, partly covered"),
    "gone": Look((255, 70, 70), 0.40, True, "target, not in the result: covered or off the canvas"),
    "pasted": Look((255, 64, 200), 0.25, False, "pasted"),
    "left": Look((190, 190, 190), 0.0, False, "source, not pasted"),
    "crowd": Look((150, 130, 255), 0.40, True, "crowd"),
}
"""Looks of objects by the names that `overlay` takes; `contact_sheet` has them as its legend."""


def crowds(sample: Sample) -> list[str]:
    """The look of crowds, for each instance; nothing for others."""
    flags = sample.instances.iscrowd
    return [""] * len(sample.instances) if flags is None else ["crowd" if flag else "" for flag in flags]


def looks_of(sample: Sample) -> list[str]:
    """The look of each instance, by what a result says of it."""
    source, visibility = numbers(sample, "source", -1.0), numbers(sample, "visibility", 1.0)
    return [
        crowd or ("pasted" if s >= 0 else "cut" if v < 1 else "kept")
        for crowd, s, v in zip(crowds(sample), source, visibility, strict=True)
    ]


def numbers(sample: Sample, name: str, default: float) -> NDArray[np.float64]:
    """A column as floats; `default` where there is none, or none of numbers, or NaN."""
    column = sample.instances.columns.get(name)
    if column is None or column.ndim != 1 or column.dtype.kind not in "biuf":
        return np.full(len(sample.instances), default)
    return np.where(np.isnan(column), default, column).astype(np.float64)

"""Measures of the objects of a data set: how many, how large, how they overlap; values that add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from copypaste_rs.datasets.paste_counts import Label

SMALL, MEDIUM = 32**2, 96**2
"""COCO's limits, in pixels: an object below the first is small, one below the second medium, others are large."""

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are shown."""

AT_ONCE = 256
"""Boxes that are compared with all others at a time: some images have thousands."""

HEAVY = 0.5
"""An IoU of two boxes from which on they overlap heavily."""


@dataclass
class Measures:
    """Measures of the objects, crowds excepted, of some images."""

    per_image: Counter[int] = field(default_factory=Counter)
    """Number of images by their number of objects."""
    areas: dict[Label, Counter[int]] = field(default_factory=dict)
    """Number of objects by their area, for each class."""
    images: Counter[Label] = field(default_factory=Counter)
    """Number of images with an object of a class."""
    covered: int = 0
    """Objects of which a paste covers a part."""
    meeting: int = 0
    """Objects whose box overlaps that of another object."""
    heavily: int = 0
    """Objects whose box overlaps that of another one heavily."""

    def add(
        self, labels: NDArray[Any] | None, areas: NDArray[np.int64], boxes: NDArray[np.float32], covered: int
    ) -> None:
        """Measure the objects of one image, of which so many are partly covered."""
        names: list[Label] = [None] * len(areas) if labels is None else labels.tolist()
        self.per_image[len(areas)] += 1
        for label, area in zip(names, areas.tolist(), strict=True):
            self.areas.setdefault(label, Counter())[area] += 1
        self.images.update(set(names))
        self.covered += covered
        largest = largest_ious(boxes)
        self.meeting += int((largest > 0).sum())
        self.heavily += int((largest >= HEAVY).sum())

    def __iadd__(self, other: Measures) -> Measures:
        self.per_image.update(other.per_image)
        self.images.update(other.images)
        for label, areas in other.areas.items():
            self.areas.setdefault(label, Counter()).update(areas)
        self.covered += other.covered
        self.meeting += other.meeting
        self.heavily += other.heavily
        return self

    @property
    def objects(self) -> int:
        """Number of objects."""
        return sum(number * images for number, images in self.per_image.items())

    @property
    def all_areas(self) -> Counter[int]:
        """Number of objects by their area, of all classes."""
        found: Counter[int] = Counter()
        for areas in self.areas.values():
            found.update(areas)
        return found

    def to_dict(self, names: Mapping[Label, str | None]) -> dict[str, Any]:
        """The measures for JSON; `names` has the classes, in their order."""
        classes = [
            {
                "label": label,
                "name": name,
                "images": self.images[label],
                **of_areas(self.areas.get(label, Counter())),
            }
            for label, name in names.items()
        ]
        images = self.per_image.total()
        return {
            "images": images,
            "without_objects": self.per_image[0],
            "instances_an_image": {"mean": _share(self.objects, images), **quantiles(self.per_image)},
            "overlaps": {
                "covered": _share(self.covered, self.objects),
                "boxes_meet": _share(self.meeting, self.objects),
                "box_iou_from_0.5": _share(self.heavily, self.objects),
            },
            **of_areas(self.all_areas),
            "classes": classes,
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def of_areas(areas: Counter[int]) -> dict[str, Any]:
    """Numbers of objects, by COCO's three sizes, and quantiles of their areas."""
    small = sum(n for area, n in areas.items() if area < SMALL)
    below = sum(n for area, n in areas.items() if area < MEDIUM)
    total = areas.total()
    return {
        "objects": total,
        "small": small,
        "medium": below - small,
        "large": total - below,
        "area": quantiles(areas),
    }


def quantiles(numbers: Counter[int]) -> dict[str, int | None]:
    """The smallest number that at least such a share does not exceed, for each of ``SHARES``, the least and the most.

    Examples
    --------
    >>> quantiles(Counter({1: 1, 7: 2, 9: 1}))
    {'min': 1, '5%': 1, '25%': 1, '50%': 7, '75%': 7, '95%': 9, 'max': 9}
    """
    titles = ["min", *(f"{share:.0%}" for share in SHARES), "max"]
    values = sorted(number for number, n in numbers.items() if n)
    if not values:
        return dict.fromkeys(titles)
    sums = np.cumsum([numbers[value] for value in values])
    ranks = np.ceil(np.array([0.0, *SHARES, 1.0]) * sums[-1] - 1e-9)  # where a share of so many is a whole number
    places = np.searchsorted(sums, np.maximum(ranks, 1))
    return {title: values[place] for title, place in zip(titles, places.tolist(), strict=True)}


def largest_ious(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """For each box, half-open corners (n, 4), the largest IoU with another one; 0 without another.

    Examples
    --------
    >>> largest_ious(np.array([[0, 0, 2, 2], [0, 0, 2, 4], [5, 5, 6, 6]], np.float32))
    array([0.5, 0.5, 0. ])
    """
    corners = boxes.astype(np.float64)
    largest = np.zeros(len(corners))
    sides = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
    for start in range(0, len(corners), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        low = np.maximum(corners[some, None, :2], corners[None, :, :2])
        high = np.minimum(corners[some, None, 2:], corners[None, :, 2:])
        shared = np.maximum(high - low, 0).prod(axis=2)
        own = np.arange(len(shared))
        shared[own, start + own] = 0
        joined = sides[some, None] + sides[None, :] - shared
        largest[some] = np.divide(shared, joined, out=np.zeros_like(shared), where=joined > 0).max(axis=1)
    return largest

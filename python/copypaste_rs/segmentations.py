"""Segmentations of COCO annotations as they stand: sorted into polygons and run lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from copypaste_rs.errors import ArgumentError, ArgumentTypeError


class SortedSegmentations(NamedTuple):
    """Segmentations by their encoding; pieces are the masks of all polygons, then those of all dicts."""

    polygons: list[list[Any]]
    """Parts of each that is a polygon, those too short to cover a pixel left out; of an empty one none."""
    objects: list[Mapping[str, Any]]
    """COCO dicts, several of one segmentation one after the other."""
    pieces: list[int]
    """Number of the first piece of each segmentation."""
    united: dict[int, int]
    """Number of pieces of each segmentation that is a list of dicts."""
    polygon_parts: list[tuple[int, list[int | None]]]
    """Segmentation that each polygon is, and the number that each of its parts has there."""
    object_places: list[tuple[int, ...]]
    """Segmentation that each dict belongs to, and its number there where it is one of a list."""

    def rows(self) -> Iterator[NDArray[np.int64]]:
        """Pieces of each segmentation."""
        for i, first in enumerate(self.pieces):
            yield first + np.arange(self.united.get(i, 1))

    def renamed(self, error: ArgumentError | ArgumentTypeError) -> ArgumentError | ArgumentTypeError:
        """The error about `polygons` or `objects` as one about the segmentation at fault."""
        number, *inner = error.index if isinstance(error.index, tuple) else (error.index,)
        assert isinstance(number, int)  # both sequences are ours, so one of their items is at fault
        place: tuple[int | str, ...]
        if error.argument == "objects":
            place = (*self.object_places[number], *inner)
        else:
            i, numbers = self.polygon_parts[number]
            parts = (numbers[k] for k in inner if isinstance(k, int))
            place = (i, *(k for k in parts if k is not None))
        return error.renamed("segmentations", place[0] if len(place) == 1 else place)


def sorted_segmentations(segmentations: object) -> SortedSegmentations:
    """Segmentations, each a list of polygon parts, one part, a dict, a list of dicts, or None."""
    found = SortedSegmentations([], [], [], {}, [], [])
    of_polygons = []
    for i, segmentation in enumerate(_checks.items("segmentations", segmentations)):
        place = ("segmentations", i)
        if isinstance(segmentation, Mapping):
            found.pieces.append(len(found.objects))
            found.objects.append(segmentation)
            found.object_places.append((i,))
            of_polygons.append(False)
            continue
        parts = [] if segmentation is None else _list(place, segmentation)
        dicts = [isinstance(part, Mapping) for part in parts]
        if any(dicts):
            if not all(dicts):
                raise wrong_type(item(place, dicts.index(False)), "a dict as others there", "no dict")
            found.pieces.append(len(found.objects))
            found.united[i] = len(parts)
            found.objects.extend(parts)
            found.object_places.extend((i, k) for k in range(len(parts)))
        else:
            numbers: list[int | None] = list(range(len(parts)))
            if parts and not any(isinstance(part, Sequence | np.ndarray) and np.ndim(part) for part in parts):
                parts, numbers = [parts], [None]  # one part without the list around it
            kept = [k for k, part in enumerate(parts) if not _covers_nothing(part)]
            found.pieces.append(len(found.polygons))
            found.polygons.append([parts[k] for k in kept])
            found.polygon_parts.append((i, [numbers[k] for k in kept]))
        of_polygons.append(not any(dicts))
    found.pieces[:] = [
        number if polygon else len(found.polygons) + number
        for number, polygon in zip(found.pieces, of_polygons, strict=True)
    ]
    return found


def _list(place: Any, segmentation: object) -> list[Any]:
    if isinstance(segmentation, str | bytes) or not isinstance(segmentation, Sequence | np.ndarray):
        raise wrong_type(place, "polygon parts, a dict of run lengths or None", type(segmentation).__name__)
    return list(segmentation)


def _covers_nothing(part: Any) -> bool:
    """Whether a part has fewer than three points, whatever they are."""
    sequence = isinstance(part, Sequence | np.ndarray) and not isinstance(part, str | bytes)
    return sequence and np.ndim(part) == 1 and len(part) in (0, 2, 4)

"""The segmentations of a whole annotation file in flat arrays: polygons as points, run lengths as runs."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs import _core
from copypaste_rs._checks import FARTHEST, are_of_a_mask, are_pixels
from copypaste_rs._ragged import picked
from copypaste_rs.errors import ArgumentError
from copypaste_rs.masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


EXPECTED = "run lengths or polygons"

_BLOCK = 4096
"""Rows whose runs are read, or added up, at a time."""


class MeasuredMasks(NamedTuple):
    """Masks, with what a kernel finds out when it makes them."""

    masks: RleMasks
    boxes: NDArray[np.float32]
    """Boxes, as `RleMasks.boxes` has them."""
    covers: NDArray[np.bool_] | None
    """Whether each mask has a pixel; None where all have one."""


class Segmentations(NamedTuple):
    """Segmentations, one a row: polygon parts, or runs, or neither (nothing is covered then).

    Polygons become masks when they are asked for, not before: their points take less room than their runs.
    """

    coordinates: NDArray[np.float64] | NDArray[np.int32]
    """Points of the polygon parts, x, y, x, y, ...: in pixels, or int32, in hundredths of a pixel."""
    part_offsets: NDArray[np.int64]
    """Part p has the coordinates ``part_offsets[p]`` to ``part_offsets[p + 1]``."""
    first_part: NDArray[np.int64]
    parts: NDArray[np.int64]
    """Row r has the parts ``first_part[r]`` to ``first_part[r] + parts[r]``."""
    counts: NDArray[np.uint32]
    """Run lengths, in pixels."""
    first_run: NDArray[np.int64]
    runs: NDArray[np.int64]
    """Row r has the runs ``first_run[r]`` to ``first_run[r] + runs[r]``."""

    def take(self, rows: NDArray[np.int64]) -> Segmentations:
        """Segmentations of these rows; the points and runs stay where they are."""
        return self._replace(
            first_part=self.first_part[rows],
            parts=self.parts[rows],
            first_run=self.first_run[rows],
            runs=self.runs[rows],
        )

    def has_pixels(self, image: NDArray[np.int64], sizes: NDArray[np.int64]) -> bool:
        """Whether a row is a mask as pixels, read as polygon parts; each is of an image, a row of the sizes."""
        one = 100 if self.coordinates.dtype == np.int32 else 1
        rows = np.flatnonzero(self.parts > 1)
        for row in rows[self.parts[rows] == sizes[image[rows], 0]].tolist():
            first = int(self.first_part[row])
            offsets = self.part_offsets[first : first + int(self.parts[row]) + 1]
            values = self.coordinates[offsets[0] : offsets[-1]]
            if (np.diff(offsets) == sizes[image[row], 1]).all() and are_of_a_mask(values, one):
                return True
        return False

    def masks(self, rows: tuple[int, int], size: tuple[int, int]) -> MeasuredMasks:
        """The masks of rows from one number to another, all of one image of the given size."""
        runs, boxes, covers = _core.object_masks(self, rows, size)
        return MeasuredMasks(RleMasks._trusted(size, *runs), boxes, covers)

    def may_cover(self) -> NDArray[np.bool_]:
        """Flags of the rows that may cover a pixel: runs that have one, and polygons, which would have to be drawn."""
        found = self.parts > 0
        by_runs = np.flatnonzero(self.runs > 0)
        for start in range(0, len(by_runs), _BLOCK):  # the runs of all at a time would take several times their memory
            rows = by_runs[start : start + _BLOCK]
            found[rows] = self._run_areas(rows) > 0
        return found

    def _run_areas(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        index, offsets = picked(self.first_run[rows], self.runs[rows])
        odd = (np.arange(len(index)) - np.repeat(offsets[:-1], np.diff(offsets))) % 2
        total = np.zeros(len(index) + 1, np.int64)
        np.cumsum(self.counts[index] * odd, out=total[1:])
        return total[offsets[1:]] - total[offsets[:-1]]


def pixels_of(shape: tuple[int, ...], kind: str = "an array") -> str:
    """Pixels of this shape in the words of an error, with what makes run lengths of them."""
    return f"{kind} of shape {shape}; RleMasks.from_dense(masks).to_coco() makes them"


class MalformedCountsError(ValueError):
    """Compressed counts that say nothing: the first such row and what is wrong with it, and all of them."""

    def __init__(self, row: int, message: str, rows: Mapping[int, str] | None = None) -> None:
        super().__init__(message)
        self.row = row
        self.rows = {row: message} if rows is None else dict(rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.row, str(self), self.rows)


class SegmentationsBuilder:
    """Collects segmentations one by one."""

    def __init__(self) -> None:
        self.short_parts = 0
        """Polygon parts of fewer than three points, which are skipped."""
        self._coordinates = array("d")
        self._part_ends = array("q", [0])
        self._first_part = array("q")
        self._parts = array("q")
        self._counts = array("I")
        self._first_run = array("q")
        self._runs = array("q")
        self._strings: dict[tuple[int, int], tuple[list[int], list[str]]] = {}

    def add(self, segmentation: Any, size: tuple[int, int]) -> None:
        """Add the segmentation of an object in an image of the given size; what is malformed is a ValueError.

        Masks as pixels are malformed: as polygons they would cover a pixel at most.
        """
        if isinstance(segmentation, list) and are_pixels(segmentation, size):
            raise ValueError(f"segmentation: expected {EXPECTED}, got {pixels_of(size)}")
        row = len(self._parts)
        first_part, first_run = len(self._part_ends) - 1, len(self._counts)
        if isinstance(segmentation, list) and any(hasattr(part, "counts") for part in segmentation):
            self._counts.extend(_united(segmentation, size).tolist())
        elif isinstance(segmentation, list):
            self._add_polygons(segmentation)
        elif segmentation is not None:
            if tuple(segmentation.size) != size:
                raise ValueError(
                    f"segmentation: expected size {list(size)}, height and width of its image, got {segmentation.size}"
                )
            if isinstance(segmentation.counts, str):
                rows, strings = self._strings.setdefault(size, ([], []))
                rows.append(row)
                strings.append(segmentation.counts)
            elif (total := sum(segmentation.counts)) != size[0] * size[1]:
                raise ValueError(
                    f"segmentation: expected counts that sum to {size[0] * size[1]} for size {list(size)}, got {total}"
                )
            else:
                self._counts.extend(segmentation.counts)
        self._first_part.append(first_part)
        self._parts.append(len(self._part_ends) - 1 - first_part)
        self._first_run.append(first_run)
        self._runs.append(len(self._counts) - first_run)

    def add_mask(self, mask: RleMasks, size: tuple[int, int]) -> None:
        """Add a mask, one of an image of the given size."""
        if mask.size != size or len(mask) != 1:
            raise ValueError(f"segmentation: expected one mask of size {list(size)}, got {len(mask)} of {mask.size}")
        self._first_part.append(len(self._part_ends) - 1)
        self._parts.append(0)
        self._first_run.append(len(self._counts))
        self._counts.frombytes(mask.counts.tobytes())
        self._runs.append(len(mask.counts))

    def _add_polygons(self, parts: list[Any]) -> None:
        if parts and not any(isinstance(part, list) for part in parts):
            parts = [parts]  # one part without the list around it
        for k, part in enumerate(parts):
            if not isinstance(part, list):
                raise ValueError(f"segmentation[{k}]: expected a list of coordinates, got a number")
            if len(part) % 2:
                raise ValueError(f"segmentation[{k}]: expected an even number of coordinates, got {len(part)}")
            if len(part) < 6:
                self.short_parts += 1
            elif max(part) > FARTHEST or min(part) < -FARTHEST or math.isnan(sum(part)):
                far = max(part, key=lambda side: math.inf if math.isnan(side) else abs(side))
                raise ValueError(f"segmentation[{k}]: expected coordinates from -{FARTHEST} to {FARTHEST}, got {far}")
            else:
                self._coordinates.extend(part)
                self._part_ends.append(len(self._coordinates))

    def finish(self) -> Segmentations:
        """Segmentations that were added; a wrong compressed count is a MalformedCountsError.

        Counts are parsed here, many at once.
        """
        first_run = np.array(self._first_run, np.int64)
        runs = np.array(self._runs, np.int64)
        counts = [np.array(self._counts, np.uint32)]
        length = len(self._counts)
        wrong: dict[int, str] = {}
        for size, (rows, strings) in self._strings.items():
            for start in range(0, len(rows), _BLOCK):
                some = slice(start, start + _BLOCK)
                parsed = _parse(size, rows[some], strings[some], wrong)
                if parsed is None:
                    continue
                first_run[rows[some]] = parsed.offsets[:-1] + length
                runs[rows[some]] = np.diff(parsed.offsets)
                counts.append(parsed.counts)
                length += len(parsed.counts)
        if wrong:
            raise MalformedCountsError(min(wrong), wrong[min(wrong)], dict(sorted(wrong.items())))
        return Segmentations(
            np.array(self._coordinates, np.float64),
            np.array(self._part_ends, np.int64),
            np.array(self._first_part, np.int64),
            np.array(self._parts, np.int64),
            np.concatenate(counts),
            first_run,
            runs,
        )


def _united(parts: list[Any], size: tuple[int, int]) -> NDArray[np.uint32]:
    """Runs of the union of several run-length encodings, which are one object."""
    for k, part in enumerate(parts):
        if not hasattr(part, "counts"):
            raise ValueError(f"segmentation[{k}]: expected run lengths as in the other items, got coordinates")
    try:
        masks = RleMasks.from_coco(({"size": part.size, "counts": part.counts} for part in parts), size)
    except ArgumentError as error:
        place = "".join(
            f"[{number!r}]" for number in (error.index if isinstance(error.index, tuple) else (error.index,))
        )
        raise ValueError(f"segmentation{place}: expected {error.expected}, got {error.got}") from None
    return masks.union().counts


def _parse(size: tuple[int, int], rows: list[int], strings: list[str], wrong: dict[int, str]) -> RleMasks | None:
    """Masks of these strings; None where some say nothing, which are added to `wrong`."""
    try:
        return RleMasks._from_counts(strings, size)
    except ValueError:
        for row, string in zip(rows, strings, strict=True):
            try:
                RleMasks._from_counts([string], size)
            except ArgumentError as error:
                wrong[row] = f"segmentation: counts: expected {error.expected}, got {error.got}"
        return None

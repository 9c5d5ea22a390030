"""Drawing a plan: which words decide what.

Words lie in fixed slots, so that an option that is switched on or off changes no other draw. The target takes
eight words, then each source eight and, for each of its rows, four more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, TypeAlias

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs.plan import Paste, Placement, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.masks import RleMasks
    from copypaste_rs.sample import Sample

Rows: TypeAlias = "Sequence[int] | NDArray[Any]"
Select: TypeAlias = "str | SupportsFloat | Callable[[Sample, NDArray[np.int64], np.random.Generator], Rows]"

TARGET_WORDS = 8
SOURCE_WORDS = 8
ROW_WORDS = 4

# Slots within the words of the target: 0 decides whether to paste at all.
PASTE = 0
TARGET_JITTER = slice(1, 5)
# Slots within the words of a source.
SOURCE_JITTER = slice(0, 4)
SUBSET_SIZE = 4
SIGMA = 5
# Slots within the words of a row.
ORDER, PLACE_Y, PLACE_X = 0, 1, 2


class Jitter(NamedTuple):
    """Scale, flip and position of one image on the canvas, as distributions."""

    canvas: tuple[int, int]
    scale: tuple[float, float]
    flip: float
    pad: str
    scale_reference: str
    name: str
    """Name of the argument that the range of scales is from."""

    def draw(self, words: Sequence[int], input_size: tuple[int, int]) -> Placement:
        """The placement that four words give: scale, flip, offset y, offset x."""
        h, w = input_size
        lo, hi = self.scale
        scale = lo + (hi - lo) * draws.uniform(words[0])
        fit = min(self.canvas[0] / h, self.canvas[1] / w) if self.scale_reference == "fit" else 1.0
        resized = self._resized(h * fit * scale), self._resized(w * fit * scale)
        offset = self._offset(words[2], resized[0], self.canvas[0]), self._offset(words[3], resized[1], self.canvas[1])
        return Placement(input_size, resized, offset, self.canvas, draws.uniform(words[1]) < self.flip)

    def _resized(self, side: float) -> int:
        resized = max(1, math.floor(side + 0.5))
        if resized > _checks.MAX_SIDE:
            raise ValueError(
                f"{self.name}: expected a resized side of at most {_checks.MAX_SIDE} pixels, got {resized}"
            )
        return resized

    def _offset(self, word: int, resized: int, canvas: int) -> int:
        if resized > canvas:
            return -draws.below(word, resized - canvas + 1)
        return draws.below(word, canvas - resized + 1) if self.pad == "random" else 0


def word_count(sources: Sequence[Sample]) -> int:
    """How many words a plan for these sources takes."""
    return TARGET_WORDS + sum(SOURCE_WORDS + ROW_WORDS * len(source.instances) for source in sources)


class DrawOptions(NamedTuple):
    """What the compiled draw takes of a transform; `Jitter` and `PastePlanner` say the same in Python."""

    canvas: tuple[int, int]
    target_scale: tuple[float, float]
    source_scale: tuple[float, float]
    flip: float
    pad_random: bool
    fit: bool
    p: float
    most: int | None
    fraction: float | None
    uniform: bool
    sigma: tuple[float, float] | None
    target_name: str
    source_name: str

    @staticmethod
    def of(target: Jitter, pastes: PastePlanner | None, p: float) -> DrawOptions | None:
        """The options, or None where a function of the user's selects."""
        scale = target.scale if pastes is None else pastes.jitter.scale
        select = "all" if pastes is None else pastes.select
        if callable(select):
            return None
        sigma = None if pastes is None else pastes.sigma
        return DrawOptions(
            target.canvas,
            target.scale,
            scale,
            target.flip,
            target.pad == "random",
            target.scale_reference == "fit",
            p,
            {"all": _checks.MAX_SIDE, "one": 1}.get(select) if isinstance(select, str) else _whole(select),
            select if isinstance(select, float) else None,
            pastes is not None and pastes.uniform,
            (sigma, sigma) if isinstance(sigma, float) else sigma,
            target.name,
            target.name if pastes is None else pastes.jitter.name,
        )


def _whole(select: object) -> int | None:
    return select if isinstance(select, int) else None


Placed: TypeAlias = "tuple[tuple[int, int], tuple[int, int], bool]"
"""A placement but for what is known: resized size, offset, mirrored."""


def draw_compiled(
    options: DrawOptions, key: draws.Key, target_size: tuple[int, int], sources: Sequence[Sample]
) -> Plan:
    """The plan that `Jitter` and `PastePlanner` draw, drawn in Rust."""
    from copypaste_rs import _core

    givers = [(source.size, source.instances.boxes, source.instances.iscrowd) for source in sources]
    placed, pasted = _core.draw_plan(key.key, key.counter(draws.PLAN_STREAM), options, target_size, givers)
    canvas = options.canvas
    pastes = [
        Paste._trusted(
            number,
            rows,
            Placement._trusted(sources[number].size, place[0], place[1], canvas, place[2]),
            sigma,
        )
        for number, rows, place, sigma in pasted
    ]
    return Plan._trusted(Placement._trusted(target_size, placed[0], placed[1], canvas, placed[2]), tuple(pastes))


class PastePlanner(NamedTuple):
    """Which objects of a source are pasted, and where, as distributions."""

    jitter: Jitter
    select: Select
    uniform: bool
    sigma: float | tuple[float, float] | None

    def draw(self, number: int, source: Sample, words: Sequence[int], key: draws.Key) -> list[Paste]:
        """The pastes of source `number`: none, one for all objects, or one for each."""
        placement = self.jitter.draw(words[SOURCE_JITTER], source.size)
        top, bottom, left, right = placed_boxes(source, placement)
        if self.uniform:  # each object finds a place of its own: it only has to survive the resizing
            candidates = (top < bottom) & (left < right)
        else:
            canvas_h, canvas_w = placement.canvas_size
            y, x = placement.offset
            candidates = (np.maximum(top + y, 0) < np.minimum(bottom + y, canvas_h)) & (
                np.maximum(left + x, 0) < np.minimum(right + x, canvas_w)
            )
        if source.instances.iscrowd is not None:
            candidates &= ~source.instances.iscrowd
        rows = np.flatnonzero(candidates)
        if len(rows) == 0:
            return []
        chosen = self._chosen(number, source, rows, words, key)
        if not chosen:
            return []
        sigma = self._sigma(words[SIGMA])
        if not self.uniform:
            return [Paste(number, tuple(chosen), placement, sigma)]
        pastes = []
        for row in chosen:
            start = SOURCE_WORDS + ROW_WORDS * row
            y = uniform_place(words[start + PLACE_Y], int(top[row]), int(bottom[row]), placement.canvas_size[0])
            x = uniform_place(words[start + PLACE_X], int(left[row]), int(right[row]), placement.canvas_size[1])
            place = Placement(
                placement.input_size, placement.resized_size, (y, x), placement.canvas_size, placement.hflip
            )
            pastes.append(Paste(number, (row,), place, sigma))
        return pastes

    def _chosen(
        self, number: int, source: Sample, rows: NDArray[np.int64], words: Sequence[int], key: draws.Key
    ) -> list[int]:
        n = len(rows)
        if callable(self.select):
            return _checked_rows(self.select(source, rows.copy(), draws.generator(key, number)), rows)
        if self.select == "all":
            return [int(row) for row in rows]
        if self.select == "one":
            m = 1
        elif self.select == "subset":
            m = 1 + draws.below(words[SUBSET_SIZE], n)
        elif isinstance(self.select, int):
            m = min(self.select, n)
        else:
            assert isinstance(self.select, float)
            m = max(1, math.floor(self.select * n + 0.5))
        order = [(words[SOURCE_WORDS + ROW_WORDS * row + ORDER], row) for row in rows.tolist()]
        return sorted(row for _, row in sorted(order)[:m])

    def _sigma(self, word: int) -> float | None:
        if isinstance(self.sigma, tuple):
            lo, hi = self.sigma
            return lo + (hi - lo) * draws.uniform(word)
        return self.sigma


def _checked_rows(chosen: object, rows: NDArray[np.int64]) -> list[int]:
    if isinstance(chosen, np.ndarray):
        chosen = chosen.tolist()
    if isinstance(chosen, str | bytes) or not isinstance(chosen, Sequence):
        raise TypeError(f"select: expected row numbers from the callable, got {chosen!r}")
    allowed = set(rows.tolist())
    picked = [_checks.integer("select: row", row, -(2**63), 2**63 - 1) for row in chosen]
    if len(set(picked)) != len(picked):
        raise ValueError(f"select: expected distinct rows from the callable, got {picked}")
    if not set(picked) <= allowed:
        raise ValueError(f"select: expected rows out of {sorted(allowed)} from the callable, got {picked}")
    return sorted(picked)


def placed_boxes(
    source: Sample, placement: Placement
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The box of each row on the resized, mirrored source: top, bottom, left, right, half-open.

    Box arithmetic only: which output pixels have their nearest input pixel in the box.
    """
    boxes, masks = source.instances.boxes, source.instances.masks
    if boxes is None or masks is None:
        empty = np.zeros(0, np.int64)
        return empty, empty, empty, empty
    left, top, right, bottom = (boxes.astype(np.int64) if fits_float32(source.size) else exact_boxes(masks)).T
    h, w = placement.input_size
    if placement.hflip:
        left, right = w - right, w - left
    resized_h, resized_w = placement.resized_size
    return (
        _first_output(top, h, resized_h),
        _first_output(bottom, h, resized_h),
        _first_output(left, w, resized_w),
        _first_output(right, w, resized_w),
    )


def fits_float32(size: tuple[int, int]) -> bool:
    """Whether boxes in float32 are exact: whole numbers up to 2^24 are."""
    return max(size) <= 2**24


def exact_boxes(masks: RleMasks) -> NDArray[np.int64]:
    """Boxes as integers, for images so large that float32 would round them."""
    boxes = np.zeros((len(masks), 4), np.int64)
    for i, box in enumerate(boxes):
        edges = np.cumsum(masks.counts[masks.offsets[i] : masks.offsets[i + 1]], dtype=np.int64)
        starts, ends = edges[:-1:2], edges[1::2]
        if len(ends) == 0:
            continue
        starts = starts[: len(ends)]
        left, right = starts // masks.size[0], (ends - 1) // masks.size[0]
        one_column = left == right
        top = np.where(one_column, starts % masks.size[0], 0)
        bottom = np.where(one_column, (ends - 1) % masks.size[0], masks.size[0] - 1)
        box[:] = left.min(), top.min(), right.max() + 1, bottom.max() + 1
    return boxes


def _first_output(edge: NDArray[np.int64], n_in: int, n_out: int) -> NDArray[np.int64]:
    # The first output i whose nearest input, ((2i + 1) * n_in) // (2 * n_out), is at least `edge`.
    first: NDArray[np.int64] = -((n_in - 2 * n_out * edge) // (2 * n_in))
    return np.clip(first, 0, n_out)


def uniform_place(word: int, low: int, high: int, canvas: int) -> int:
    """The offset that puts low..high at a uniform position inside the canvas, or, if longer, around it."""
    room = canvas - (high - low)
    start = draws.below(word, room + 1) if room >= 0 else -draws.below(word, -room + 1)
    return start - low

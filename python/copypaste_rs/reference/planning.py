"""Drawing a plan: which random words decide what.

Words lie in fixed slots, so that an option that is switched on or off changes no other draw. The target takes
eight words, then each source eight and, for each of its rows, four more. Rows that are drawn by weight take words of
another stream: each source as many as it has rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong
from copypaste_rs._engine import planning
from copypaste_rs.plan import Paste, Placement, Plan
from copypaste_rs.reference.geometry import first_resized
from copypaste_rs.reference.philox import philox_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from copypaste_rs._checks import Size
    from copypaste_rs.plan_options import PlanOptions, PlanSource

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

RULES: dict[str, Callable[[float, int, int], int]] = {
    "subset": lambda _, n, word: 1 + draws.below(word, n),
    "at_most": lambda most, n, _: min(int(most), n),
    "fraction": lambda part, n, _: max(1, math.floor(part * n + 0.5)),
}
"""Rules of `PlanOptions.rule`: of its number, n candidates and a word, how many are pasted."""


def draw_plan(options: PlanOptions, target: Size, sources: Sequence[PlanSource] = (), rng: draws.Rng = None) -> Plan:
    """A plan: placements, and which rows of which source are pasted.

    Parameters
    ----------
    options : PlanOptions
        Ranges and probabilities: `copypaste_rs.PlanOptions.check` makes them.
    target : (int, int)
        Height and width of the target.
    sources : sequence of PlanSource
        Size, boxes and crowds of each source, in order, and labels where weights are by label. Crowds, rows whose
        box has no pixel on the canvas once it is placed, and rows of weight 0 are no candidates.
    rng : None, int, sequence of 1 to 3 ints, or numpy.random.Generator
        Key of the draws: ``seed``, ``(seed, epoch)``, ``(seed, epoch, index)``; a generator gives four words;
        None takes fresh entropy. A key gives the same plan in both backends, anywhere.

    Returns
    -------
    Plan
        For the canvas of the options.

    Raises
    ------
    ValueError
        When a drawn scale makes an image larger than can be placed, or an argument has a wrong value.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> from copypaste_rs import PlanOptions, PlanSource
    >>> options = PlanOptions.check(size=64, source_scale=(1.0, 1.0), flip=0.0)
    >>> boxes = np.array([[20, 10, 40, 30]], np.float32)
    >>> draw_plan(options, (48, 64), [PlanSource((48, 64), boxes)], rng=(0, 0, 7)).pastes[0].instances
    (0,)
    """
    return planning.draw_plan(_draw, options, target, sources, rng)


def _draw(
    key: draws.Key,
    options: PlanOptions,
    target: tuple[int, int],
    sources: Sequence[PlanSource],
    weights: planning.Weights | None,
) -> Plan:
    """`draw_plan` on checked arguments, whatever `options.choose` says."""
    if options.rule not in RULES:
        raise wrong("options.rule", "a rule as PlanOptions.check gives it", repr(options.rule))
    n = TARGET_WORDS + sum(SOURCE_WORDS + ROW_WORDS * source.rows for source in sources)
    words = draws.words(philox_words, key, draws.PLAN_STREAM, n)
    placement = _place(options, options.target_scale, "options.target_scale", words[TARGET_JITTER], target)
    pastes: list[Paste] = []
    if draws.uniform(words[PASTE]) < options.p:
        start, row = TARGET_WORDS, 0
        rows = 0 if weights is None else sum(source.rows for source in sources)
        weight_words = draws.words(philox_words, key, draws.WEIGHT_STREAM, rows)
        for number, source in enumerate(sources):
            stop = start + SOURCE_WORDS + ROW_WORDS * source.rows
            weighed = None if weights is None else (weights[number], weight_words[row : row + source.rows])
            pastes += _pastes(options, number, source, words[start:stop], weighed)
            start, row = stop, row + source.rows
    return Plan(placement, tuple(pastes))


def _place(
    options: PlanOptions,
    scale: tuple[float, float],
    name: str,
    words: Sequence[int],
    input_size: tuple[int, int],
    whose: str = "",
) -> Placement:
    """The placement that four words give: scale, flip, offset y, offset x; an error says `whose` side is too large."""
    h, w = input_size
    lo, hi = scale
    factor = lo + (hi - lo) * draws.uniform(words[0])
    fit = min(options.canvas[0] / h, options.canvas[1] / w) if options.fit else 1.0
    resized = _resized(name, h * fit * factor, whose), _resized(name, w * fit * factor, whose)
    offset = (
        _offset(options, words[2], resized[0], options.canvas[0]),
        _offset(options, words[3], resized[1], options.canvas[1]),
    )
    return Placement(input_size, resized, offset, options.canvas, draws.uniform(words[1]) < options.flip)


def _resized(name: str, side: float, whose: str) -> int:
    resized = max(1, math.floor(side + 0.5))
    if resized > _checks.MAX_SIDE:
        raise wrong(name, f"a resized side of at most {_checks.MAX_SIDE} pixels", f"{resized}{whose}")
    return resized


def _offset(options: PlanOptions, word: int, resized: int, canvas: int) -> int:
    if resized > canvas:
        return -draws.below(word, resized - canvas + 1)
    return draws.below(word, canvas - resized + 1) if options.pad_random else 0


def _pastes(
    options: PlanOptions,
    number: int,
    source: PlanSource,
    words: Sequence[int],
    weighed: tuple[NDArray[np.int64], Sequence[int]] | None,
) -> list[Paste]:
    """The pastes of one source: none, one for all objects, or one for each; `weighed`, by weights and their words."""
    placement = _place(
        options,
        options.source_scale,
        "options.source_scale",
        words[SOURCE_JITTER],
        source.size,
        f" for sources[{number}]",
    )
    if source.boxes is None:
        return []
    top, bottom, left, right = placed_boxes(source.boxes, placement)
    if options.uniform:  # each object finds a place of its own: it only has to survive the resizing
        candidates = (top < bottom) & (left < right)
    else:
        canvas_h, canvas_w = placement.canvas_size
        y, x = placement.offset
        candidates = (np.maximum(top + y, 0) < np.minimum(bottom + y, canvas_h)) & (
            np.maximum(left + x, 0) < np.minimum(right + x, canvas_w)
        )
    if source.iscrowd is not None:
        candidates &= ~source.iscrowd
    if weighed is not None:
        candidates &= weighed[0] > 0
    rows = np.flatnonzero(candidates).tolist()
    if not rows:
        return []
    m = RULES[options.rule](options.number, len(rows), words[SUBSET_SIZE])
    if weighed is None:
        order = sorted((words[SOURCE_WORDS + ROW_WORDS * row + ORDER], row) for row in rows)
        chosen = sorted(row for _, row in order[:m])
    else:
        chosen = _by_weight(rows, m, *weighed)
    sigma = None
    if options.sigma is not None:
        lo, hi = options.sigma
        sigma = lo + (hi - lo) * draws.uniform(words[SIGMA])
    if not options.uniform:
        return [Paste(number, tuple(chosen), placement, sigma)]
    pastes = []
    for row in chosen:
        start = SOURCE_WORDS + ROW_WORDS * row
        y = _uniform_place(words[start + PLACE_Y], int(top[row]), int(bottom[row]), placement.canvas_size[0])
        x = _uniform_place(words[start + PLACE_X], int(left[row]), int(right[row]), placement.canvas_size[1])
        place = Placement(placement.input_size, placement.resized_size, (y, x), placement.canvas_size, placement.hflip)
        pastes.append(Paste(number, (row,), place, sigma))
    return pastes


def _by_weight(rows: list[int], m: int, weights: NDArray[np.int64], words: Sequence[int]) -> list[int]:
    """The rows that m words draw one after the other, each by its weight among those not yet taken; ascending."""
    left = list(rows)
    for word in words[:m]:
        sums = np.cumsum(weights[left])
        del left[np.searchsorted(sums, draws.below(word, int(sums[-1])), side="right")]
    return sorted(set(rows) - set(left))


def placed_boxes(
    boxes: NDArray[np.float32] | NDArray[np.int64], placement: Placement
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The box of each row on the resized, mirrored source: top, bottom, left, right, half-open.

    Box arithmetic only: which output pixels have their nearest input pixel in the box.
    """
    left, top, right, bottom = boxes.astype(np.int64).T
    h, w = placement.input_size
    if placement.hflip:
        left, right = w - right, w - left
    resized_h, resized_w = placement.resized_size
    return (
        first_resized(top.clip(0, h), h, resized_h),
        first_resized(bottom.clip(0, h), h, resized_h),
        first_resized(left.clip(0, w), w, resized_w),
        first_resized(right.clip(0, w), w, resized_w),
    )


def _uniform_place(word: int, low: int, high: int, canvas: int) -> int:
    """The offset that puts low..high at a uniform position inside the canvas, or, if longer, around it."""
    room = canvas - (high - low)
    start = draws.below(word, room + 1) if room >= 0 else -draws.below(word, -room + 1)
    return start - low

"""A planner of its own: plans by the rules as they are written down, from words and dense masks, with plain loops.

Nothing of the library but the classes of a plan is used. Words lie in fixed slots: eight for the target, then for each
source eight and four for each of its rows. Rows that are drawn by weight take words of stream 3, one for each row.
"""

from __future__ import annotations

from functools import cache
from math import floor
from typing import Any, NamedTuple

import numpy as np

from copypaste_rs import Paste, Placement, Plan, RleMasks, Sample
from tests.fixtures.ascii import dense
from tests.fixtures.geometry import nearest
from tests.fixtures.philox import below, uniform, words

TARGET = ("p", "scale", "flip", "offset_y", "offset_x", "-", "-", "-")
SOURCE = ("scale", "flip", "offset_y", "offset_x", "m", "sigma", "-", "-")
ROW = ("order", "place_y", "place_x", "-")
"""Slots of the target, of a source and of a row, in their order."""

SCALES = {"large": (0.1, 2.0), "standard": (0.8, 1.25)}
DEFAULTS: dict[str, Any] = {
    "target_scale": "large", "source_scale": "large", "flip": 0.5, "select": "subset", "placement": "jitter",
    "blend_sigma": None, "p": 1.0, "pad": "top_left", "scale_reference": "fit", "class_weights": None,
}  # fmt: skip


class Words(NamedTuple):
    """The words of one draw, by slot."""

    target: dict[str, int]
    sources: list[dict[str, int]]
    rows: list[list[dict[str, int]]]
    """For each source those of each of its rows."""
    weights: list[list[int]]
    """For each source those by which rows are drawn by weight, one for each of its rows."""


def count(rows: list[int]) -> int:
    """The number of words for sources with so many rows each."""
    return 8 + sum(8 + 4 * n for n in rows)


def slots(words: list[int], rows: list[int], weight_words: list[int]) -> Words:
    """The words of streams 0 and 3 by slot, for sources with so many rows each."""
    left = iter(words)

    def take(names: tuple[str, ...]) -> dict[str, int]:
        return {name: next(left) for name in names}

    target, sources, of_rows = take(TARGET), [], []
    for n in rows:
        sources.append(take(SOURCE))
        of_rows.append([take(ROW) for _ in range(n)])
    of_weights = iter(weight_words)
    return Words(target, sources, of_rows, [[next(of_weights) for _ in range(n)] for n in rows])


def words_of(key: tuple[int, int, int], rows: list[int]) -> Words:
    """The words of a key by slot, for sources with so many rows each."""
    return slots(words(key, 0, count(rows)), rows, words(key, 3, sum(rows)))


def between(bounds: Any, word: int) -> float:
    """The number that a word picks out of a range; a single number stays."""
    if isinstance(bounds, str):
        bounds = SCALES[bounds]
    lo, hi = bounds if isinstance(bounds, tuple) else (bounds, bounds)
    return float(lo + (hi - lo) * uniform(word))


def offset(word: int, resized: int, canvas: int, pad: str) -> int:
    """Where a resized side begins on the canvas."""
    if resized > canvas:
        return -below(word, resized - canvas + 1)
    return below(word, canvas - resized + 1) if pad == "random" else 0


def jittered(words: dict[str, int], size: tuple[int, int], scale: Any, options: dict[str, Any]) -> Placement:
    """The placement that the four words of a jitter give."""
    canvas = options["size"]
    s = between(scale, words["scale"])
    fit = min(canvas[0] / size[0], canvas[1] / size[1]) if options["scale_reference"] == "fit" else 1
    resized = max(1, floor(size[0] * fit * s + 0.5)), max(1, floor(size[1] * fit * s + 0.5))
    y, x = (offset(words[f"offset_{axis}"], resized[k], canvas[k], options["pad"]) for k, axis in enumerate("yx"))
    return Placement(size, resized, (y, x), canvas, uniform(words["flip"]) < options["flip"])


@cache
def span(placement: Placement, axis: int, lo: int, hi: int) -> list[int]:
    """Resized rows or columns, beside the offset, whose nearest input row or column lies in lo..hi-1."""
    n, resized = placement.input_size[axis], placement.resized_size[axis]
    mirrored = axis == 1 and placement.hflip
    return [i for i in range(resized) if lo <= nearest(i, n, resized, mirrored) < hi]


@cache
def boxes(masks: RleMasks) -> list[tuple[int, int, int, int]]:
    """For each mask the first row, the row behind the last, the first column, the column behind the last."""
    pixels = [np.nonzero(each) for each in dense(masks)]
    return [
        (int(ys.min()), int(ys.max()) + 1, int(xs.min()), int(xs.max()) + 1) if len(ys) else (0, 0, 0, 0)
        for ys, xs in pixels
    ]


def spans(sample: Sample, placement: Placement) -> list[tuple[list[int], list[int]]]:
    """For each row of a sample the resized rows and columns of its box."""
    found = [] if sample.instances.masks is None else boxes(sample.instances.masks)
    return [(span(placement, 0, top, bottom), span(placement, 1, left, right)) for top, bottom, left, right in found]


def candidates(sample: Sample, placement: Placement, options: dict[str, Any]) -> list[int]:
    """Rows that can be pasted: no crowds, and of the placed box there is a pixel."""
    crowd = sample.instances.iscrowd
    found = []
    for row, places in enumerate(spans(sample, placement)):
        if options["placement"] == "jitter":
            sides = zip(places, placement.offset, placement.canvas_size, strict=True)
            seen = all(any(0 <= i + start < side for i in place) for place, start, side in sides)
        else:
            seen = all(places)
        if seen and not (crowd is not None and crowd[row]):
            found.append(row)
    return found


def whole_weights(sample: Sample, class_weights: Any) -> list[int]:
    """The weight of each row, crowds too, as an integer: a share of the largest, which is 2^20."""
    instances = sample.instances
    if callable(class_weights):
        weights = [float(weight) for weight in class_weights(instances)] if len(instances) else []
    else:
        weights = [class_weights.get(label, 1.0) for label in (() if instances.labels is None else instances.labels)]
    largest = max(weights, default=0.0)
    return [0 if largest == 0 else floor(weight / largest * 2**20 + 0.5) for weight in weights]


def weighed(rows: list[int], m: int, weights: list[int], words: list[int]) -> list[int]:
    """The rows that m words draw, one after the other: each time the first whose running sum exceeds the word."""
    left = list(rows)
    for i in range(m):
        draw, running = below(words[i], sum(weights[row] for row in left)), 0
        for row in left:
            running += weights[row]
            if running > draw:
                left.remove(row)
                break
    return [row for row in rows if row not in left]


def number_of(n: int, words: dict[str, int], select: Any) -> int:
    """How many of n candidates are pasted."""
    if select == "all":
        return n
    if select == "subset":
        return 1 + below(words["m"], n)
    if select == "one":
        return 1
    return min(select, n) if isinstance(select, int) else max(1, floor(select * n + 0.5))


def chosen(rows: list[int], m: int, of_rows: list[dict[str, int]]) -> list[int]:
    """The m candidates with the smallest words."""
    smallest = sorted(rows, key=lambda row: (of_rows[row]["order"], row))
    return sorted(smallest[:m])


def moved(placement: Placement, words: dict[str, int], places: tuple[list[int], list[int]]) -> Placement:
    """The placement that puts one box at a position of its own."""
    starts = []
    for axis, name in enumerate(("place_y", "place_x")):
        side, canvas = len(places[axis]), placement.canvas_size[axis]
        word = words[name]
        start = below(word, canvas - side + 1) if side <= canvas else -below(word, side - canvas + 1)
        starts.append(start - places[axis][0])
    return Placement(
        placement.input_size, placement.resized_size, (starts[0], starts[1]), placement.canvas_size, placement.hflip
    )


def planned(words: Words, target: Sample, sources: list[Sample], **given: Any) -> Plan:
    """The plan that words give, by the options of `SimpleCopyPaste`; those of applying a plan do not matter."""
    options = DEFAULTS | given
    placement = jittered(words.target, target.size, options["target_scale"], options)
    pastes: list[Paste] = []
    for number, source in enumerate(sources if uniform(words.target["p"]) < options["p"] else []):
        of_source, of_rows = words.sources[number], words.rows[number]
        place = jittered(of_source, source.size, options["source_scale"], options)
        rows = candidates(source, place, options)
        by_weight = options["class_weights"] is not None
        weights = whole_weights(source, options["class_weights"]) if by_weight else []
        rows = [row for row in rows if not by_weight or weights[row] > 0]
        if not rows:
            continue
        m = number_of(len(rows), of_source, options["select"])
        rows = weighed(rows, m, weights, words.weights[number]) if by_weight else chosen(rows, m, of_rows)
        sigma = options["blend_sigma"]
        sigma = None if sigma is None else between(sigma, of_source["sigma"])
        if options["placement"] == "jitter":
            pastes.append(Paste(number, tuple(rows), place, sigma))
        else:
            places = spans(source, place)
            pastes += [Paste(number, (row,), moved(place, of_rows[row], places[row]), sigma) for row in rows]
    return Plan(placement, tuple(pastes))

"""A planner of its own: plans by the rules as they are written down, from words and dense masks, with plain loops.

Nothing of the library but the classes of a plan is used. Words lie in fixed slots: eight for the target, then for each
source eight and four for each of its rows.
"""

from __future__ import annotations

from functools import cache
from math import floor
from typing import Any, NamedTuple

import numpy as np

from copypaste_rs import Paste, Placement, Plan, RleMasks, Sample
from tests.fixtures.ascii import dense
from tests.fixtures.geometry import nearest
from tests.fixtures.philox import below, uniform

TARGET = ("p", "scale", "flip", "offset_y", "offset_x", "-", "-", "-")
SOURCE = ("scale", "flip", "offset_y", "offset_x", "m", "sigma", "-", "-")
ROW = ("order", "place_y", "place_x", "-")
"""Slots of the target, of a source and of a row, in their order."""

SCALES = {"large": (0.1, 2.0), "standard": (0.8, 1.25)}
DEFAULTS: dict[str, Any] = {
    "target_scale": "large", "source_scale": "large", "flip": 0.5, "select": "subset", "placement": "jitter",
    "blend_sigma": None, "p": 1.0, "pad": "top_left", "scale_reference": "fit",
}  # fmt: skip


class Words(NamedTuple):
    """The words of one draw, by slot."""

    target: dict[str, int]
    sources: list[dict[str, int]]
    rows: list[list[dict[str, int]]]
    """For each source those of each of its rows."""


def count(rows: list[int]) -> int:
    """The number of words for sources with so many rows each."""
    return 8 + sum(8 + 4 * n for n in rows)


def slots(words: list[int], rows: list[int]) -> Words:
    """The words by slot, for sources with so many rows each."""
    left = iter(words)

    def take(names: tuple[str, ...]) -> dict[str, int]:
        return {name: next(left) for name in names}

    target, sources, of_rows = take(TARGET), [], []
    for n in rows:
        sources.append(take(SOURCE))
        of_rows.append([take(ROW) for _ in range(n)])
    return Words(target, sources, of_rows)


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


def chosen(rows: list[int], words: dict[str, int], of_rows: list[dict[str, int]], select: Any) -> list[int]:
    """The candidates that are pasted."""
    n = len(rows)
    if select == "all":
        m = n
    elif select == "subset":
        m = 1 + below(words["m"], n)
    elif select == "one":
        m = 1
    else:
        m = min(select, n) if isinstance(select, int) else max(1, floor(select * n + 0.5))
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
        if not rows:
            continue
        rows = chosen(rows, of_source, of_rows, options["select"])
        sigma = options["blend_sigma"]
        sigma = None if sigma is None else between(sigma, of_source["sigma"])
        if options["placement"] == "jitter":
            pastes.append(Paste(number, tuple(rows), place, sigma))
        else:
            places = spans(source, place)
            pastes += [Paste(number, (row,), moved(place, of_rows[row], places[row]), sigma) for row in rows]
    return Plan(placement, tuple(pastes))

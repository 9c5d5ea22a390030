"""Hundreds of objects, each with a paste of its own: the time follows their number."""

from __future__ import annotations

import time

import numpy as np

from copypaste_rs import Instances, Paste, Placement, Plan, RleMasks, Sample, functional

SIZE = (480, 640)


def scribbles(n: int, seed: int) -> Sample:
    """Objects as large as the image, of many thin parts, so that what lies above one never becomes simple."""
    corners = np.random.default_rng(seed).uniform(0, 1, (n, 24)) * np.tile([SIZE[1], SIZE[0]], 12)
    masks = RleMasks.from_polygons([[each] for each in corners], SIZE)
    return Sample(np.zeros((*SIZE, 3), np.uint8), Instances(masks=masks, labels=np.zeros(n, np.int64)))


def seconds(n: int) -> float:
    """Processor time of pasting n objects one over the other."""
    target, source = scribbles(1, 1), scribbles(n, 2)
    place = Placement(SIZE, SIZE, (0, 0), (600, 800))
    rng = np.random.default_rng(3)
    places = [Placement(SIZE, SIZE, (int(y), int(x)), (600, 800)) for y, x in rng.integers(0, 120, (n, 2))]
    plan = Plan(place, tuple(Paste(0, (row,), each) for row, each in enumerate(places)))
    start = time.process_time()
    functional.copy_paste(plan, target, source)
    return time.process_time() - start


def test_four_times_as_many_pastes_take_about_four_times_as_long() -> None:
    few, many = (min(seconds(n) for _ in range(3)) for n in (150, 600))
    assert many < 8 * few  # sixteen times where each paste meets all those above it

"""Memory of results: used before, of their own each time, and given; in loops that allocate besides and that do not.

What an allocator keeps is used again as well, unless other code of the loop takes it, or gives it back to the system.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import numpy as np

from benches.measure import Spread, median_ratio
from benches.scenes import augmentations
from copypaste_rs import RleMasks, _result_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CANVAS, INSTANCES = 1024, 20
MASKS = 40
"""Dense masks of one call: of 20 objects in each image, if all are left."""

TURNS = 8
OTHERS = 40 << 20
"""Bytes of the array that another part of the loop allocates between two calls."""

GIVEN, AGAIN, OWN = "given (`out=`)", "used before", "its own (`COPYPASTE_RS_POOL=0`)"
BETWEEN = ("nothing", "other arrays")

MOST_OF_GIVEN = {"transform": 1.2, "dense masks": 1.3}
"""Promised times as long as into a given array, where other arrays are made between calls."""


class Task(NamedTuple):
    """A call on several draws: making its result, and into an array that is given."""

    makes: Sequence[Callable[[], Any]]
    into: Sequence[Callable[[], Any]]


def measure(draws: int) -> dict[str, Any]:
    """Milliseconds of each way, and how many times as long as into a given array, by task and what is between calls."""
    tasks = {"transform": transforms(draws), "dense masks": dense(draws)}
    return {
        "canvas": CANVAS,
        "instances": INSTANCES,
        "masks": MASKS,
        "tasks": {name: {between: compared(task, between) for between in BETWEEN} for name, task in tasks.items()},
    }


def missed(figures: dict[str, Any]) -> list[str]:
    """The promises that the figures do not keep."""
    taken = {name: task[BETWEEN[1]]["of_given"][AGAIN] for name, task in figures["tasks"].items()}
    return [
        f"{name} in memory that was used before: {taken[name]:.2f} times as long as given, not {most}"
        for name, most in MOST_OF_GIVEN.items()
        if taken[name] > most
    ]


def transforms(draws: int) -> Task:
    """Whole calls of the transform."""
    calls = augmentations(CANVAS, INSTANCES, draws)
    out = np.zeros((CANVAS, CANVAS, 3), np.uint8)
    for call in calls:
        assert np.array_equal(call.run().image, call.transform(call.target, call.source, call.key, out=out).image)
    return Task(
        [call.run for call in calls],
        [functools.partial(call.transform, call.target, call.source, call.key, out=out) for call in calls],
    )


def dense(draws: int) -> Task:
    """Masks of results, repeated until there are `MASKS`, to dense ones."""
    out = np.zeros((MASKS, CANVAS, CANVAS), np.uint8)
    masks = []
    for call in augmentations(CANVAS, INSTANCES, draws):
        of_result = call.run().instances.masks
        assert isinstance(of_result, RleMasks)
        masks.append(of_result[np.arange(MASKS) % len(of_result)])
        assert np.array_equal(masks[-1].to_dense(), masks[-1].to_dense(out))
    return Task(
        [each.to_dense for each in masks],
        [functools.partial(each.to_dense, out) for each in masks],
    )


def compared(task: Task, between: str) -> dict[str, Any]:
    """Every way on every draw, the quickest of several turns, next to each other."""
    ways = {GIVEN: task.into, AGAIN: task.makes, OWN: task.makes}
    draws = len(task.makes)
    times = {way: [float("inf")] * draws for way in ways}
    for turn in range(TURNS):
        for i in range(draws):
            for way in (*ways,) if turn % 2 else reversed((*ways,)):
                with own_memory() if way == OWN else contextlib.nullcontext():
                    if between == BETWEEN[1]:
                        others()
                    start = time.perf_counter()
                    result = ways[way][i]()
                    times[way][i] = min(times[way][i], time.perf_counter() - start)
                    del result
    return {
        "milliseconds": {way: Spread.of(values)._asdict() for way, values in times.items()},
        "of_given": {way: median_ratio(times, way, GIVEN) for way in ways},
    }


def others() -> None:
    """Make a large array, write to it, let it go, and give all that is free back to the system."""
    np.ones(OTHERS, np.uint8)
    ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def own_memory() -> Iterator[None]:
    """Results are made in memory of their own, as where the environment says so."""
    with mock.patch.object(_result_memory, "memory", return_value=None):
        yield

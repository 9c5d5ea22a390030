"""A target and three sources of which all rows show, and the words and plans of a few keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from copypaste_rs import Instances, Plan, RleMasks, Sample, SimpleCopyPaste
from tests.oracles.planner import Words, words_of

CANVAS = (50, 60)
KEYS = [(7, 11, i) for i in range(40)]


def boxes(size: tuple[int, int], *corners: tuple[int, int], crowd: tuple[int, ...] = ()) -> Sample:
    """A sample with squares of 9 pixels a side, which no scale here makes vanish; some of them crowds; three classes."""
    dense = np.zeros((len(corners), *size), np.uint8)
    for each, (y, x) in zip(dense, corners, strict=True):
        each[y : y + 9, x : x + 9] = 1
    flags = np.isin(np.arange(len(corners)), crowd)
    labels = np.arange(len(corners)) % 3
    return Sample(np.zeros(size, np.uint8), Instances(masks=RleMasks.from_dense(dense), labels=labels, iscrowd=flags))


TARGET = boxes((30, 44), (3, 5))
SOURCES = [
    boxes((37, 25), (0, 0), (25, 2), (13, 15), (20, 9), (5, 11), crowd=(3,)),
    boxes((28, 41), (2, 30), (18, 3), (7, 16)),
    boxes((45, 33), (30, 20), (0, 0), (11, 5), (22, 13)),
]
ROWS = [len(source.instances) for source in SOURCES]
CANDIDATES = [[0, 1, 2, 4], [0, 1, 2], [0, 1, 2, 3]]

# All there is to draw, and nothing that depends on another draw: images fit the canvas, so that all rows show.
BASE: dict[str, Any] = {
    "size": CANVAS, "target_scale": (0.4, 0.9), "source_scale": (0.5, 1.0), "pad": "random", "blend_sigma": (0.5, 3.0),
}  # fmt: skip


@cache
def drawn(key: tuple[int, int, int]) -> Words:
    """The words of the three sources by slot."""
    return words_of(key, ROWS)


def plan(key: Any, backend: str, **change: Any) -> Plan:
    """The plan for the three sources."""
    return SimpleCopyPaste(**(BASE | change), backend=backend).sample_plan(TARGET, SOURCES, key)


@cache
def remembered(key: tuple[int, int, int], backend: str, change: tuple[tuple[str, Any], ...] = ()) -> Plan:
    """The plan, drawn once for all tests that look at another part of it."""
    return plan(key, backend, **dict(change))


def draws(backend: str, n: int = len(KEYS), **change: Any) -> Iterator[tuple[Words, Plan]]:
    """The words and the plan of each of n keys."""
    for key in KEYS[:n]:
        yield drawn(key), remembered(key, backend, tuple(change.items()))

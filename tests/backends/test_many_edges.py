"""Polygons with much to draw: time and memory stay bounded, and signals are answered on the way."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest

from copypaste_rs import RleMasks

if TYPE_CHECKING:
    from types import FrameType

FAR = 2.0**31


def test_far_vertices_cost_what_near_ones_cost() -> None:
    rng = np.random.default_rng(3)
    far = np.where(rng.random(2000) < 0.5, -FAR, FAR) * rng.uniform(0.5, 1, 2000)
    start = time.process_time()
    masks = RleMasks.from_polygons([[far]], (4096, 4096))
    assert time.process_time() - start < 5  # half a minute when each pixel was searched for
    assert len(masks) == 1


class _AlarmError(Exception):
    pass


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer that sends signals")
def test_signals_are_answered_within_half_a_second() -> None:
    """Edges that cross 65,535 columns ten thousand times take seconds, and an error of a handler ends them."""

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise _AlarmError

    part = np.random.default_rng(4).uniform(0, 65_535, 20_000)
    before = signal.signal(signal.SIGALRM, stop)
    try:
        start = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(_AlarmError):
            RleMasks.from_polygons([[part]], (65_535, 65_535))
        assert time.perf_counter() - start < 0.7
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_edges_that_cancel_leave_nothing() -> None:
    """Back and forth along one line: 130 million pixels are toggled, two at a time."""
    width = 65_535
    there_and_back = [0.0, 5.0, width, 9.0] * 1000
    assert RleMasks.from_polygons([[there_and_back]], (20, width)).counts.tolist() == [20 * width]

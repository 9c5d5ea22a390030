"""One row of a table: every contestant on the same draws, next to each other."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

from benches.measure import Spread, median_ratio, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from benches.peers.peer import Job

SECONDS_A_DRAW = 0.02
"""Seconds that each contestant gets on each draw, so that quick ones are not measured more coarsely than slow ones."""
MOST = 300
ROUNDS = 3
"""Turns that a draw's time is taken in: what disturbs the machine for a moment disturbs one turn."""

OURS = "copypaste_rs"


def row(jobs: dict[str, list[Job]], pieces: int, draw: float = SECONDS_A_DRAW) -> dict[str, Any]:
    """Microseconds for each of `pieces`, and how many times as long as ours each takes."""
    draws = len(jobs[OURS])
    times = {name: [float("inf")] * draws for name in jobs}
    repeats = {name: affordable(several[0].call, draw / ROUNDS) for name, several in jobs.items()}
    gc.collect()
    gc.disable()
    try:
        for i in range(draws):
            for _ in range(ROUNDS):
                for name, several in jobs.items():
                    times[name][i] = min(times[name][i], seconds(several[i].call, repeats[name]))
    finally:
        gc.enable()
    spreads = {name: Spread.of([each * 1e3 / pieces for each in values]) for name, values in times.items()}
    peers = [name for name in times if not name.startswith(OURS)]
    return {
        "microseconds": {name: spread._asdict() for name, spread in spreads.items()},
        "times_ours": {name: median_ratio(times, name, OURS) for name in times},
        "best_peer": min(peers, key=lambda name: spreads[name].median, default=None),
    }


def affordable(call: Callable[[], Any], share: float) -> int:
    """How many calls a turn leaves time for, by the quickest of those made for as long as a turn takes."""
    call()
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() - begin < share:
        best = min(best, seconds(call, 1))
    return max(1, min(MOST, int(share / best)))

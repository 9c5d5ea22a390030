"""Timing in pairs, memory by high-water mark, the machine and the versions: what makes a figure worth reading."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MEBI = 1 << 20


class Spread(NamedTuple):
    """Milliseconds over several draws."""

    median: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Median, quartiles and count."""
        ordered = sorted(seconds)
        quarter = len(ordered) // 4
        return cls(statistics.median(ordered) * 1e3, ordered[quarter] * 1e3, ordered[-1 - quarter] * 1e3, len(ordered))


def seconds(call: Callable[[], Any], repeats: int) -> float:
    """The quickest of `repeats` calls: noise only ever adds."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def paired(contestants: dict[str, Sequence[Callable[[], Any]]], repeats: int) -> dict[str, list[float]]:
    """Seconds of every contestant on every draw, the contestants of one draw timed next to each other."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    draws = len(next(iter(contestants.values())))
    gc.collect()
    gc.disable()
    try:
        for i in range(draws):
            for name, calls in contestants.items():
                times[name].append(seconds(calls[i], repeats))
    finally:
        gc.enable()
    return times


def ratio(times: dict[str, list[float]], above: str, below: str) -> float:
    """The ratio of two contestants summed over the schedule, as someone who runs all of it sees it."""
    return sum(times[above]) / sum(times[below])


def median_ratio(times: dict[str, list[float]], above: str, below: str) -> float:
    """The median, over the draws, of how many times as long one takes as the other."""
    return statistics.median(a / b for a, b in zip(times[above], times[below], strict=True))


def peak_above(call: Callable[[], Any]) -> float:
    """Mebibytes of resident memory that `call` adds at its peak; Linux with glibc only."""
    call()  # what is set up once is not the call's
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what the allocator keeps would hide what the call takes
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    result = call()
    peak = _status("VmHWM")
    del result
    return (peak - before) * 1024 / MEBI


def _status(field: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1])


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """Machine and versions that the figures come from."""
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: version_of(name) for name in packages},
    }


def version_of(package: str) -> str:
    """The installed version of a distribution."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"

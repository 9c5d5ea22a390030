"""Milliseconds a sample: of an integration, and of the framework's own copy-paste where it has one.

``python -m tests.frameworks.timing NAME`` runs in the environment of a framework. Its folder has ``timing.py`` with

- ``OWN``: name of what `own` calls, or ``""`` where the framework has no copy-paste
- ``CANVAS``: height and width of the results
- ``ours() -> Callable[[], object]`` and, unless ``OWN`` is empty, ``own() -> Callable[[], object]``: functions that set
  up, and return what makes the next sample: the input chain of a training loop, from files or arrays in memory to what
  the framework's collate takes, alike in both.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 15
SAMPLES = 20


def main() -> None:
    """Print what was measured as JSON, on the last line."""
    about = importlib.import_module(f"tests.frameworks.{sys.argv[1]}.timing")
    calls = {"ours": about.ours()}
    if about.OWN:
        calls["own"] = about.own()
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)  # as in the workers of its loaders; threads that wait would be counted too
    result: dict[str, Any] = {"canvas": list(about.CANVAS), **by_turns(calls)}
    if about.OWN:
        result["own_name"] = about.OWN
    sys.stdout.write("\n" + json.dumps(result) + "\n")


def by_turns(calls: dict[str, Callable[[], object]]) -> dict[str, dict[str, float]]:
    """Median and quartiles of the processor time of a sample, in milliseconds, of calls that take turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS + 1):
        for name, call in calls.items():
            begin = time.process_time()
            for _ in range(SAMPLES):
                call()
            times[name].append(1000 * (time.process_time() - begin) / SAMPLES)
    spread = {name: quantiles(each[1:]) for name, each in times.items()}  # the first round fills caches
    return {name: {"ms": median(times[name][1:]), "low": low, "high": high} for name, (low, _, high) in spread.items()}


if __name__ == "__main__":
    main()

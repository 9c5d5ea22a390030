"""Measure, keep the figures as JSON, and put tables and pictures where they are shown.

`python -m benches` measures and prints; `--write` also keeps the figures and renews docs/; `--check`
fails when a figure misses what the project promises.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benches import extras, items, labels, memory, opening, plots, resampling, scaling, stages, where, whole
from benches.measure import machine
from benches.tables import put, tables

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "benches" / "results" / "bench.json"
PAGE = ROOT / "docs" / "benchmarks.md"
PARTS = ("whole", "extras", "labels", "memory", "resampling", "scaling", "stages", "opening", "items")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("--draws", type=int, default=24, help="scales in the schedule (24)")
    parser.add_argument("--numpy-draws", type=int, default=4, help="draws on which the slow reference runs (4)")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="where figures go")
    parser.add_argument("--only", choices=PARTS, help="measure this part; others stay as they are kept")
    parser.add_argument("--write", action="store_true", help="keep the figures, and renew docs/")
    parser.add_argument("--check", action="store_true", help="fail when a promise is missed")
    arguments = parser.parse_args()

    figures = measure(arguments.draws, arguments.numpy_draws, arguments.only)
    text = json.dumps(figures, indent=1) + "\n"
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(text)
    # Through JSON, so that tables are of what is kept.
    figures = json.loads(text)
    shown = tables(figures)
    sys.stdout.write("\n\n".join([*shown.values(), *where.tables(figures).values()]))
    sys.stdout.write(f"\n\nwritten to {arguments.json}\n")
    if arguments.write:
        write(figures, text)
    missed = [
        *whole.missed(figures["whole"]),
        *extras.missed(figures["extras"]),
        *memory.missed(figures["memory"]),
        *resampling.missed(figures["resampling"]),
        *scaling.missed(figures["scaling"]),
        *opening.missed(figures["opening"]),
        *items.missed(figures["items"]),
    ]
    for sentence in missed:
        sys.stderr.write(f"missed: {sentence}\n")
    return 1 if missed and arguments.check else 0


def measure(draws: int, numpy_draws: int, only: str | None = None) -> dict[str, Any]:
    """Measure every part, one after the other, or one of them; figures by part."""
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "whole": lambda: whole.measure(draws, numpy_draws),
        "extras": lambda: extras.measure(draws),
        "labels": lambda: labels.measure(draws),
        "memory": lambda: memory.measure(draws),
        "resampling": lambda: resampling.measure(draws),
        "scaling": lambda: scaling.measure(draws),
        "stages": lambda: stages.measure(draws),
        "opening": opening.measure,
        "items": items.measure,
    }
    packages = ["copypaste_rs", "numpy", "opencv-python-headless", "Pillow", "pycocotools"]
    kept = {} if only is None else json.loads(KEPT.read_text())
    # What `items` finds says itself where that was.
    figures: dict[str, Any] = {"machine": kept["machine"] if only == "items" else machine(packages)}
    for name, part in parts.items():
        if only in (None, name):
            sys.stderr.write(f"measuring {name}\n")
            figures[name] = part()
        else:
            figures[name] = kept[name]
    return figures


def write(figures: dict[str, Any], text: str) -> None:
    """Keep the figures and show them."""
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(text)
    for name, table in tables(figures).items():
        put(PAGE, name, table)
    where.write(figures)
    plots.opening(figures["opening"], PAGE.parent / "opening.png")


if __name__ == "__main__":
    sys.exit(main())

"""Measure, write the figures as JSON, and put the tables where they are shown.

`python -m benches` measures and prints; `--write` also puts the tables into README.md; `--check` fails when a
figure misses what the project promises.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benches import whole
from benches.measure import machine
from benches.tables import put, whole_table

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("--draws", type=int, default=24, help="scales in the schedule (24)")
    parser.add_argument("--numpy-draws", type=int, default=4, help="draws on which the slow reference runs (4)")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json", help="where figures go")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    parser.add_argument("--check", action="store_true", help="fail when a promise is missed")
    arguments = parser.parse_args()

    figures: dict[str, Any] = {"machine": machine(["copypaste_rs", "numpy", "opencv-python-headless"])}
    figures["whole"] = whole.measure(arguments.draws, arguments.numpy_draws)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    table = whole_table(figures)
    sys.stdout.write(f"{table}\nwritten to {arguments.json}\n")
    if arguments.write:
        put(ROOT / "README.md", "benchmark", table)
    missed = whole.missed(figures["whole"]) if arguments.check else []
    for sentence in missed:
        sys.stderr.write(f"missed: {sentence}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure ours next to other people's libraries: `python -m benches.peers` in the environment of `make bench-peers`.

Prints the tables and writes the figures as JSON; `--write` also puts them where they are kept, and the tables into
docs/peers.md and README.md. `--only` measures one peer, and may be given several times; `--kept` measures nothing and
takes the kept figures.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from benches.measure import machine
from benches.peers import masks, page, resampling, whole
from benches.peers.adapters import PEERS
from benches.peers.install import FAILED
from benches.peers.peer import Missing
from benches.tables import put

ROOT = Path(__file__).parent.parent.parent
KEPT = ROOT / "benches" / "results" / "peers.json"
PAGE = ROOT / "docs" / "peers.md"
README = ROOT / "README.md"

GROUPS = {"masks": masks.measure, "whole": whole.measure, "resampling": resampling.measure}


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches.peers", description=__doc__)
    names = [peer.name for peer in PEERS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--group", action="append", choices=list(GROUPS), help="what to measure (all)")
    parser.add_argument("--draws", type=int, default=12, help="scenes, batches and images of each row (12)")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench-peers.json", help="where figures go")
    parser.add_argument("--kept", action="store_true", help=f"measure nothing: take {KEPT.name}")
    parser.add_argument(
        "--write", action="store_true", help=f"keep the figures, and put the tables into {PAGE.name} and {README.name}"
    )
    arguments = parser.parse_args()
    if (arguments.write or arguments.kept) and (arguments.only or arguments.group):
        parser.error("--write, --kept: expected a run of everything, got --only or --group")
    if arguments.kept:
        kept = json.loads(KEPT.read_text())
        sys.stdout.write("\n\n".join([*page.tables(kept).values(), page.readme_table(kept)]) + "\n")
        if arguments.write:
            show(kept)
        return 0

    warnings.filterwarnings("ignore")  # theirs, thousands of times
    peers = [peer for peer in PEERS if not arguments.only or peer.name in arguments.only]
    missing = not_installed()
    figures: dict[str, Any] = {"machine": machine(["copypaste_rs", "numpy"])}
    interrupted = False
    try:
        for name in arguments.group or GROUPS:
            sys.stderr.write(f"measuring {name}\n")
            figures[name] = GROUPS[name](peers, missing, arguments.draws)
    except KeyboardInterrupt:
        interrupted = True
        sys.stderr.write("interrupted: the groups that are complete are written\n")
    figures["peers"] = {peer.name: page.describe(peer) for peer in peers}
    figures["missing"] = missing
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=1) + "\n"
    arguments.json.write_text(text)
    tables = page.tables(figures)
    sys.stdout.write("\n\n".join(tables.values()) + f"\n\nwritten to {arguments.json}\n")
    if arguments.write and not interrupted:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(text)
        show(figures)
    return 130 if interrupted else 0


def show(figures: dict[str, Any]) -> None:
    """Put the tables into the page, and the few rows of README there."""
    for name, table in page.tables(figures).items():
        put(PAGE, name, table)
    put(README, "peers", page.readme_table(figures))


def not_installed() -> Missing:
    """Peers that pip could not install, and why."""
    failed = json.loads(FAILED.read_text()) if FAILED.exists() else {}
    return Missing(
        {peer.name: f"not installed: {failed[peer.requirements]}" for peer in PEERS if peer.requirements in failed}
    )


if __name__ == "__main__":
    sys.exit(main())

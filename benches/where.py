"""The page "Where the time goes": its tables, its pictures, and the command that measures or draws them anew.

`python -m benches.where` measures and prints; `--write` also keeps the figures and puts tables and pictures where
they are shown; `--kept` measures nothing and takes the kept figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benches import plots, scaling, stages
from benches.measure import machine
from benches.tables import machine_text, markdown, put

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "benches" / "results" / "where.json"
PAGE = ROOT / "docs" / "where-the-time-goes.md"


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches.where", description=__doc__)
    parser.add_argument("--draws", type=int, default=24, help="scales in the schedule (24)")
    parser.add_argument("--kept", action="store_true", help=f"measure nothing: take {KEPT.name}")
    parser.add_argument("--write", action="store_true", help=f"keep the figures; tables and pictures of {PAGE.name}")
    arguments = parser.parse_args()
    figures = json.loads(KEPT.read_text()) if arguments.kept else measure(arguments.draws)
    sys.stdout.write("\n\n".join(tables(figures).values()) + "\n")
    if arguments.write:
        write(figures)
    return 0


def measure(draws: int) -> dict[str, Any]:
    """Measure every figure of the page."""
    return {
        "machine": machine(["copypaste_rs", "numpy", "opencv-python-headless"]),
        "scaling": scaling.measure(draws),
        "stages": stages.measure(draws),
    }


def write(figures: dict[str, Any]) -> None:
    """Keep the figures of the page and show them."""
    kept = {name: figures[name] for name in ("machine", "scaling", "stages")}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    for name, table in tables(figures).items():
        put(PAGE, name, table)
    plots.draw(figures, PAGE.parent)


def tables(figures: dict[str, Any]) -> dict[str, str]:
    """Markdown by marker."""
    return {
        "stages": stages_table(figures["stages"]),
        "stages-read": stages_text(figures["stages"]),
        "by-instances": scaling_table(figures["scaling"]["by_instances"], "instances a side"),
        "growth": growth_text(figures["scaling"]["growth"]),
        "by-canvas": scaling_table(figures["scaling"]["by_canvas"], "side of the canvas"),
        "machine": machine_text(figures["machine"]),
    }


def stages_table(measured: dict[str, Any]) -> str:
    """Milliseconds by stage, which add up, and the whole timed by itself."""
    rows = []
    for name, each in measured["variants"].items():
        parts = [each["stages"][stage]["mean"] for stage in stages.STAGES]
        whole = each["whole"]
        spread = f"{whole['median']:.2f} ({whole['low']:.2f}-{whole['high']:.2f})"
        rows.append([name, *(f"{part:.3f}" for part in parts), f"**{sum(parts):.3f}**", f"{whole['mean']:.3f}", spread])
    heads = ["milliseconds", *stages.STAGES.values(), "all stages", "whole call", "median (quartiles)"]
    variants = list(measured["variants"].values())
    apart = max(each["apart"] for each in variants)
    text = (
        f"Means over {variants[0]['whole']['n']} draws of the schedule at {measured['canvas']} and "
        f"{measured['instances']} instances a side; soft is a sigma of {measured['sigma']:g}. The two halves of the "
        f"turns lie up to {apart * 1e3:.0f} microseconds apart in a stage."
    )
    return f"{markdown(heads, rows)}\n\n{text}"


def stages_text(measured: dict[str, Any]) -> str:
    """Sentences on what the numbers say."""
    hard, averaged, soft, _ = measured["variants"].values()
    parts = {name: part["mean"] for name, part in hard["stages"].items()}
    every = sum(parts.values())
    pixels, masks = (sum(parts[name] for name in names) for names in (("fill", "target", "source"), ("place", "cut")))
    python, others, shares = parts["before"] + parts["after"], hard["others"], hard["shares"]
    million = measured["canvas"] ** 2 / 1e6
    each = {name: parts[name] / (shares[name] * million) for name in shares}
    more = sum(averaged["stages"][name]["mean"] - parts[name] for name in shares)
    softer = soft["stages"]["source"]["mean"] - parts["source"]
    return "\n".join(
        [
            f"- With hard edges and bilinear resampling, pixels take {pixels / every:.0%} of the call, "
            f"masks {masks / every:.0%}, Python {python / every:.0%}.",
            f"- `np.copyto` of one canvas takes {others['copy']:.2f} ms, filling the canvas once "
            f"{parts['fill'] / others['copy']:.1f} and the whole call {every / others['copy']:.1f} times as long.",
            f"- The target shows in {shares['target']:.0%} of the canvas and takes {each['target']:.2f} nanoseconds a "
            f"pixel there, the source in {shares['source']:.0%} and {each['source']:.2f}.",
            f"- Averaging where an image shrinks adds {more:.2f} ms to the pixels.",
            f"- A soft edge adds {softer:.2f} ms to the source's pixels. The weights by themselves, `functional.alpha` "
            f"of the one mask, take {soft['others']['weights']:.2f} ms.",
            f"- Python's share, {python * 1e3:.0f} microseconds, is {others['Python alone'] * 1e3:.0f} in a loop "
            "without the kernel.",
            "- Into a canvas of pages that the system hands out during the call, it takes "
            f"{others['new pages'] - hard['whole']['mean']:.2f} ms more.",
        ]
    )


def scaling_table(measured: dict[str, Any], head: str) -> str:
    """Milliseconds by contestant."""
    points = [str(at) for at in measured["at"]]
    rows = []
    for name in plots.LINES:
        if name in measured["milliseconds"]:
            line = measured["milliseconds"][name]
            rows.append([name, *(f"{line[at]['median']:.2f}" if at in line else "" for at in points)])
    ours = measured["milliseconds"][scaling.OURS].values()
    widest = max((spread["high"] - spread["low"]) / spread["median"] for spread in ours)
    text = (
        f"Medians of {next(iter(ours))['n']} draws; the quartiles of `{scaling.OURS}` lie up to {widest:.0%} of the "
        "median apart, since the scales differ."
    )
    return f"{markdown([f'milliseconds: {head}', *points], rows)}\n\n{text}"


def growth_text(growth: dict[str, Any]) -> str:
    """How much a further instance takes."""
    return (
        f"On the same placements, {growth['many']} instances a side take **{growth['times_few']:.2f} times** as long "
        f"as {growth['few']}. Between the two, a further instance a side, which is one mask in the target and one "
        f"pasted, takes **{growth['microseconds']:.2f} microseconds**, {growth['microseconds'] / 2:.2f} a mask; the "
        f"same pixels pasted as one mask grow by {growth['microseconds_of_pixels']:+.2f} microseconds meanwhile."
    )


if __name__ == "__main__":
    sys.exit(main())

"""Figures as Markdown, put between markers so that no number is ever typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def whole_table(figures: dict[str, Any]) -> str:
    """The whole transform in milliseconds, and how many times as long the others take."""
    whole, grid = figures["whole"], figures["whole"]["grid"]
    heads = [f"{cell['canvas']}, {cell['instances']}" for cell in grid]
    rows = []
    for name in grid[0]["milliseconds"]:
        cells = [f"{c['milliseconds'][name]['median']:.2f} (x {c['times_as_fast'][name]:.1f})" for c in grid]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    middle = grid[1]
    memory = ", ".join(f"{mb:.1f} MiB at {n}" for n, mb in whole["memory_above_canvas"].items())
    versions = ", ".join(f"{name} {v}" for name, v in figures["machine"]["versions"].items())
    spread = max(
        (s["high"] - s["low"]) / s["median"] for cell in grid for s in [next(iter(cell["milliseconds"].values()))]
    )
    return "\n".join(
        [
            f"| milliseconds for one augmented image: canvas, objects a side | {' | '.join(heads)} |",
            f"|---|{'---|' * len(heads)}",
            *rows,
            "",
            "Medians; in brackets, the median of how many times as long as the first row it takes on the same draw. "
            f"640x480 photographs, {middle['milliseconds']['copypaste_rs']['n']} scales spread evenly over 0.1-2.0 for "
            "each of the two images, one thread; image, masks, boxes and columns included; results compared before "
            f"timing. The quartiles of the first row lie up to {spread:.0%} apart. Summed over the schedule at "
            f"{middle['canvas']} and {middle['instances']} objects, the transform takes "
            f"**{middle['of_resize']:.2f}** of the time OpenCV needs to resize the two images alone, antialiasing "
            f"takes {middle['antialias_of_two_taps']:.2f} times as long as two taps, and the NumPy reference "
            f"**{whole['times_numpy']:.0f} times** as long. Memory above the output canvas, by objects a side: "
            f"{memory}.",
            "",
            f"{figures['machine']['processor']}, Python {figures['machine']['python']}, {versions}. "
            "Written by `make bench BENCH_ARGS=--write`.",
        ]
    )


def put(path: Path, name: str, text: str) -> None:
    """Replace what stands between the markers `name` in a Markdown file."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = path.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{path.name}: expected the markers {begin} and {end}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")

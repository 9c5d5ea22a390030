"""Figures as Markdown, put between markers so that no number is ever typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def whole_table(figures: dict[str, Any]) -> str:
    """The whole transform, in milliseconds."""
    whole = figures["whole"]
    rows = [
        f"| {name} | {s['median']:.2f} | {s['low']:.2f} - {s['high']:.2f} | {s['n']} |"
        for name, s in whole["milliseconds"].items()
    ]
    memory = ", ".join(f"{mb:.1f} MiB at {n}" for n, mb in whole["memory_above_canvas"].items())
    versions = ", ".join(f"{name} {v}" for name, v in figures["machine"]["versions"].items())
    return "\n".join(
        [
            "| milliseconds for one augmented image | median | quartiles | draws |",
            "|---|---|---|---|",
            *rows,
            "",
            f"640x480 photographs on a {whole['canvas']}x{whole['canvas']} canvas, {whole['instances']} objects on "
            "each side, scales spread evenly over 0.1-2.0, one thread, image, masks, boxes and columns included; "
            "results compared with the reference before timing. Summed over the schedule the transform takes "
            f"**{whole['of_resize']:.2f}** of the time OpenCV needs to resize the two images alone "
            f"({whole['of_resize_two_taps']:.2f} with two taps), and is **{whole['times_numpy']:.0f} times** as fast "
            f"as the NumPy reference. Memory above the output canvas, objects a side: {memory}.",
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

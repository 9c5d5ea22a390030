"""Figures as pictures: how the time grows, and where it goes. Kept figures can be drawn again without measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches import scaling
from benches.stages import STAGES

if TYPE_CHECKING:
    from pathlib import Path

INK, GRID = "#333333", "#dddddd"
LINES: dict[str, dict[str, Any]] = {
    scaling.RIVAL: {"color": "#a33d3d", "marker": "s"},
    scaling.DEFAULT: {"color": "#1b6ca8", "marker": "o"},
    scaling.OURS: {"color": "#e08214", "marker": "o"},
    scaling.PIXELS: {"color": "#4d9a4d", "marker": "^", "linestyle": "--"},
    scaling.TARGET: {"color": "#8064a2", "marker": "v", "linestyle": "--"},
    scaling.COPY: {"color": "#888888", "marker": ".", "linestyle": ":"},
}
"""In the order of the legend. Dashed is what bounds the operation from below."""
BARS = {
    "before": "#5b7fa6",
    "binding": "#9db7d5",
    "place": "#c65b3f",
    "cut": "#e39a7f",
    "fill": "#a6a6a6",
    "target": "#6aa56a",
    "source": "#2f6b3a",
    "fresh": "#5e5e5e",
    "after": "#34557a",
}
LEAST_LABELLED = 0.035
"""Share of the longest bar from which a part's own number fits into it."""


def draw(figures: dict[str, Any], folder: Path) -> list[Path]:
    """Write the pictures that the figures are for; the same figures give the same bytes on the same matplotlib."""
    paths = [folder / name for name in ("time-by-instances.png", "time-by-canvas.png", "stages.png")]
    by_instances(figures["scaling"]["by_instances"], paths[0])
    by_canvas(figures["scaling"]["by_canvas"], paths[1])
    stages(figures["stages"], paths[2])
    return paths


def by_instances(measured: dict[str, Any], path: Path) -> None:
    """Plot times by instances, both axes logarithmic: both range over two orders of magnitude."""
    figure, axes = blank((8, 5))
    lines(axes, measured, {at: at for at in measured["at"]})
    axes.set(xscale="log", yscale="log", xlabel="instances a side (as many in the target, as many pasted)")
    axes.set_xticks(measured["at"], [str(at) for at in measured["at"]], minor=False)
    axes.set_xticks([], minor=True)
    ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
    low, high = axes.get_ylim()
    shown = [tick for tick in ticks if low <= tick <= high]
    axes.set_yticks(shown, [f"{tick:g}" for tick in shown], minor=False)
    axes.set_yticks([], minor=True)
    axes.set_title(f"Time by instances, canvas {measured['canvas']} x {measured['canvas']}", color=INK)
    finish(figure, axes, path)


def by_canvas(measured: dict[str, Any], path: Path) -> None:
    """Plot times by canvas, both axes linear, in pixels: what is proportional to the canvas is a straight line."""
    figure, axes = blank((8, 5))
    across = {side: side * side / 1e6 for side in measured["at"]}
    lines(axes, measured, across)
    axes.set(xlabel="canvas: side in pixels, spaced by area", xlim=(0, None), ylim=(0, None))
    axes.set_xticks(list(across.values()), [str(side) for side in across])
    axes.set_title(f"Time by canvas, {measured['instances']} instances a side", color=INK)
    finish(figure, axes, path)


def stages(measured: dict[str, Any], path: Path) -> None:
    """One bar for each variant, its parts in the order in which they happen."""
    figure, axes = blank((9, 4.4))
    variants = measured["variants"]
    longest = max(sum(part["mean"] for part in each["stages"].values()) for each in variants.values())
    starts = dict.fromkeys(variants, 0.0)
    for stage, label in STAGES.items():
        for name, each in variants.items():
            width = max(each["stages"][stage]["mean"], 0.0)
            first = name == next(iter(variants))
            axes.barh(name, width, left=starts[name], color=BARS[stage], label=label if first else None, height=0.62)
            if width > LEAST_LABELLED * longest:
                axes.text(
                    starts[name] + width / 2, name, f"{width:.2f}", ha="center", va="center", color="white", fontsize=8
                )
            starts[name] += width
    copied = next(iter(variants.values()))["others"]["copy"]
    axes.axvline(copied, color=INK, linestyle=":", zorder=0.5, label="a plain copy of the canvas")
    axes.invert_yaxis()
    axes.set(xlabel="milliseconds", xlim=(0, longest * 1.02))
    axes.grid(visible=False, axis="y")
    axes.set_title(
        f"Where the time goes, canvas {measured['canvas']}, {measured['instances']} instances a side", color=INK
    )
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=5, frameon=False, fontsize=9)
    save(figure, path)


def opening(measured: dict[str, Any], path: Path) -> None:
    """Bars of time and memory of opening an annotation file, by way, on logarithmic axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.8), dpi=120, layout="constrained")
    ways = measured["ways"]
    shown = (("seconds", "seconds", "{:.3g}"), ("peak", "MiB of memory at the peak", "{:.0f}"))
    for axes, (name, label, form) in zip(figure.subplots(1, 2, sharey=True), shown, strict=True):
        values = [each[name] for each in ways.values()]
        axes.barh(list(ways), values, color=["#a33d3d", "#1b6ca8", "#e08214", "#4d9a4d"], height=0.62)
        for i, value in enumerate(values):
            axes.text(value, i, " " + form.format(value), va="center", color=INK, fontsize=9)
        axes.set(xscale="log", xlabel=label, xlim=(min(values) / 2, max(values) * 4))
        axes.grid(visible=True, axis="x", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    axes.invert_yaxis()
    figure.suptitle(f"Opening {measured['annotations']:,} annotations ({measured['megabytes']:.0f} MiB)", color=INK)
    save(figure, path)


def lines(axes: Any, measured: dict[str, Any], across: dict[int, float]) -> None:
    """One line for each contestant, its quartiles behind it."""
    for name, style in LINES.items():
        if name not in measured["milliseconds"]:
            continue
        points = {int(at): spread for at, spread in measured["milliseconds"][name].items()}
        x = [across[at] for at in points]
        low, median, high = ([spread[key] for spread in points.values()] for key in ("low", "median", "high"))
        axes.plot(x, median, label=name, linewidth=1.8, markersize=5, **style)
        axes.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)
    axes.set_ylabel("milliseconds, median and quartiles")


def blank(inches: tuple[float, float]) -> tuple[Any, Any]:
    """A figure of a size in inches, with axes. Made without pyplot, it needs no display and follows no settings."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.grid(visible=True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def finish(figure: Any, axes: Any, path: Path) -> None:
    """The legend, and the file."""
    axes.legend(frameon=False, fontsize=9)
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    """The file, without matplotlib's version in it."""
    figure.savefig(path, metadata={"Software": None})

"""Statistics as a picture: classes, areas, instances an image and overlaps, before and after."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs.cli.measures import MEDIUM, SMALL
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.paste_counts import title_of

with extra("cli"):
    from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from numpy.typing import NDArray

    from copypaste_rs.cli.set_statistics import Statistics

COLOURS = {"before": "#8c9aa8", "after": "#1b6ca8"}
INK, GRID = "#333333", "#e3e6ea"

MOST_CLASSES = 25
"""Classes that are drawn, the most frequent ones: more can not be read."""

FEW_CLASSES = 5
"""Classes up to which all four plots have one size: one bar alone would be as large as a page."""

MOST_OF_A_PATH = 70
"""Characters of the name of the set that are drawn."""

MOST_CHARACTERS = 40
"""Characters of a name that are drawn: longer ones would leave no room for what they name."""


def plot(statistics: Statistics, name: str) -> bytes:
    """A PNG of the statistics of a set of a name, such as the path of its annotations."""
    names = dict(zip(statistics.counts.labels, statistics.counts.names, strict=True))
    sides = {"before": statistics.before}
    if statistics.copies:
        sides["after"] = statistics.after
    found = {side: measures.to_dict(names) for side, measures in sides.items()}
    order = sorted(range(len(names)), key=lambda i: -max(_rate(each, i) for each in found.values()))[:MOST_CLASSES]
    height = max(6.0, 2.2 + 0.32 * len(order))
    figure = Figure(figsize=(11, height), dpi=120, layout="constrained")
    if len(order) <= FEW_CLASSES:
        grid = figure.add_gridspec(2, 2)
        places = [grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]]
    else:
        grid = figure.add_gridspec(3, 2, width_ratios=(1.15, 1))
        places = [grid[:, 0], grid[0, 1], grid[1, 1], grid[2, 1]]
    classes, areas, instances, overlaps = map(figure.add_subplot, places)
    _classes(classes, found, order, [_short(title_of(name, label)) for label, name in names.items()])
    _areas(areas, {side: each.all_areas for side, each in sides.items()})
    _instances(instances, {side: each.per_image for side, each in sides.items()})
    _overlaps(overlaps, found)
    images = " and ".join(f"{each['images']} images {side}" for side, each in found.items())
    figure.suptitle(f"{_end(name)}: {images}", color=INK, fontsize=12, parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _short(name: str) -> str:
    return name if len(name) <= MOST_CHARACTERS else f"{name[: MOST_CHARACTERS - 3]}..."


def _end(name: str) -> str:
    """The end of a path: many annotation files have one name."""
    return name if len(name) <= MOST_OF_A_PATH else f"...{name[3 - MOST_OF_A_PATH :]}"


def _number(value: float) -> str:
    """Three digits, or as many as stand before the point."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _rate(side: dict[str, Any], i: int) -> float:
    """Objects of class i for each image."""
    return float(side["classes"][i]["objects"] / max(1, side["images"]))


def _plain(axes: Any, title: str, across: str) -> None:
    axes.set_title(title, color=INK, fontsize=10, loc="left")
    axes.set_xlabel(across, color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=8)
    axes.grid(visible=True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _bars(
    axes: Any,
    values: dict[str, list[float]],
    titles: list[str],
    shown: Callable[[float], str],
    least: tuple[int, float] = (0, 0.0),
) -> None:
    """Bars side by side, one group for each title, from the top down; with room for so many groups, of so much."""
    thick = 0.8 / len(values)
    for k, (side, widths) in enumerate(values.items()):
        places = np.arange(len(widths)) - 0.4 + (k + 0.5) * thick
        axes.barh(places, widths, height=thick * 0.92, color=COLOURS[side], label=side)
        for place, width in zip(places, widths, strict=True):
            axes.text(width, place, f" {shown(width)}", va="center", color=INK, fontsize=7)
    axes.set_yticks(range(len(titles)), titles, parse_math=False)  # names may have dollars
    axes.set_ylim(max(len(titles), least[0]) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    widest = max((width for widths in values.values() for width in widths), default=0.0)
    axes.set_xlim(0, 1.16 * max(widest, least[1]) or 1.0)


def _classes(axes: Any, found: dict[str, Any], order: list[int], titles: list[str]) -> None:
    rest = len(titles) - len(order)
    more = f" (the {len(order)} most frequent of {len(titles)} classes)" if rest else ""
    _plain(axes, f"Objects of each class{more}", "objects for each image")
    _bars(axes, {side: [_rate(each, i) for i in order] for side, each in found.items()},
          [titles[i] for i in order], _number, (3 if len(order) <= FEW_CLASSES else 8, 0.0))  # fmt: skip
    if len(found) > 1:
        axes.legend(frameon=False, fontsize=9, loc="lower right")


def _steps(axes: Any, side: str, shares: NDArray[Any], edges: NDArray[Any]) -> None:
    axes.stairs(shares, edges, color=COLOURS[side], linewidth=1.6, label=side)
    axes.stairs(shares, edges, color=COLOURS[side], alpha=0.18, fill=True)


def _areas(axes: Any, areas: dict[str, Counter[int]]) -> None:
    _plain(axes, "Areas: share of objects", "square root of the area, pixels")
    largest = max((max(each) for each in areas.values() if each), default=1)
    smallest = min((min(each) for each in areas.values() if each), default=1)
    # Half octaves; the last edge lies above all sides.
    edges = 2 ** (np.arange(np.floor(np.log2(max(smallest, 1))), np.floor(np.log2(largest)) + 2) / 2)
    # With room for the words of what there is.
    ends_at = min(edges[0], 16.0), max(edges[-1], 192.0 if largest >= MEDIUM else 0.0)
    for side, each in areas.items():
        sides = np.sqrt(np.array(list(each), np.float64))
        counts = np.array(list(each.values()), np.float64)
        shares, _ = np.histogram(sides, edges, weights=counts)
        _steps(axes, side, shares / max(1.0, counts.sum()), edges)
    axes.set_xscale("log", base=2)
    limits = [ends_at[0], SMALL**0.5, MEDIUM**0.5, ends_at[1]]
    for limit in limits[1:-1]:
        axes.axvline(limit, color=INK, linewidth=0.8, linestyle=":")
    ends = np.clip(limits, *ends_at)
    for low, high, word in zip(ends[:-1], ends[1:], ("small", "medium", "large"), strict=True):
        if low < high:
            axes.text((low * high) ** 0.5, 0.97, word, transform=axes.get_xaxis_transform(), ha="center", va="top",
                      color=INK, fontsize=8)  # fmt: skip
    axes.margins(y=0.12)
    ticks = [1, 2, 4, 8, 16, 32, 96, 256, 1024, 4096]
    axes.set_xticks(ticks, map(str, ticks))
    axes.minorticks_off()
    axes.set_xlim(*ends_at)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _instances(axes: Any, per_image: dict[str, Counter[int]]) -> None:
    _plain(axes, "Instances an image: share of images", "instances")
    most = max((max(each) for each in per_image.values() if each), default=0)
    width = max(1, -(-(most + 1) // 40))
    edges = np.arange(0, most + 1 + width, width) - 0.5
    for side, each in per_image.items():
        counts = np.array(list(each.values()), np.float64)
        shares, _ = np.histogram(np.array(list(each), np.float64), edges, weights=counts)
        _steps(axes, side, shares / max(1.0, counts.sum()), edges)
    axes.set_xlim(-0.5, edges[-1])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _overlaps(axes: Any, found: dict[str, Any]) -> None:
    _plain(axes, "Overlaps: share of objects", "")
    titles = {"covered": "partly covered\nby a paste", "boxes_meet": "box meets\nanother's",
              "box_iou_from_0.5": "box IoU with\nanother's from 0.5"}  # fmt: skip
    shares = {side: [each["overlaps"][name] or 0.0 for name in titles] for side, each in found.items()}
    _bars(axes, shares, list(titles.values()), lambda share: f"{share:.1%}", (0, 0.05))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")

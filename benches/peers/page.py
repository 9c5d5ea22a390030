"""Figures as the tables of the page on peers."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benches.measure import version_of
from benches.peers.masks import MASKS, SIDE
from benches.peers.timing import OURS
from benches.tables import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benches.peers.peer import Peer


def describe(peer: Peer) -> dict[str, Any]:
    """Versions, licence and settings of a peer, for the page."""
    return {
        "versions": {name: installed(name) for name in peer.distributions},
        "licence": peer.licence,
        "runs": peer.runs,
        "differs": peer.differs,
    }


def installed(distribution: str) -> str:
    """The version in the environment, or in the folder of what lies apart from it."""
    apart = Path(sys.prefix) / "apart" / distribution
    found = next(iter(metadata.distributions(name=distribution, path=[str(apart)])), None) if apart.is_dir() else None
    return version_of(distribution) if found is None else found.version


def tables(figures: dict[str, Any]) -> dict[str, str]:
    """Markdown by marker, for the groups that were measured."""
    made = {"peers": peers_table(figures)}
    if "whole" in figures:
        made["whole"] = whole_table(figures["whole"])
        made["shared"] = shared_table(figures["whole"])
    if "resampling" in figures:
        made["resampling"] = resampling_table(figures["resampling"])
    for kind, measured in figures.get("masks", {}).items():
        made[kind.replace(" ", "-")] = masks_table(kind, measured)
    return made


def peers_table(figures: dict[str, Any]) -> str:
    """Table of the peers that were measured, and of those that could not be."""
    rows = []
    for name, peer in figures["peers"].items():
        versions = ", ".join(f"{package} {version}" for package, version in peer["versions"].items())
        rows.append([name, versions, peer["licence"], peer["runs"], peer["differs"]])
    missing = [f"- {name}: {reason}" for name, reason in figures["missing"].items()]
    machine = figures["machine"]
    ours = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return "\n".join(
        [
            markdown(["peer", "versions", "licence", "what runs", "where it differs"], rows),
            "",
            f"{machine['processor']}, Python {machine['python']}, {ours}.",
            "",
            *(["Not measured, and why:", "", *missing] if missing else ["All of them could be measured."]),
        ]
    )


def whole_table(grid: dict[str, Any]) -> str:
    """Milliseconds for one image."""
    cells = list(grid.values())
    names = list(dict.fromkeys(name for cell in cells for name in cell["microseconds"]))
    rows = [[name, *(entry(cell, name, 1e-3) for cell in cells)] for name in names]
    heads = [f"{cell['canvas']}, {cell['instances']}" for cell in cells]
    return "\n".join(
        [markdown(["milliseconds: canvas, objects in each image", *heads], rows), "", spread(cells)],
    )


IN_README = {
    f"{OURS}, bilinear, dense masks in and out": f"{OURS}, dense masks in and out",
    "torchvision": "torchvision, the steps of its training scripts",
    "mmdetection": "mmdetection",
    "ultralytics": "ultralytics",
}
"""Rows of README by the names of the figures, with the names they get there."""


def readme_table(figures: dict[str, Any]) -> str:
    """Milliseconds for one image, in the few rows that README has room for, of those that were measured."""
    cells = list(figures["whole"].values())
    rows = [
        [shown, *(digits(cell["microseconds"][name]["median"] * 1e-3) for cell in cells)]
        for name, shown in IN_README.items()
        if all(name in cell["microseconds"] for cell in cells)
    ]
    heads = [f"{cell['canvas']}, {cell['instances']}" for cell in cells]
    linear, default = (
        [digits(cell["microseconds"][name]["median"] * 1e-3) for cell in cells] for name in (f"{OURS}, bilinear", OURS)
    )
    draws = cells[0]["microseconds"][OURS]["n"]
    return "\n".join(
        [
            markdown(["milliseconds for one augmented image: canvas, objects in each image", *heads], rows),
            "",
            f"Medians of {draws} draws on one thread ({figures['machine']['processor']}): two photographs of 640x480 "
            "under large-scale jitter, all objects of one pasted into the other. **They do not do the same work:** "
            "torchvision averages where an image shrinks, the others do not; mmdetection makes an int64 image; "
            "ultralytics starts from polygons, leaves out objects whose boxes meet others', and does not cut what is "
            "covered from the masks below. [Peers](docs/peers.md) has versions and spread.",
            "",
            f"With masks that stay runs, {OURS} takes {listed(linear)} ms, and with averaging, its default, "
            f"{listed(default)} ms.",
        ]
    )


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence."""
    return f"{', '.join(words[:-1])} and {words[-1]}"


def shared_table(grid: dict[str, Any]) -> str:
    """How near to ours the results of the others are."""
    cell = list(grid.values())[-1]
    rows = []
    for name, found in cell["shared"].items():
        places = [f"{found['place_iou']:.3f}", f"{found['image_difference']:.1f}"] if found["same_place"] else ["", ""]
        rows.append([name, f"{found['masks']:.0f} ({found['masks_of_ours']:.0f})", *places])
    heads = ["peer", "masks left (ours)", "IoU of all that is masked, with ours", "mean difference of a byte to ours"]
    text = (
        f"Canvas {cell['canvas']}, {cell['instances']} objects in each image; medians over the draws. Where nothing is "
        "said, objects go elsewhere."
    )
    return "\n".join([markdown(heads, rows), "", text])


def resampling_table(measured: dict[str, Any]) -> str:
    """Microseconds for one image."""
    rows = list(measured["rows"].values())
    names = list(dict.fromkeys(name for row in rows for name in row["microseconds"]))
    lines = [[row["text"], *(entry(row, name, 1) for name in names), times_best(row)] for row in rows]
    largest = {
        name: max(row["largest_difference"][name] for row in rows if name in row["largest_difference"])
        for name in names
        if name != OURS
    }
    differences = ", ".join(f"{name} {value}" for name, value in largest.items())
    return "\n".join(
        [
            markdown(["microseconds: kind, factor", *names, "best peer / ours"], lines),
            "",
            f"{spread(rows)} Largest difference of any byte to ours: {differences}.",
        ]
    )


def masks_table(kind: str, measured: dict[str, Any]) -> str:
    """Microseconds for each mask."""
    rows = list(measured["rows"].values())
    names = list(dict.fromkeys(name for row in rows for name in row["microseconds"]))
    lines = [[row["text"], *(entry(row, name, 1) for name in names), times_best(row)] for row in rows]
    return "\n".join(
        [
            markdown([f"microseconds a mask: {kind}", *names, "best peer / ours"], lines),
            "",
            f"{MASKS} masks of {SIDE} x {SIDE}, {measured['runs_a_mask']:.0f} runs each on average. {spread(rows)}",
        ]
    )


def entry(row: dict[str, Any], name: str, scale: float) -> str:
    """A median, and how many times as long as ours it is."""
    if name not in row["microseconds"]:
        return ""
    value = digits(row["microseconds"][name]["median"] * scale)
    return value if name == OURS else f"{value} (x {digits(row['times_ours'][name])})"


def times_best(row: dict[str, Any]) -> str:
    """How many times as long as ours the quickest peer takes, and who that is."""
    best = row["best_peer"]
    return "" if best is None else f"**{digits(row['times_ours'][best])}** {best}"


def spread(rows: Sequence[dict[str, Any]]) -> str:
    """How many draws, and how far apart they lie."""
    ours = [row["microseconds"][OURS] for row in rows]
    widest = max((each["high"] - each["low"]) / each["median"] for each in ours)
    return f"Medians of {ours[0]['n']} draws; the quartiles of ours lie up to {widest:.0%} of the median apart."


def digits(value: float) -> str:
    """Three of them, as far as they stand behind the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"

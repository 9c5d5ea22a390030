"""Statistics as text: one table of the whole set, one of its classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets.paste_counts import legend, title_of
from copypaste_rs.datasets.text_tables import aligned

if TYPE_CHECKING:
    from collections.abc import Callable

    from copypaste_rs.cli.set_statistics import Statistics

SHOWN = ("5%", "25%", "50%", "75%", "95%")
PASTING = ("pasted", "covered", "dropped")
_AT = "at 5 25 50 75 95%"


def report(statistics: Statistics) -> str:
    """The statistics as they are printed."""
    found = statistics.to_dict()
    sides = [found[name] for name in ("before", "after") if name in found]
    titles = ["", "before", "after"][: 1 + len(sides)]
    rows = [[words, *map(value, sides)] for words, value in ROWS]
    parts = ["\n".join(aligned([titles, *rows])), "\n".join(aligned(_classes(found)))]
    if "pasting" in found:
        counts = found["pasting"]
        parts[-1] += "\n" + "\n".join(legend(PASTING))
        parts.append(
            f"{_words(statistics.copies)}: {counts['unpasted']} of {counts['images']} images have nothing pasted into "
            f"them; {_reasons(counts['total'])}"
        )
    return "\n\n".join(parts)


def _words(copies: int) -> str:
    return "1 copy of each image" if copies == 1 else f"{copies} copies of each image"


def _reasons(total: dict[str, int]) -> str:
    """The sums of the whole set in words; what becomes of objects that are not in the result, in brackets."""
    words = {
        "off_canvas": "off the canvas",
        "buried": "covered whole",
        "under_area": "under --min-area",
        "under_visibility": "under --min-visibility",
    }
    reasons = ", ".join(f"{total[name]} {said}" for name, said in words.items() if total[name])
    small = total["chosen"] - total["pasted"]
    return (
        f"{total['pasted']} objects pasted{f' ({small} more were too small)' * (small > 0)}, {total['covered']} partly "
        f"covered, {total['dropped']} dropped{f' ({reasons})' * (reasons != '')}"
        f"{', {} made crowds'.format(total['made_crowd']) * (total['made_crowd'] > 0)}"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{part:.1%}"


def _share_of_size(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda side: _percent(side[name] / side["objects"] if side["objects"] else None)


def _quantiles(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda side: " ".join(_number(side[name][share]) for share in SHOWN)


ROWS: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
    ("images", lambda side: str(side["images"])),
    ("without an object", lambda side: str(side["without_objects"])),
    ("objects", lambda side: str(side["objects"])),
    ("instances an image, mean", lambda side: _number(side["instances_an_image"]["mean"])),
    (f"instances an image, {_AT}", _quantiles("instances_an_image")),
    (f"area in pixels, {_AT}", _quantiles("area")),
    ("small, under 32x32", _share_of_size("small")),
    ("medium", _share_of_size("medium")),
    ("large, from 96x96", _share_of_size("large")),
    ("partly covered by a paste", lambda side: _percent(side["overlaps"]["covered"])),
    ("box meets another's", lambda side: _percent(side["overlaps"]["boxes_meet"])),
    ("box IoU with another's from 0.5", lambda side: _percent(side["overlaps"]["box_iou_from_0.5"])),
]
"""Lines of the table of the whole set, and what they say of one side."""


def _classes(found: dict[str, Any]) -> list[list[str]]:
    """Rows of the table of classes: before, after, and what was done."""
    before, after = found["before"]["classes"], found.get("after", {}).get("classes")
    pasting = found.get("pasting", {}).get("classes")
    titles = ["class", "objects", "images", "median area"]
    if after is not None:
        titles += ["objects after", "images", "median area", *PASTING]
    rows = [titles]
    for i, each in enumerate(before):
        sides = [each] if after is None else [each, after[i]]
        row = [title_of(each["name"], each["label"])]
        for side in sides:
            row += [str(side["objects"]), str(side["images"]), _number(side["area"]["50%"])]
        if pasting is not None:
            row += [str(pasting[i][name]) for name in PASTING]
        if pasting is None or any(side["objects"] for side in sides) or pasting[i]["objects"]:
            rows.append(row)
    return rows

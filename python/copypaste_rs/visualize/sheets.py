"""Contact sheets: what went into copy-paste and what came out, a line for each augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.datasets._extras import extra
from copypaste_rs.sample import Sample
from copypaste_rs.visualize.arguments import WRITTEN, checked_rows, names_of, skeletons_of
from copypaste_rs.visualize.drawing import font_of, paint
from copypaste_rs.visualize.looks import LOOKS, Look, crowds
from copypaste_rs.visualize.overlays import MAX_SIDE, overlay

with extra("coco"):
    from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Categories: TypeAlias = "Sequence[Mapping[str, Any]]"

_BACKGROUND = (24, 26, 30)
_TEXT = (235, 235, 235)
_GAP = 10
_LINE = 22


def contact_sheet(
    rows: Iterable[tuple[Sample, Sequence[Sample], Sample]], *, categories: Categories = (), side: int = 420
) -> Image.Image:
    """A sheet with a line for each augmentation: target, sources, result plain and with masks, and a legend.

    In the target it shows which objects were partly covered and which are not in the result, in the sources
    which were pasted.

    Parameters
    ----------
    rows : iterable of (target, sources, result)
        Samples, as they went into `SimpleCopyPaste` and came out.
    categories : sequence of dict
        COCO categories, for names.
    side : int
        Length of the longer side of each picture in pixels, 1 to 65535.

    Raises
    ------
    ValueError, TypeError
        When an argument is not as described, or a result is not one of `SimpleCopyPaste`.
    """
    side = _checks.integer("side", side, 1, MAX_SIDE)
    categories = _checks.items("categories", categories)
    names_of(categories)
    skeletons_of(categories)
    lines = [_line(*row, categories, side) for row in checked_rows(rows)]
    if not lines:
        raise wrong("rows", "at least one line to draw", "none")
    columns = max(len(line) for line in lines)
    width = _GAP + columns * (side + _GAP)
    heights = [max(panel.height for panel in line) for line in lines]
    legend = _legend(width)
    sheet = Image.new("RGB", (width, _GAP + sum(height + _GAP for height in heights) + legend.height), _BACKGROUND)
    y = _GAP
    for line, height in zip(lines, heights, strict=True):
        # The result stands in the last two columns, whatever number of sources a line has.
        places = [*range(len(line) - 2), columns - 2, columns - 1]
        for column, panel in zip(places, line, strict=True):
            sheet.paste(panel, (_GAP + column * (side + _GAP), y))
        y += height + _GAP
    sheet.paste(legend, (0, y))
    return sheet


def _line(
    target: Sample, sources: Sequence[Sample], result: Sample, categories: Categories, side: int
) -> list[Image.Image]:
    columns = result.instances.columns if len(result.instances) else dict.fromkeys(WRITTEN, np.zeros(0))
    givers, givers_rows, visibility = (columns[name] for name in WRITTEN)
    shown = {int(row): float(v) for row, v, s in zip(givers_rows, visibility, givers, strict=True) if s < 0}
    target_looks = [
        "gone" if row not in shown else crowd or ("cut" if shown[row] < 1 else "kept")
        for row, crowd in enumerate(crowds(target))
    ]
    panels = [_panel(target, "target", categories, side, target_looks)]
    for number, source in enumerate(sources):
        pasted = {int(row) for row, s in zip(givers_rows, givers, strict=True) if s == number}
        looks = ["pasted" if row in pasted else crowd or "left" for row, crowd in enumerate(crowds(source))]
        panels.append(_panel(source, "source" if len(sources) == 1 else f"source {number}", categories, side, looks))
    plain = Sample(result.image, result.instances[:0], result.info)
    return [*panels, _panel(plain, "result", categories, side, None), _panel(result, "result", categories, side, None)]


def _panel(sample: Sample, title: str, categories: Categories, side: int, looks: Sequence[str] | None) -> Image.Image:
    picture = overlay(sample, categories=categories, side=side, looks=looks)
    panel = Image.new("RGB", (side, picture.height + _LINE), _BACKGROUND)
    panel.paste(picture, (0, _LINE))
    h, w = sample.size
    n = len(sample.instances)
    words = [title, f"{w}x{h}"]
    if n:
        words.append("1 object" if n == 1 else f"{n} objects")
    if title != "result":
        words.insert(1, str(sample.info.get("file_name", "")))
    ImageDraw.Draw(panel).text((0, 2), "   ".join(word for word in words if word), _TEXT, font_of(14))
    return panel


def _legend(width: int) -> Image.Image:
    font = font_of(14)
    places: list[tuple[Look, int, int]] = []
    x, y = _GAP, 0
    for look in LOOKS.values():
        needed = 28 + round(font.getlength(look.meaning)) + 24
        if x > _GAP and x + needed > width:
            x, y = _GAP, y + _LINE
        places.append((look, x, y))
        x += needed
    pixels = np.full((y + _LINE + _GAP, width, 3), _BACKGROUND, np.uint8)
    for look, left, top in places:
        mask = np.zeros(pixels.shape[:2], bool)
        mask[top + 2 : top + 18, left : left + 20] = True
        paint(pixels, mask, look)
    legend = Image.fromarray(pixels)
    for look, left, top in places:
        ImageDraw.Draw(legend).text((left + 28, top + 1), look.meaning, _TEXT, font)
    return legend

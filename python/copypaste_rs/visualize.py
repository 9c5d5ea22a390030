"""Pictures to look at: masks, boxes and labels drawn over images, and sheets of what copy-paste did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.datasets._extras import extra
from copypaste_rs.plan import Placement
from copypaste_rs.sample import Sample

with extra("cli"):
    from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from copypaste_rs._checks import Place

Categories = Sequence[Mapping[str, Any]]


_WRITTEN = ("source", "source_row", "visibility")
"""Columns by which a result says what became of what."""


class Look(NamedTuple):
    """How an object is drawn."""

    color: tuple[int, int, int]
    fill: float
    """Opacity of its area."""
    stripes: bool
    meaning: str


LOOKS = {
    "kept": Look((64, 196, 255), 0.20, False, "target, whole"),
    "cut": Look((255, 221, 51), 0.40, True, "target, partly covered"),
    "gone": Look((255, 70, 70), 0.40, True, "target, not in the result: covered or off the canvas"),
    "pasted": Look((255, 64, 200), 0.25, False, "pasted"),
    "left": Look((190, 190, 190), 0.0, False, "source, not pasted"),
    "crowd": Look((150, 130, 255), 0.40, True, "crowd"),
}
"""Looks of objects by the names that `overlay` takes; `contact_sheet` has them as its legend."""

_BACKGROUND = (24, 26, 30)
_TEXT = (235, 235, 235)
_GAP = 10
_LINE = 22

MAX_SIDE = 2**16 - 1
"""Longest side of a picture that can be asked for, in pixels."""
_LETTERS = 1000
"""Length at which names are cut."""


def overlay(
    sample: Sample, *, categories: Categories = (), side: int | None = None, looks: Sequence[str] | None = None
) -> Image.Image:
    """The image of a sample with its masks, boxes and labels drawn over it.

    Parameters
    ----------
    sample : Sample
        What is drawn. Of a result of `SimpleCopyPaste`, pasted objects, whole and partly covered ones look
        different (blue whole, yellow striped partly covered, pink pasted, violet striped crowd).
    categories : sequence of dict
        COCO categories, for names; labels without one are drawn as numbers.
    side : int, optional
        Length of the picture's longer side in pixels, 1 to 65535; None keeps the size.
    looks : sequence of str, optional
        A key of `LOOKS` for each instance, instead of what its columns say.

    Returns
    -------
    PIL.Image.Image
        In RGB.

    Raises
    ------
    ValueError, TypeError
        When an argument is not as described. Columns `source` and `visibility` that hold no numbers are of another
        origin than copy-paste, and say nothing.

    Examples
    --------
    >>> from copypaste_rs import Instances, RleMasks, Sample
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (24, 32))
    >>> sample = Sample(np.zeros((24, 32, 3), np.uint8), Instances(masks=mask, labels=[1]))
    >>> overlay(sample, categories=[{"id": 1, "name": "square"}], side=320).size
    (320, 240)
    """
    _check_sample("sample", sample)
    names = _names_of(categories)
    h, w = sample.size
    scale = 1.0 if side is None else _checks.integer("side", side, 1, MAX_SIDE) / max(h, w)
    given = _looks(sample) if looks is None else _checked_looks(looks, len(sample.instances))
    size = max(1, round(h * scale)), max(1, round(w * scale))
    pixels = np.array(_rgb(sample.image).resize(size[::-1], Image.Resampling.LANCZOS))
    instances = sample.instances
    if instances.masks is None or len(instances) == 0:
        return Image.fromarray(pixels)
    masks = instances.masks.place(Placement((h, w), size, (0, 0), size))
    for row in range(len(masks)):
        _paint(pixels, masks[row].to_dense()[0].astype(bool), LOOKS[given[row]])
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    smallest = 24 if len(masks) < 40 else 64  # names of small objects would hide them, and each other
    taken: list[tuple[float, float, float, float]] = []
    for box, label, look in zip(masks.boxes.tolist(), _labels(sample, names), given, strict=True):
        named = max(box[2] - box[0], box[3] - box[1]) >= smallest
        _annotate(draw, box, label if named else "", LOOKS[look], picture.size, taken)
    return picture


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
    _names_of(categories)
    lines = [_line(*row, categories, side) for row in _checked_rows(rows)]
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
    columns = result.instances.columns if len(result.instances) else dict.fromkeys(_WRITTEN, np.zeros(0))
    givers, givers_rows, visibility = (columns[name] for name in _WRITTEN)
    shown = {int(row): float(v) for row, v, s in zip(givers_rows, visibility, givers, strict=True) if s < 0}
    target_looks = [
        "gone" if row not in shown else crowd or ("cut" if shown[row] < 1 else "kept")
        for row, crowd in enumerate(_crowds(target))
    ]
    panels = [_panel(target, "target", categories, side, target_looks)]
    for number, source in enumerate(sources):
        pasted = {int(row) for row, s in zip(givers_rows, givers, strict=True) if s == number}
        looks = ["pasted" if row in pasted else crowd or "left" for row, crowd in enumerate(_crowds(source))]
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
    ImageDraw.Draw(panel).text((0, 2), "   ".join(word for word in words if word), _TEXT, _font(14))
    return panel


def _legend(width: int) -> Image.Image:
    font = _font(14)
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
        _paint(pixels, mask, look)
    legend = Image.fromarray(pixels)
    for look, left, top in places:
        ImageDraw.Draw(legend).text((left + 28, top + 1), look.meaning, _TEXT, font)
    return legend


def _crowds(sample: Sample) -> list[str]:
    flags = sample.instances.iscrowd
    return [""] * len(sample.instances) if flags is None else ["crowd" if flag else "" for flag in flags]


def _looks(sample: Sample) -> list[str]:
    source, visibility = _numbers(sample, "source", -1.0), _numbers(sample, "visibility", 1.0)
    return [
        crowd or ("pasted" if s >= 0 else "cut" if v < 1 else "kept")
        for crowd, s, v in zip(_crowds(sample), source, visibility, strict=True)
    ]


def _numbers(sample: Sample, name: str, default: float) -> NDArray[np.float64]:
    """A column as floats; `default` where there is none, or none of numbers, or NaN."""
    column = sample.instances.columns.get(name)
    if column is None or column.ndim != 1 or column.dtype.kind not in "biuf":
        return np.full(len(sample.instances), default)
    return np.where(np.isnan(column), default, column).astype(np.float64)


def _labels(sample: Sample, names: Mapping[Any, str]) -> list[str]:
    labels = sample.instances.labels
    texts = [""] * len(sample.instances) if labels is None else [_name(names, value) for value in labels.tolist()]
    return [
        text if v >= 1 else f"{text} {round(100 * min(max(v, 0.0), 0.99))}%"
        for text, v in zip(texts, _numbers(sample, "visibility", 1.0).tolist(), strict=True)
    ]


def _name(names: Mapping[Any, str], label: Any) -> str:
    try:
        text = names.get(label, str(label))
    except TypeError:  # a list, of labels with more than one axis, has no name
        text = str(label)
    return text[:_LETTERS]


# -- checks of arguments -------------------------------------------------------------------------------------------


def _check_sample(name: Place, value: object) -> None:
    if not isinstance(value, Sample):
        raise wrong_type(name, "a Sample", type(value).__name__)


def _names_of(categories: object) -> dict[Any, str]:
    """The names of categories by their ids."""
    names = {}
    for i, category in enumerate(_checks.items("categories", categories)):
        if not isinstance(category, Mapping):
            raise wrong_type(("categories", i), "a dict", type(category).__name__)
        number = category.get("id")
        if not isinstance(number, int | float | str | np.generic | None):
            raise wrong_type(("categories", i), "a number or a string as id", repr(number))
        names[number] = str(category.get("name", number))
    return names


def _checked_looks(looks: object, n: int) -> list[str]:
    given = _checks.items("looks", looks)
    if len(given) != n:
        raise wrong("looks", f"{n} of them, one for each instance", str(len(given)))
    return [_checks.choice(("looks", i), look, tuple(LOOKS)) for i, look in enumerate(given)]


def _checked_rows(rows: object) -> Iterator[tuple[Sample, list[Sample], Sample]]:
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable) or getattr(rows, "ndim", 1) == 0:
        raise wrong_type("rows", "(target, sources, result) for each line", type(rows).__name__)
    for i, row in enumerate(rows):
        yield _checked_row(("rows", i), row)


def _checked_row(name: Place, row: object) -> tuple[Sample, list[Sample], Sample]:
    parts = _checks.items(name, row)
    if len(parts) != 3:
        raise wrong(name, "(target, sources, result)", f"{len(parts)} values")
    target, sources, result = parts
    _check_sample(item(name, 0), target)
    given = _checks.items(item(name, 1), sources)
    for k, source in enumerate(given):
        _check_sample(item(name, 1, k), source)
    _check_sample(item(name, 2), result)
    for column, kinds in zip(_WRITTEN, ("iu", "iu", "iuf"), strict=True):
        values = result.instances.columns.get(column)
        if len(result.instances) == 0:
            continue
        if values is None:
            raise wrong(item(name, 2), "a result of SimpleCopyPaste", f"one without a column {column!r}")
        if values.ndim != 1 or values.dtype.kind not in kinds:
            expected = f"numbers in column {column!r}, as SimpleCopyPaste writes them"
            raise wrong_type(item(name, 2), expected, f"shape {values.shape} and dtype {values.dtype}")
    return target, given, result


# -- drawing -------------------------------------------------------------------------------------------------------


def _paint(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], look: Look) -> None:
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(ys) == 0:
        return
    window = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
    inside, part = mask[window], pixels[window]
    opacity = np.where(inside, look.fill, 0.0)
    if look.stripes:
        y, x = np.indices(inside.shape)
        opacity[(y + x + ys[0] + xs[0]) % 10 < 5] *= 0.25
    inner = np.pad(inside, 2)
    core = inner.copy()
    for axis in (0, 1):
        for step in (-1, 1, -2, 2):
            core &= np.roll(inner, step, axis)
    opacity[inside & ~core[2:-2, 2:-2]] = 1.0
    blended = part + (np.array(look.color) - part) * opacity[:, :, None]
    part[...] = np.rint(blended).astype(np.uint8)


def _annotate(
    draw: ImageDraw.ImageDraw,
    box: list[float],
    text: str,
    look: Look,
    size: tuple[int, int],
    taken: list[tuple[float, float, float, float]],
) -> None:
    """Outline a box and name it, where no name stands yet if there is room; `taken` notes where names stand."""
    x0, y0, x1, y1 = box
    if x1 <= x0 or y1 <= y0:
        return
    draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline=look.color)
    if not text or not look.fill:
        return
    font = _font(12)
    left, top, right, bottom = font.getbbox(text)
    width, height = right - left + 4, bottom - top + 4
    x = min(max(x0, 0), max(size[0] - width, 0))
    tops = [y for y in (y0 - height, y0, y1, y1 - height, y0 + height) if 0 <= y <= size[1] - height] or [max(y0, 0)]
    y = next((y for y in tops if not any(_overlap((x, y, x + width, y + height), other) for other in taken)), tops[0])
    taken.append((x, y, x + width, y + height))
    draw.rectangle(taken[-1], fill=look.color)
    draw.text((x + 2 - left, y + 2 - top), text, (0, 0, 0), font)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _rgb(image: NDArray[Any]) -> Image.Image:
    pixels = image if image.ndim == 3 else image[:, :, None]
    pixels = pixels[:, :, :3] if pixels.shape[2] >= 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
    if pixels.dtype == np.uint16:
        pixels = pixels >> 8
    elif pixels.dtype.kind == "f":
        pixels = np.rint(np.nan_to_num(pixels).clip(0, 1) * 255)
    return Image.fromarray(np.ascontiguousarray(pixels.astype(np.uint8)))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

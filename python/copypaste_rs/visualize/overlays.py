"""Overlays: the image of a sample with its instances drawn over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.datasets._extras import extra
from copypaste_rs.plan import Placement
from copypaste_rs.visualize.arguments import check_sample, checked_looks, names_of, skeletons_of
from copypaste_rs.visualize.drawing import annotate, draw_points, paint, rgb
from copypaste_rs.visualize.looks import LOOKS, looks_of, numbers

with extra("coco"):
    from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from copypaste_rs.sample import Sample

MAX_SIDE = 2**16 - 1
"""Longest side of a picture that can be asked for, in pixels."""
_LETTERS = 1000
"""Length at which names are cut."""


def overlay(
    sample: Sample,
    *,
    categories: Sequence[Mapping[str, Any]] = (),
    side: int | None = None,
    looks: Sequence[str] | None = None,
) -> Image.Image:
    """The image of a sample with its masks, boxes, keypoints and labels drawn over it.

    White is the largest value of uint8; of uint16 that of as many bits as the image's values need, 8 at least, so that
    12-bit images are not black; of float32 1 or, where that is more, the largest value. Of four and more channels the
    first three are drawn, of two the first.
    Boxes without outlines are dashed; keypoints are dots where they are visible and rings where they are hidden.

    Parameters
    ----------
    sample : Sample
        What is drawn. Of a result of `SimpleCopyPaste`, pasted objects, whole and partly covered ones look
        different (blue whole, yellow striped partly covered, pink pasted, violet striped crowd).
    categories : sequence of dict
        COCO categories, for names and the lines of skeletons; labels without one are drawn as numbers.
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
    check_sample("sample", sample)
    names, skeletons = names_of(categories), skeletons_of(categories)
    h, w = sample.size
    scale = 1.0 if side is None else _checks.integer("side", side, 1, MAX_SIDE) / max(h, w)
    given = looks_of(sample) if looks is None else checked_looks(looks, len(sample.instances))
    size = max(1, round(h * scale)), max(1, round(w * scale))
    pixels = np.array(rgb(sample.image).resize(size[::-1], Image.Resampling.LANCZOS))
    instances = sample.instances
    if instances.masks is None or len(instances) == 0:
        return Image.fromarray(pixels)
    masks = instances.masks.place(Placement((h, w), size, (0, 0), size))
    box_only = np.zeros(len(masks), np.bool_) if instances.box_only is None else instances.box_only
    for row in np.flatnonzero(~box_only).tolist():
        paint(pixels, masks[row].to_dense()[0].astype(bool), LOOKS[given[row]])
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    smallest = 24 if len(masks) < 40 else 64  # names of small objects would hide them, and each other
    taken: list[tuple[float, float, float, float]] = []
    for box, label, look, dashed in zip(
        masks.boxes.tolist(), _labels(sample, names), given, box_only.tolist(), strict=True
    ):
        named = max(box[2] - box[0], box[3] - box[1]) >= smallest
        annotate(draw, box, label if named else "", LOOKS[look], picture.size, taken, dashed=dashed)
    if (points := instances.keypoints) is not None:
        # In pixels of the picture, whose centres Pillow counts in whole numbers.
        placed = points * (size[1] / w, size[0] / h, 1.0) - (0.5, 0.5, 0.0)
        for row, look in enumerate(given):
            draw_points(draw, placed[row], _skeleton(sample, skeletons, row), LOOKS[look].color, picture.size)
    return picture


def _skeleton(sample: Sample, skeletons: Mapping[Any, list[tuple[int, int]]], row: int) -> list[tuple[int, int]]:
    labels = sample.instances.labels
    if labels is None:
        return []
    try:
        return skeletons.get(labels[row].item(), [])
    except (TypeError, ValueError):  # labels with more than one axis have no category
        return []


def _labels(sample: Sample, names: Mapping[Any, str]) -> list[str]:
    labels = sample.instances.labels
    texts = [""] * len(sample.instances) if labels is None else [_name(names, value) for value in labels.tolist()]
    return [
        text if v >= 1 else f"{text} {round(100 * min(max(v, 0.0), 0.99))}%"
        for text, v in zip(texts, numbers(sample, "visibility", 1.0).tolist(), strict=True)
    ]


def _name(names: Mapping[Any, str], label: Any) -> str:
    try:
        text = names.get(label, str(label))
    except TypeError:  # a list, of labels with more than one axis, has no name
        text = str(label)
    return text[:_LETTERS]

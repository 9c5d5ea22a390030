"""An annotation file with the statistics of COCO's train2017, made from a seed: what opening data sets is timed on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGES, ANNOTATIONS = 118_287, 860_001
"""Numbers of COCO's train2017."""

CROWDS = 86
"""Annotations for one that is a crowd, as runs."""

VERTICES = 25
"""Vertices of a polygon part, on average."""

SECOND_PART = 0.1
"""Share of the polygons that have a second part."""

H, W = 480, 640

NUMBERS = np.array([f"{number / 100:.2f}".rstrip("0").rstrip(".") for number in range(100 * W + 1)], object)
"""Texts of all coordinates, in hundredths of a pixel."""


def write_annotations(path: Path, images: int = IMAGES, annotations: int = ANNOTATIONS, seed: int = 0) -> None:
    """Write the file; equal arguments give equal bytes."""
    random = np.random.default_rng(seed)
    categories = [{"supercategory": "thing", "id": i, "name": f"class {i}"} for i in range(1, 81)]
    with path.open("w", encoding="ascii") as file:
        file.write('{"info": {"description": "made from a seed", "year": 2026}, "licenses": [], "images": [')
        file.writelines(_separated(_image(number) for number in range(1, images + 1)))
        file.write('], "annotations": [')
        # As in COCO, annotations do not come in the order of the images.
        owners = random.integers(1, images + 1, annotations)
        file.writelines(_separated(_annotation(random, i + 1, owner) for i, owner in enumerate(owners.tolist())))
        file.write(f'], "categories": {json.dumps(categories)}}}')


def _separated(texts: Iterator[str]) -> Iterator[str]:
    for i, text in enumerate(texts):
        yield f", {text}" if i else text


def _image(number: int) -> str:
    name = f"{number:012d}.jpg"
    return (
        f'{{"license": {number % 8 + 1},"file_name": "{name}","coco_url": "http://images.cocodataset.org/train2017/'
        f'{name}","height": {H},"width": {W},"date_captured": "2013-11-14 {number % 24:02d}:18:45","flickr_url": '
        f'"http://farm9.staticflickr.com/8186/{8119368305 + number}_4e622c8349_z.jpg","id": {number}}}'
    )


def _annotation(random: np.random.Generator, number: int, owner: int) -> str:
    centre, radius = random.random(2) * (W, H), 4 + 120 * random.random() ** 3
    if number % CROWDS == 0:
        runs = random.multinomial(H * W, np.full(121, 1 / 121))
        segmentation = f'{{"counts": {json.dumps(runs.tolist(), separators=(",", ":"))},"size": [{H},{W}]}}'
    else:
        parts = [_part(random, centre, radius) for _ in range(1 + (random.random() < SECOND_PART))]
        segmentation = f"[{','.join(parts)}]"
    x, y = NUMBERS[np.clip((100 * centre).astype(int), 0, 100 * H)].tolist()
    bbox = f"[{x},{y},{2 * radius:.2f},{2 * radius:.2f}]"
    return (
        f'{{"segmentation": {segmentation},"area": {3 * radius**2:.4f},"iscrowd": {int(number % CROWDS == 0)},'
        f'"image_id": {owner},"bbox": {bbox},"category_id": {number % 80 + 1},"id": {900_000 + number}}}'
    )


def _part(random: np.random.Generator, centre: np.ndarray, radius: float) -> str:
    n = 4 + int(random.exponential(VERTICES - 4))
    angles = np.arange(n) * (2 * np.pi / n)
    radii = radius * (0.6 + 0.4 * random.random(n))
    points = np.stack([centre[0] + radii * np.cos(angles), centre[1] + radii * np.sin(angles)], axis=1)
    hundredths = np.clip(np.rint(100 * points), 0, (100 * W, 100 * H)).astype(np.int64)
    return f"[{','.join(NUMBERS[hundredths.ravel()].tolist())}]"

"""A COCO set of many small images, made from a seed: what the command line is measured on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 64
OBJECTS = 3
"""Objects of an image, on average."""
PICTURES = 256
"""Different files of images; the others are links to them, as their pixels do not matter."""


def write_small_images(folder: Path, images: int, seed: int = 0) -> None:
    """Write ``annotations.json`` and ``images/``; equal arguments give equal bytes."""
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    for number in range(1, images + 1):
        path = folder / "images" / _name(number)
        if number > PICTURES:
            path.hardlink_to(folder / "images" / _name((number - 1) % PICTURES + 1))
        else:
            coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, quality=90)
    owners = np.sort(random.integers(1, images + 1, OBJECTS * images))
    with (folder / "annotations.json").open("w", encoding="ascii") as file:
        categories = [{"id": i, "name": f"class {i}"} for i in range(1, 9)]
        file.write(f'{{"categories": {json.dumps(categories)}, "images": [')
        for number in range(1, images + 1):
            image = {"id": number, "file_name": _name(number), "height": SIDE, "width": SIDE}
            file.write(("," if number > 1 else "") + json.dumps(image))
        file.write('], "annotations": [')
        for i, owner in enumerate(owners.tolist()):
            file.write(("," if i else "") + json.dumps(_annotation(random, i + 1, owner)))
        file.write("]}")


def _name(number: int) -> str:
    return f"{number:012d}.jpg"


def _annotation(random: np.random.Generator, number: int, owner: int) -> dict[str, object]:
    angles = np.sort(random.uniform(0, 2 * np.pi, 8))
    centre, radius = random.uniform(16, SIDE - 16, 2), random.uniform(5, 16)
    points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return {
        "id": number,
        "image_id": owner,
        "category_id": number % 8 + 1,
        "segmentation": [points.round(2).ravel().tolist()],
        "bbox": [round(x0, 2), round(y0, 2), round(x1 - x0, 2), round(y1 - y0, 2)],
        "area": round((x1 - x0) * (y1 - y0) / 2, 2),
        "iscrowd": 0,
    }

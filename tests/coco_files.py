"""Small COCO data sets, made for a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZES = [(40, 60), (48, 32), (50, 64), (36, 44), (64, 40)]

Annotations = list[dict[str, Any]]


class Files(NamedTuple):
    """A data set on disk."""

    annotations: Path
    images: Path

    def edit(self, **changes: Any) -> Files:
        """Replace top-level keys of the annotation file."""
        data = json.loads(self.annotations.read_text())
        self.annotations.write_text(json.dumps(data | changes))
        return self

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.annotations.read_text())
        return content


def photo(size: tuple[int, int], seed: int) -> NDArray[np.uint8]:
    """Something smooth and coloured, so that JPEG has little to lose."""
    y, x = np.indices(size)
    rng = np.random.default_rng(seed)
    waves = [np.sin(y / rng.uniform(4, 9) + x / rng.uniform(4, 9) + rng.uniform(0, 6)) for _ in range(3)]
    return np.asarray(127 + 100 * np.stack(waves, axis=2), np.uint8)


def box_polygon(x: float, y: float, w: float, h: float) -> list[float]:
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def write(folder: Path, annotations: Annotations, sizes: list[tuple[int, int]] = SIZES[:1], **top: Any) -> Files:
    """One image of each size, numbered from 10, with these annotations."""
    (folder / "images").mkdir(parents=True)
    images = []
    for i, (h, w) in enumerate(sizes):
        name = f"{i}.{'png' if i % 2 else 'jpg'}"
        Image.fromarray(photo((h, w), i)).save(folder / "images" / name, quality=95, subsampling=0)
        images.append({"id": 10 + i, "file_name": name, "width": w, "height": h})
    path = folder / "annotations.json"
    categories = [{"id": 1, "name": "square"}, {"id": 2, "name": "ring"}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories} | top))
    return Files(path, folder / "images")


def annotation(
    number: int, segmentation: Any, image_id: int = 10, category_id: int = 1, **fields: Any
) -> dict[str, Any]:
    return {"id": number, "image_id": image_id, "category_id": category_id, "segmentation": segmentation, **fields}


def small_set(folder: Path, n: int = 5) -> Files:
    """So many images with three objects each, of all kinds, and a crowd; every fifth has none."""
    annotations: Annotations = []
    for i in range(n):
        h, w = SIZES[i % 5]
        if i % 5 == 4:
            continue
        runs = [3 * h + 5, 8, h * w - 3 * h - 13]
        kinds: list[Any] = [
            [box_polygon(4, 5, w / 2, h / 3), box_polygon(w / 2, h / 2, 9, 7)],
            [[w * 0.9, 3.0, w * 0.6, h * 0.8, w * 0.2, h * 0.9, w * 0.7, h * 0.5]],
            {"size": [h, w], "counts": runs},
        ]
        for k, kind in enumerate(kinds):
            annotations.append(
                annotation(len(annotations) + 100, kind, 10 + i, 1 + k % 2, iscrowd=int(k == 2), area=-1, score=k / 4)
            )
    return write(folder, annotations, [SIZES[i % 5] for i in range(n)])

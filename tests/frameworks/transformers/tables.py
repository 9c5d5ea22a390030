"""Tables of the sample data, in the forms that people upload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, Features, Image, List, Value
from PIL import Image as Pictures
from pycocotools.coco import COCO

from copypaste_rs.datasets import sample_paths

NAMES = ["none", "cup", "cat", "coin", "person", "helmet", "rocket", "shuttle model"]


def truth() -> tuple[COCO, Path]:
    """The sample data, as pycocotools reads it, and the folder of its images."""
    annotations, images = sample_paths()
    return COCO(str(annotations)), images


def objects_of(coco: COCO, number: int, form: str) -> list[dict[str, Any]]:
    """Objects of an image, as dicts of COCO's fields."""
    found = []
    for each in coco.imgToAnns[number]:
        mask = coco.annToMask(each)
        segmentation: Any = each["segmentation"]
        if form == "runs":
            runs = coco.annToRLE(each)
            segmentation = {"size": runs["size"], "counts": runs["counts"].decode()}
        elif form == "masks":
            segmentation = Pictures.fromarray(255 * mask)
        found.append({"id": each["id"], "category": each["category_id"], "segmentation": segmentation})
    return found


def table(form: str, layout: str = "lists") -> Dataset:
    """A table of the sample data.

    Segmentations are ``"polygons"``, ``"runs"`` or ``"masks"`` (pictures); objects are a dict of ``"lists"``, a list of
    ``"dicts"``, or ``"columns"`` of the table.
    """
    coco, folder = truth()
    rows: list[dict[str, Any]] = []
    for number in coco.getImgIds():
        objects: Any = objects_of(coco, number, form)
        lists = {name: [each[name] for each in objects] for name in ("id", "category", "segmentation")}
        row = {"image": str(folder / coco.imgs[number]["file_name"]), "image_id": number}
        rows.append(row | (lists if layout == "columns" else {"objects": lists if layout == "lists" else objects}))
    kinds = {
        "polygons": List(List(Value("float64"))),
        "runs": {"size": List(Value("int64")), "counts": Value("string")},
        "masks": Image(),
    }
    fields = {"id": Value("int64"), "category": ClassLabel(names=NAMES), "segmentation": kinds[form]}
    listed = {name: List(each) for name, each in fields.items()}
    beside = {"image": Image(), "image_id": Value("int64")}
    objects = {"lists": listed, "dicts": List(fields)}
    features = beside | (listed if layout == "columns" else {"objects": objects[layout]})
    return Dataset.from_list(rows, features=Features(features))


def id_map(coco: COCO, number: int) -> np.ndarray[Any, Any]:
    """Class and number of the object at each pixel, later ones over earlier ones, as ADE20K's mini set has them."""
    record = coco.imgs[number]
    drawn = np.zeros((record["height"], record["width"], 3), np.uint8)
    for i, each in enumerate(coco.imgToAnns[number]):
        drawn[coco.annToMask(each) > 0] = (each["category_id"], i + 1, 0)
    return drawn

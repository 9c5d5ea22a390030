"""Precision and recall of a teacher's labels, of the scripts in examples/, against pycocotools' evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from copypaste_rs.datasets import CocoDataset, PseudoLabels
from examples.teacher_quality import quality

IMAGES, CLASSES, SIDE = 12, 3, 96


def rectangle(rng: np.random.Generator) -> tuple[float, ...]:
    x, y = rng.integers(0, 60, 2).tolist()
    w, h = rng.integers(6, 30, 2).tolist()
    return x, y, w, h


def moved(box: tuple[float, ...], rng: np.random.Generator) -> tuple[float, ...]:
    dx, dy = rng.integers(-6, 7, 2).tolist()
    return box[0] + dx, box[1] + dy, box[2], box[3]


def outline(box: tuple[float, ...]) -> list[list[float]]:
    x, y, w, h = box
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def rle(box: tuple[float, ...]) -> dict[str, Any]:
    made: dict[str, Any] = mask.frPyObjects(outline(box), SIDE, SIDE)[0]
    return {"size": made["size"], "counts": made["counts"].decode()}


def annotated(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A set, and results: some true objects moved a little, some of another class, and some that are nothing."""
    rng = np.random.default_rng(seed)
    objects: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image in range(1, IMAGES + 1):
        for _ in range(rng.integers(0, 7)):
            box, of = rectangle(rng), int(rng.integers(1, CLASSES + 1))
            objects.append({
                "id": len(objects) + 1, "image_id": image, "category_id": of, "iscrowd": 0, "area": box[2] * box[3],
                "bbox": list(box), "segmentation": outline(box),
            })  # fmt: skip
            for _ in range(rng.integers(0, 3)):
                found = of if rng.random() < 0.8 else int(rng.integers(1, CLASSES + 1))
                score = float(rng.uniform(0.7, 1))
                results.append({"image_id": image, "category_id": found, "score": score,
                                "segmentation": rle(moved(box, rng))})  # fmt: skip
        results += [
            {
                "image_id": image,
                "category_id": 1,
                "score": float(rng.uniform(0.7, 1)),
                "segmentation": rle(rectangle(rng)),
            }
            for _ in range(rng.integers(0, 3))
        ]
    images = [{"id": i, "file_name": f"{i}.jpg", "width": SIDE, "height": SIDE} for i in range(1, IMAGES + 1)]
    categories = [{"id": i, "name": f"class {i}"} for i in range(1, CLASSES + 1)]
    return {"images": images, "annotations": objects, "categories": categories}, results


@pytest.mark.parametrize("seed", range(5))
def test_precision_and_recall(tmp_path: Path, seed: int) -> None:
    made, results = annotated(seed)
    (tmp_path / "truth.json").write_text(json.dumps(made))
    (tmp_path / "results.json").write_text(json.dumps(results))
    truth = CocoDataset(tmp_path / "truth.json", tmp_path)
    labels = PseudoLabels.from_results(tmp_path / "results.json", truth, mask_nms=None).dataset(tmp_path)
    some = [i for i in range(IMAGES) if i % 3]
    ours = quality(labels, truth, some)

    known = COCO(str(tmp_path / "truth.json"))
    evaluation = COCOeval(known, known.loadRes(str(tmp_path / "results.json")), "segm")
    evaluation.params.iouThrs = np.array([0.5])
    evaluation.params.imgIds = [i + 1 for i in some]
    evaluation.evaluate()
    everywhere = [each for each in evaluation.evalImgs if each is not None and each["aRng"][1] > 1e9]
    right = sum(int((each["dtMatches"] > 0).sum()) for each in everywhere)
    found = sum(each["dtMatches"].size for each in everywhere)
    there = sum(len(each["gtIds"]) for each in everywhere)
    assert 0 < right < min(found, there)
    assert ours == {"precision": right / found, "recall": right / there}


def test_nothing_found_and_nothing_there(tmp_path: Path) -> None:
    made, _ = annotated(0)
    (tmp_path / "truth.json").write_text(json.dumps(made | {"annotations": []}))
    truth = CocoDataset(tmp_path / "truth.json", tmp_path)
    assert quality(truth, truth, range(IMAGES)) == {"precision": 0, "recall": 0}

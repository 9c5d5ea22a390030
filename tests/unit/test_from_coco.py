"""Instances of COCO annotations, against what is written by hand, and against the data set that reads files."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, RleMasks
from copypaste_rs.datasets import CocoDataset, CocoWriter, sample_data, sample_paths
from tests.fixtures.ascii import pictures
from tests.fixtures.samples import random_sample

SQUARE: dict[str, Any] = {"category_id": 3, "segmentation": [[1, 0, 3, 0, 3, 2, 1, 2]]}
RUNS: dict[str, Any] = {"category_id": 1, "segmentation": {"size": [2, 4], "counts": [0, 3, 5]}}
BOX: dict[str, Any] = {"category_id": 7, "bbox": [0, 0, 2, 1]}


def test_each_annotation_is_a_row() -> None:
    rows = Instances.from_coco([SQUARE, RUNS, BOX, {"category_id": 2}, BOX | {"segmentation": []}], (2, 4))
    assert rows.masks is not None
    assert pictures(rows.masks) == [".##./.##.", "##../#...", "##../....", "..../....", "##../...."]
    assert list(rows.columns) == ["masks", "labels", "boxes", "box_only"]
    assert rows.labels.tolist() == [3, 1, 7, 2, 7]  # type: ignore[union-attr]
    assert rows.labels.dtype == np.int64  # type: ignore[union-attr]
    assert rows.box_only.tolist() == [False, False, True, False, True]  # type: ignore[union-attr]
    assert rows.boxes.tolist() == [[1, 0, 3, 2], [0, 0, 2, 2], [0, 0, 2, 1], [0, 0, 0, 0], [0, 0, 2, 1]]  # type: ignore[union-attr]


def test_without_boxes_alone_there_is_no_such_column() -> None:
    untrue = SQUARE | {"bbox": [0, 0, 1, 1], "area": 99, "image_id": 5}
    rows = Instances.from_coco([untrue, BOX | {"bbox": [1, 1, 0, 1]}], (2, 4))
    assert list(rows.columns) == ["masks", "labels", "boxes"]
    assert rows.masks.area.tolist() == [4, 0]  # type: ignore[union-attr]


def test_no_annotations() -> None:
    rows = Instances.from_coco([], (2, 4))
    assert rows == Instances(masks=RleMasks.empty((2, 4)), labels=np.zeros(0, np.int64))
    assert list(Instances.from_coco(iter([{}]), (2, 4)).columns) == ["masks", "boxes"]


def test_further_fields() -> None:
    fields: list[dict[str, Any]] = [
        {"id": 5, "score": 0.5, "name": "a", "hard": True, "count": 3, "mixed": "x", "iscrowd": 1, "big": 2**70, "pseudo": 1},
        {"id": np.int32(6), "score": 1, "name": None, "count": np.int64(4), "mixed": True, "big": 1.5, "nested": [1], "masks": 3},
    ]  # fmt: skip
    rows = Instances.from_coco([SQUARE | fields[0], RUNS | fields[1]], (2, 4))
    found = {name: column.tolist() for name, column in rows.columns.items() if name not in ("masks", "boxes", "labels")}
    assert found == {
        "iscrowd": [True, False], "id": [5, 6], "score": [0.5, 1.0], "name": ["a", ""], "hard": [True, False],
        "count": [3, 4], "mixed": ["x", "true"], "big": [2.0**70, 1.5], "pseudo": [True, False],
    }  # fmt: skip
    assert rows.count.dtype == np.int64
    lacking = Instances.from_coco([SQUARE | {"count": 3}, RUNS | {"count": None}, RUNS], (2, 4))
    assert lacking.count.tolist()[0] == 3.0
    assert np.isnan(lacking.count[1:]).all()


def test_keypoints_are_moved_by_half_a_pixel() -> None:
    person = SQUARE | {"keypoints": [0, 1, 2, 3, 1, 1, 0, 0, 0], "num_keypoints": 77}
    rows = Instances.from_coco([RUNS, person, person | {"keypoints": (2, 0, 2, 9, 9, 0, 0, 0, 0)}], (2, 4))
    assert rows.keypoints is not None
    assert rows.keypoints.tolist() == [
        [[0, 0, 0]] * 3,
        [[0.5, 1.5, 2], [3.5, 1.5, 1], [0, 0, 0]],
        [[2.5, 0.5, 2], [9, 9, 0], [0, 0, 0]],
    ]
    assert rows.num_keypoints.tolist() == [0, 2, 1]


def test_the_embedded_sample_is_as_the_data_set_has_it() -> None:
    path, _ = sample_paths()
    document = json.loads(Path(path).read_text())
    for sample, image in zip(sample_data(), document["images"], strict=True):
        given = [each for each in document["annotations"] if each["image_id"] == image["id"]]
        before = pickle.dumps(given)
        found = Instances.from_coco(given, sample.size)
        assert pickle.dumps(given) == before
        assert found.columns.keys() <= sample.instances.columns.keys() | {"iscrowd"}
        for name, column in sample.instances.columns.items():
            assert (
                name == "iscrowd" or found.columns[name].tolist() == column.tolist()
                if name != "masks"
                else found.masks == column
            )


@pytest.mark.filterwarnings("ignore:.* left out .* no pixel:UserWarning")
@pytest.mark.parametrize("seed", range(4))
def test_a_written_file_is_as_the_data_set_has_it(tmp_path: Path, seed: int) -> None:
    sample = random_sample(seed, (40, 50, 3), 6, np.uint8, crowds=True, points=3)
    rows = sample.instances.replace(labels=np.arange(6), score=np.linspace(0, 1, 6), keep=np.arange(6) > 2)
    sample = type(sample)(sample.image, rows)
    with CocoWriter(tmp_path / "out", [{"id": i, "name": str(i)} for i in range(6)], format="png") as writer:
        writer.write(sample, "a.png")
    path = tmp_path / "out" / "annotations.json"
    expected = CocoDataset(path, tmp_path / "out" / "images", boxes="keep")[0].instances
    given = json.loads(path.read_text())["annotations"]
    found = Instances.from_coco(given, (40, 50))
    filled = np.flatnonzero(found.masks.area)  # type: ignore[union-attr]
    for name, column in expected.columns.items():
        mine = found.columns[name][filled]
        assert mine == column if name == "masks" else mine.tolist() == column.tolist()


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (5, TypeError, "annotations[1]: expected a dict, got int"),
        ({"segmentation": []}, TypeError, "annotations[1]['category_id']: expected an integer, got None"),
        (SQUARE | {"category_id": 1.0}, TypeError, "annotations[1]['category_id']: expected an integer, got 1.0"),
        (SQUARE | {"segmentation": [[1, 2, 3]]}, ValueError, "annotations[1]['segmentation'][0]: expected an even number of coordinates, got 3"),
        (RUNS | {"segmentation": {"size": [4, 2], "counts": "08"}}, ValueError, "annotations[1]['segmentation']['size']: expected (2, 4), got (4, 2)"),
        (SQUARE | {"segmentation": 5}, TypeError, "annotations[1]['segmentation']: expected polygon parts, a dict of run lengths or None, got int"),
        (BOX | {"bbox": [1, 2, 3]}, ValueError, "annotations[1]['bbox']: expected x, y, width and height, got shape (3,)"),
        (BOX | {"bbox": [1, 2, -3, 4]}, ValueError, "annotations[1]['bbox']: expected a width and a height of at least 0, got [1, 2, -3, 4]"),
        (BOX | {"bbox": [1, 2, np.nan, 4]}, ValueError, "annotations[1]['bbox']: expected finite numbers that float32 holds, got [1.0, 2.0, nan, 4.0]"),
        (BOX | {"bbox": "1234"}, ValueError, "annotations[1]['bbox']: expected x, y, width and height, got shape ()"),
        (SQUARE | {"iscrowd": 2}, ValueError, "annotations[1]['iscrowd']: expected 0, 1, true or false, got 2"),
        (SQUARE | {"iscrowd": [1]}, ValueError, "annotations[1]['iscrowd']: expected 0, 1, true or false, got [1]"),
        (SQUARE | {"keypoints": [1, 2]}, ValueError, "annotations[1]['keypoints']: expected three numbers for each point, got 2"),
        (SQUARE | {"keypoints": [1, 2, 3]}, ValueError, "annotations[1]['keypoints']: expected v of 0 (not marked), 1 (hidden) or 2 (visible), got 3"),
        (SQUARE | {"keypoints": "abc"}, ValueError, "annotations[1]['keypoints']: expected a list of numbers x, y, v, ..., got something else"),
        (SQUARE | {"keypoints": [1, 2, 2, 1, 2, 2]}, ValueError, "annotations[1]['keypoints']: expected 3 numbers as in other annotations, got 6"),
        (SQUARE | {"big": 2**70 + 1}, ValueError, "annotations[1]['big']: expected an integer that float64 holds, as not all there are integers of 64 bits, got 1180591620717411303425"),
    ],
)  # fmt: skip
def test_annotations_that_are_none(item: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        Instances.from_coco([SQUARE | {"keypoints": [0, 0, 1]}, item], (2, 4))
    assert str(caught.value) == message


def test_arguments_that_are_none() -> None:
    with pytest.raises(TypeError, match=r"^annotations: expected a sequence, got int$"):
        Instances.from_coco(5, (2, 4))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^annotations\[0\]: expected a dict, got str$"):
        Instances.from_coco({"annotations": []}, (2, 4))  # type: ignore[dict-item]
    with pytest.raises(TypeError, match=r"^size: expected a pair of integers, got None$"):
        Instances.from_coco([], None)  # type: ignore[arg-type]

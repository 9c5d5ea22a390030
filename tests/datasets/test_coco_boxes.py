"""Annotations with a box and no outline: refused, kept as rectangles or left out, and written as boxes again."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, Sample, SimpleCopyPaste
from copypaste_rs.cli.commands import run
from copypaste_rs.datasets import CocoDataset, CocoWriter, CopyPasteDataset
from tests.fixtures.coco_files import Files, annotation, box_polygon, write

SQUARE = [box_polygon(2, 2, 9, 9)]


def mixed(folder: Path) -> Files:
    """An outline, boxes in three ways to say that there is no outline, and boxes that cover nothing."""
    annotations: list[dict[str, Any]] = [
        annotation(1, SQUARE, bbox=[50, 50, 1, 1]),  # not trusted
        annotation(2, [], bbox=[3.2, 1, 4, 2.5]),
        annotation(3, None, bbox=[0, 0, 2, 3], iscrowd=1),
        {"id": 4, "image_id": 10, "category_id": 2, "bbox": [1, 2, 30, 40]},
        annotation(5, [], bbox=[3, 3, 0, 4]),
        annotation(6, [], bbox=[0.6, 0.6, 0.5, 0.5]),
        annotation(7, None),
    ]
    return write(folder, annotations)


def test_they_are_refused_unless_somebody_says(tmp_path: Path) -> None:
    expected = (
        r"annotations\.json: annotations\[1\]: expected a segmentation, got a bbox alone \(as have 3 others\); "
        r"boxes='keep' reads it as a rectangle, boxes='drop' leaves it out$"
    )
    with pytest.raises(ValueError, match=expected):
        CocoDataset(*mixed(tmp_path))
    with pytest.raises(ValueError, match=r"^boxes: expected one of 'error', 'keep', 'drop', got 'yes'$"):
        CocoDataset(*mixed(tmp_path / "b"), boxes="yes")


def test_kept_as_rectangles(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"left out 3 annotations that cover no pixel$"):
        photos = CocoDataset(*mixed(tmp_path), boxes="keep")
    instances = photos[0].instances
    h, w = photos[0].size
    assert instances.columns["id"].tolist() == [1, 2, 3, 4]
    assert instances.columns["box_only"].tolist() == [False, True, True, True]
    assert instances.columns["boxes"].tolist() == [
        [2, 2, 11, 11],
        [3, 1, 7, 3],
        [0, 0, 2, 3],
        [1, 2, min(31, w), min(42, h)],
    ]
    assert photos.instances(0) == instances


def test_left_out_and_counted(tmp_path: Path) -> None:
    with pytest.warns(
        UserWarning, match=r"left out 4 annotations with a bbox alone, 2 annotations that cover no pixel$"
    ):
        photos = CocoDataset(*mixed(tmp_path), boxes="drop")
    assert photos[0].instances.columns["id"].tolist() == [1]
    assert "box_only" not in photos[0].instances.columns


BAD: list[tuple[Any, str]] = [
    ([1, 2, 3], r"bbox: expected four numbers x, y, width, height, as there is no segmentation, got \[1, 2, 3\]$"),
    (
        ["1", "2", "3", "4"],
        r"bbox: expected four numbers x, y, width, height, as there is no segmentation, got \['1', ",
    ),
    ({"x": 1}, r"bbox: expected four numbers"),
    ([5, 5, -3, 4], r"bbox: expected a width and a height of at least 0, got \[5, 5, -3, 4\]$"),
    ([1e39, 0, 3, 4], r"bbox: expected numbers that float32 holds, got \[1e\+39, 0, 3, 4\]$"),
    ([1, 1, 10**400, 5], r"bbox: expected numbers that float32 holds, got \[1, 1, 1000"),
]


@pytest.mark.parametrize(("bbox", "message"), BAD)
def test_malformed_boxes(tmp_path: Path, bbox: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"annotations\.json: annotations\[0\]: " + message):
        CocoDataset(*write(tmp_path, [annotation(1, [], bbox=bbox)]), boxes="keep")
    # Beside an outline nobody looks at them.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CocoDataset(*write(tmp_path / "b", [annotation(1, SQUARE, bbox=bbox)]))


def test_written_as_boxes(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="cover no pixel"):
        photos = CocoDataset(*mixed(tmp_path / "in"), boxes="keep")
    with CocoWriter(tmp_path / "out", photos.categories, format="png") as writer:
        writer.write(photos[0])
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())["annotations"]
    assert ["segmentation" in each for each in written] == [True, False, False, False]
    assert [each["bbox"] for each in written[1:3]] == [[3, 1, 4, 2], [0, 0, 2, 3]]
    assert [each["area"] for each in written[1:3]] == [8, 6]
    assert not any("box_only" in each for each in written)
    again = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images", boxes="keep")
    before, after = photos[0].instances, again[0].instances
    assert after.masks == before.masks
    for name in ("boxes", "box_only", "labels", "iscrowd"):
        np.testing.assert_array_equal(after.columns[name], before.columns[name])


def test_what_is_left_of_a_rectangle_is_written_as_its_box(tmp_path: Path) -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    target = Sample(image, Instances(boxes=[[0, 0, 20, 10]], labels=[1]))
    source = Sample(image, Instances(boxes=[[10, 0, 20, 10], [5, 5, 8, 8]], labels=[2, 1]))
    transform = SimpleCopyPaste(
        size=(20, 30), target_scale=(1, 1), source_scale=(1, 1), flip=0, select="all", paste_boxes=True
    )
    with CocoWriter(tmp_path, [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]) as writer:
        writer.write(transform(target, source, 0))
    written = json.loads((tmp_path / "annotations.json").read_text())["annotations"]
    assert [each["bbox"] for each in written] == [[0, 0, 10, 10], [10, 0, 10, 10], [5, 5, 3, 3]]
    assert [each["area"] for each in written] == [91, 100, 9]


def test_the_command_line_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write(
        tmp_path / "in", [annotation(1, [], bbox=[3, 3, 9, 9]), annotation(2, SQUARE, 11)], [(20, 30), (25, 20)]
    )
    inputs = ["augment", "--annotations", str(files.annotations), "--images", str(files.images), "--workers", "1", "--size", "32",
              "--target-scale", "1", "1", "--source-scale", "1", "1"]  # fmt: skip
    assert run([*inputs, "--output", str(tmp_path / "a")]) == 1
    assert "a bbox alone; --boxes keep reads it as a rectangle, --boxes drop leaves it out" in capsys.readouterr().err
    assert run([*inputs, "--output", str(tmp_path / "b"), "--boxes", "keep", "--paste-boxes"]) == 0
    written = json.loads((tmp_path / "b" / "annotations.json").read_text())
    assert {"segmentation" in each for each in written["annotations"]} == {True, False}
    settings = written["info"]["settings"]
    assert (settings["boxes"], settings["paste_boxes"]) == ("keep", True)
    # Of what is not used nothing is noted.
    plain = write(tmp_path / "plain", [annotation(2, SQUARE)])
    assert (
        run(
            [
                "augment",
                "--annotations",
                str(plain.annotations),
                "--images",
                str(plain.images),
                "--output",
                str(tmp_path / "c"),
                "--workers",
                "1",
            ]
        )
        == 0
    )
    noted = json.loads((tmp_path / "c" / "annotations.json").read_text())["info"]["settings"]
    assert not {"boxes", "paste_boxes", "paste_pseudo", "flip_pairs"} & noted.keys()


def test_a_set_of_boxes_alone_pastes_nothing_in_silence(tmp_path: Path) -> None:
    boxes = [annotation(i, [], 10 + i, bbox=[3, 3, 9, 9]) for i in range(2)]
    photos = CocoDataset(*write(tmp_path / "a", boxes, [(20, 30), (25, 20)]), boxes="keep")
    with pytest.warns(UserWarning, match=r"^sources: each object is a box without an outline or a pseudo-label, which"):
        CopyPasteDataset(photos, SimpleCopyPaste(size=32))
    data = CopyPasteDataset(photos, SimpleCopyPaste(size=32, paste_boxes=True, source_scale=(1, 1)))
    assert (data[0].instances.source == 0).any()
    outline = [*boxes, annotation(5, SQUARE, 11)]
    photos = CocoDataset(*write(tmp_path / "b", outline, [(20, 30), (25, 20)]), boxes="keep")
    CopyPasteDataset(photos, SimpleCopyPaste(size=32))
    predicted = [annotation(i, SQUARE, 10 + i, pseudo=True) for i in range(2)]
    photos = CocoDataset(*write(tmp_path / "c", predicted, [(20, 30), (25, 20)]))
    with pytest.warns(UserWarning, match=r"^sources: each object is a box without an outline or a pseudo-label, which"):
        CopyPasteDataset(photos, SimpleCopyPaste(size=32))
    CopyPasteDataset(photos, SimpleCopyPaste(size=32, paste_pseudo=True))

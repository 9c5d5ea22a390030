"""examples/train_maskrcnn.py, run as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from copypaste_rs.datasets import sample_paths
from tests.fixtures.tensors import REASON

pytest.importorskip("torch", reason=REASON)
pytest.importorskip("torchvision", reason=REASON)

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "train_maskrcnn.py"


def run(output: Path, *more: str, status: int = 0) -> str:
    annotations, images = (str(path) for path in sample_paths())
    data = ["--train", annotations, "--train-images", images, "--val", annotations, "--val-images", images]
    small = ["--size", "64", "--steps", "6", "--evaluations", "2", "--threads", "1", "--fraction", "0.6"]
    command = [sys.executable, str(SCRIPT), *data, *small, "--output", str(output), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def result(output: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((output / "result.json").read_text())
    del loaded["seconds"]
    return loaded


def test_a_run_that_was_interrupted_ends_as_one_that_was_not(tmp_path: Path) -> None:
    predicted = tmp_path / "found.json"
    run(tmp_path / "whole", "--predict", str(predicted))
    run(tmp_path / "parts", "--stop-after", "2", status=130)
    assert not (tmp_path / "parts" / "result.json").exists()
    run(tmp_path / "parts", "--stop-after", "4", status=130)
    assert "goes on at step 4" in run(tmp_path / "parts")
    assert result(tmp_path / "parts") == result(tmp_path / "whole")

    whole = result(tmp_path / "whole")
    assert [each["step"] for each in whole["evaluations"]] == [3, 6]
    assert (whole["images"], whole["images_without_labels"]) == (3, 2)
    assert (tmp_path / "whole" / "curve.png").read_bytes()[:4] == b"\x89PNG"

    from pycocotools.coco import COCO

    annotations = COCO(str(sample_paths()[0]))
    found = json.loads(predicted.read_text())
    assert {each["image_id"] for each in found} <= set(annotations.getImgIds())
    assert {each["category_id"] for each in found} <= set(annotations.getCatIds())
    for each in found:
        image = annotations.imgs[each["image_id"]]
        assert each["segmentation"]["size"] == [image["height"], image["width"]]
    if found:
        annotations.loadRes(found)


def test_a_teacher_labels_the_other_images(tmp_path: Path) -> None:
    annotations = json.loads(sample_paths()[0].read_text())
    found = [each | {"score": 0.9} for each in annotations["annotations"] if not each["iscrowd"]]
    (tmp_path / "results.json").write_text(json.dumps(found))
    teacher = ("--teacher", str(tmp_path / "results.json"))
    run(tmp_path / "whole", *teacher)
    run(tmp_path / "parts", *teacher, "--stop-after", "3", status=130)
    run(tmp_path / "parts", *teacher)
    assert result(tmp_path / "parts") == result(tmp_path / "whole")
    assert "another teacher" in run(tmp_path / "parts", status=1)


def test_a_run_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    run(tmp_path / "run", "--stop-after", "1", status=130)
    assert "another seed" in run(tmp_path / "run", "--seed", "1", status=1)
    assert "another copy_paste" in run(tmp_path / "run", "--copy-paste", "none", status=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fraction", "0"], "--fraction: expected a share above 0"),
        (["--fraction", "1", "--predict", "found.json"], "all images have labels"),
        (["--predict", str(SCRIPT)], "exists"),
        (["--steps", "0"], "--steps: expected at least 1, got 0"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, arguments: list[str], message: str) -> None:
    assert message in run(tmp_path / "run", *arguments, status=2)
    assert not (tmp_path / "run").exists()

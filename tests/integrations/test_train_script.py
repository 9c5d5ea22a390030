"""examples/train_maskrcnn.py, run as a person runs it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
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


def annotations_of_the_sample() -> list[dict[str, Any]]:
    annotations: list[dict[str, Any]] = json.loads(sample_paths()[0].read_text())["annotations"]
    return annotations


def parts_of_the_sample(seed: int = 0) -> tuple[set[int], set[int]]:
    """Ids of images with and without labels in the runs below."""
    ids = [each["id"] for each in json.loads(sample_paths()[0].read_text())["images"]]
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(ids)).tolist()
    return {ids[i] for i in order[:3]}, {ids[i] for i in order[3:]}


def results_file(folder: Path, images: set[int], score: float = 0.9) -> str:
    """A teacher's results, which are the true objects of these images."""
    found = [
        {name: each[name] for name in ("image_id", "category_id", "segmentation")} | {"score": score}
        for each in annotations_of_the_sample()
        if not each["iscrowd"] and each["image_id"] in images
    ]
    (folder / "results.json").write_text(json.dumps(found))
    return str(folder / "results.json")


def test_a_run_that_was_interrupted_ends_as_one_that_was_not(tmp_path: Path) -> None:
    predicted = tmp_path / "found.json"
    told = run(tmp_path / "whole", "--predict", str(predicted)).splitlines()
    run(tmp_path / "parts", "--stop-after", "2", status=130)
    assert not (tmp_path / "parts" / "result.json").exists()
    run(tmp_path / "parts", "--stop-after", "4", status=130)
    assert "goes on at step 4" in run(tmp_path / "parts")
    assert result(tmp_path / "parts") == result(tmp_path / "whole")

    labelled, others = parts_of_the_sample()
    annotated = sum(each["image_id"] in labelled for each in annotations_of_the_sample())
    assert any(
        f"3 images with {annotated} annotations of 7 classes, on " in line and "6 steps" in line for line in told
    )
    assert "warning: 5 of 5 images of --val are images of --train too" in "\n".join(told)
    assert sum(line.startswith("evaluating 5 images") for line in told) == 2
    assert [line.split()[1] for line in told if " loss " in line] == [f"{i}/6" for i in range(1, 7)]
    assert f"predicting {len(others)} images" in told

    whole = result(tmp_path / "whole")
    assert len(whole["losses"]) == 6
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
    labelled, others = parts_of_the_sample()
    teacher = ("--teacher", results_file(tmp_path, labelled | others))
    told = run(tmp_path / "whole", *teacher)
    true = [each["image_id"] for each in annotations_of_the_sample() if not each["iscrowd"]]
    new = [image for image in true if image in others]
    assert re.search(r"^class +all +kept$", told, re.MULTILINE)  # the table of what became of each result
    assert f"teacher: {len(new)} objects in {len(set(new))} of 2 images without labels" in told
    assert (
        f"warning: {len(true) - len(new)} of {len(true)} objects of {tmp_path / 'results.json'} are in images that"
        in told
    )
    assert result(tmp_path / "whole")["pseudo_labels"] == {"objects": len(new), "images": len(set(new))}
    run(tmp_path / "parts", *teacher, "--stop-after", "3", status=130)
    run(tmp_path / "parts", *teacher)
    assert result(tmp_path / "parts") == result(tmp_path / "whole")
    assert f"another teacher: None here, {teacher[1]} there" in run(tmp_path / "parts", status=1)


def test_a_run_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    run(tmp_path / "run", "--stop-after", "1", status=130)
    assert "another seed: 1 here, 0 there" in run(tmp_path / "run", "--seed", "1", status=1)
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


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta:x"])
def test_a_device_that_is_not_there_is_named(tmp_path: Path, device: str) -> None:
    assert refused(tmp_path, "--device", device).startswith(f"train_maskrcnn.py: --device {device}: ")


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_is_damaged_is_named_in_one_sentence(tmp_path: Path, workers: int) -> None:
    annotations, images = sample_paths()
    shutil.copytree(images, tmp_path / "images")
    for image in (tmp_path / "images").iterdir():
        image.write_bytes(image.read_bytes()[:3000])
    data = ["--train", str(annotations), "--train-images", str(tmp_path / "images"), "--workers", str(workers)]
    said = run(tmp_path / "run", *data, status=1)
    assert "Traceback" not in said
    assert re.match(rf"train_maskrcnn\.py: .*{re.escape(str(tmp_path / 'images'))}/\w+\.jpg", said.splitlines()[-1])


def test_images_that_are_missing_are_told_before_the_first_step(tmp_path: Path) -> None:
    annotations, images = sample_paths()
    shutil.copytree(images, tmp_path / "images")
    for name in ("astronaut.jpg", "rocket.jpg"):
        (tmp_path / "images" / name).unlink()
    said = refused(tmp_path, "--train", str(annotations), "--train-images", str(tmp_path / "images"))
    assert said == f"train_maskrcnn.py: {tmp_path}/images/astronaut.jpg: no such image (2 of 5 images are missing)"


def refused(tmp_path: Path, *arguments: str) -> str:
    """The one sentence of a run that does not begin."""
    said = run(tmp_path / "run", *arguments, status=1)
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
    return said.splitlines()[-1]


def test_a_teacher_without_objects_in_images_without_labels_is_refused(tmp_path: Path) -> None:
    labelled, others = parts_of_the_sample()
    said = refused(tmp_path, "--teacher", results_file(tmp_path, labelled))
    assert "expected objects in images without labels, got none" in said
    assert "in images that have labels here" in said
    said = refused(tmp_path, "--teacher", results_file(tmp_path, others, score=0.2))
    assert "results.json: expected objects in images without labels, got none: no result has a score" in said


def test_categories_that_training_knows_nothing_of_are_refused(tmp_path: Path) -> None:
    annotations, images = sample_paths()
    other = json.loads(annotations.read_text())
    assert other["categories"][1]["name"] == "cat"
    other["categories"][1]["name"] = "zebra"
    (tmp_path / "val.json").write_text(json.dumps(other))
    said = refused(tmp_path, "--val", str(tmp_path / "val.json"), "--val-images", str(images))
    assert "val.json: expected objects of the categories of" in said
    assert said.endswith("got zebra too")


def test_files_that_are_wrong_are_named_in_one_sentence(tmp_path: Path) -> None:
    assert str(tmp_path / "none.json") in refused(tmp_path, "--train", str(tmp_path / "none.json"))
    (tmp_path / "wrong.json").write_text('{"images": 3}')
    assert str(tmp_path / "wrong.json") in refused(tmp_path, "--teacher", str(tmp_path / "wrong.json"))

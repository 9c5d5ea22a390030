"""`copypaste-rs pseudo-label`: the file that PseudoLabels writes, its table, and what is refused."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest

from copypaste_rs.datasets import CocoDataset, PseudoLabels, sample_paths
from tests.fixtures.coco_files import Files, box_polygon, every_file, small_set
from tests.fixtures.command_line import run, start
from tests.fixtures.limits import room_for
from tests.fixtures.processes import ROOT, wait_until


def result(score: float, x: float, category_id: int = 1, image_id: int = 10, **fields: Any) -> dict[str, Any]:
    outline = [box_polygon(x, 4, 8, 9)]
    return {"image_id": image_id, "category_id": category_id, "segmentation": outline, "score": score, **fields}


RESULTS = [result(0.9, 2), result(0.8, 3), result(0.6, 20), result(0.6, 30, 2), result(0.45, 40, 2), result(0.1, 50)]


def command(files: Files, output: Path, *more: str, results: Any = RESULTS) -> list[str]:
    path = files.annotations.with_name("results.json")
    path.write_text(json.dumps(results))
    return ["pseudo-label", "--results", str(path), "--images", str(files.annotations), "--output", str(output), *more]


def test_a_file_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    out = tmp_path / "pseudo.json"
    assert run(command(files, out, "--ignore-below", "0.4")) == 0
    assert capsys.readouterr().out.splitlines() == [
        "class        all  kept  ignored  low score  duplicate",
        "square         4     1        1          1          1",
        "ring           2     0        2          0          0",
        "all classes    6     1        3          1          1",
        f"{out}: 5 images, 1 object, 3 ignored",
    ]
    found = CocoDataset(out, files.images).instances(0)
    assert found.score.tolist() == [0.9, 0.6, 0.6, 0.45]
    assert found.iscrowd.tolist() == [False, True, True, True]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ([], {}),
        (["--min-score", "0.5", "--min-score", "ring=0.4"], {"min_score": {"square": 0.5, "ring": 0.4}}),
        (["--min-score", "ring=0.4"], {"min_score": {"ring": 0.4}}),
        (["--ignore-below", "ring=0.4"], {"ignore_below": {"ring": 0.4}}),
        (["--ignore-below", "0.1", "--ignore-below", "ring=0.5"], {"ignore_below": {1: 0.1, 2: 0.5}}),
        (["--mask-nms", "1", "--max-per-image", "1"], {"mask_nms": None, "max_per_image": 1}),
        (["--min-area", "73"], {"min_area": 73}),
        (["--min-part-area", "80", "--connectivity", "4"], {"min_part_area": 80, "connectivity": 4}),
    ],
)
@pytest.mark.filterwarnings("ignore:results. no object was made")  # of two of them
def test_options_are_those_of_python(tmp_path: Path, options: list[str], same: dict[str, Any]) -> None:
    files = small_set(tmp_path / "in")
    assert run(command(files, tmp_path / "a.json", *options)) == 0
    PseudoLabels.from_results(RESULTS, files.annotations, **same).save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_rounds_mask_scores_and_categories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert run(command(files, first)) == 0
    scored = [each | {"mask_score": 0.5} for each in RESULTS[2:]]
    more = ["--min-score", "0.5", "--min-mask-score", "0.5", "--merge", str(first), "--merge-iou", "0.3"]
    assert run(command(files, second, *more, results=scored)) == 0
    assert CocoDataset(second, files.images).instances(0).score.tolist() == [0.6, 0.6, 0.9]
    assert run(command(files, first, "--merge", str(first), "--overwrite", results=[])) == 0  # in its place
    assert CocoDataset(first, files.images).instances(0).score.tolist() == [0.9]
    names = files.annotations.with_name("names.json")
    names.write_text(json.dumps({"images": [], "categories": [{"id": 2, "name": "ring"}, {"id": 1, "name": "square"}]}))
    files.edit(categories=[])
    assert run(command(files, second, "--overwrite")) == 1 + 1  # wrong usage
    assert f"Error: {files.annotations} has no categories; give --categories FILE\n" in capsys.readouterr().err
    assert run(command(files, second, "--overwrite", "--categories", str(names))) == 0
    capsys.readouterr()
    assert run(command(files, first, "--overwrite", "--categories", str(names), results=[result(0.9, 2, 77)])) == 1
    expected = f"results[0]: category_id: expected the id of one of the categories of {names}, got 77\n"
    assert expected in capsys.readouterr().err
    names.write_text(json.dumps({"images": [], "categories": []}))
    assert run(command(files, first, "--overwrite", "--categories", str(names))) == 1 + 1
    expected = f"--categories: expected the categories of the results, as {names} has none, got none\n"
    assert expected in capsys.readouterr().err


def test_categories_that_are_wrong_are_not_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    files.edit(categories=[{"id": 1, "name": "square", "keypoints": 3}, {"id": 2, "name": "ring"}])
    assert run(command(files, tmp_path / "out.json")) != 0
    error = capsys.readouterr().err
    assert "keypoints" in error
    assert "give --categories" not in error


def test_the_command_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "self-training.md").read_text()
    found = re.search(r"^copypaste-rs (pseudo-label (?:.*\\\n)*.*)$", page, re.MULTILINE)
    assert found
    annotations, images = sample_paths()
    (tmp_path / "unlabelled.json").write_bytes(annotations.read_bytes())
    photos = CocoDataset(annotations, images)
    (tmp_path / "results.json").write_text(json.dumps([result(0.95, 60, label, 1) for label in (1, 2)]))
    monkeypatch.chdir(tmp_path)
    assert run(shlex.split(found[1].replace("\\\n", " "))) == 0
    made = CocoDataset(tmp_path / "pseudo.json", images)
    assert (len(made), made.instances(0).score.tolist()) == (len(photos), [0.95, 0.95])


WRONG: list[tuple[list[str], str]] = [
    (["--min-score", "2"], "expected a number from 0 to 1, or NAME=NUMBER, got '2'"),
    (["--min-score", "=0.5"], "expected a number from 0 to 1, or NAME=NUMBER, got '=0.5'"),
    (["--min-score", "cat"], "expected a number from 0 to 1, or NAME=NUMBER, got 'cat'"),
    (["--min-score", "nan"], "expected a number from 0 to 1, or NAME=NUMBER, got 'nan'"),
    (["--min-score", "rings=0.5"], "--min-score: expected names of categories, got 'rings' (is 'ring' meant?)"),
    (["--min-score", "ring=0.5", "--min-score", "ring=0.6"], "--min-score: expected the class ring once, got 2"),
    (["--ignore-below", "0.5", "--ignore-below", "0.6"], "--ignore-below: expected one number for all classes, got 2"),
    (["--ignore-below", "0.9"], "--ignore-below: expected at most 0.7, the min_score of category 1, got 0.9"),
    (["--mask-nms", "1.5"], "'--mask-nms'"),
    (["--max-per-image", "0"], "'--max-per-image'"),
    (["--boxes", "keep"], "'--boxes'"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_usage(tmp_path: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    assert run(command(files, tmp_path / "out.json", *options)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_places_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    out = tmp_path / "out.json"
    out.write_text("mine")
    before = every_file(tmp_path)
    places = [
        (out, f"--output: {out} exists already; --overwrite replaces it"),
        (tmp_path / "out.txt", "--output: expected a name that ends in .json"),
        (tmp_path / "none" / "out.json", f"--output: the folder {tmp_path / 'none'} is not there"),
    ]
    for place, message in places:
        assert run(command(files, place)) == 2
        assert message in capsys.readouterr().err
    for place, name in ((files.annotations, "images"), (files.annotations.with_name("results.json"), "results")):
        assert run(command(files, place, "--overwrite")) == 2
        assert f"--output: expected another file than --{name}, got {place}" in capsys.readouterr().err
    assert every_file(tmp_path) == before | {"in/results.json": json.dumps(RESULTS).encode()}
    assert run(command(files, out, "--overwrite")) == 0
    assert json.loads(out.read_text())["annotations"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this platform")
def test_a_pipe_or_device_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, pipe = small_set(tmp_path / "in"), tmp_path / "pipe.json"
    os.mkfifo(pipe)
    assert run(command(files, pipe, "--overwrite")) == 2
    expected = f"--output: expected the name of a JSON file, got a device or a pipe, {pipe}"
    assert expected in capsys.readouterr().err
    assert pipe.is_fifo()


def test_results_that_are_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    results = [result(0.9, 2, image_id=77), result(1.5, 2), RESULTS[0]]
    assert run(command(files, tmp_path / "out.json", results=results)) == 1
    error = capsys.readouterr().err
    assert "results.json: results[0]: image_id: expected the id of one of the 5 images of " in error
    assert "\n  results[1]: score: expected a number from 0 to 1, got 1.5\n" in error
    assert (
        run(command(files, tmp_path / "out.json", results=[RESULTS[0] | {"segmentation": [], "bbox": [1, 2, 3, 4]}]))
        == 1
    )
    assert "--boxes drop leaves such results out" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_results_that_are_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    assert run(command(files, tmp_path / "out.json", results=files.json)) == 1
    assert "; this is a COCO data set; results are a list\n" in capsys.readouterr().err
    order = command(files, tmp_path / "out.json")
    Path(order[2]).write_text("")
    assert run(order) == 1
    assert f"{order[2]}: expected a list of COCO results, got a file that is empty\n" in capsys.readouterr().err


def test_no_object_at_all_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    assert run(command(files, tmp_path / "out.json", results=[result(0.5, 2), result(0.4, 2)])) == 0
    said = "warning: results: no object was made of 2 results: none has a score of at least min_score\n"
    assert said in capsys.readouterr().err
    assert json.loads((tmp_path / "out.json").read_text())["annotations"] == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    order = command(files, tmp_path / "out.json")
    with room_for(500):
        assert run(order) == 1
    assert f"{tmp_path / 'out.json'}: File too large" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_ended_leaves_nothing(tmp_path: Path, way: signal.Signals) -> None:
    images: list[dict[str, Any]] = [
        {"id": i, "file_name": f"{i}.jpg", "height": 90, "width": 90} for i in range(1, 4001)
    ]
    files = small_set(tmp_path / "in").edit(images=images, annotations=[])
    results = [result(0.9, x, image_id=image["id"]) for image in images for x in range(2, 80, 10)]
    (tmp_path / "out").mkdir()
    process = start(*command(files, tmp_path / "out" / "out.json", results=results))
    assert wait_until(lambda: process.poll() is not None or any((tmp_path / "out").iterdir()))
    process.send_signal(way)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[way]
    assert list((tmp_path / "out").iterdir()) == []

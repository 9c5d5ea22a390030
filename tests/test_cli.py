"""The command line, end to end: as a user starts it, and as it is interrupted, killed and fed bad files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from coco_files import Files, annotation, box_polygon, small_set, write
from copypaste_rs import SimpleCopyPaste
from copypaste_rs.cli import sample_paths
from copypaste_rs.cli.commands import run
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset

COMMAND = [sys.executable, "-m", "copypaste_rs.cli"]
STATE = ".copypaste-rs"


def arguments(files: Files, output: Path, *more: str) -> list[str]:
    inputs = ["--annotations", str(files.annotations), "--images", str(files.images), "--output", str(output)]
    return ["augment", *inputs, "--size", "48x64", "--workers", "1", *more]


def start(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True)  # fmt: skip


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def augmented(tmp_path: Path, files: Files, *more: str, name: str = "out") -> dict[str, bytes]:
    assert run(arguments(files, tmp_path / name, *more)) == 0
    return every_file(tmp_path / name)


def check_set(folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Every box, area and mask agrees as pycocotools sees them; what is pasted and what is below never overlap."""
    coco = COCO(str(folder / "annotations.json"))
    capsys.readouterr()
    assert sorted(coco.imgs) == list(range(1, len(coco.imgs) + 1))
    assert sorted(coco.anns) == list(range(1, len(coco.anns) + 1))
    for number, image in coco.imgs.items():
        with Image.open(folder / "images" / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])
            assert picture.mode == "RGB"
        below, pasted = np.zeros((2, image["height"], image["width"]), bool)
        for a in coco.imgToAnns[number]:
            mask = coco.annToMask(a).astype(bool)
            ys, xs = np.nonzero(mask)
            assert a["area"] == len(ys) > 0
            x, y = xs.min(), ys.min()
            assert a["bbox"] == [x, y, xs.max() + 1 - x, ys.max() + 1 - y]
            (below if a["source"] < 0 else pasted)[mask] = True
        assert not (below & pasted).any()
    return len(coco.anns)


# -- augment ----------------------------------------------------------------------------------------------------


def test_augment_writes_what_the_data_set_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    augmented(tmp_path, files, "--format", "png", "--copies", "2", "--seed", "7")
    assert check_set(tmp_path / "out", capsys) > 0
    data = CopyPasteDataset(CocoDataset(*files), SimpleCopyPaste(size=(48, 64)), seed=7)
    written = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    assert len(written) == 10
    for number, sample in enumerate(written):
        data.set_epoch(number // 5)
        expected = data[number % 5]
        np.testing.assert_array_equal(sample.image, expected.image)
        assert len(sample.instances) == len(expected.instances)
        if len(expected.instances):
            assert sample.instances.masks == expected.instances.masks


def test_only_images_and_one_annotation_file_are_there(tmp_path: Path) -> None:
    names = augmented(tmp_path, small_set(tmp_path / "in"))
    assert sorted(name for name in names if not name.startswith(STATE)) == [
        "annotations.json", *(f"images/{i:012d}.jpg" for i in range(1, 6))
    ]  # fmt: skip
    assert not [name for name in names if name.startswith(STATE) and name.endswith((".json", ".jpg", ".png"))]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [STATE, "annotations.json", "images"]


def test_workers_backend_and_paths_do_not_matter(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in", 12)
    moved = Files(Path(shutil.copy(files.annotations, tmp_path / "moved.json")), tmp_path / "elsewhere")
    shutil.copytree(files.images, moved.images)
    expected = augmented(tmp_path, files)
    assert augmented(tmp_path, files, "--workers", "3", name="three") == expected
    assert augmented(tmp_path, moved, "--backend", "numpy", name="other") == expected


def test_options_reach_the_transform(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    options = {
        "target_scale": (0.5, 0.75), "source_scale": (1.0, 1.0), "scale_reference": "input", "flip": 0.0, "select": 2,
        "placement": "uniform", "blend_sigma": 1.5, "p": 0.75, "pad": "random", "interpolation": "nearest",
        "antialias": False, "min_area": 4, "min_visibility": 0.25, "on_hidden": "crowd",
    }  # fmt: skip
    command = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        values = [str(part) for part in (value if isinstance(value, tuple) else (value,))]
        command += ["--no-antialias"] if value is False else [option, *values]
    augmented(tmp_path, files, "--format", "png", "--num-sources", "2", *command)
    arguments_: dict[str, Any] = {"size": (48, 64), **options}
    data = CopyPasteDataset(CocoDataset(*files), SimpleCopyPaste(**arguments_), num_sources=2)
    written = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    for i in range(5):
        np.testing.assert_array_equal(written[i].image, data[i].image)


def test_sources_from_another_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pseudo, truth = small_set(tmp_path / "pseudo"), small_set(tmp_path / "truth", 3)
    truth.edit(
        annotations=[{k: v for k, v in a.items() if k != "score"} for a in truth.json["annotations"]],
        categories=[{"id": 2, "name": "ring"}, {"id": 9, "name": "star"}],
    )
    sources = ["--source-annotations", str(truth.annotations), "--source-images", str(truth.images)]
    assert run(arguments(pseudo, tmp_path / "out", *sources)) == 2
    assert (
        f"--missing score=VALUE is needed, for {pseudo.annotations} has the field 'score' and {truth.annotations} has not"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()
    augmented(tmp_path, pseudo, *sources, "--missing", "score=1.0")
    check_set(tmp_path / "out", capsys)
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert [category["id"] for category in content["categories"]] == [1, 2, 9]
    empty = next(image["id"] for image in content["images"] if image["source_image_id"] == 14)
    pasted = [a for a in content["annotations"] if a["source"] >= 0]
    assert {a["score"] for a in pasted if a["image_id"] != empty} == {1.0}
    assert {"score" in a for a in pasted if a["image_id"] == empty} <= {False}  # nothing on the other side to match


MISSING = [
    ("scroe=1", "--missing scroe: expected a field of an annotation file"),
    ("score=high", "--missing score=high: expected a number, as the field 'score' holds numbers"),
    ("name=3", "--missing name=3: expected text in quotes"),
    ("labels=3", "--missing labels: expected a field"),
]


@pytest.mark.parametrize(("value", "message"), MISSING)
def test_a_stand_in_has_to_fit(tmp_path: Path, value: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    files.edit(annotations=[a | {"name": "x"} for a in files.json["annotations"]])
    assert run(arguments(files, tmp_path / "out", "--missing", value)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_text_and_numbers_in_one_field_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = small_set(tmp_path / "a"), small_set(tmp_path / "b")
    theirs.edit(annotations=[a | {"score": "high"} for a in theirs.json["annotations"]])
    sources = ["--source-annotations", str(theirs.annotations), "--source-images", str(theirs.images)]
    assert run(arguments(ours, tmp_path / "out", *sources)) == 2
    assert "got text in one and numbers in the other" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_augmented_set_and_a_plain_one_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    augmented(tmp_path, files, name="1")
    first = Files(tmp_path / "1" / "annotations.json", tmp_path / "1" / "images")
    augmented(tmp_path, first, "--source-annotations", str(files.annotations), "--source-images", str(files.images),
              name="2")  # fmt: skip
    check_set(tmp_path / "2", capsys)
    content = json.loads((tmp_path / "2" / "annotations.json").read_text())
    for a in content["annotations"]:
        image = content["images"][a["image_id"] - 1]
        assert (a["source_image_id"] == image["source_image_id"]) or a["source_image_id"] >= 10


def test_integers_stay_integers(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    files.edit(annotations=[a | ({"track": a["id"]} if a["id"] % 2 else {}) for a in files.json["annotations"]])
    augmented(tmp_path, files)
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    tracks = [(a["track"], a["source_annotation_id"]) for a in content["annotations"] if "track" in a]
    assert tracks
    assert all(type(track) is int and track == number for track, number in tracks)


def test_categories_that_are_not_there_are_found_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    files.edit(categories=[{"id": 1, "name": "square"}])
    assert run(arguments(files, tmp_path / "out")) == 1
    errors = capsys.readouterr().err.splitlines()
    assert "4 annotations have a category that is not among the categories (2)" in errors[0]
    assert errors[1].startswith(f"copypaste-rs: {files.annotations}: expected annotations of categories that are there")
    assert not (tmp_path / "out").exists()


def test_sets_whose_categories_differ_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = small_set(tmp_path / "a"), small_set(tmp_path / "b").edit(categories=[{"id": 1, "name": "dog"}])
    sources = ["--source-annotations", str(theirs.annotations), "--source-images", str(theirs.images)]
    assert run(arguments(ours, tmp_path / "out", *sources)) == 1
    assert "category 1 is 'dog', but 'square' in the other file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_single_image_is_only_jittered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    augmented(tmp_path, small_set(tmp_path / "in", 1), "--copies", "8")
    assert "warning: sources: no image with an object" in capsys.readouterr().err
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert {a["source"] for a in content["annotations"]} == {-1}


def test_the_same_files_as_sources_are_the_same_set(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    again = [
        "--source-annotations",
        str(files.images / ".." / "annotations.json"),
        "--source-images",
        str(files.images),
    ]
    assert augmented(tmp_path, files, *again, name="given") == augmented(tmp_path, files)


def test_fill_and_a_range_of_sigma(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    more = ["--fill", "123,117,104", "--blend-sigma", "0.5,2", "--format", "png", "--target-scale", "0.2", "0.4"]
    augmented(tmp_path, files, *more)
    transform = SimpleCopyPaste(size=(48, 64), fill=(123, 117, 104), blend_sigma=(0.5, 2), target_scale=(0.2, 0.4))
    data = CopyPasteDataset(CocoDataset(*files), transform)
    written = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    for i in range(5):
        np.testing.assert_array_equal(written[i].image, data[i].image)
    augmented(tmp_path, files, "--fill", "7", "--format", "png", "--target-scale", "0.2", "0.4", name="grey")
    with Image.open(tmp_path / "grey" / "images" / "000000000005.png") as image:
        assert image.getpixel((63, 47)) == (7, 7, 7)


@pytest.mark.parametrize("name", ["coco_free56", "nuclei30", "fruits_nuts18", "dali_pixelwise6", "dali_quirks"])
def test_augment_on_real_sets(name: str, test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = Files(test_data / name / "annotations.json", test_data / name / "images")
    command = ["augment", "--annotations", str(files.annotations), "--images", str(files.images), "--size", "320"]
    placement = "uniform" if name.startswith("dali") else "jitter"
    assert run([*command, "--output", str(tmp_path / "out"), "--placement", placement, "--workers", "1"]) == 0
    assert check_set(tmp_path / "out", capsys) > 0


# -- going on -----------------------------------------------------------------------------------------------------


def test_resume_from_nothing_or_from_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    expected = augmented(tmp_path, files)
    (tmp_path / "empty").mkdir()
    assert augmented(tmp_path, files, "--resume", name="missing") == expected
    assert augmented(tmp_path, files, "--resume", name="empty") == expected
    assert augmented(tmp_path, files, "--resume") == expected
    assert "5 images, 0 of them made now" in capsys.readouterr().out
    (tmp_path / "out" / "annotations.json").unlink()
    (tmp_path / "out" / "images" / "000000000003.jpg").unlink()
    assert augmented(tmp_path, files, "--resume", "--workers", "2") == expected
    assert augmented(tmp_path, files, "--overwrite") == expected


def wait_for(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + 60
    while len(list(folder.glob("*"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.005)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_ended_goes_on_to_the_same_bytes(tmp_path: Path, way: signal.Signals, workers: str) -> None:
    files = small_set(tmp_path / "in", 40)
    expected = augmented(tmp_path, files, "--format", "png", name="whole")
    slow = ["--format", "png", "--backend", "numpy"]
    process = start(*arguments(files, tmp_path / "out", *slow, "--workers", workers))
    wait_for(tmp_path / "out" / "images", 4, process)
    children = [
        int(pid) for path in Path(f"/proc/{process.pid}/task").glob("*/children") for pid in path.read_text().split()
    ]
    (os.killpg if way == signal.SIGINT else os.kill)(process.pid, way)  # Ctrl-C goes to all processes
    _, errors = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(way, -way)
    if way != signal.SIGKILL:
        assert "interrupted; what is done is kept, and --resume goes on" in errors
        assert "Traceback" not in errors
    done = every_file(tmp_path / "out")
    assert "annotations.json" not in done
    images = {name: data for name, data in done.items() if name.startswith("images/")}
    assert 4 <= len(images) < 40
    assert images.items() <= expected.items()
    limit = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert augmented(tmp_path, files, "--format", "png", "--resume") == expected


def test_an_output_that_exists_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    before = augmented(tmp_path, files)
    assert run(arguments(files, tmp_path / "out", "--seed", "1")) == 2
    errors = capsys.readouterr().err
    assert f"--output: {tmp_path / 'out'} is not empty; --resume goes on with it, --overwrite replaces it" in errors
    assert run(arguments(files, tmp_path / "out", "--seed", "1", "--resume")) == 2
    assert "--seed has changed since; --overwrite starts anew" in capsys.readouterr().err
    assert run(arguments(files, tmp_path / "out", "--min-area", "3", "--quality", "9", "--resume")) == 2
    assert "--min-area, --quality have changed since; --overwrite starts anew" in capsys.readouterr().err
    assert every_file(tmp_path / "out") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    for option in (["--overwrite"], ["--resume"], []):
        assert run(arguments(files, tmp_path / "mine", *option)) == 2
        errors = capsys.readouterr().err
        assert f"--output: {tmp_path / 'mine'}: holds other files; choose another folder" in errors
    assert list(every_file(tmp_path / "mine")) == ["file"]


def test_changed_annotations_are_other_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    augmented(tmp_path, files)
    files.edit(categories=[*files.json["categories"], {"id": 3}])
    assert run(arguments(files, tmp_path / "out", "--resume")) == 2
    assert ": --annotations has changed since; --overwrite starts anew" in capsys.readouterr().err


def test_an_input_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    augmented(tmp_path, files)
    ours = Files(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    before = every_file(tmp_path / "out")
    assert run(arguments(ours, tmp_path / "out", "--overwrite")) == 2
    assert "expected a folder apart from the inputs" in capsys.readouterr().err
    assert every_file(tmp_path / "out") == before
    augmented(tmp_path, ours, name="second")


# -- bad files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(("damage", "message"), [
    ("truncated", "2.jpg: cannot be read as an image"),
    ("missing", "2.jpg: No such file or directory"),
    ("resized", "2.jpg: expected an image of width 64 and height 50"),
])  # fmt: skip
def test_a_bad_image_ends_the_run_with_one_error(tmp_path: Path, damage: str, message: str, workers: str) -> None:
    files = small_set(tmp_path / "in", 12)
    whole = augmented(tmp_path, files, name="whole")
    path = files.images / "2.jpg"
    good = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(good[: len(good) // 2])
    elif damage == "missing":
        path.unlink()
    else:
        Image.new("RGB", (9, 7)).save(path)
    process = start(*arguments(files, tmp_path / "out", "--workers", workers))
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == ""
    assert len(errors.strip().splitlines()) == 1
    assert errors.startswith("copypaste-rs: ")
    assert message in errors
    if damage == "missing":
        assert not (tmp_path / "out").exists()
    else:
        assert errors.endswith("; what is done is kept, and --resume goes on\n")
    done = every_file(tmp_path / "out")
    assert "annotations.json" not in done
    assert {name for name in done if name.startswith("images")} <= {f"images/{i:012d}.jpg" for i in range(1, 13)}
    assert all(data == whole[name] for name, data in done.items() if name.startswith("images"))
    path.write_bytes(good)
    assert augmented(tmp_path, files, "--resume") == whole


@pytest.mark.parametrize(("content", "message"), [
    (b'{"images": [', "annotations.json: cannot be read as COCO annotations: Input data was truncated (byte 12)"),
    (None, "annotations.json: No such file or directory"),
])  # fmt: skip
def test_a_bad_annotation_file_is_named(
    tmp_path: Path, content: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    files.annotations.unlink()
    if content is not None:
        files.annotations.write_bytes(content)
    assert run(arguments(files, tmp_path / "out")) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_missing_images_are_counted_at_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    for name in ("2.jpg", "3.png"):
        (files.images / name).unlink()
    assert run(arguments(files, tmp_path / "out")) == 1
    expected = f"{files.images / '2.jpg'}: No such file or directory (2 of 5 images are missing)"
    assert capsys.readouterr().err == f"copypaste-rs: {expected}\n"
    assert not (tmp_path / "out").exists()


def test_what_is_left_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    square = [box_polygon(4, 5, 20, 20)]
    files = write(tmp_path / "in", [annotation(1, square), annotation(2, [[1, 2, 3, 4]]), annotation(3, square, 11)],
                  [(40, 60), (30, 50)])  # fmt: skip
    augmented(tmp_path, files)
    errors = capsys.readouterr().err
    assert errors.startswith("copypaste-rs: warning: ")
    assert "1 polygon part of fewer than three points, 1 annotation that covers no pixel" in errors
    assert len(errors.splitlines()) == 1


# -- usage ----------------------------------------------------------------------------------------------------------

USAGE = [
    (["--size", "0"], "Error: --size: expected an integer from 1"),
    (["--size", "48x0"], "Error: --size: expected an integer from 1"),
    (["--size", "3x4x5"], "expected one number or HEIGHTxWIDTH"),
    (["--target-scale", "2", "1"], "--target-scale"),
    (["--target-scale", "2"], "target-scale"),
    (["--select", "some"], "expected subset, one, all, a number or a fraction"),
    (["--select", "1.5"], "--select"),
    (["--blend-sigma", "50"], "--blend-sigma"),
    (["--blend-sigma", "1,2,3"], "expected a number or LO,HI"),
    (["--blend-sigma", "2,1"], "Error: --blend-sigma: expected"),
    (["--fill", "1,2"], "expected a number or RED,GREEN,BLUE"),
    (["--fill", "300"], "Error: --fill: expected whole numbers from 0 to 255"),
    (["--min-area", "-1"], "Error: --min-area: expected"),
    (["--min-visibility", "2"], "--min-visibility"),
    (["--placement", "there"], "--placement"),
    (["--missing", "score"], "expected NAME=VALUE"),
    (["--copies", "0"], "--copies"),
    (["--workers", "0"], "--workers"),
    (["--seed", "-1"], "--seed"),
    (["--num-sources", "0"], "--num-sources"),
    (["--num-sources", "1025"], "--num-sources: expected an integer from 1 to 1024"),
    (["--format", "gif"], "--format"),
    (["--resume", "--overwrite"], "exclude each other"),
    (["--source-images", "x"], "go together"),
    (["--nonsense"], "--nonsense"),
]


@pytest.mark.parametrize(("more", "message"), USAGE)
def test_wrong_usage_is_status_2(
    tmp_path: Path, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    assert run(arguments(files, tmp_path / "out", *more)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["--help"], ["augment", "--help"], ["preview", "--help"], ["demo", "--help"], ["--version"]):
        assert run(command) == 0
        output = capsys.readouterr().out
        if command != ["--version"]:
            assert "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted" in output
        if command[0] == "augment":
            assert "--source-annotations" in output
    assert run([]) == 2
    assert run(["nonsense"]) == 2


def test_python_m_runs_it() -> None:
    for module in ("copypaste_rs", "copypaste_rs.cli"):
        result = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
        assert result.stdout.startswith("copypaste-rs, version ")


@pytest.mark.parametrize(("way", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_while_modules_are_imported(tmp_path: Path, way: signal.Signals, status: int) -> None:
    code = (
        "import os, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == 'click': os.kill(os.getpid(), {int(way)})\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from copypaste_rs.cli import main\n"
        "main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == status
    assert result.stderr == "\ncopypaste-rs: interrupted\n"


def test_one_image_is_one_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    augmented(tmp_path, small_set(tmp_path / "in", 1))
    assert "out: 1 image, 1 of them made now" in capsys.readouterr().out


def test_workers_follow_the_number_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []

    def note(job: Any, numbers: Any, workers: int) -> Any:
        used.append(workers)
        return (job(number) for number in numbers)

    monkeypatch.setattr("copypaste_rs.cli.augmenting.ordered", note)
    monkeypatch.setattr("copypaste_rs.cli.commands.available_processors", lambda: 4)
    files = small_set(tmp_path / "in")
    command = [part for part in arguments(files, tmp_path / "out", "--overwrite") if part not in ("--workers", "1")]
    for copies in ("1", "26", "60"):
        assert run([*command, "--copies", copies]) == 0
    assert used == [1, 2, 4]


def test_a_missing_extra_is_named() -> None:
    code = "import sys; sys.modules['click'] = None\nfrom copypaste_rs.cli import main\nmain()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == (
        "copypaste-rs: click is not installed, which this part needs: pip install 'copypaste_rs[cli]'\n"
    )


# -- pictures -----------------------------------------------------------------------------------------------------


def test_preview_writes_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    command = [part for part in arguments(files, tmp_path / "a.png") if part not in ("--workers", "1")]
    command = ["preview", *command[1:], "--side", "100"]
    assert run([*command, "--count", "2", "--placement", "uniform", "--blend-sigma", "1"]) == 0
    with Image.open(tmp_path / "a.png") as sheet:
        two = sheet.size
    assert two[0] == 10 + 4 * 110
    assert run([*command, "--item", "1"]) == 2
    assert "exists already; --overwrite replaces it" in capsys.readouterr().err
    assert run([*command, "--item", "1", "--overwrite"]) == 0
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.height < two[1]
    assert run([*command, "--item", "5", "--overwrite"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "in"]


def test_a_preview_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    (tmp_path / "folder.png").mkdir()
    inputs = ["--annotations", str(files.annotations), "--images", str(files.images), "--side", "64", "--size", "48"]
    wrong = [
        ("folder.png", f"--output: expected the name of a PNG file, got the folder {tmp_path / 'folder.png'}"),
        ("sheet.jpg", f"--output: expected a name that ends in .png, got {tmp_path / 'sheet.jpg'}"),
        ("sheet", "--output: expected a name that ends in .png"),
        ("none/sheet.png", f"--output: the folder {tmp_path / 'none'} is not there"),
    ]
    for name, message in wrong:
        for more in ([], ["--overwrite"]):
            assert run(["preview", *inputs, "--output", str(tmp_path / name), *more]) == 2
            assert message in capsys.readouterr().err

    def full(*_: Any) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        assert run(["preview", *inputs, "--output", str(tmp_path / "sheet.png")]) == 1
    assert capsys.readouterr().err == f"copypaste-rs: {tmp_path / 'sheet.png'}: No space left on device\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "in"]


def test_a_set_without_images_has_nothing_to_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in").edit(images=[], annotations=[])
    inputs = ["--annotations", str(files.annotations), "--images", str(files.images)]
    for more in ([], ["--item", "0"]):
        assert run(["preview", *inputs, "--output", str(tmp_path / "a.png"), *more]) == 1
        assert "expected at least one image to show, got a set without images" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_demo_shows_pictures_speed_and_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--output", str(tmp_path / "demo")]) == 0
    output = capsys.readouterr().out
    assert str(tmp_path / "demo" / "preview.png") in output
    assert "Rust: " in output
    assert "the same bytes on all 5 images" in output
    check_set(tmp_path / "demo", capsys)
    assert run(["demo", "--output", str(tmp_path / "demo")]) == 2


def test_the_sample_set_is_small_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    annotations, images = sample_paths()
    photos = CocoDataset(annotations, images)
    assert len(photos) == 5
    assert all(len(sample.instances) for sample in photos)
    folder = annotations.parent
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 2**20
    assert (folder / "LICENCE.txt").exists()
    coco = COCO(str(annotations))
    capsys.readouterr()
    assert {coco.cats[a["category_id"]]["name"] for a in coco.anns.values()} == {
        "cup", "cat", "coin", "person", "helmet", "rocket", "shuttle model"
    }  # fmt: skip

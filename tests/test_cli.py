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
    assert run(arguments(pseudo, tmp_path / "out", *sources)) == 1
    assert "'score'" in capsys.readouterr().err
    augmented(tmp_path, pseudo, *sources, "--missing", "score=1.0", "--overwrite")
    check_set(tmp_path / "out", capsys)
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert [category["id"] for category in content["categories"]] == [1, 2, 9]
    empty = next(image["id"] for image in content["images"] if image["source_image_id"] == 14)
    pasted = [a for a in content["annotations"] if a["source"] >= 0]
    assert {a["score"] for a in pasted if a["image_id"] != empty} == {1.0}
    assert {"score" in a for a in pasted if a["image_id"] == empty} <= {False}  # nothing on the other side to match


def test_sets_whose_categories_differ_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = small_set(tmp_path / "a"), small_set(tmp_path / "b").edit(categories=[{"id": 1, "name": "dog"}])
    sources = ["--source-annotations", str(theirs.annotations), "--source-images", str(theirs.images)]
    assert run(arguments(ours, tmp_path / "out", *sources)) == 1
    assert "category 1 is 'dog', but 'square' in the other file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_single_image_is_its_own_source(tmp_path: Path) -> None:
    augmented(tmp_path, small_set(tmp_path / "in", 1), "--copies", "8")
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert {a["source"] for a in content["annotations"]} == {-1, 0}


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
    assert process.returncode == (130 if way == signal.SIGINT else -way)
    if way == signal.SIGINT:
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
    assert "exists already and is not empty" in capsys.readouterr().err
    assert run(arguments(files, tmp_path / "out", "--seed", "1", "--resume")) == 2
    assert "had other settings: seed was 0 and is 1" in capsys.readouterr().err
    assert every_file(tmp_path / "out") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    for option in ("--overwrite", "--resume"):
        assert run(arguments(files, tmp_path / "mine", option)) == 2
        assert "was not written by this library" in capsys.readouterr().err
    assert list(every_file(tmp_path / "mine")) == ["file"]


def test_changed_annotations_are_other_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    augmented(tmp_path, files)
    files.edit(info={"version": 2})
    assert run(arguments(files, tmp_path / "out", "--resume")) == 2
    assert "sha256 was" in capsys.readouterr().err


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
    (["--size", "0"], "--size"),
    (["--size", "3x4x5"], "expected one number or HEIGHTxWIDTH"),
    (["--target-scale", "2", "1"], "--target-scale"),
    (["--target-scale", "2"], "target-scale"),
    (["--select", "some"], "expected subset, one, all, a number or a fraction"),
    (["--select", "1.5"], "--select"),
    (["--blend-sigma", "50"], "--blend-sigma"),
    (["--min-visibility", "2"], "--min-visibility"),
    (["--placement", "there"], "--placement"),
    (["--missing", "score"], "expected NAME=VALUE"),
    (["--copies", "0"], "--copies"),
    (["--workers", "0"], "--workers"),
    (["--seed", "-1"], "--seed"),
    (["--num-sources", "0"], "--num-sources"),
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
    assert "--source-annotations" in output
    assert run([]) == 2
    assert run(["nonsense"]) == 2


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

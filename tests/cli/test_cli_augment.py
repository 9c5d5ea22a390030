"""`augment`, end to end: the files that it writes are those that the data set gives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset
from tests.fixtures.coco_files import Files, small_set
from tests.fixtures.command_line import STATE, arguments, augmented, check_set, run


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
    for fill in ("edge", "min"):
        augmented(tmp_path, files, "--fill", fill, "--format", "png", "--target-scale", "0.2", "0.4", name=fill)
        data = CopyPasteDataset(CocoDataset(*files), SimpleCopyPaste(size=(48, 64), target_scale=(0.2, 0.4), fill=fill))
        written = CocoDataset(tmp_path / fill / "annotations.json", tmp_path / fill / "images")
        np.testing.assert_array_equal(written[4].image, data[4].image)


@pytest.mark.parametrize("name", ["coco_free56", "nuclei30", "fruits_nuts18", "dali_pixelwise6", "dali_quirks"])
def test_augment_on_real_sets(name: str, test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = Files(test_data / name / "annotations.json", test_data / name / "images")
    command = ["augment", "--annotations", str(files.annotations), "--images", str(files.images), "--size", "320"]
    placement = "uniform" if name.startswith("dali") else "jitter"
    assert run([*command, "--output", str(tmp_path / "out"), "--placement", placement, "--workers", "1"]) == 0
    assert check_set(tmp_path / "out", capsys) > 0

"""`copypaste-rs convert`: any format to any, and back."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from copypaste_rs.cli.writers import WRITTEN
from copypaste_rs.datasets import CocoDataset, open_dataset, sample_paths
from copypaste_rs.datasets.formats import WRITTEN_ALONE
from tests.fixtures.coco_files import every_file
from tests.fixtures.command_line import run

if TYPE_CHECKING:
    from copypaste_rs.datasets.annotated import AnnotatedImages

FILE, IMAGES = sample_paths()

SHARED = os.environ.get("COPYPASTE_RS_TEST_DATA", "")
SETS = ["coco_free56", "nuclei30", "fruits_nuts18", "dali_pixelwise6", "dali_quirks", "nuclei664/val.json"]


READ_TOO = [kind for kind in WRITTEN if kind not in WRITTEN_ALONE]


def convert(source: Path, output: Path, to: str, *more: str) -> int:
    return run(
        ["convert", "--input", str(source), "--output", str(output), "--output-format", to, "--workers", "1", *more]
    )


def opened(path: Path, kind: str) -> AnnotatedImages:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return open_dataset(path, format=kind, boxes="drop")


def rows(photos: AnnotatedImages) -> dict[str, dict[bytes, str]]:
    """The name of the category of each mask, by image."""
    names = {each["id"]: each["name"] for each in photos.categories}
    found = {}
    for i in range(len(photos)):
        instances = photos.instances(i)
        assert instances.masks is not None
        assert instances.labels is not None
        masks = (instances.masks[k].counts.tobytes() for k in range(len(instances)))
        found[Path(photos.info(i)["file_name"]).stem] = dict(
            zip(masks, map(names.__getitem__, instances.labels.tolist()), strict=True)
        )
    return found


def compare(before: AnnotatedImages, after: AnnotatedImages, said: str, kind: str) -> None:
    """Check that masks and names of categories are equal but for what was said to be lost."""
    ours, theirs = rows(before), rows(after)
    assert ours.keys() == theirs.keys()
    pairs = [(name, mask) for name, masks in ours.items() for mask in masks]
    differing = [(name, mask) for name, mask in pairs if mask not in theirs[name]]
    counts = [
        int(part.rpartition(": ")[2])
        for part in said.partition("not held by the format: ")[2].strip().split("; ")
        if part
    ]
    assert len(differing) <= sum(counts)
    if kind == "label-maps":  # one category
        return
    assert all(ours[name][mask] == theirs[name][mask] for name, mask in pairs if (name, mask) not in differing)


@pytest.mark.parametrize("kind", READ_TOO)
def test_there_and_back(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    photos = CocoDataset(FILE, IMAGES)
    assert convert(FILE, tmp_path / "there", kind) == 0
    said = capsys.readouterr().err
    if kind == "coco-results":  # predictions: images stay where they are
        shutil.copytree(IMAGES, tmp_path / "there" / "images")
    there = opened(tmp_path / "there", kind)
    compare(photos, there, said, kind)
    for i in range(len(photos)):  # copied as they are
        j = next(j for j in range(len(there)) if there.path(j).name == photos.path(i).name)
        assert there.path(j).read_bytes() == photos.path(i).read_bytes()
    assert convert(tmp_path / "there", tmp_path / "back", "coco", "--input-format", kind) == 0
    back = opened(tmp_path / "back", "coco")
    assert rows(back) == rows(there)
    assert [np.array_equal(back[i].image, there[i].image) for i in range(5)] == [True] * 5


@pytest.mark.skipif(not SHARED, reason="COPYPASTE_RS_TEST_DATA names no folder")
@pytest.mark.parametrize("kind", READ_TOO)
@pytest.mark.parametrize("name", SETS)
def test_real_sets_there_and_back(tmp_path: Path, name: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = Path(SHARED) / name
    assert convert(source, tmp_path / "there", kind, "--boxes", "drop") == 0
    said = next((line for line in capsys.readouterr().err.splitlines() if "not held by the format" in line), "")
    photos = opened(source, "coco")
    if kind == "coco-results":
        shutil.copytree(photos.image_folder, tmp_path / "there" / "images")
    there = opened(tmp_path / "there", kind)
    compare(photos, there, said, kind)
    assert convert(tmp_path / "there", tmp_path / "back", "coco", "--input-format", kind, "--boxes", "drop") == 0
    assert rows(opened(tmp_path / "back", "coco")) == rows(there)


@pytest.mark.parametrize("first", READ_TOO)
@pytest.mark.parametrize("second", ["coco", "yolo", "voc", "labelme"])
def test_from_any_to_any(tmp_path: Path, first: str, second: str) -> None:
    assert convert(FILE, tmp_path / "first", first) == 0
    if first == "coco-results":
        shutil.copytree(IMAGES, tmp_path / "first" / "images")
    assert convert(tmp_path / "first", tmp_path / "second", second, "--input-format", first) == 0
    one, other = opened(tmp_path / "first", first), opened(tmp_path / "second", second)
    assert {name: len(masks) for name, masks in rows(one).items()} == {
        name: len(masks) for name, masks in rows(other).items()
    }


def test_images_of_another_format(tmp_path: Path) -> None:
    assert convert(FILE, tmp_path / "out", "yolo", "--image-format", "png") == 0
    photos, made = CocoDataset(FILE, IMAGES), opened(tmp_path / "out", "yolo")
    names = {made.path(j).stem: j for j in range(len(made))}
    for i in range(len(photos)):
        j = names[photos.path(i).stem]
        assert made.path(j).suffix == ".png"
        assert np.array_equal(made[j].image, photos[i].image)


def test_workers_and_resuming_change_no_byte(tmp_path: Path) -> None:
    assert convert(FILE, tmp_path / "one", "voc") == 0
    assert (
        run(
            [
                "convert",
                "--input",
                str(FILE),
                "--output",
                str(tmp_path / "two"),
                "--output-format",
                "voc",
                "--workers",
                "2",
            ]
        )
        == 0
    )
    expected = every_file(tmp_path / "one")
    assert every_file(tmp_path / "two") == expected
    records = tmp_path / "two" / ".copypaste-rs" / "records"
    records.write_bytes(b"".join(records.read_bytes().splitlines(keepends=True)[:2]))
    assert convert(FILE, tmp_path / "two", "voc", "--resume") == 0
    assert every_file(tmp_path / "two") == expected
    assert convert(FILE, tmp_path / "two", "voc") == 2
    assert convert(FILE, tmp_path / "two", "coco", "--resume") == 2
    assert convert(FILE, tmp_path / "two", "coco", "--overwrite") == 0
    assert (tmp_path / "two" / "annotations.json").is_file()


def test_what_the_input_may_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Upper-case suffixes, folders in names, several formats of images, and images without objects."""
    images = tmp_path / "in"
    (images / "a").mkdir(parents=True)
    records = []
    for number, name in enumerate(["a/ONE.PNG", "two.JPeG", "b.bmp", "c.webp"], 1):
        Image.new("RGB", (30, 20), (9, 8, 7)).save(images / name)
        records.append({"id": number, "file_name": name, "height": 20, "width": 30})
    square = [[2, 2, 9, 2, 9, 9, 2, 9]]
    annotations = [{"id": 1, "image_id": 2, "category_id": 4, "segmentation": square}]
    file = tmp_path / "in.json"
    file.write_text(json.dumps({"images": records, "annotations": annotations, "categories": [{"id": 4, "name": "x"}]}))
    for kind in WRITTEN:
        assert convert(file, tmp_path / kind, kind, "--images", str(images)) == 0, capsys.readouterr().err
    made = opened(tmp_path / "coco", "coco")
    assert [made.info(i)["file_name"] for i in range(4)] == [record["file_name"] for record in records]
    assert len(opened(tmp_path / "voc", "voc")) == 4
    assert len(opened(tmp_path / "labelme", "labelme")) == 4


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        (["--output-format", "gif"], 2, "--output-format"),
        (["--output-format", "backgrounds"], 2, "--output-format"),
        ([], 2, "Missing option '--output-format'"),
        (["--output-format", "coco", "--output-split", "train"], 2, "--output-split: expected none, as coco has no parts"),
        (["--output-format", "yolo", "--output-split", "x"], 1, "split: expected one of 'train', 'val', 'test', got 'x'"),
        (["--output-format", "coco", "--apply-exif"], 2, "--apply-exif: images are turned, so --image-format has to say"),
        (["--output-format", "coco", "--input-format", "voc"], 1, "expected"),
        (["--output-format", "coco", "--images", "nowhere"], 1, "nowhere: expected a folder of images"),
        (["--output-format", "coco", "--cache-dir", "x", "--no-cache"], 2, "--cache-dir and --no-cache exclude each other"),
    ],
)  # fmt: skip
def test_wrong_usage(
    tmp_path: Path, more: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["convert", "--input", str(FILE), "--output", str(tmp_path / "out"), *more]) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_output_that_holds_the_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(IMAGES, tmp_path / "set" / "images")
    shutil.copy(FILE, tmp_path / "set" / "annotations.json")
    assert convert(tmp_path / "set", tmp_path / "set", "coco", "--overwrite") == 2
    assert "--output: expected a folder apart from the inputs, but --input" in capsys.readouterr().err
    shutil.move(tmp_path / "set" / "annotations.json", tmp_path / "annotations.json")
    assert (
        convert(tmp_path / "annotations.json", tmp_path / "set", "coco", "--images", str(tmp_path / "set" / "images"))
        == 2
    )
    assert "--output: expected a folder apart from the inputs, but" in capsys.readouterr().err


def test_images_that_are_missing_or_of_another_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(IMAGES, tmp_path / "images")
    shutil.copy(FILE, tmp_path / "annotations.json")
    (tmp_path / "images" / "coffee.jpg").unlink()
    assert convert(tmp_path / "annotations.json", tmp_path / "out", "coco", "--images", str(tmp_path / "images")) == 1
    assert "coffee.jpg: No such file or directory" in capsys.readouterr().err
    Image.new("RGB", (30, 20)).save(tmp_path / "images" / "coffee.jpg")
    assert convert(tmp_path / "annotations.json", tmp_path / "out", "coco") == 1
    assert "coffee.jpg: expected an image of width 600 and height 400" in capsys.readouterr().err


def test_augment_reads_and_writes_other_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(FILE, tmp_path / "yolo", "yolo") == 0
    capsys.readouterr()
    common = ["--size", "96x128", "--workers", "1", "--seed", "3"]
    assert run(["augment", "--annotations", str(tmp_path / "yolo"), "--output", str(tmp_path / "voc"),
                "--output-format", "voc", *common]) == 0  # fmt: skip
    made = opened(tmp_path / "voc", "voc")
    assert len(made) == 5
    assert made.size(0) == (96, 128)
    assert sum(len(made.instances(i)) for i in range(5)) > 5
    # The sources of another format: their categories are joined by name.
    assert run(["augment", "--annotations", str(FILE), "--images", str(IMAGES), "--source-annotations",
                str(tmp_path / "yolo"), "--output", str(tmp_path / "coco"), *common]) == 0  # fmt: skip
    assert "categories are joined by name: 'cup' 0 becomes 1" in capsys.readouterr().err
    backgrounds = ["--annotations", str(IMAGES), "--input-format", "backgrounds"]
    assert (
        run(["augment", *backgrounds, "--source-annotations", str(FILE), "--output", str(tmp_path / "sky"), *common])
        == 0
    )
    assert len(json.loads((tmp_path / "sky" / "annotations.json").read_text())["annotations"]) > 3


def test_formats_of_augment_are_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = [
        "augment",
        "--annotations",
        str(FILE),
        "--output",
        str(tmp_path / "out"),
        "--size",
        "64",
        "--workers",
        "1",
    ]
    assert run(common) == 0
    assert run([*common, "--output-format", "labelme", "--resume"]) == 2
    assert "--output-format" in capsys.readouterr().err
    assert run([*common, "--format", "png", "--resume"]) == 2
    assert "--image-format has changed since" in capsys.readouterr().err


def test_pipes_are_read_once(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    import threading

    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(FILE.read_bytes()))
    writer.start()
    arguments = ["--annotations", str(tmp_path / "pipe"), "--images", str(IMAGES), "--output", str(tmp_path / "out")]
    assert run(["augment", *arguments, "--size", "64", "--workers", "1"]) == 0
    writer.join()

"""Label images whose values tell classes too, on the command line: written, read back, and refused elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fixtures.coco_files import annotation, box_polygon, every_file, write
from tests.fixtures.command_line import run

CATEGORIES = [{"id": 1, "name": "square"}, {"id": 7, "name": "ring"}]
ROWS = [annotation(1, [box_polygon(2, 2, 9, 9)]), annotation(2, [box_polygon(20, 3, 7, 8)], category_id=7),
        annotation(3, [box_polygon(30, 20, 5, 6)], category_id=7)]  # fmt: skip


def convert(source: Path, output: Path, to: str, *more: str) -> int:
    return run(
        ["convert", "--input", str(source), "--output", str(output), "--output-format", to, "--workers", "1", *more]
    )


def test_classes_come_back(tmp_path: Path) -> None:
    files = write(tmp_path / "in", ROWS, categories=CATEGORIES)
    maps = tmp_path / "maps"
    assert convert(files.annotations, maps, "label-maps", "--images", str(files.images), "--output-divisor", "100") == 0
    raster = next(
        path for path in maps.rglob("*") if path.suffix in (".png", ".tif", ".npy") and "image" not in str(path.parent)
    )
    values = np.load(raster) if raster.suffix == ".npy" else np.asarray(Image.open(raster))
    assert set(np.unique(values)) == {0, 100, 700, 701}
    assert convert(maps, tmp_path / "coco", "coco", "--divisor", "100") == 0
    found = json.loads((tmp_path / "coco" / "annotations.json").read_text())["annotations"]
    assert sorted((row["category_id"], row["area"]) for row in found) == [(1, 81), (7, 30), (7, 56)]
    assert run(["stats", "--annotations", str(maps), "--divisor", "100", "--output", str(tmp_path / "a.json")]) == 0
    before = json.loads((tmp_path / "a.json").read_text())["before"]
    assert [(each["label"], each["objects"]) for each in before["classes"]] == [(1, 1), (7, 2)]


@pytest.mark.filterwarnings("ignore")
def test_another_divisor_is_another_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write(tmp_path / "in", ROWS, categories=CATEGORIES)
    maps = tmp_path / "maps"
    assert convert(files.annotations, maps, "label-maps", "--images", str(files.images), "--output-divisor", "100") == 0
    assert convert(maps, tmp_path / "coco", "coco", "--divisor", "100") == 0
    assert convert(maps, tmp_path / "coco", "coco", "--divisor", "50", "--resume") == 2
    assert "--divisor" in capsys.readouterr().err


def test_where_there_are_no_label_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write(tmp_path / "in", ROWS, categories=CATEGORIES)
    given = ["--images", str(files.images)]
    assert convert(files.annotations, tmp_path / "out", "coco", *given, "--divisor", "100") == 2
    assert (
        "--divisor: expected label images, of the format label-maps, whose values it divides" in capsys.readouterr().err
    )
    assert convert(files.annotations, tmp_path / "out", "coco", *given, "--output-divisor", "100") == 2
    assert "--output-divisor: expected none, as coco has no label images" in capsys.readouterr().err
    command = ["stats", "--annotations", str(files.annotations), *given, "--divisor", "100"]
    assert run(command) == 2


@pytest.mark.filterwarnings("ignore")
def test_label_images_in_and_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with a divisor of its own, by which the two are told apart when a run goes on, and in shards."""
    files = write(tmp_path / "in", ROWS, categories=CATEGORIES)
    maps = tmp_path / "maps"
    assert convert(files.annotations, maps, "label-maps", "--images", str(files.images), "--output-divisor", "100") == 0
    command = ["augment", "--annotations", str(maps), "--divisor", "100", "--size", "48", "--output-format", "label-maps",
               "--copies", "3", "--output-divisor"]  # fmt: skip
    assert run([*command, "10", "--output", str(tmp_path / "out")]) == 0
    assert run([*command, "20", "--output", str(tmp_path / "out"), "--resume"]) == 2
    assert "--output-divisor has changed since" in capsys.readouterr().err
    shards = [str(tmp_path / shard) for shard in "12"]
    for shard in shards:
        assert run([*command, "10", "--output", shard, "--shard", f"{shard[-1]}/2"]) == 0
    assert run(["merge", *shards, "--output", str(tmp_path / "merged")]) == 0
    assert every_file(tmp_path / "merged") == every_file(tmp_path / "out")

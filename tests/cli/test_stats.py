"""`stats`: what a data set has before and after, held against the files that `augment` writes."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from pycocotools import mask as coco_masks

from copypaste_rs import RleMasks
from copypaste_rs.cli.measures import Measures, largest_ious, quantiles
from copypaste_rs.datasets import open_dataset
from tests.fixtures.coco_files import Files, annotation, box_polygon, small_set, write
from tests.fixtures.command_line import run

OPTIONS = ["--size", "48x64", "--target-scale", "0.5", "1.5", "--source-scale", "0.5", "1.5", "--num-sources", "2",
           "--min-area", "20", "--min-visibility", "0.3", "--seed", "5", "--copies", "3"]  # fmt: skip


def inputs(files: Files) -> list[str]:
    return ["--annotations", str(files.annotations), "--images", str(files.images)]


def stats(files: Files, output: Path, *more: str) -> dict[str, Any]:
    """What `stats` writes."""
    assert run(["stats", *inputs(files), "--output", str(output), "--overwrite", *more]) == 0
    found: dict[str, Any] = json.loads(output.read_text())
    return found


def test_after_is_what_augment_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in", 9)
    assert run(["augment", *inputs(files), "--output", str(tmp_path / "out"), "--workers", "1", *OPTIONS]) == 0
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())
    found = stats(files, tmp_path / "stats.json", *OPTIONS)
    check(found["after"], written, len(written["images"]))
    before = json.loads(files.annotations.read_text())
    check(found["before"], with_areas(before), 9)

    total = found["pasting"]["total"]
    rows = [a for a in written["annotations"] if not a["iscrowd"]]
    assert total["pasted_kept"] == sum(a["source"] >= 0 for a in rows) > 0
    assert total["covered"] == sum(a["visibility"] < 1 for a in rows) > 0
    assert found["after"]["overlaps"]["covered"] == total["covered"] / len(rows)
    assert total["objects"] == 3 * found["before"]["objects"]
    pasted_into = {a["image_id"] for a in rows if a["source"] >= 0}
    assert found["pasting"]["unpasted"] <= 27 - len(pasted_into)
    assert found["settings"] == written["info"]["settings"]
    output = capsys.readouterr().out
    assert "without an object" in output
    assert "pasted: put in from other images; covered: in the results, and a paste hides a part" in output


def with_areas(annotations: dict[str, Any]) -> dict[str, Any]:
    """The annotations with areas and boxes as pycocotools measures them."""
    sizes = {image["id"]: (image["height"], image["width"]) for image in annotations["images"]}
    for a in annotations["annotations"]:
        h, w = sizes[a["image_id"]]
        runs = a["segmentation"]
        rle = coco_masks.frPyObjects(runs, h, w)
        rle = coco_masks.merge(rle) if isinstance(rle, list) else rle
        a["area"], a["bbox"] = int(coco_masks.area(rle)), coco_masks.toBbox(rle).tolist()
    return annotations


def check(side: dict[str, Any], annotations: dict[str, Any], images: int) -> None:
    """Check measures against the annotations of a file."""
    rows = [a for a in annotations["annotations"] if not a["iscrowd"]]
    areas = [a["area"] for a in rows]
    held = Counter(a["image_id"] for a in rows)
    numbers = [held[image["id"]] for image in annotations["images"]]
    assert side["images"] == images == len(numbers)
    assert side["without_objects"] == numbers.count(0)
    assert side["objects"] == len(rows)
    assert side["instances_an_image"]["mean"] == pytest.approx(np.mean(numbers))
    for name, values in (("instances_an_image", numbers), ("area", areas)):
        for share in (5, 25, 50, 75, 95):
            assert side[name][f"{share}%"] == np.quantile(values, share / 100, method="inverted_cdf")
        assert (side[name]["min"], side[name]["max"]) == (min(values), max(values))
    assert side["small"] == sum(area < 32**2 for area in areas)
    assert side["large"] == sum(area >= 96**2 for area in areas)
    assert side["medium"] == len(areas) - side["small"] - side["large"]
    meeting = heavily = 0
    for image in annotations["images"]:
        boxes = np.array([a["bbox"] for a in rows if a["image_id"] == image["id"]], np.float64).reshape(-1, 4)
        ious = np.asarray(coco_masks.iou(boxes, boxes, [0] * len(boxes))).reshape(len(boxes), len(boxes))
        ious = ious * (1 - np.eye(len(boxes)))
        meeting += int((ious.max(axis=1, initial=0) > 0).sum())
        heavily += int((ious.max(axis=1, initial=0) >= 0.5).sum())
    assert side["overlaps"]["boxes_meet"] == meeting / len(rows)
    assert side["overlaps"]["box_iou_from_0.5"] == heavily / len(rows)
    for each in side["classes"]:
        of_class = [a for a in rows if a["category_id"] == each["label"]]
        assert each["objects"] == len(of_class)
        assert each["images"] == len({a["image_id"] for a in of_class})
        assert each["area"]["50%"] == np.quantile([a["area"] for a in of_class], 0.5, method="inverted_cdf")


def test_workers_and_chunks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = small_set(tmp_path / "in", 9)
    one = stats(files, tmp_path / "one.json", *OPTIONS, "--workers", "1")
    assert stats(files, tmp_path / "two.json", *OPTIONS, "--workers", "2") == one
    monkeypatch.setattr("copypaste_rs.cli.set_statistics.CHUNK", 2)
    assert stats(files, tmp_path / "small.json", *OPTIONS) == one


def test_no_image_is_read(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in", 3)
    one = stats(files, tmp_path / "one.json", *OPTIONS)
    for image in files.images.iterdir():
        image.unlink()
    assert stats(files, tmp_path / "one.json", *OPTIONS) == one


@pytest.mark.parametrize("source", [False, True])
def test_no_image_has_to_be_there(tmp_path: Path, source: bool, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in", 9)
    both = ["--source-annotations", str(tmp_path / "alone" / "theirs.json")] if source else []
    (tmp_path / "alone").mkdir()
    for name in ("ours.json", "theirs.json"):
        (tmp_path / "alone" / name).write_bytes(files.annotations.read_bytes())
    alone = ["--annotations", str(tmp_path / "alone" / "ours.json"), *both]
    assert run(["stats", *alone, "--output", str(tmp_path / "alone.json"), *OPTIONS]) == 0
    if source:
        both += ["--source-images", str(files.images)]
    one = stats(files, tmp_path / "one.json", *OPTIONS, *both)
    found = json.loads((tmp_path / "alone.json").read_text())
    assert found == one
    assert run(["preview", *alone, "--output", str(tmp_path / "sheet.png")]) == 1
    assert "no folder beside it has the image" in capsys.readouterr().err


def test_without_copies_there_is_only_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    found = stats(files, tmp_path / "one.json", "--copies", "0", "--plot", str(tmp_path / "one.png"))
    assert found.keys() == {"settings", "copies", "before"}
    output = capsys.readouterr().out
    assert "after" not in output
    assert "pasted" not in output
    lines = [line.split() for line in output.splitlines()]
    assert ["objects", "8"] in lines
    assert ["square", "4", "4"] in [line[:3] for line in lines]


def test_sources_of_another_set_and_boxes(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", [annotation(1, [box_polygon(2, 2, 20, 30)])])
    boxes = [{"id": k, "image_id": 10, "category_id": 1, "bbox": [k, k, 9, 12]} for k in (1, 2)]
    theirs = write(tmp_path / "theirs", boxes, categories=[{"id": 1, "name": "square"}, {"id": 7, "name": "hole"}])
    more = ["--source-annotations", str(theirs.annotations), "--source-images", str(theirs.images), "--boxes", "keep",
            "--paste-boxes", "--copies", "4", "--size", "64"]  # fmt: skip
    found = stats(ours, tmp_path / "one.json", *more)
    assert [each["name"] for each in found["before"]["classes"]] == ["square", "ring", "hole"]
    assert found["before"]["objects"] == 1
    assert found["pasting"]["total"]["pasted"] > 0
    alone = stats(theirs, tmp_path / "two.json", "--boxes", "keep", "--copies", "0")
    assert alone["before"]["objects"] == 2
    assert alone["before"]["area"]["50%"] == 9 * 12
    assert alone["before"]["overlaps"]["boxes_meet"] == 1


def test_the_picture(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    assert run(["stats", *inputs(files), "--plot", str(tmp_path / "one.png"), *OPTIONS]) == 0
    with Image.open(tmp_path / "one.png") as picture:
        picture.load()
        assert picture.format == "PNG"
        shown = np.asarray(picture.convert("RGB"))
    assert (shown == (0x1B, 0x6C, 0xA8)).all(axis=2).sum() > 1000  # bars of after
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "one.png"]


@pytest.mark.parametrize("shown", ["one class", "no overlap", "many objects"])
def test_words_in_the_picture_lie_in_their_plots(tmp_path: Path, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []

    class Kept(Figure):
        def savefig(self, *args: Any, **options: Any) -> None:
            drawn.append(self)
            super().savefig(*args, **options)

    monkeypatch.setattr("copypaste_rs.cli.statistics_plot.Figure", Kept)
    n, side = {"one class": (3, 110.0), "no overlap": (1, 40.0), "many objects": (123, 8.0)}[shown]
    squares = [annotation(i + 1, [box_polygon(i % 20, i % 7, side, side)]) for i in range(n)]
    files = write(tmp_path / "in", squares, [(150, 200)], categories=[{"id": 1, "name": "square"}])
    assert run(["stats", *inputs(files), "--plot", str(tmp_path / "one.png"), "--copies", "0"]) == 0
    (figure,) = drawn
    words = []
    for axes in figure.axes:
        frame = axes.get_window_extent()
        for text in axes.texts:
            place = text.get_window_extent()
            assert frame.x0 <= place.x0 < place.x1 <= frame.x1, text.get_text()
            assert frame.y0 <= place.y0 < place.y1 <= frame.y1, text.get_text()
            words.append(text.get_text().strip())
        assert axes.get_xlim()[0] >= -0.5
    assert str(n) in words
    assert figure.get_suptitle().startswith(("...", str(files.annotations)))


def test_names_in_the_picture_are_no_formulas_and_leave_it_room(tmp_path: Path) -> None:
    names = [{"id": 1, "name": r"$\\frac_$"}, {"id": 2, "name": "ring" * 100}]
    files = small_set(tmp_path / "in").edit(categories=names)
    annotations = files.annotations.rename(files.annotations.with_name(f"$a_$^{'b' * 100}.json"))
    files = files._replace(annotations=annotations)
    assert run(["stats", *inputs(files), "--plot", str(tmp_path / "one.png"), *OPTIONS]) == 0
    with Image.open(tmp_path / "one.png") as picture:
        shown = np.asarray(picture.convert("RGB"))
    assert (shown == (0x1B, 0x6C, 0xA8)).all(axis=2).sum() > 1000


def test_any_format(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    command = ["convert", "--input", str(files.annotations), "--images", str(files.images), "--workers", "1"]
    assert run([*command, "--output", str(tmp_path / "maps"), "--output-format", "labelme"]) == 0
    photos = open_dataset(tmp_path / "maps")
    assert run(["stats", "--annotations", str(tmp_path / "maps"), "--output", str(tmp_path / "a.json"), *OPTIONS]) == 0
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["before"]["objects"] == sum(len(photos.instances(i).without_crowds()) for i in range(5))


def test_a_set_without_images_or_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in").edit(images=[], annotations=[])
    found = stats(files, tmp_path / "a.json", "--plot", str(tmp_path / "a.png"))
    assert found["before"]["images"] == found["after"]["images"] == 0
    assert found["before"]["area"]["50%"] is None
    empty = write(tmp_path / "empty", [])
    assert stats(empty, tmp_path / "b.json", "--plot", str(tmp_path / "b.png"))["after"]["without_objects"] == 1
    assert "-" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--output", "a.txt"], "--output: expected a name that ends in .json, got a.txt"),
        (["--output", "none/a.json"], "--output: the folder none is not there"),
        (["--plot", "a.jpg"], "--plot: expected a name that ends in .png, got a.jpg"),
        (["--plot", "there.png"], "--plot: there.png exists already; --overwrite replaces it"),
        (["--output", "in/annotations.json", "--overwrite"], "--output: expected a file apart from the inputs, but "),
        (["--copies", "-1"], "--copies"),
        (["--size", "0"], "--size: expected an integer from 1"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_wrong_usage(
    tmp_path: Path, more: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    (tmp_path / "there.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    before = files.annotations.read_bytes()
    assert run(["stats", *inputs(files), *more]) == 2
    assert message in capsys.readouterr().err
    assert files.annotations.read_bytes() == before
    assert (tmp_path / "there.png").read_bytes() == b"x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "there.png"]


def test_matplotlib_is_needed_for_the_picture_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    monkeypatch.delitem(sys.modules, "copypaste_rs.cli.statistics_plot", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert run(["stats", *inputs(files)]) == 0
    plot = ["--plot", str(tmp_path / "a.png"), "--output", str(tmp_path / "a.json")]
    assert run(["stats", *inputs(files), *plot]) == 1
    assert "pip install 'copypaste_rs[cli]'" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_errors_name_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in", 2)

    def refuse(*_: Any) -> None:
        raise ValueError("something is wrong with it")

    monkeypatch.setattr("copypaste_rs.cli.set_statistics.add_photo", refuse)
    assert run(["stats", *inputs(files), "--workers", "1"]) == 1
    assert capsys.readouterr().err.endswith("copypaste-rs: 0.jpg: something is wrong with it\n")


def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("copypaste_rs.cli.set_statistics.add_result", interrupt)
    assert run(["stats", *inputs(files), "--output", str(tmp_path / "a.json"), "--workers", "1"]) == 130
    assert "copypaste-rs: interrupted" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_quantiles_are_those_of_numpy() -> None:
    rng = np.random.default_rng(3)
    for n in (1, 2, 3, 19, 20, 21, 100, 1000):
        values = rng.integers(0, 50, n)
        found = quantiles(Counter(values.tolist()))
        for share in (5, 25, 50, 75, 95):
            assert found[f"{share}%"] == np.quantile(values, share / 100, method="inverted_cdf")
    assert set(quantiles(Counter()).values()) == {None}


def test_box_overlaps_are_those_of_pycocotools(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    monkeypatch.setattr("copypaste_rs.cli.measures.AT_ONCE", 16)
    for n in (0, 1, 2, 7, 40):
        corners = np.sort(rng.integers(0, 30, (n, 2, 2)), axis=1).reshape(n, 4)
        plain = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).astype(np.float64)
        expected = np.zeros(n)
        if n > 1:
            ious = np.nan_to_num(np.asarray(coco_masks.iou(plain, plain, [0] * n))) * (1 - np.eye(n))
            expected = ious.max(axis=1)
        np.testing.assert_allclose(largest_ious(corners.astype(np.float32)), expected)


def test_measures_add_up() -> None:
    masks = RleMasks.from_dense(np.ones((2, 4, 5), np.uint8))
    assert masks.boxes is not None
    whole, parts = Measures(), Measures()
    for labels in ([1, 2], [2, 2], None):
        given = None if labels is None else np.array(labels)
        for each in (whole, part := Measures()):
            each.add(given, masks.area, masks.boxes, 1)
        parts += part
    assert parts == whole
    assert whole.images == {1: 1, 2: 2, None: 1}
    assert whole.to_dict({1: "a", 2: "b", None: None})["classes"][1]["objects"] == 3

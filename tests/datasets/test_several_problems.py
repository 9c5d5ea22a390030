"""All problems of a file are told at once, up to ten."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from copypaste_rs.datasets import CocoDataset
from tests.fixtures.coco_files import annotation, box_polygon, small_set, write

SQUARE = [box_polygon(2, 2, 9, 9)]


def lines(files: tuple[Path, Path]) -> list[str]:
    with pytest.raises(ValueError, match=r"annotations\.json: ") as caught:
        CocoDataset(*files)
    return str(caught.value).split("\n  ")


def test_each_has_its_place(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    images, annotations = files.json["images"], files.json["annotations"]
    images[1].pop("width")
    images[3]["file_name"] = "../0.jpg"
    images.append(images[0])
    annotations[0]["segmentation"] = [[1, 2, 3]]
    annotations[1] |= {"iscrowd": 2}
    annotations[2]["segmentation"] = {"size": [40, 60], "counts": "P"}
    annotations[4]["image_id"] = 999
    annotations[7]["segmentation"] = {"size": [50, 64], "counts": [1]}
    annotations[8]["segmentation"] = {"size": [50, 64], "counts": "5"}
    found = lines(files.edit(images=images, annotations=annotations))
    places = ("images[1]", "images[3]", "images", "annotations[0]", "annotations[1]", "annotations[7]",
              "annotations[2]", "annotations[8]")  # fmt: skip
    assert [line.removeprefix(f"{files.annotations}: ").partition(": ")[0] for line in found] == list(places)
    assert found[0] == f"{files.annotations}: images[1]: Object missing required field `width`"
    assert found[5] == "annotations[7]: segmentation: expected counts that sum to 3200 for size [50, 64], got 1"


def test_those_of_categories_are_told_with_the_others(tmp_path: Path) -> None:
    cat = {"id": 1, "name": "cat"}
    files = write(tmp_path, [annotation(1, "x")], categories=[cat, {"id": 1, "name": "dog"}, cat])
    files.edit(images=[{"id": 10, "file_name": "0.jpg", "width": 0, "height": 40}])
    found = lines(files)
    assert found[0] == f"{files.annotations}: categories: expected each id once, got 1 more than once"
    assert [line.partition(":")[0] for line in found[1:]] == ["images[0]", "annotations[0]"]
    names = [{**cat, "keypoints": ["nose"]}, {"id": 2, "name": "dog", "keypoints": ["tail"]}]
    found = lines(files.edit(categories=names))
    assert found[0].startswith(f"{files.annotations}: categories[1]: expected the keypoints of the other categories")
    assert len(found) == 3


def test_one_is_told_as_ever(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, SQUARE), annotation(2, [[1, 2, 3]])])
    told = "annotations[1]: segmentation[0]: expected an even number of coordinates, got 3"
    assert lines(files) == [f"{files.annotations}: {told}"]


def test_ten_are_named_and_the_others_counted(tmp_path: Path) -> None:
    found = lines(write(tmp_path, [annotation(i, [[1, 2, 3]]) for i in range(22)]))
    assert len(found) == 11
    assert found[9].startswith("annotations[9]: ")
    assert found[10] == "and 12 more"


@pytest.mark.parametrize("field", ["note", "line\nbreak"])
def test_a_file_that_is_wrong_throughout_takes_no_longer(tmp_path: Path, field: str) -> None:
    rows = [annotation(i, "x", **{field: i}) for i in range(20_000)]
    files = write(tmp_path, rows)
    start = time.perf_counter()
    assert lines(files)[10] == "and 19990 more"
    assert time.perf_counter() - start < 5  # a decoder for each would take a minute

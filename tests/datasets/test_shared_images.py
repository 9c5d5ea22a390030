"""Photographs that stand in a file twice, or in two data sets: by name, and by what is in the files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from copypaste_rs.datasets import CocoDataset, shared_images
from tests.fixtures.coco_files import SIZES, Files, small_set, write


def renamed(files: Files, *names: str) -> Files:
    """The set with other names of its images, in the file and in the folder."""
    images = files.json["images"]
    for image, name in zip(images, names, strict=True):
        old, new = files.images / image["file_name"], files.images / name
        if old.is_file() and old != new:
            new.parent.mkdir(exist_ok=True)
            old.rename(new)
        image["file_name"] = name
    return files.edit(images=images)


def brute_force(a: CocoDataset, b: CocoDataset) -> list[tuple[int, int]]:
    """Every pair, compared byte by byte."""
    return [
        (i, j)
        for i in range(len(a))
        for j in range(len(b))
        if a.info(i)["file_name"] == b.info(j)["file_name"] or a.path(i).read_bytes() == b.path(j).read_bytes()
    ]


def test_images_are_shared_by_name_and_by_content(tmp_path: Path) -> None:
    a = renamed(write(tmp_path / "a", [], SIZES), "a.jpg", "b.png", "c.jpg", "d.png", "e.jpg")
    b = renamed(write(tmp_path / "b", [], SIZES), "x.jpg", "y.png", "a.jpg", "new/d.png", "z.jpg")
    (b.images / "y.png").write_bytes(b"other")
    (b.images / "z.jpg").write_bytes((b.images / "z.jpg").read_bytes()[:-1] + b"!")  # as long, and another file
    first, second = CocoDataset(*a), CocoDataset(*b)
    found = shared_images(first, second)
    assert found == brute_force(first, second) == [(0, 0), (0, 2), (2, 2), (3, 3)]
    assert shared_images(second, first) == sorted((j, i) for i, j in found)


def test_a_file_that_is_missing_is_known_by_name(tmp_path: Path) -> None:
    a, b = small_set(tmp_path / "a"), small_set(tmp_path / "b")
    shutil.rmtree(b.images)
    b.images.mkdir()
    assert shared_images(CocoDataset(*a), CocoDataset(*b)) == [(i, i) for i in range(5)]
    b = renamed(b, *(f"new{i}.jpg" for i in range(5)))
    assert shared_images(CocoDataset(*a), CocoDataset(*b)) == []


def test_separators_of_windows_are_separators(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", []), write(tmp_path / "b", [])
    (b.images / "0.jpg").write_bytes(b"other")
    sets = [CocoDataset(*renamed(a, "x/0.jpg")), CocoDataset(*renamed(b, r"x\0.jpg"))]
    assert shared_images(*sets) == [(0, 0)]


def test_what_is_no_data_set_of_files_is_refused(tmp_path: Path) -> None:
    photos = CocoDataset(*small_set(tmp_path))
    with pytest.raises(TypeError, match=r"^b: expected a data set of image files, got list$"):
        shared_images(photos, [1])  # type: ignore[arg-type]


def test_files_that_stand_twice_are_counted(tmp_path: Path) -> None:
    files = write(tmp_path, [], [(40, 60)] * 5)
    images = files.json["images"]
    for image, name in zip(images, ("0.jpg", "1.png", "1.png", "0.jpg", "1.png"), strict=True):
        image["file_name"] = name
    with pytest.warns(UserWarning, match="images have") as told:
        CocoDataset(*files.edit(images=images))
    assert [str(each.message) for each in told] == [
        f"{files.annotations}: 3 images have the file of another one ('1.png' is the first)"
    ]
    images[2]["file_name"], images[4]["file_name"] = "2.jpg", "4.jpg"
    with pytest.warns(UserWarning, match=r": 1 image has the file of another one \('0.jpg' is the first\)$"):
        CocoDataset(*files.edit(images=images))


def test_equal_ends_of_different_addresses_are_two_files(tmp_path: Path) -> None:
    files = write(tmp_path, [], [(40, 60)] * 2)
    images = files.json["images"]
    for image, split in zip(images, ("train", "val"), strict=True):
        del image["file_name"]
        image["coco_url"] = f"http://images.cocodataset.org/{split}/0.jpg"
    assert len(CocoDataset(*files.edit(images=images))) == 2
    for image in images:
        image["coco_url"] = "http://images.cocodataset.org/train/0.jpg"
    with pytest.warns(UserWarning, match="1 image has the file of another one"):
        CocoDataset(*files.edit(images=images))

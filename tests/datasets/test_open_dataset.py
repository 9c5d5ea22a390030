"""`open_dataset`: the format, the file and the folder of images are found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from copypaste_rs.datasets import CocoDataset, open_dataset, sample_paths

FILE, IMAGES = sample_paths()


@pytest.mark.parametrize(
    ("annotations", "images", "asked", "split"),
    [
        ("annotations.json", "images", "annotations.json", None),
        ("annotations.json", "images", "", None),
        ("train/_annotations.coco.json", "train", "", "train"),
        ("annotations/instances_train2017.json", "train2017", "", "train"),
        ("annotations/instances_val2017.json", "images/val2017", "annotations/instances_val2017.json", None),
        ("train.json", "images", "", "train"),
        ("set.json", ".", "set.json", None),
        ("annotations/a.json", "images", "annotations/a.json", None),
    ],
)
def test_files_and_folders_are_found(
    tmp_path: Path, annotations: str, images: str, asked: str, split: str | None
) -> None:
    for place in (annotations, "valid/x"):  # another split lies beside it
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(FILE, tmp_path / annotations)
    shutil.copytree(IMAGES, tmp_path / images, dirs_exist_ok=True)
    found = open_dataset(tmp_path / asked, split=split)
    assert isinstance(found, CocoDataset)
    assert found[3].instances == CocoDataset(FILE, IMAGES)[3].instances
    assert found.path(0) == tmp_path / images / "coffee.jpg"


def test_options_are_handed_on() -> None:
    with pytest.warns(UserWarning, match="no annotation has the fields that columns asks for: 'score'"):
        open_dataset(FILE, IMAGES, format="coco", columns=["score"])
    with pytest.raises(ValueError, match=r"^crowds: expected "):
        open_dataset(FILE, crowds="none")


def test_images_that_are_nowhere(tmp_path: Path) -> None:
    shutil.copy(FILE, tmp_path / "a.json")
    with pytest.raises(FileNotFoundError, match=r"a\.json: no folder beside it has the image 'coffee\.jpg'; give the"):
        open_dataset(tmp_path / "a.json")


def test_what_is_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    for path, what in ((tmp_path, "folder"), (tmp_path / "a.txt", "file")):
        with pytest.raises(
            ValueError, match=f"expected annotations, got a {what} of no format that is recognised; known are COCO"
        ):
            open_dataset(path)
    with pytest.raises(FileNotFoundError):
        open_dataset(tmp_path / "b")
    with pytest.raises(ValueError, match=r"^format: expected .*coco.*, got 'cocoo'"):
        open_dataset(FILE, format="cocoo")
    with pytest.raises(TypeError, match=r"^split: expected a string, got 3"):
        open_dataset(FILE, split=3)  # type: ignore[arg-type]

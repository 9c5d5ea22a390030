"""File names of images as other tools write them: found where they mean a file beyond doubt, else said what was tried."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from copypaste_rs.datasets import CocoDataset


def opened(folder: Path, record: dict[str, Any], file: str | None) -> CocoDataset:
    """The dataset of one image record, with one image file below the folder."""
    images = folder / "images"
    images.mkdir(exist_ok=True)
    if file is not None:
        (images / file).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((2, 3, 3), 7, np.uint8)).save(images / file)
    path = folder / "instances.json"
    image = {"id": 1, "width": 3, "height": 2, **record}
    path.write_text(json.dumps({"images": [image], "annotations": [], "categories": []}))
    return CocoDataset(path, images)


WRITTEN = [
    (r"train\a.png", "train/a.png"),
    ("a%20%C3%A9.png", "a é.png"),
    (r"train\a%20b.png", "train/a b.png"),
    ("a%20b.png", "a%20b.png"),
    ("images/a.png", "a.png"),
    (r"images\train\a.png", "train/a.png"),
    ("images/a.png", "images/a.png"),
    ("./a.png", "a.png"),
]


@pytest.mark.parametrize(("written", "file"), WRITTEN)
def test_a_name_written_by_another_tool_is_found(tmp_path: Path, written: str, file: str) -> None:
    data = opened(tmp_path, {"file_name": written}, file)
    assert data.path(0).read_bytes() == (tmp_path / "images" / file).read_bytes()
    assert np.all(data[0].image == 7)
    assert data.info(0)["file_name"] == written


def test_a_name_as_it_stands_goes_before_what_else_it_may_mean(tmp_path: Path) -> None:
    opened(tmp_path, {"file_name": "a.png"}, "a b.png")
    data = opened(tmp_path, {"file_name": "a%20b.png"}, "a%20b.png")
    assert data.path(0).name == "a%20b.png"


def test_an_absolute_path_inside_the_folder_is_found(tmp_path: Path) -> None:
    data = opened(tmp_path, {"file_name": str(tmp_path / "images" / "train" / "a.png")}, "train/a.png")
    assert np.all(data[0].image == 7)


def test_an_absolute_path_is_found_through_a_link_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "images").symlink_to(tmp_path / "real")
    for folder in ("real", "images"):
        data = opened(tmp_path, {"file_name": str(tmp_path / folder / "a.png")}, "a.png")
        assert np.all(data[0].image == 7)


@pytest.mark.parametrize("file", ["000000000009.jpg", "val2017/000000000009.jpg"])
def test_lvis_names_an_image_by_its_url(tmp_path: Path, file: str) -> None:
    url = "http://images.cocodataset.org/val2017/000000000009.jpg"
    data = opened(tmp_path, {"coco_url": url}, file)
    assert data.path(0) == tmp_path / "images" / file
    assert data[0].info["file_name"] == "000000000009.jpg"


LEADING_OUT = ["../a.png", r"..\a.png", "/etc/passwd", r"C:\a.png", "images/../../a.png", ""]


@pytest.mark.parametrize("name", LEADING_OUT)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=rf"images\[0\]: expected a file_name inside .*{re.escape(repr(name))}"):
        opened(tmp_path, {"file_name": name}, None)


@pytest.mark.parametrize("name", ["%2e%2e/secret.png", "..%2fsecret.png", "images/..%5csecret.png", "images/../x.png"])
def test_no_reading_of_a_name_leads_out(tmp_path: Path, name: str) -> None:
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(tmp_path / "secret.png")
    with pytest.raises((ValueError, FileNotFoundError)):
        opened(tmp_path, {"file_name": name}, None)[0]


def test_a_missing_file_says_what_was_tried(tmp_path: Path) -> None:
    data = opened(tmp_path, {"file_name": r"train\a%20b.png"}, None)
    with pytest.raises(FileNotFoundError) as caught:
        data[0]
    for name in (r"train\a%20b.png", "train/a%20b.png", "train/a b.png"):
        assert str(tmp_path / "images" / name) in str(caught.value)


def test_a_record_without_any_name_is_refused(tmp_path: Path) -> None:
    for record in ({}, {"coco_url": "http://images.cocodataset.org/"}, {"coco_url": None}):
        with pytest.raises(ValueError, match=r"images\[0\]: Object missing required field `file_name`"):
            opened(tmp_path, record, None)

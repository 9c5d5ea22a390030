"""`PanopticDataset`: the masks are the pixels of each number, and what cannot be is said with its place."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset, PanopticDataset, open_dataset
from tests.fixtures.panoptic_files import CATEGORIES, LABELS, colours_of, segments, write

STUFF = "left out {} segments of stuff"


def edit(file: Path, **changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text()) | changes
    file.write_text(json.dumps(content))
    return content


def opened(*paths: Path, **options: Any) -> tuple[PanopticDataset, str]:
    """The data set, and its one warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = PanopticDataset(*paths, **options)
    assert len(caught) <= 1
    return found, str(caught[0].message).partition(": ")[2] if caught else ""


def test_masks_are_the_pixels_of_each_number(tmp_path: Path) -> None:
    photos, told = opened(*write(tmp_path), stuff="keep")
    assert told == ""
    assert [category["id"] for category in photos.categories] == [3, 5, 9]
    for i in range(3):
        sample = photos[i]
        raster, numbers = segments(sample.size, i)
        assert sample.instances.masks is not None
        np.testing.assert_array_equal(sample.instances.masks.to_dense(), [raster == number for number in numbers])
        assert sample.instances.labels is not None
        assert tuple(sample.instances.labels) == LABELS
        assert sample.instances.iscrowd is not None
        assert sample.instances.iscrowd.tolist() == [False, False, False, True, False]
        assert (sample.info["image_id"], sample.info["license"]) == (10 + i, 2)
    assert photos.file_info == {"year": 2017}
    assert photos.licenses is None
    assert photos.fields == {}


def test_stuff(tmp_path: Path) -> None:
    files = write(tmp_path)
    kept, _ = opened(*files, stuff="keep")
    dropped, told = opened(*files)
    assert told == STUFF.format(3)
    assert dropped.categories == [CATEGORIES[0], CATEGORIES[2]]
    crowds, told = opened(*files, stuff="crowd")
    assert told == ""
    for i in range(3):
        whole = kept.instances(i)
        assert whole.labels is not None
        things = dropped.instances(i).replace(id=np.zeros(4))
        assert things == whole[whole.labels != 5].replace(id=np.zeros(4))
        assert crowds.instances(i).iscrowd.tolist() == [False, True, False, True, False]  # type: ignore[union-attr]
    assert opened(*files, crowds="drop")[1] == STUFF.format(3) + ", 3 annotations that are crowds"


def test_it_can_be_augmented(tmp_path: Path) -> None:
    photos, _ = opened(*write(tmp_path))
    result = CopyPasteDataset(photos, SimpleCopyPaste(size=64), seed=1)[0]
    assert result.size == (64, 64)
    assert len(result.instances)


def test_what_one_of_the_two_lacks_is_counted(tmp_path: Path) -> None:
    file, images, masks = write(tmp_path)
    content = edit(file)
    content["annotations"][0]["segments_info"] = content["annotations"][0]["segments_info"][:2]
    content["annotations"][1]["segments_info"].append({"id": 12, "category_id": 3, "iscrowd": 0})
    content["annotations"].append({"image_id": 1, "file_name": "x.png", "segments_info": []})
    del content["annotations"][2]
    edit(file, **content)
    photos, told = opened(file, images, masks, stuff="keep")
    assert told == (
        "left out 1 annotation of an image that is not in the file, 1 segment without a pixel in its PNG, "
        "3 segments of PNG files without an entry in the file; 1 image has no annotation"
    )
    assert [len(photos.instances(i)) for i in range(3)] == [2, 5, 0]


def test_numbers_as_others_write_them(tmp_path: Path) -> None:
    file, images, masks = write(tmp_path)
    expected, _ = opened(file, images, masks)
    content = edit(file)
    for image in content["images"]:
        image |= {"id": str(image["id"]), "height": float(image["height"])}
    for one in content["annotations"]:
        one["image_id"] = float(one["image_id"])
        one["file_name"] = "panoptic_val2017\\" + one["file_name"]
        for segment in one["segments_info"]:
            segment |= {"id": float(segment["id"]), "iscrowd": bool(segment["iscrowd"]), "area": None}
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(content).replace('"area": null', '"area": NaN').encode())
    found, _ = opened(file, images, masks)
    assert [found.instances(i) for i in range(3)] == [expected.instances(i) for i in range(3)]
    assert found.digest != expected.digest


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("images", 1, "id"), "x", r"images\[1\]: Expected `int`, got `str`"),
        (("images", 1, "id"), 10, r"images\[1\]: expected each id once, got 10 again"),
        (("images", 1, "height"), 0, r"images\[1\]: height and width\[0\]: expected an integer from 1"),
        (("images", 1, "file_name"), None, r"images\[1\]: Object missing required field `file_name`"),
        (("images", 1, "file_name"), "../a.jpg", r"images\[1\]: expected a file_name inside the folder of images"),
        (("annotations", 1, "file_name"), "../a.png", r"annotations\[1\]: expected a file_name inside the folder of PNG"),
        (("annotations", 1, "image_id"), 10, r"annotations\[1\]: expected one annotation of each image, got another of image 10"),
        (("annotations", 1, "segments_info"), None, r"annotations\[1\]: Expected `array`, got `null`"),
        (("annotations", 1, "segments_info", 2, "category_id"), 4, r"annotations\[1\]: segments_info\[2\]: expected a category_id among the categories, got 4"),
        (("annotations", 1, "segments_info", 2, "iscrowd"), 2, r"annotations\[1\]: .*`\$\.segments_info\[2\]\.iscrowd`"),
        (("categories", 1, "id"), None, r"categories\[1\]: id: Expected `int`, got `null`"),
        (("categories", 1, "id"), 3, r"categories: expected each id once, got 3 more than once"),
    ],
)  # fmt: skip
def test_bad_values_have_their_place(tmp_path: Path, place: tuple[Any, ...], value: object, words: str) -> None:
    file, images, masks = write(tmp_path)
    content = edit(file)
    holder: Any = content
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    edit(file, **content)
    with pytest.raises(ValueError, match=rf"panoptic_val2017\.json: {words}"):
        PanopticDataset(file, images, masks)


def test_several_problems_are_told_at_once(tmp_path: Path) -> None:
    file, images, masks = write(tmp_path)
    content = edit(file)
    content["annotations"][0]["segments_info"][1]["category_id"] = 7
    content["annotations"][2]["segments_info"][0]["id"] = content["annotations"][2]["segments_info"][1]["id"]
    edit(file, **content)
    with pytest.raises(
        ValueError, match=r"annotations\[0\]: segments_info\[1\]: .*\n  annotations\[2\]: segments_info\[1\]"
    ):
        PanopticDataset(file, images, masks)


def test_bad_rasters(tmp_path: Path) -> None:
    file, images, masks = write(tmp_path)
    one, two, three = sorted(masks.iterdir())
    whole = [path.read_bytes() for path in (one, two, three)]
    Image.fromarray(colours_of(np.zeros((3, 4), np.int64))).save(one)
    Image.fromarray(np.zeros((48, 32), np.uint8)).save(two)
    with pytest.raises(ValueError, match=r"annotations\[0\]: .*0\.png: expected width 60 and height 40, as its image 0+\.jpg has, got width 4 and height 3\n  annotations\[1\]: .*1\.png: expected a PNG of RGB colours"):  # fmt: skip
        PanopticDataset(file, images, masks)
    one.write_bytes(whole[0][:-200])
    with pytest.raises(OSError, match=r"0\.png: cannot be read as a label image: "):
        PanopticDataset(file, images, masks)
    one.unlink()
    two.unlink()
    with pytest.raises(
        FileNotFoundError, match=r"0\.png: no such file, nor is there 1 other that the annotations name$"
    ):
        PanopticDataset(file, images, masks)


def test_bad_files(tmp_path: Path) -> None:
    file, images, masks = write(tmp_path)
    with pytest.raises(
        NotADirectoryError, match=r"nowhere: expected the folder of PNG files of panoptic_val2017\.json"
    ):
        PanopticDataset(file, images, tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="nowhere: expected a folder of images"):
        PanopticDataset(file, tmp_path / "nowhere", masks)
    with pytest.raises(ValueError, match="stuff: expected one of 'drop', 'crowd', 'keep', got 'x'"):
        PanopticDataset(file, images, masks, stuff="x")
    text = file.read_bytes()
    for data, words in (
        (text[:-5], r"cannot be read as panoptic annotations: .* \(byte \d+\)"),
        (text.decode().encode("utf-16"), "expected text in UTF-8, got UTF-16"),
        (b"[" * 100000, "cannot be read as panoptic annotations"),
        (b'{"images": [], "annotations": ' + b"[" * 100000, "cannot be read as panoptic annotations"),
        (b"[]", "Expected `object`, got `array`"),
        (b"", "expected panoptic annotations, got a file that is empty"),
    ):
        file.write_bytes(data)
        with pytest.raises(ValueError, match=words):
            PanopticDataset(file, images, masks)


def test_an_empty_set(tmp_path: Path) -> None:
    file, images, masks = write(tmp_path)
    edit(file, images=[], annotations=[])
    assert len(PanopticDataset(file, images, masks)) == 0
    edit(file, categories=[])
    assert len(PanopticDataset(file, images, masks)) == 0


@pytest.mark.parametrize("asked", ["annotations/panoptic_val2017.json", ""])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.filterwarnings("ignore:.*segments of stuff")
def test_it_is_found(tmp_path: Path, asked: str, suffix: str) -> None:
    files = write(tmp_path, suffix=suffix)
    found = open_dataset(tmp_path / asked)
    assert isinstance(found, PanopticDataset)
    assert found[0] == PanopticDataset(*files)[0]
    assert open_dataset(tmp_path, split="val", format="panoptic").path(0).parent == files[1]


def test_a_set_of_instances_is_not_claimed(tmp_path: Path) -> None:
    write(tmp_path)
    content: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    (tmp_path / "annotations/instances_val2017.json").write_text(json.dumps(content))
    assert isinstance(open_dataset(tmp_path), CocoDataset)
    with pytest.raises(ValueError, match="no format that is recognised"):
        open_dataset(tmp_path, split="train")
    with pytest.raises(FileNotFoundError, match="expected one annotation file in the folder, as panoptic_val2017"):
        open_dataset(tmp_path, split="train", format="panoptic")

"""COCO files as other tools write them: what is meant beyond doubt is read, other files are called what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.cli.commands import run
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset
from tests.fixtures.coco_files import annotation, box_polygon, write

SQUARE = [box_polygon(2, 2, 9, 9)]


def test_whole_numbers_may_be_written_as_floats_or_text(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", [annotation(1, SQUARE, iscrowd=1), annotation(2, SQUARE)])
    written = plain.json
    expected = CocoDataset(*plain)[0]
    for kind in (float, str):
        odd = {
            "images": [
                {**each, **{name: kind(each[name]) for name in ("id", "width", "height")}} for each in written["images"]
            ],
            "annotations": [
                {**each, **{name: kind(each[name]) for name in ("id", "image_id", "category_id")}}
                for each in written["annotations"]
            ],
            "categories": [{**each, "id": kind(each["id"])} for each in written["categories"]],
        }
        odd["annotations"][0]["iscrowd"] = kind(1)
        photos = CocoDataset(*plain.edit(**odd))
        assert photos[0].instances == expected.instances
        assert [category["id"] for category in photos.categories] == [1, 2]


def test_a_category_that_stands_there_again_is_one(tmp_path: Path) -> None:
    cat, dog = {"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}
    photos = CocoDataset(*write(tmp_path / "a", [annotation(1, SQUARE)], categories=[cat, dog, cat, dog, cat]))
    assert photos.categories == [cat, dog]
    with pytest.raises(ValueError, match="categories: expected each id once, got 1 more than once"):
        CocoDataset(*write(tmp_path / "b", [annotation(1, SQUARE)], categories=[cat, {"id": 1, "name": "dog"}]))


def test_several_run_lengths_are_one_object(tmp_path: Path) -> None:
    dense = np.zeros((2, 40, 60), np.uint8)
    dense[0, 3:9, 4:20] = dense[1, 5:30, 10:12] = 1
    one, other = (coco_mask.encode(np.asfortranarray(each)) for each in dense)
    text = {"size": [40, 60], "counts": one["counts"].decode()}
    united = coco_mask.decode(coco_mask.merge([one, other]))
    plain = {"size": [40, 60], "counts": [6, 0, 2394]}
    listed = {"size": [40, 60], "counts": other["counts"].decode()}
    masks = (
        CocoDataset(
            *write(tmp_path, [annotation(1, [text, listed]), annotation(2, [text]), annotation(3, [text, plain])])
        )
        .instances(0)
        .masks
    )
    assert masks is not None
    np.testing.assert_array_equal(masks.to_dense(), [united, dense[0], dense[0]])


def test_what_is_not_trusted_may_be_no_number(tmp_path: Path) -> None:
    files = write(tmp_path / "good", [annotation(1, SQUARE, area=1, score=0.5), annotation(2, SQUARE, score=2)])
    text = files.annotations.read_text()
    files.annotations.write_text(text.replace('"area": 1', '"area": NaN').replace('"score": 2', '"score": NaN'))
    instances = CocoDataset(*files).instances(0)
    assert instances.score[0] == 0.5
    assert np.isnan(instances.score[1])
    bad = write(tmp_path / "bad", [annotation(1, [["here", 2, 9, 2, 9, 9]])])
    bad.annotations.write_text(bad.annotations.read_text().replace('"here"', "NaN"))
    with pytest.raises(
        ValueError, match=r"annotations\[0\]: Expected `float`, got `null` - at `\$.segmentation"
    ) as told:
        CocoDataset(*bad)
    assert str(told.value).endswith("where NaN and infinity, which are no JSON, are taken as `null`")
    bad.annotations.write_text(bad.annotations.read_text().replace("NaN", "null"))
    with pytest.raises(ValueError, match=r"got `null` - at `\$.segmentation\[0\]\[0\]`$"):
        CocoDataset(*bad)


OTHERS: list[tuple[Any, str]] = [
    (
        [{"image_id": 1, "category_id": 2, "segmentation": {}, "score": 0.5}],
        "this is a list of results, predictions of a model",
    ),
    ([{"image_id": 1, "caption": "x"}], "this is a list of captions"),
    ({"version": "5", "shapes": [], "imagePath": "a.png"}, "this is a LabelMe file, of one image"),
    ({"image": {}, "annotations": []}, "this is a file of one image, as SA-1B has them"),
    ({"_via_img_metadata": {}, "_via_settings": {}}, "this is a project of the VGG Image Annotator"),
    ({"images": [], "annotations": [{"image_id": 1, "caption": "x"}]}, "this is a file of captions"),
    (
        {"images": [], "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": []}]},
        "this is a panoptic file; PanopticDataset reads it",
    ),
]


@pytest.mark.parametrize(("content", "message"), OTHERS)
def test_other_files_are_called_what_they_are(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"other\.json: cannot be read as COCO annotations(: .*)?; {message}"):
        CocoDataset(path, tmp_path)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n"


@pytest.mark.parametrize("dtype", ["uint8", "keep"])
def test_pointers_of_large_files_are_called_what_they_are(tmp_path: Path, dtype: str) -> None:
    files = write(tmp_path, [annotation(1, SQUARE)])
    (files.images / "0.jpg").write_bytes(POINTER)
    message = r"got a pointer of Git LFS, in the place of a file that was not fetched \(git lfs pull\)$"
    with pytest.raises(OSError, match=rf"0\.jpg: expected an image file .*, {message}"):
        CocoDataset(*files, dtype=dtype)[0]
    files.annotations.write_bytes(POINTER)
    with pytest.raises(ValueError, match=rf"annotations\.json: expected COCO annotations, {message}"):
        CocoDataset(*files)


def test_masks_that_a_tool_marks_as_crowds_can_be_objects(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, SQUARE, iscrowd=1), annotation(2, SQUARE, iscrowd=1)])
    photos = CocoDataset(*files)
    with pytest.warns(UserWarning, match=r"nothing will be pasted \(all 2 instances are crowds; .*crowds='objects'"):
        CopyPasteDataset(photos, SimpleCopyPaste(size=32))
    np.testing.assert_array_equal(photos.instances(0).iscrowd, [True, True])
    assert not photos.has_objects(0)
    photos = CocoDataset(*files, crowds="objects")
    np.testing.assert_array_equal(photos.instances(0).iscrowd, [False, False])
    assert photos.has_objects(0)


def test_crowds_can_be_left_out(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, SQUARE, iscrowd=1), annotation(2, SQUARE), annotation(3, SQUARE, iscrowd=1)])
    np.testing.assert_array_equal(CocoDataset(*files).instances(0).iscrowd, [True, False, True])
    with pytest.warns(UserWarning, match="left out 2 annotations that are crowds$"):
        photos = CocoDataset(*files, crowds="drop")
    assert photos.instances(0).id.tolist() == [2]
    with pytest.raises(ValueError, match="crowds: expected"):
        CocoDataset(*files, crowds="paste")


def test_the_command_line_takes_crowds_as_objects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write(tmp_path / "in", [annotation(1, SQUARE, iscrowd=1)])
    inputs = ["augment", "--annotations", str(files.annotations), "--images", str(files.images), "--size", "32"]
    assert run([*inputs, "--output", str(tmp_path / "a")]) == 0
    assert "the only instance is a crowd" in capsys.readouterr().err
    assert run([*inputs, "--output", str(tmp_path / "b"), "--crowds", "objects"]) == 0
    crowds = [
        [each["iscrowd"] for each in json.loads((tmp_path / out / "annotations.json").read_text())["annotations"]]
        for out in "ab"
    ]
    assert crowds == [[1], [0]]
    assert run([*inputs, "--output", str(tmp_path / "b"), "--resume"]) == 2
    assert "crowds" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    files = write(tmp_path, [annotation(1, SQUARE)])
    files.annotations.write_bytes(files.annotations.read_text().encode(encoding))
    with pytest.raises(ValueError, match=f"expected text in UTF-8, got {encoding.upper()}"):
        CocoDataset(*files)


@pytest.mark.parametrize("before", ["", "x" * (2**20 - 30), "é" * 2**19])
def test_a_byte_that_is_no_utf8_is_named_by_its_place_in_the_file(tmp_path: Path, before: str) -> None:
    files = write(tmp_path, [annotation(1, SQUARE)], info={"description": before + "HERE"})
    text = files.annotations.read_text()
    data = b"\xef\xbb\xbf" + json.dumps(json.loads(text), ensure_ascii=False).encode().replace(b"HERE", b"\xe9t\xe9")
    files.annotations.write_bytes(data)
    place = data.index(b"\xe9t\xe9")
    with pytest.raises(ValueError, match=rf"expected text in UTF-8, got 0xe9 \(byte {place}\)$"):
        CocoDataset(*files)
    files.annotations.write_bytes(data.replace(b"\xe9t\xe9", "été".encode()))
    assert CocoDataset(*files).file_info == {"description": before + "été"}


def test_further_fields_of_images_are_checked_when_a_file_is_opened(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, SQUARE)])
    text = files.annotations.read_text()
    files.annotations.write_text(text.replace('"id": 10', '"id": 10, "taken": 1e999', 1))
    with pytest.raises(ValueError, match=r"annotations.json: images\[0\]: Number out of range"):
        CocoDataset(*files)

"""Ids that are names, as of exporters that number nothing: pycocotools reads such files, and is the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CocoWriter
from tests.fixtures.coco_files import Files, annotation, box_polygon, write

IMAGES = ("e7c1-a", "7", "0012")
SIZES = [(40, 60), (48, 32), (50, 64)]


def named_set(folder: Path, **first: Any) -> Files:
    """Three images with objects, all of whose ids are text; `first` changes the first annotation."""
    given = [("u-1", "0012", "c-dog"), ("5", "e7c1-a", "c-cat"), ("u-2", "7", "c-cat"), ("u-3", "e7c1-a", "c-dog")]
    rows = [
        annotation(0, [box_polygon(2 + 3 * k, 2, 9, 9 + k)]) | {"id": number, "image_id": image, "category_id": label}
        for k, (number, image, label) in enumerate(given)
    ]
    rows[0] |= first
    files = write(folder, rows, SIZES)
    images = [{**image, "id": name} for image, name in zip(files.json["images"], IMAGES, strict=True)]
    return files.edit(images=images, categories=[{"id": "c-cat", "name": "cat"}, {"id": "c-dog", "name": "dog"}])


def test_objects_are_those_of_pycocotools(tmp_path: Path) -> None:
    files = named_set(tmp_path)
    photos, truth = CocoDataset(*files), COCO(str(files.annotations))
    numbers = {category["given_id"]: category["id"] for category in photos.categories}
    for i, image in enumerate(IMAGES):
        expected = truth.loadAnns(truth.getAnnIds(imgIds=[image]))
        found = photos.instances(i)
        assert found.masks is not None
        assert found.labels is not None
        np.testing.assert_array_equal(found.masks.to_dense(), [truth.annToMask(each) for each in expected])
        assert found.labels.tolist() == [numbers[each["category_id"]] for each in expected]
        given = [name or str(number) for name, number in zip(found.given_id, found.id.tolist(), strict=True)]
        assert given == [each["id"] for each in expected]
    assert photos.class_weights({"dog": 2}) == {numbers["c-dog"]: 2.0}


def test_numbers_stay_and_names_get_those_that_are_free(tmp_path: Path) -> None:
    photos = CocoDataset(*named_set(tmp_path, id=2))
    assert [photos.info(i)["image_id"] for i in range(3)] == [1, 7, 2]
    assert [photos.info(i).get("given_id") for i in range(3)] == ["e7c1-a", None, "0012"]
    assert [photos.instances(i).id.tolist() for i in range(3)] == [[5, 3], [1], [2]]
    assert [photos.instances(i).given_id.tolist() for i in range(3)] == [["", "u-3"], ["u-2"], [""]]
    assert photos.categories[1] == {"id": 2, "name": "dog", "given_id": "c-dog"}


def test_the_column_is_chosen_as_others_are(tmp_path: Path) -> None:
    files = named_set(tmp_path)
    assert "given_id" not in CocoDataset(*files, columns=[]).fields
    assert "given_id" in CocoDataset(*files, columns=["given_id"]).fields
    with pytest.warns(UserWarning, match="left out the field 'given_id' of 1 annotation, beside ids that are names"):
        photos = CocoDataset(*named_set(tmp_path / "b", given_id="x"))
    assert photos.instances(2).given_id.tolist() == ["u-1"]


def test_a_name_twice_is_refused_of_images_and_told_of_annotations(tmp_path: Path) -> None:
    files = named_set(tmp_path)
    with pytest.raises(ValueError, match="images: expected each id once, got e7c1-a more than once"):
        CocoDataset(*files.edit(images=[files.json["images"][0]] * 2))
    with pytest.warns(UserWarning, match="1 annotation has the id of another one"):
        CocoDataset(*named_set(tmp_path / "b", id="u-2"))
    with pytest.raises(ValueError, match=r"annotations\[0\]: Expected an id of a category, got 'c-cow'"):
        CocoDataset(*named_set(tmp_path / "c", category_id="c-cow"))
    with pytest.warns(UserWarning, match="left out 1 annotation of an image that is not there"):
        CocoDataset(*named_set(tmp_path / "d", image_id="12"))


def test_they_are_written_as_further_fields(tmp_path: Path) -> None:
    photos = CocoDataset(*named_set(tmp_path / "in"))
    with CocoWriter(tmp_path / "out", photos.categories, format="png") as writer:
        writer.write(photos[0])
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert {"id": 1, "given_id": "e7c1-a", "source_image_id": 1}.items() <= written["images"][0].items()
    assert [(each["id"], each["given_id"]) for each in written["annotations"]] == [(1, ""), (2, "u-3")]
    again = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    assert again.info(0)["given_id"] == "e7c1-a"
    assert again.instances(0).given_id.tolist() == ["", "u-3"]


def test_sets_with_names_and_numbers_meet(tmp_path: Path) -> None:
    named, plain = CocoDataset(*named_set(tmp_path / "a")), CocoDataset(*write(tmp_path / "b", [
        annotation(1, [box_polygon(2, 2, 9, 9)]),
    ]))  # fmt: skip
    result = SimpleCopyPaste(size=64, select="all", source_scale=(1, 1), flip=0)(named[0], plain[0], rng=0)
    assert result.instances.given_id.tolist() == ["", "u-3", ""]

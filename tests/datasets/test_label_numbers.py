"""Labels that count the categories of a file, with the way back to its ids, as pycocotools has them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from copypaste_rs import Instances, SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CocoWriter, CopyPasteDataset, open_dataset
from tests.fixtures.coco_files import SIZES, Files, annotation, box_polygon, write

CATEGORIES = [{"id": 90, "name": "cup"}, {"id": 3, "name": "cat"}, {"id": 17, "name": "dog", "supercategory": "pet"}]


def named(folder: Path, categories: list[dict[str, Any]] | None = None, used: list[int] | None = None) -> Files:
    """A file of two images with objects of these categories, in descending order of their ids."""
    categories = CATEGORIES if categories is None else categories
    used = [17, 90, 3, 90] if used is None else used
    rows = [
        annotation(i + 1, [box_polygon(1 + 6 * i, 2, 5, 8)], category_id=number, image_id=10 + i % 2)
        for i, number in enumerate(used)
    ]
    return write(folder, rows, SIZES[:2], categories=categories)


@pytest.mark.parametrize(("labels", "first"), [("from0", 0), ("from1", 1)])
def test_labels_count_the_categories_of_the_file(
    tmp_path: Path, labels: str, first: int, capsys: pytest.CaptureFixture[str]
) -> None:
    files = named(tmp_path)
    truth = COCO(str(files.annotations))
    capsys.readouterr()
    photos = CocoDataset(*files, labels=labels)
    assert photos.category_ids == [90, 3, 17]
    assert [each["id"] for each in photos.categories] == [first, first + 1, first + 2]
    assert [{**each, "id": 0} for each in photos.categories] == [{**each, "id": 0} for each in CATEGORIES]
    for i in range(len(photos)):
        instances = photos.instances(i)
        assert instances.labels is not None
        back = {row["id"]: row["category_id"] for row in truth.imgToAnns[10 + i]}
        ids: list[int] = instances.columns["id"].tolist()
        found = [photos.category_ids[label - first] for label in instances.labels.tolist()]
        assert found == [back[number] for number in ids]
    assert photos.class_weights({"dog": 2}) == {first + 2: 2.0}
    assert photos.unknown_labels(photos.categories) == []
    again = pickle.loads(pickle.dumps(photos))
    assert again.category_ids == photos.category_ids
    assert again.instances(0) == photos.instances(0)


def test_sets_of_any_format_count_too(tmp_path: Path) -> None:
    files = named(tmp_path)
    photos = open_dataset(files.annotations, files.images, labels="from0")
    np.testing.assert_array_equal(photos.instances(0).labels, [2, 1])
    assert photos.category_ids == [90, 3, 17]


def test_labels_are_ids_where_nobody_says_otherwise(tmp_path: Path) -> None:
    photos = CocoDataset(*named(tmp_path))
    assert photos.category_ids == [90, 3, 17]
    assert photos.categories == CATEGORIES
    np.testing.assert_array_equal(photos.instances(0).labels, [17, 3])


def test_what_is_written_has_the_numbers(tmp_path: Path) -> None:
    photos = CocoDataset(*named(tmp_path / "in"), labels="from0")
    with CocoWriter(tmp_path / "out", photos.categories) as writer:
        for photo in photos:
            writer.write(photo)
    written = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    np.testing.assert_array_equal(written.instances(1).labels, photos.instances(1).labels)


@pytest.mark.parametrize("labels", ["from0", "from1"])
def test_a_category_that_is_not_there_has_no_number(tmp_path: Path, labels: str) -> None:
    files = named(tmp_path, used=[17, 5, 3, 5])
    told = rf"^{files.annotations}: labels='{labels}': expected annotations of categories that are there, got "
    told += r"category 5, which 2 annotations have; labels='ids' keeps it$"
    with pytest.raises(ValueError, match=told):
        CocoDataset(*files, labels=labels)
    with pytest.warns(UserWarning, match="categor"):
        CocoDataset(*files)


@pytest.mark.parametrize("labels", ["from2", "id"])
def test_other_kinds_are_refused(tmp_path: Path, labels: str) -> None:
    with pytest.raises(ValueError, match=f"^labels: expected .*ids.*from0.*from1.*, got '{labels}'$"):
        CocoDataset(*named(tmp_path), labels=labels)


def test_a_file_without_annotations(tmp_path: Path) -> None:
    photos = CocoDataset(*named(tmp_path, used=[]), labels="from0")
    assert len(photos[0].instances) == 0
    assert photos.category_ids == [90, 3, 17]


# -- two sets ----------------------------------------------------------------------------------------------------


def by_name(photos: CocoDataset, instances: Instances) -> list[str]:
    names = {each["id"]: each["name"] for each in photos.categories}
    assert instances.labels is not None
    return [names[label] for label in instances.labels.tolist()]


@pytest.mark.parametrize(("labels", "first"), [("from0", 0), ("from1", 1)])
def test_two_sets_are_joined_by_name(tmp_path: Path, labels: str, first: int) -> None:
    """Numbers of both sets mean different things; joined, those that are added go on counting."""
    other = [{"id": 4, "name": "dog"}, {"id": 8, "name": "bird"}, {"id": 2, "name": "cup"}, {"id": 1, "name": "fox"}]
    targets = CocoDataset(*named(tmp_path / "a"), labels=labels)
    sources = CocoDataset(*named(tmp_path / "b", other, [1, 2, 4, 8]), labels=labels)
    joined = sources.with_categories(targets.categories)
    names = [(each["id"] - first, each["name"]) for each in joined.categories]
    assert names == [(0, "cup"), (1, "cat"), (2, "dog"), (3, "bird"), (4, "fox")]
    assert joined.category_ids == [2, None, 4, 8, 1]
    assert sources.category_ids == [4, 8, 2, 1]
    for i in range(2):
        assert by_name(joined, joined.instances(i)) == by_name(sources, sources.instances(i))
    pairs = CopyPasteDataset(targets, SimpleCopyPaste(size=32), sources=joined)
    assert len(pairs[0].instances)


def test_ids_that_stay_ids_are_known_after_joining(tmp_path: Path) -> None:
    targets = CocoDataset(*named(tmp_path / "a"))
    sources = CocoDataset(*named(tmp_path / "b", [{"id": 4, "name": "dog"}, {"id": 8, "name": "bird"}], [4, 8]))
    joined = sources.with_categories(targets.categories)
    assert [each["id"] for each in joined.categories] == [90, 3, 17, 8]
    assert joined.category_ids == [None, None, 4, 8]

"""LVIS files: the objects of pycocotools, images by their URLs, and lists of categories that stay true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.cli.commands import run
from copypaste_rs.datasets import CocoDataset, CocoWriter, CopyPasteDataset, LvisDataset, open_dataset
from tests.fixtures.coco_files import photo, small_set
from tests.fixtures.lvis_files import CATEGORIES, LISTS, lvis_set


def test_objects_and_images(tmp_path: Path) -> None:
    files = lvis_set(tmp_path)
    photos, truth = LvisDataset(*files), COCO(str(files.annotations))
    assert photos.categories == CATEGORIES
    for i in range(3):
        expected = truth.loadAnns(truth.getAnnIds(imgIds=[30 + i]))
        sample = photos[i]
        np.testing.assert_allclose(sample.image, photo(sample.size, i), atol=25)
        assert sample.instances.masks is not None
        np.testing.assert_array_equal(sample.instances.masks.to_dense(), [truth.annToMask(each) for each in expected])
        np.testing.assert_array_equal(sample.instances.labels, [each["category_id"] for each in expected])
        lists = sample.info["neg_category_ids"], sample.info["not_exhaustive_category_ids"]
        assert lists == LISTS[i]
        assert sample.info["file_name"] == f"{i:012d}.jpg"
    assert CocoDataset(*files)[1] == photos[1]


def test_frequency_groups(tmp_path: Path) -> None:
    photos = LvisDataset(*lvis_set(tmp_path))
    assert photos.frequency == {"r": [7, 9], "c": [5], "f": [2]}
    rare = SimpleCopyPaste(size=64, class_weights=dict.fromkeys(photos.frequency["r"], 10.0), select=1)
    pasted = [rare(photos[1], photos[0], rng=seed).instances for seed in range(60)]
    labels = [label for each in pasted for label in each.labels[each.source == 0].tolist()]  # type: ignore[index]
    assert labels.count(7) > 10 * labels.count(2) > 0  # two of them, each ten times as often


@pytest.mark.parametrize(
    ("asked", "split"), [("lvis_v1_train.json", None), ("", None), ("", "train"), ("annotations", "train")]
)
@pytest.mark.parametrize("images", ["", "images"])
def test_files_and_folders_are_found(tmp_path: Path, asked: str, split: str | None, images: str) -> None:
    files = lvis_set(tmp_path / images)
    place = tmp_path / (asked if asked == "annotations" else "") / files.annotations.name
    place.parent.mkdir(exist_ok=True)
    files.annotations.rename(place)
    found = open_dataset(tmp_path / ("" if asked == "annotations" else asked), split=split)
    assert isinstance(found, LvisDataset)
    assert [found.path(i).is_file() for i in range(3)] == [True] * 3


def test_other_formats_are_not_taken_for_it(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    assert isinstance(open_dataset(files.annotations), CocoDataset)
    rows = [each | {"frequency": 3} for each in files.json["annotations"]]
    assert isinstance(open_dataset(files.edit(annotations=rows).annotations), CocoDataset)
    with pytest.warns(UserWarning, match="no category has a frequency"):
        assert LvisDataset(*files).frequency == {"r": [], "c": [], "f": []}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neg_category_ids": "none"}, r"images\[1\]: Expected `array \| null`, got `str` - at `\$.neg_category_ids`"),
        (
            {"not_exhaustive_category_ids": [2, 2.5]},
            r"images\[1\]: Expected `int`, got `float` - at `\$.not_exh.*\[1\]`",
        ),
        ({"coco_url": None}, r"images\[1\]: Object missing required field `file_name`"),
        ({"coco_url": "http://x/.."}, r"images\[1\]: "),
    ],
)
def test_what_is_malformed_has_its_place(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    files = lvis_set(tmp_path)
    images = files.json["images"]
    images[1] |= change
    with pytest.raises(ValueError, match=rf"lvis_v1_train\.json: {message}"):
        LvisDataset(*files.edit(images=images))


def test_a_frequency_of_another_kind_is_refused(tmp_path: Path) -> None:
    files = lvis_set(tmp_path, categories=[*CATEGORIES[:2], CATEGORIES[2] | {"frequency": "rare"}, CATEGORIES[3]])
    with pytest.raises(ValueError, match=r"json: categories\[2\]: expected 'r', 'c' or 'f' as frequency, got 'rare'"):
        LvisDataset(*files)


def test_lists_follow_categories_that_are_joined(tmp_path: Path) -> None:
    photos = LvisDataset(*lvis_set(tmp_path))
    names = [
        {"id": 5, "name": "egg"},
        {"id": 50, "name": "bob"},
        {"id": 9, "name": "pan"},
        {"id": 2, "name": "aerosol_can"},
    ]
    joined = photos.with_categories(names)
    moved = {2: 50, 5: 2, 7: 9, 9: 5}
    again = joined.with_categories([{"id": 1, "name": "pan"}])
    for i, (absent, partly) in enumerate(LISTS):
        assert joined.info(i)["neg_category_ids"] == [moved[each] for each in absent]
        assert joined.info(i)["not_exhaustive_category_ids"] == [moved[each] for each in partly]
        assert again.info(i)["neg_category_ids"] == [{9: 1}.get(moved[each], moved[each]) for each in absent]
        assert photos.info(i)["neg_category_ids"] == absent
    labels = photos.instances(0).labels
    assert labels is not None
    np.testing.assert_array_equal(joined.instances(0).labels, [moved[label] for label in labels.tolist()])


def test_what_is_written_has_the_lists(tmp_path: Path) -> None:
    photos = LvisDataset(*lvis_set(tmp_path / "in"))
    data = CopyPasteDataset(photos, SimpleCopyPaste(size=64, select="all", source_scale=(1, 1), flip=0), seed=3)
    with CocoWriter(tmp_path / "out", photos.categories, format="png") as writer:
        results = [data[i] for i in range(3)]
        for result in results:
            writer.write(result)
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())["images"]
    for i, (image, result) in enumerate(zip(written, results, strict=True)):
        pasted = result.instances.labels[result.instances.source >= 0]  # type: ignore[index]
        assert image["neg_category_ids"] == [each for each in LISTS[i][0] if each not in pasted]
        assert image["not_exhaustive_category_ids"] == LISTS[i][1]
    assert [image["neg_category_ids"] for image in written] != [absent for absent, _ in LISTS]
    again = open_dataset(tmp_path / "out")
    assert isinstance(again, LvisDataset)
    assert again.info(1)["neg_category_ids"] == written[1]["neg_category_ids"]


def test_the_command_line_joins_and_keeps_the_lists(tmp_path: Path) -> None:
    """Targets with other ids than the sources: what is pasted leaves the lists by the ids of the targets."""
    plain = lvis_set(tmp_path / "sources")
    moved = {2: 20, 5: 50, 7: 70, 9: 90}
    images = [
        {
            **image,
            **{
                name: [moved[each] for each in image[name]]
                for name in ("neg_category_ids", "not_exhaustive_category_ids")
            },
        }
        for image in plain.json["images"]
    ]
    rows = [each | {"category_id": moved[each["category_id"]]} for each in plain.json["annotations"]]
    categories = [each | {"id": moved[each["id"]]} for each in CATEGORIES]
    targets = lvis_set(tmp_path / "targets", images=images, annotations=rows, categories=categories)
    inputs = ["augment", "--annotations", str(targets.annotations), "--images", str(targets.images)]
    inputs += ["--source-annotations", str(plain.annotations), "--source-images", str(plain.images)]
    assert run([*inputs, "--output", str(tmp_path / "out"), "--size", "64", "--select", "all", "--copies", "4"]) == 0
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())
    lost = 0
    for image in written["images"]:
        own = [each for each in written["annotations"] if each["image_id"] == image["id"]]
        pasted = {each["category_id"] for each in own if each["source"] >= 0}
        absent, partly = ([moved[each] for each in ids] for ids in LISTS[image["source_image_id"] - 30])
        assert image["neg_category_ids"] == [each for each in absent if each not in pasted]
        assert image["not_exhaustive_category_ids"] == partly
        lost += len(absent) - len(image["neg_category_ids"])
    assert lost


@pytest.mark.parametrize(("labels", "first"), [("from0", 0), ("from1", 1)])
def test_lists_follow_categories_that_are_counted(tmp_path: Path, labels: str, first: int) -> None:
    files = lvis_set(tmp_path)
    photos = LvisDataset(*files, labels=labels)
    numbers = {each["id"]: i for i, each in enumerate(CATEGORIES, first)}
    assert photos.frequency == {"r": [first + 2, first + 3], "c": [first + 1], "f": [first]}
    joined = photos.with_categories([{"id": 80, "name": "egg"}])
    for i, (absent, partly) in enumerate(LISTS):
        assert photos.info(i)["neg_category_ids"] == [numbers[each] for each in absent]
        assert photos.info(i)["not_exhaustive_category_ids"] == [numbers[each] for each in partly]
        names = {each["id"]: each["name"] for each in joined.categories}
        of_file = {each["id"]: each["name"] for each in CATEGORIES}
        assert [names[each] for each in joined.info(i)["neg_category_ids"]] == [of_file[each] for each in absent]
    unknown = files.json["images"]
    unknown[0]["neg_category_ids"] = [9, 1]
    assert LvisDataset(*files.edit(images=unknown), labels=labels).info(0)["neg_category_ids"] == [numbers[9]]
    assert LvisDataset(*files).info(0)["neg_category_ids"] == [9, 1]

"""Categories of two data sets that meet: joined by name, refused where a label would mean two things."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.cli.commands import run
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset
from tests.fixtures.coco_files import Files, annotation, box_polygon, write

TRANSFORM = SimpleCopyPaste(size=32, select="all")


def named(folder: Path, **ids: int) -> Files:
    """A data set of one image with an object of each of these categories."""
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    squares = [box_polygon(2 + 9 * i, 2, 8, 8) for i in range(len(ids))]
    rows = [annotation(i, [squares[i - 1]], category_id=number) for i, number in enumerate(ids.values(), 1)]
    return write(folder, rows, categories=categories)


def test_labels_follow_names(tmp_path: Path) -> None:
    targets = CocoDataset(*named(tmp_path / "a", cat=1, dog=2, person=9))
    sources = CocoDataset(*named(tmp_path / "b", dog=1, bird=5, cat=2, person=3))
    joined = sources.with_categories(targets.categories)
    np.testing.assert_array_equal(joined.instances(0).labels, [2, 5, 1, 9])
    assert joined.instances(0).masks == sources.instances(0).masks
    assert [(each["id"], each["name"]) for each in joined.categories] == [
        (1, "cat"), (2, "dog"), (9, "person"), (5, "bird"),
    ]  # fmt: skip
    np.testing.assert_array_equal(sources.instances(0).labels, [1, 5, 2, 3])
    assert [each["name"] for each in sources.categories] == ["dog", "bird", "cat", "person"]
    assert joined.class_weights({"person": 2}) == {9: 2.0}


CONTRADICTIONS: list[tuple[list[dict[str, Any]], str]] = [
    ([{"id": 1, "name": "cat"}], "category 1 is 'dog', but 'cat' in the other file"),
    ([{"id": 1}], "category 1 is 'dog', but None in the other file"),
    ([{"id": 2, "name": "dog"}, {"id": 3, "name": "dog"}], "expected one category of the name 'dog' in each file"),
    ([{"id": 2}, {"id": 2}], "expected each id once"),
]


@pytest.mark.parametrize(("categories", "told"), CONTRADICTIONS)
def test_a_contradiction_is_refused(tmp_path: Path, categories: list[dict[str, Any]], told: str) -> None:
    photos = CocoDataset(*named(tmp_path, dog=1))
    with pytest.raises(ValueError, match=told):
        photos.with_categories(categories)


def test_pairs_of_sets_whose_labels_differ_are_refused(tmp_path: Path) -> None:
    targets = CocoDataset(*named(tmp_path / "a", person=1))
    sources = CocoDataset(*named(tmp_path / "b", person=3))
    told = r"sources: expected categories .*, got others: 'person' 3 becomes 1; sources.with_categories"
    with pytest.raises(ValueError, match=told):
        CopyPasteDataset(targets, TRANSFORM, sources=sources)
    data = CopyPasteDataset(targets, TRANSFORM, sources=sources.with_categories(targets.categories))
    np.testing.assert_array_equal(data[0].instances.labels, 1)
    other = CocoDataset(*named(tmp_path / "c", dog=1))
    with pytest.raises(ValueError, match="sources: category 1 is 'dog', but 'person' in the other file"):
        CopyPasteDataset(targets, TRANSFORM, sources=other)
    CopyPasteDataset(targets, TRANSFORM, sources=CocoDataset(*named(tmp_path / "d", bird=7, person=1)))


def test_sets_that_do_not_say_what_labels_mean_are_taken(tmp_path: Path) -> None:
    mask = RleMasks.from_polygons([[box_polygon(1, 1, 9, 9)]], (24, 32))

    class Own(list[Sample]):
        categories = ("person",)

    own = Own([Sample(np.zeros((24, 32, 3), np.uint8), Instances(masks=mask, labels=[4]))])
    targets = CocoDataset(*named(tmp_path, person=1))
    assert len(CopyPasteDataset(targets, SimpleCopyPaste(size=32, missing={"id": 0}), sources=own)) == 1


def test_the_command_line_joins_by_name_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = named(tmp_path / "a", cat=1, dog=2), named(tmp_path / "b", dog=1, bird=5, cat=2)
    inputs = ["augment", "--annotations", str(ours.annotations), "--images", str(ours.images)]
    inputs += ["--source-annotations", str(theirs.annotations), "--source-images", str(theirs.images)]
    scales = ["--target-scale", "1", "1", "--source-scale", "1", "1", "--flip", "0", "--placement", "uniform"]
    assert run([*inputs, "--output", str(tmp_path / "out"), "--size", "64", "--select", "all", *scales]) == 0
    told = capsys.readouterr().err
    assert told.count("joined by name: 'dog' 1 becomes 2, 'cat' 2 becomes 1") == 1
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    names = {each["id"]: each["name"] for each in content["categories"]}
    assert names == {1: "cat", 2: "dog", 5: "bird"}
    of_source = {1: "dog", 2: "bird", 3: "cat"}  # by annotation id
    pasted = [each for each in content["annotations"] if each["source"] >= 0]
    assert pasted
    for each in pasted:
        assert names[each["category_id"]] == of_source[each["source_annotation_id"]]

"""PseudoLabels: the file that is written, read by CocoDataset and pycocotools, and rounds that build on it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco
from pycocotools.coco import COCO

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset, PseudoLabels
from tests.fixtures.coco_files import small_set
from tests.fixtures.pseudo_labels import CATEGORIES, IMAGES, made, one, random_results

HEAD = {"images": IMAGES, "categories": CATEGORIES, "info": {"year": 2026}, "licenses": [{"id": 1, "name": "CC0"}]}


@pytest.mark.parametrize("seed", range(3))
def test_a_saved_file_comes_back(tmp_path: Path, seed: int) -> None:
    results, _ = random_results(seed)
    labels = made(results, HEAD, min_score=0.5, ignore_below=0.2, min_part_area=2)
    labels.save(tmp_path / "pseudo.json")
    read, direct = CocoDataset(tmp_path / "pseudo.json", tmp_path), labels.dataset(tmp_path)
    assert read.categories == direct.categories == labels.categories == CATEGORIES
    assert (read.file_info, read.licenses) == (direct.file_info, direct.licenses) == (HEAD["info"], HEAD["licenses"])
    truth = COCO(str(tmp_path / "pseudo.json"))
    for i in range(3):
        assert read.info(i) == direct.info(i)
        assert read.instances(i) == direct.instances(i)
        found = read.instances(i)
        assert {"score", "pseudo", "mask_score", "id", "iscrowd"} <= found.columns.keys()
        annotations = truth.imgToAnns[IMAGES[i]["id"]]
        expected = [truth.annToMask(each) for each in annotations]
        np.testing.assert_array_equal(found.masks.to_dense(), np.reshape(expected, (-1, 24, 31)))  # type: ignore[union-attr]
        assert [each["area"] for each in annotations] == [int(mask.sum()) for mask in expected]
        assert [each["bbox"] for each in annotations] == [
            coco.toBbox(each["segmentation"]).tolist() for each in annotations
        ]
    assert [each["id"] for each in truth.dataset["annotations"]] == list(range(1, len(truth.anns) + 1))
    copied = pickle.loads(pickle.dumps(direct))
    assert [copied.instances(i) for i in range(3)] == [direct.instances(i) for i in range(3)]


def test_records_of_images_stay_as_they_are(tmp_path: Path) -> None:
    images = [
        each | {"license": 3, "flickr_url": "http://x", "list": [1, {"a": None}], "id": str(each["id"])}
        for each in IMAGES
    ]
    labels = made([one()], {**HEAD, "images": images})
    labels.save(tmp_path / "pseudo.json")
    written = json.loads((tmp_path / "pseudo.json").read_text())
    assert written["images"] == images
    assert written["annotations"][0]["image_id"] == "7"
    assert written["annotations"][0]["pseudo"] is True
    assert "mask_score" not in written["annotations"][0]


def test_images_are_those_of_the_folder(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    labels = made([one(image_id=11)], files.annotations)
    photos, pseudo = CocoDataset(*files), labels.dataset(files.images)
    np.testing.assert_array_equal(pseudo[1].image, photos[1].image)
    assert pseudo[1].info == photos[1].info
    assert len(pseudo[4].instances) == 0
    assert labels.dataset(files.images, labels="from0").instances(1).labels.tolist() == [0]  # type: ignore[union-attr]
    with pytest.raises(NotADirectoryError, match="expected a folder of images, which is not there"):
        labels.dataset(tmp_path / "none")
    with pytest.raises(ValueError, match=r"^dtype: expected"):
        labels.dataset(files.images, dtype="int8")


def test_they_are_pasted_only_when_that_is_asked_for(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    pseudo = made([one(image_id=10 + i, box=(4, 4, 20, 12)) for i in range(5)], files.annotations).dataset(files.images)
    truth = CocoDataset(*files, columns=[])
    options: Any = {"size": 48, "select": "all", "target_scale": (1, 1)}
    with pytest.warns(UserWarning, match="a pseudo-label, which are pasted only with"):
        CopyPasteDataset(truth, SimpleCopyPaste(**options), sources=pseudo)
    mixed = CopyPasteDataset(pseudo, SimpleCopyPaste(**options), sources=truth, seed=1)
    for i in range(4):
        found = mixed[0, i].instances
        assert found.pseudo.tolist() == (found.source < 0).tolist()
        assert found.score.tolist() == [0.9 if source < 0 else 1.0 for source in found.source]
    both = CopyPasteDataset(truth, SimpleCopyPaste(**options, paste_pseudo=True), sources=pseudo, seed=1)
    assert any(both[0, i].instances.pseudo.any() for i in range(4))


def expected_merge(old: Any, new: Any, threshold: float) -> list[Any]:
    """Rows of one image after a round, as (score, label, crowd): new ones, and old ones that none overlaps."""

    def rows(found: Any) -> list[Any]:
        runs = found.masks.to_coco()
        return list(zip(runs, found.score.tolist(), found.labels.tolist(), found.iscrowd.tolist(), strict=True))

    fresh = rows(new)
    kept = [
        each
        for each in rows(old)
        if not any(coco.iou([each[0]], [other[0]], [0])[0, 0] >= threshold for other in fresh)
    ]
    return [each[1:] for each in [*fresh, *kept]]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.5, 0.2, 1.0])
def test_old_ones_stay_where_no_new_one_overlaps(tmp_path: Path, seed: int, threshold: float) -> None:
    options: Any = {"min_score": 0.6, "ignore_below": 0.3}
    first = made(random_results(seed)[0], **options)
    second = made(random_results(seed + 100, 12)[0], **options)
    first.save(tmp_path / "first.json")
    expected = [
        expected_merge(first.dataset(tmp_path).instances(i), second.dataset(tmp_path).instances(i), threshold)
        for i in range(3)
    ]
    for merge in (
        first,
        tmp_path / "first.json",
        first.dataset(tmp_path),
        CocoDataset(tmp_path / "first.json", tmp_path),
    ):
        merged = made(random_results(seed + 100, 12)[0], merge=merge, merge_iou=threshold, **options)
        found: list[Any] = [merged.dataset(tmp_path).instances(i) for i in range(3)]
        got = [
            list(zip(each.score.tolist(), each.labels.tolist(), each.iscrowd.tolist(), strict=True)) for each in found
        ]
        assert got == expected
        left = sum(merged.kept.values()) + sum(merged.ignored.values())
        replaced = sum(reasons.get("replaced", 0) for reasons in merged.dropped.values())
        before = sum(first.kept.values()) + sum(first.ignored.values())
        assert left + replaced == before + sum(second.kept.values()) + sum(second.ignored.values())


def test_old_outlines_that_cover_nothing_are_counted(tmp_path: Path) -> None:
    first = made([one(), one(0.8, (12, 12, 5, 5))])
    first.save(tmp_path / "first.json")
    content = json.loads((tmp_path / "first.json").read_text())
    content["annotations"][0]["segmentation"] = [[1.1, 1.1, 1.2, 1.1, 1.2, 1.2]]  # between the centres of pixels
    (tmp_path / "first.json").write_text(json.dumps(content))
    merged = made([], merge=tmp_path / "first.json")
    assert (merged.kept, merged.dropped) == ({1: 1}, {1: {"no pixel": 1}})
    assert merged.dataset(tmp_path).instances(0).score.tolist() == [0.8]


def test_old_objects_go_first_where_there_are_too_many(tmp_path: Path) -> None:
    old = made([one(0.99, (0, 0, 4, 4)), one(0.75, (6, 0, 4, 4)), one(0.8, (12, 0, 4, 4))])
    new = [one(0.71, (0, 12, 4, 4)), one(0.9, (6, 12, 4, 4))]
    merged = made(new, merge=old, max_per_image=3)
    assert merged.dataset(tmp_path).instances(0).score.tolist() == [0.71, 0.9, 0.99]
    assert merged.dropped == {1: {"over limit": 2}}
    merged = made(new, merge=old, max_per_image=1)
    assert merged.dataset(tmp_path).instances(0).score.tolist() == [0.9]


def test_rounds_of_other_orders_and_ids(tmp_path: Path) -> None:
    """Images are joined by their ids, categories by their names; the columns of both rounds are there."""
    first = made(
        [one(0.9, image_id=9, category_id=4, mask_score=0.5)],
        {"images": IMAGES[::-1], "categories": [{"id": 4, "name": "cat"}, {"id": 6, "name": "bird"}]},
    )
    second = made([one(0.8, (12, 12, 6, 6), image_id=9)], merge=first, categories=[{"id": 1, "name": "cat"}])
    found = second.dataset(tmp_path).instances(2)
    assert found.labels.tolist() == [1, 1]  # type: ignore[union-attr]
    np.testing.assert_array_equal(found.mask_score, [np.nan, 0.5])
    assert [each["name"] for each in second.categories] == ["cat", "bird"]
    part = made([one()], {"images": IMAGES[:1], "categories": CATEGORIES})
    assert made([one(image_id=8)], merge=part).kept == {1: 2}  # of fewer images


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([IMAGES[0], IMAGES[1] | {"id": 70}], r"images\[1\]: expected an image of images, got one of another id, 70"),
        ([IMAGES[0] | {"width": 30}], r"images\[0\]: expected size \[24, 31\], as image 7 has it, got \[24, 30\]"),
        ([IMAGES[0] | {"file_name": "b.jpg"}], r"images\[0\]: expected the file '0\.jpg', as image 7 has it, got 'b\.jpg'"),
    ],
)  # fmt: skip
def test_rounds_of_other_images(tmp_path: Path, images: Any, message: str) -> None:
    first = made([], {"images": images, "categories": CATEGORIES})
    first.save(tmp_path / "first.json")
    for merge, name in ((first, "merge"), (tmp_path / "first.json", r".*first\.json")):
        with pytest.raises(ValueError, match=rf"^{name}: {message}$"):
            made([one()], merge=merge)


def test_what_is_no_earlier_round(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    with pytest.raises(
        ValueError, match=r"expected pseudo-labels, each with score and pseudo, got annotations without pseudo$"
    ):
        made([], files.annotations, merge=files.annotations)
    swapped = [{"id": 1, "name": "dog"}]
    labels = made([one()], {"images": IMAGES, "categories": swapped})
    with pytest.raises(
        ValueError, match=r"^merge: category 1 is 'dog', but 'cat' in the other file; an id has one name$"
    ):
        PseudoLabels.from_results([], IMAGES, categories=[{"id": 1, "name": "cat"}], merge=labels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pseudo": 0}, "annotation 2: pseudo: expected true, got false"),
        ({"pseudo": None}, "annotation 2: pseudo: expected true, got false"),
        ({"score": None}, "annotation 2: score: expected a number from 0 to 1, got none"),
        ({"score": 1.5}, "annotation 2: score: expected a number from 0 to 1, got 1.5"),
        ({"score": -1}, "annotation 2: score: expected a number from 0 to 1, got -1.0"),
        ({"score": "0.9"}, "annotations: field 'score': expected numbers, got text"),
        ({"mask_score": 7}, "annotation 2: mask_score: expected a number from 0 to 1, or none, got 7.0"),
        ({"segmentation": None}, "annotations[1]: expected a segmentation, got a bbox alone"),
    ],
)
def test_an_earlier_round_has_nothing_but_pseudo_labels(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """An object that somebody has drawn would be marked as one of a model."""
    first = made([one(mask_score=0.5), one(0.8, (12, 12, 5, 5))])
    path = tmp_path / "first.json"
    first.save(path)
    content = json.loads(path.read_text())
    own = content["annotations"][1]
    content["annotations"][1] = {name: value for name, value in (own | change).items() if value is not None}
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError) as caught:
        made([], merge=path)
    assert str(caught.value) == f"{path}: {message}"
    if change.keys() & {"score", "pseudo", "mask_score"}:
        with pytest.raises(ValueError) as caught:
            made([], merge=CocoDataset(path, tmp_path))
        assert str(caught.value) == f"merge: {message}"

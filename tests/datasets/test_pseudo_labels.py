"""PseudoLabels: what the rules leave of results, against plain loops on dense masks, pycocotools and OpenCV."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco
from pycocotools.coco import COCO

from copypaste_rs import RleMasks
from copypaste_rs.datasets import CocoDataset, PseudoLabels
from tests.fixtures.coco_files import box_polygon, small_set
from tests.fixtures.pseudo_labels import CATEGORIES, IMAGES, SIZE, made, one, random_results

DATA = os.environ.get("COPYPASTE_RS_TEST_DATA")


def without_specks(mask: NDArray[np.uint8], least: int, connectivity: int) -> NDArray[np.uint8]:
    _, numbers, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    kept: NDArray[np.uint8] = (mask & (statistics[numbers, cv2.CC_STAT_AREA] >= least)).astype(np.uint8)
    return kept


def overlap(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(coco.iou([coco.encode(np.asfortranarray(a))], [coco.encode(np.asfortranarray(b))], [0])[0, 0])


def by_hand(results: Any, masks: Any, least: Any, doubtful: Any, mask_score: float, parts: int, area: int, nms: float,
            most: int) -> tuple[dict[int, list[int]], dict[tuple[int, str], int]]:  # fmt: skip
    """Numbers of the results that stay, by image, and of the others by label and reason, in plain loops."""
    gone: dict[tuple[int, str], int] = {}

    def drop(i: int, why: str) -> None:
        key = results[i]["category_id"], why
        gone[key] = gone.get(key, 0) + 1

    left: dict[int, list[int]] = {image["id"]: [] for image in IMAGES}
    for i, each in enumerate(results):
        if each["score"] < doubtful[each["category_id"]]:
            drop(i, "low score")
        elif each["mask_score"] < mask_score:
            drop(i, "low mask score")
        elif masks[i].sum() == 0:
            drop(i, "no pixel")
        else:
            masks[i] = without_specks(masks[i], parts, 8) if parts > 1 else masks[i]
            if masks[i].sum() < max(1, area):
                drop(i, "small")
            else:
                left[each["image_id"]].append(i)
    for number, rows in left.items():
        kept: list[int] = []
        for i in sorted(rows, key=lambda i: (-results[i]["score"], i)):
            same = [j for j in kept if results[j]["category_id"] == results[i]["category_id"]]
            if any(overlap(masks[i], masks[j]) > nms for j in same):
                drop(i, "duplicate")
            else:
                kept.append(i)
        objects = [i for i in kept if results[i]["score"] >= least[results[i]["category_id"]]]
        for i in objects[most:]:
            drop(i, "over limit")
            kept.remove(i)
        left[number] = sorted(kept)
    return left, gone


@pytest.mark.parametrize("seed", range(12))
def test_what_stays_is_what_plain_loops_leave(seed: int, tmp_path: Path) -> None:
    results, masks = random_results(seed)
    least, doubtful = {1: 0.6, 4: 0.3, 9: 0.6}, {1: 0.4, 4: 0.3, 9: 0.4}
    labels = PseudoLabels.from_results(
        results,
        {"images": IMAGES, "categories": CATEGORIES},
        min_score={"cat": 0.6, 4: 0.3},
        ignore_below={"cat": 0.4},
        min_mask_score=0.2,
        min_part_area=3,
        min_area=12,
        mask_nms=0.5,
        max_per_image=4,
    )
    left, gone = by_hand(results, masks, least, doubtful, 0.2, 3, 12, 0.5, 4)
    found = labels.dataset(tmp_path)
    assert [found.info(i)["image_id"] for i in range(3)] == [7, 8, 9]
    for i, number in enumerate(left):
        rows = found.instances(i)
        kept = [results[k] for k in left[number]]
        assert rows.labels.tolist() == [each["category_id"] for each in kept]  # type: ignore[union-attr]
        assert rows.score.tolist() == [each["score"] for each in kept]
        assert rows.mask_score.tolist() == [each["mask_score"] for each in kept]
        assert rows.pseudo.all()
        ignored = [each["score"] < least[each["category_id"]] for each in kept]
        assert rows.iscrowd.tolist() == ignored  # type: ignore[union-attr]
        expected = np.array([masks[k] for k in left[number]]).reshape(-1, *SIZE)
        np.testing.assert_array_equal(rows.masks.to_dense(), expected)  # type: ignore[union-attr]
    assert {(label, why): n for label, reasons in labels.dropped.items() for why, n in reasons.items()} == gone
    total = sum(gone.values()) + sum(labels.kept.values()) + sum(labels.ignored.values())
    assert total == len(results)


def masks_of(*pictures: tuple[int, int, int, int]) -> RleMasks:
    dense = np.zeros((len(pictures), 20, 20), np.uint8)
    for mask, (y0, x0, y1, x1) in zip(dense, pictures, strict=True):
        mask[y0:y1, x0:x1] = 1
    return RleMasks.from_dense(dense)


@given(
    boxes=st.lists(st.tuples(*[st.integers(0, 5)] * 2, *[st.integers(6, 12)] * 2), min_size=1, max_size=300),
    threshold=st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]),
    seed=st.integers(0, 99),
)
def test_duplicates_are_those_of_pycocotools(boxes: Any, threshold: float, seed: int) -> None:
    from copypaste_rs.datasets.pseudo_labels.cleaning import duplicates

    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 5, len(boxes)) / 4, rng.integers(0, 2, len(boxes))
    masks = masks_of(*boxes)
    runs = [{**each, "counts": each["counts"]} for each in masks.to_coco()]
    table = coco.iou(runs, runs, [0] * len(runs))
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if not any(labels[i] == labels[j] and table[i, j] > threshold for j in kept):
            kept.append(i)
    assert np.flatnonzero(~duplicates(masks, labels, scores, threshold)).tolist() == sorted(kept)


def rows(labels: PseudoLabels, folder: Path, image: int = 0) -> Any:
    return labels.dataset(folder).instances(image)


def test_a_duplicate_drops_no_other(tmp_path: Path) -> None:
    """Of three in a row, of which neighbours overlap, the last one stays."""
    results = [one(0.9, (0, 0, 10, 10)), one(0.8, (3, 0, 10, 10)), one(0.75, (6, 0, 10, 10))]
    assert rows(made(results), tmp_path).score.tolist() == [0.9, 0.75]
    assert rows(made(results, mask_nms=None), tmp_path).score.tolist() == [0.9, 0.8, 0.75]
    assert rows(made(results, mask_nms=0.6), tmp_path).score.tolist() == [0.9, 0.8, 0.75]
    others = [each | {"category_id": 1 + 3 * (k % 2)} for k, each in enumerate(results)]
    assert rows(made(others), tmp_path).score.tolist() == [0.9, 0.8, 0.75]  # of another class


def test_a_doubtful_result_over_an_object_is_a_duplicate(tmp_path: Path) -> None:
    results = [one(0.5), one(0.9), one(0.5, (16, 12, 8, 8))]
    found = rows(made(results, ignore_below=0.4), tmp_path)
    assert (found.score.tolist(), found.iscrowd.tolist()) == ([0.9, 0.5], [False, True])


def test_thresholds_include_their_number(tmp_path: Path) -> None:
    results = [one(0.7, (2 * k, 0, 2, 4)) | {"score": s} for k, s in enumerate((0.7, 0.6999, 0.5, 0.4999, 1, 0))]
    labels = made(results, ignore_below=0.5)
    assert rows(labels, tmp_path).score.tolist() == [0.7, 0.6999, 0.5, 1.0]
    assert rows(labels, tmp_path).iscrowd.tolist() == [False, True, True, False]
    assert (labels.kept, labels.ignored, labels.dropped) == ({1: 2}, {1: 2}, {1: {"low score": 2}})


def test_categories_by_name_and_by_id(tmp_path: Path) -> None:
    results = [one(0.5, (8 * k, 0, 6, 4), category_id=label) for k, label in enumerate((1, 4, 9))]
    assert rows(made(results, min_score={"cat": 0.5}), tmp_path).labels.tolist() == [1, 9]  # both of this name
    assert rows(made(results, min_score={np.int64(9): np.float32(0.5)}), tmp_path).labels.tolist() == [9]
    with pytest.warns(UserWarning, match="no object was made of 3 results"):
        assert rows(made(results, min_score={}), tmp_path).labels.tolist() == []  # 0.7 for what is not named
    assert rows(made(results, min_score={1: 0.25, "dog": 0.5, 9: 0.75}), tmp_path).labels.tolist() == [1, 4]


def test_forms_of_results_that_tools_write(tmp_path: Path) -> None:
    """Compressed counts as bytes and as text, plain lists, polygons, arrays; a file of them, or the dicts."""
    mask = np.zeros(SIZE, np.uint8, order="F")
    mask[3:11, 2:11] = 1
    run = coco.encode(mask)
    flat = [int(each) for each in RleMasks.from_dense(mask[np.newaxis]).counts]
    forms: list[Any] = [
        run,
        {"size": list(SIZE), "counts": run["counts"].decode()},
        {"size": list(SIZE), "counts": flat},
        {"size": np.array(SIZE), "counts": np.array(flat, np.uint32)},
        {"size": SIZE, "counts": tuple(flat)},
        [box_polygon(2, 3, 9, 8)],
        [np.array(box_polygon(2, 3, 9, 8))],
    ]
    results = [one() | {"segmentation": form, "score": np.float32(0.75)} for form in forms]
    labels = made((each for each in results), mask_nms=None)
    found = rows(labels, tmp_path)
    assert found.score.tolist() == [0.75] * len(forms)
    for dense in found.masks.to_dense():
        np.testing.assert_array_equal(dense, mask)
    path = tmp_path / "results.json"
    path.write_text(json.dumps([one() | {"segmentation": form} for form in (*forms[1:3], forms[5])]))
    assert (rows(made(path, mask_nms=None), tmp_path).masks.to_dense() == mask).all()
    assert (rows(made(str(path), mask_nms=None), tmp_path).masks.to_dense() == mask).all()


def test_images_in_every_form(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    content = files.json
    results = [one(image_id=12, category_id=2), one(image_id=10)]
    expected = None
    for images in (files.annotations, str(files.annotations), content, CocoDataset(*files)):
        found = made(results, images).dataset(files.images)
        assert len(found) == 5
        assert [len(found.instances(i)) for i in range(5)] == [1, 0, 1, 0, 0]
        assert found.categories == content["categories"]
        expected = expected or [found.instances(i) for i in range(5)]
        assert [found.instances(i) for i in range(5)] == expected
    for categories in (content["categories"], files.annotations, str(files.annotations)):
        found = made(results, content["images"], categories=categories).dataset(files.images)
        assert [found.instances(i) for i in range(5)] == expected
    with pytest.raises(
        ValueError,
        match=r"^categories: expected the categories of the results, as images has none, got none; categories= gives them$",
    ):
        made(results, content["images"])
    numbered = CocoDataset(*files, labels="from0")
    assert made([one(image_id=10, category_id=0)], numbered).kept == {0: 1}  # ids are those of the data set


def test_images_by_the_names_of_their_files(tmp_path: Path) -> None:
    """As ultralytics writes them where a name is no number; what two images have names neither."""
    images = [each | {"file_name": f"sub/img_{each['id']}.jpg"} for each in IMAGES]
    results = [one(image_id="img_8"), one(image_id="sub/img_9.jpg"), one(image_id="7")]  # type: ignore[arg-type]
    labels = made(results, {"images": images, "categories": CATEGORIES})
    assert [len(labels.dataset(tmp_path).instances(i)) for i in range(3)] == [1, 1, 1]
    twice = [each | {"file_name": f"{each['id'] % 2}/same.jpg"} for each in IMAGES]
    with pytest.raises(ValueError, match="image_id: expected the id of one of the 3 images of images, got 'same'"):
        made([one(image_id="same")], {"images": twice, "categories": CATEGORIES})  # type: ignore[arg-type]


def test_images_and_categories_whose_ids_are_names(tmp_path: Path) -> None:
    images = [each | {"id": f"uuid-{each['id']}"} for each in IMAGES]
    categories = [{"id": "c", "name": "cat"}, {"id": "d", "name": "dog"}]
    results = [one(image_id="uuid-8", category_id="d"), one(image_id="uuid-7", category_id="c")]  # type: ignore[arg-type]
    labels = made(results, {"images": images, "categories": categories}, min_score={"dog": 0.9, 1: 0.95})
    assert (labels.kept, labels.dropped) == ({2: 1}, {1: {"low score": 1}})
    labels.save(tmp_path / "pseudo.json")
    read = CocoDataset(tmp_path / "pseudo.json", tmp_path)
    assert read.info(1)["given_id"] == "uuid-8"
    assert read.instances(1).labels.tolist() == [2]  # type: ignore[union-attr]


def test_images_without_results_are_kept(tmp_path: Path) -> None:
    labels = made([])
    assert (labels.kept, labels.ignored, labels.dropped) == ({}, {}, {})
    assert [len(labels.dataset(tmp_path).instances(i)) for i in range(3)] == [0, 0, 0]
    assert repr(labels) == "PseudoLabels(3 images, 0 objects, 0 ignored)"


def test_the_table_has_every_number() -> None:
    labels = made([one(0.9), one(0.8), one(0.5, category_id=4), one(0.2, category_id=4)], ignore_below=0.4)
    assert labels.table().splitlines() == [
        "class        all  kept  ignored  low score  duplicate",
        "cat            2     1        0          0          1",
        "dog            2     0        1          1          0",
        "all classes    4     1        1          1          1",
    ]


@pytest.mark.skipif(DATA is None, reason="COPYPASTE_RS_TEST_DATA names no folder")
def test_of_higher_scores_more_are_right(tmp_path: Path) -> None:
    """Results of a model on real images: the higher the threshold, the more of what stays is what is there."""
    folder = Path(str(DATA)) / "results"
    truth = COCO(str(folder / "coco_val2014_100_gt.json"))
    results = folder / "coco_val2014_fakesegm100_results.json"
    shares = []
    for threshold in (0.0, 0.5, 0.9):
        labels = PseudoLabels.from_results(results, folder / "coco_val2014_100_gt.json", min_score=threshold)
        found = labels.dataset(tmp_path)
        right = total = 0
        for i in range(len(found)):
            rows = found.instances(i)
            there = [each for each in truth.imgToAnns[found.info(i)["image_id"]] if not each["iscrowd"]]
            drawn = [truth.annToRLE(each) for each in there]
            assert rows.masks is not None
            assert rows.labels is not None
            for mask, label in zip(rows.masks.to_coco(), rows.labels.tolist(), strict=True):
                same = [run for run, each in zip(drawn, there, strict=True) if each["category_id"] == label]
                right += bool(same) and coco.iou([mask], same, [0] * len(same)).max() >= 0.5
                total += 1
        shares.append(right / total)
        assert total == sum(labels.kept.values())
    assert shares == sorted(shares)
    assert shares[-1] > shares[0]

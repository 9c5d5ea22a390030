"""Lists of COCO results: what pycocotools loads of them, with scores, marked as pseudo-labels."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset, ResultsDataset, open_dataset
from tests.fixtures.coco_files import Files, box_polygon, small_set

DATA = os.environ.get("COPYPASTE_RS_TEST_DATA")


def result(image_id: Any, score: Any, category_id: int = 1, **fields: Any) -> dict[str, Any]:
    """A result; of polygons pycocotools takes those that come with a box, whatever that says."""
    return {
        "bbox": [0, 0, 1, 1],
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": [box_polygon(3, 4, 11, 7)],
        "score": score,
    } | fields


def counts(size: tuple[int, int], start: int, area: int) -> dict[str, Any]:
    return {"size": list(size), "counts": [start, area, size[0] * size[1] - start - area]}


RESULTS = [
    result(12, 0.25),
    result(10, 0.5, 2),
    result(10, 1, note="x"),
    result(11, 0, segmentation=counts((48, 32), 100, 300)),
    result(10, 0.75, 2, segmentation=[box_polygon(20, 9, 13.5, 12)]),
]


def results_of(folder: Path, results: Any) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps(results))
    return path


def opened(files: Files, results: Any, **options: Any) -> ResultsDataset:
    return ResultsDataset(results_of(files.images, results), *files, **options)


def as_pycocotools(photos: ResultsDataset, annotations: Path, results: Path) -> int:
    """Compare all results with those that pycocotools loads; their number."""
    truth = COCO(str(annotations))
    loaded = truth.loadRes(str(results))
    total = 0
    for i in range(len(photos)):
        expected = loaded.imgToAnns[photos.info(i)["image_id"]]
        found = photos.instances(i)
        assert found.masks is not None
        assert found.labels is not None
        masks = [loaded.annToMask(each) for each in expected]
        np.testing.assert_array_equal(found.masks.to_dense(), np.reshape(masks, (-1, *found.masks.size)))
        assert found.labels.tolist() == [each["category_id"] for each in expected]
        assert found.score.tolist() == [each["score"] for each in expected]
        assert found.id.tolist() == [each["id"] for each in expected]
        assert found.pseudo.all()
        total += len(found)
    return total


def test_results_are_those_of_pycocotools(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    photos = opened(files, RESULTS)
    assert as_pycocotools(photos, files.annotations, files.images / "results.json") == 5
    assert len(photos) == 5
    np.testing.assert_array_equal(photos[1].image, CocoDataset(*files)[1].image)
    assert photos.instances(0).note.tolist() == ["", "x", ""]
    assert photos.instances(3).columns.keys() == photos.instances(0).columns.keys()


@pytest.mark.skipif(DATA is None, reason="COPYPASTE_RS_TEST_DATA names no folder")
def test_results_of_a_model(tmp_path: Path) -> None:
    folder = Path(str(DATA)) / "results"
    results, truth = folder / "coco_val2014_fakesegm100_results.json", folder / "coco_val2014_100_gt.json"
    photos = ResultsDataset(results, truth, tmp_path)
    assert as_pycocotools(photos, truth, results) == 734
    sure = sum(each["score"] >= 0.7 for each in json.loads(results.read_text()))
    with pytest.warns(UserWarning, match=f"left out {734 - sure} results of a score below 0.7"):
        photos = ResultsDataset(results, truth, tmp_path, min_score=0.7)
    assert sum(len(photos.instances(i)) for i in range(len(photos))) == sure


def test_a_set_with_text_ids(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    images = [each | {"id": f"img-{each['id']}"} for each in files.json["images"]]
    photos = opened(files.edit(images=images), [each | {"image_id": f"img-{each['image_id']}"} for each in RESULTS])
    assert [len(photos.instances(i)) for i in range(5)] == [3, 1, 1, 0, 0]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    told = r"left out 2 results of a score below 0.5, 1 result of an image that is not there$"
    with pytest.warns(UserWarning, match=told):
        photos = opened(files, [*RESULTS, result(77, 0.9)], min_score=0.5)
    assert photos.instances(0).score.tolist() == [0.5, 1.0, 0.75]
    with pytest.raises(ValueError, match=r"results\.json: expected results of the images of .*annotations\.json, got those "
                                         r"of another set: none of 2 is of one of its 5 images, the first is of image 70"):  # fmt: skip
        opened(files, [result(70, 0.5), result(71, 0.5)])


WRONG: list[tuple[Any, str]] = [
    ({"score": 1.5}, "score: expected a number from 0 to 1, got 1.5"),
    ({"score": -0.1}, "score: expected a number from 0 to 1, got -0.1"),
    ({"score": "0.5"}, "score: expected a number from 0 to 1, got '0.5'"),
    ({"score": True}, "score: expected a number from 0 to 1, got True"),
    ({"score": float("nan")}, "score: expected a number from 0 to 1, got null or NaN"),
    ({"category_id": "cat"}, "Expected an id of a category, got 'cat'"),
    ({"segmentation": [[1, 2, 3]]}, "expected an even number of coordinates"),
    ({"segmentation": {"size": [40, 60], "counts": "P"}}, "segmentation: counts: "),
    ({"segmentation": None, "bbox": [1, 2, -3, 4]}, "bbox: expected a width and a height of at least 0"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_what_is_malformed_has_its_place(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=rf"results\.json: results\[1\]: .*{message}"):
        opened(small_set(tmp_path), [RESULTS[0], RESULTS[1] | change])


def test_several_problems_at_once(tmp_path: Path) -> None:
    results = [{name: value for name, value in each.items() if name != "score"} for each in RESULTS] * 3
    with pytest.raises(
        ValueError, match=r"results\[0\]: expected a score, got none\n  results\[1\]: (?s:.*)and 5 more$"
    ):
        opened(small_set(tmp_path), results)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a list of COCO results, got a file that is empty"),
        (b'{"images": []}', "cannot be read as a list of COCO results: Expected `array`, got `object`"),
        (b'[{"image_id": 10,', "cannot be read as a list of COCO results: .*truncated"),
        ('[{"image_id": 10}]'.encode("utf-16"), "expected text in UTF-8, got UTF-16"),
        (b'["\xe9"]', r"expected text in UTF-8, got 0xe9 \(byte 2\)"),
        (b"[" * 100_000, "recursion|truncated"),
        (b"[3]", r"results\[0\]: Expected `object`, got `int`"),
    ],
)
def test_malformed_files(tmp_path: Path, content: bytes, message: str) -> None:
    files = small_set(tmp_path)
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"results\.json: .*({message})"):
        ResultsDataset(tmp_path / "results.json", *files)


def test_boxes_alone(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    results = [result(10, 0.5, segmentation=None, bbox=[2, 3, 10, 8]), result(11, 0.75)]
    with pytest.raises(ValueError, match=r"results\[0\]: expected a segmentation, got a bbox alone"):
        opened(files, results)
    kept = opened(files, results, boxes="keep")
    assert kept.instances(0).box_only.tolist() == [True]  # type: ignore[union-attr]
    assert kept.instances(0).boxes.tolist() == [[2, 3, 12, 11]]  # type: ignore[union-attr]


def test_arguments_and_empty_lists(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    empty = opened(files, [])
    assert [len(empty.instances(i)) for i in range(5)] == [0] * 5
    assert {"score", "pseudo"} <= empty.fields.keys()
    assert opened(files, RESULTS, columns=[]).fields.keys() == {"score", "pseudo"}
    given = opened(files, [RESULTS[0] | {"pseudo": False}, RESULTS[1] | {"pseudo": True}])
    assert given.instances(2).pseudo.tolist() == [False]
    with pytest.raises(ValueError, match=r"^min_score: expected .*, got 1.5"):
        opened(files, RESULTS, min_score=1.5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'box'"):
        opened(files, RESULTS, box="keep")


def test_they_are_pasted_only_when_that_is_asked_for(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    photos, truth = opened(files, RESULTS, columns=[]), CocoDataset(*files, columns=[])
    with pytest.warns(UserWarning, match="pseudo-label"):
        CopyPasteDataset(truth, SimpleCopyPaste(size=64), sources=photos)
    data = CopyPasteDataset(photos, SimpleCopyPaste(size=64, select="all", target_scale=(1, 1)), sources=truth, seed=2)
    result = data[0].instances
    assert result.pseudo.tolist() == (result.source < 0).tolist()
    assert set(result.score[result.source >= 0].tolist()) == {1.0}


def test_the_format_is_found(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    path = results_of(tmp_path, RESULTS)
    found = open_dataset(path)
    assert isinstance(found, ResultsDataset)
    assert found.path(0) == files.images / "0.jpg"
    lonely = tmp_path / "elsewhere"
    lonely.mkdir()
    with pytest.raises(FileNotFoundError, match=r"results\.json: expected one file of its images beside it"):
        open_dataset(results_of(lonely, RESULTS))

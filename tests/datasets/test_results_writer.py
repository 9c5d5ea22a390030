"""ResultsWriter: lists that pycocotools loads, and what they cannot hold."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from copypaste_rs import Instances, RleMasks, Sample
from copypaste_rs.datasets import ResultsDataset, ResultsWriter
from copypaste_rs.errors import ArgumentError
from tests.fixtures.coco_files import every_file

CATEGORIES = [{"id": 1, "name": "square"}, {"id": 5, "name": "ring"}]


def sample(image_id: Any = 7, n: int = 2, info: Any = {}, **columns: Any) -> Sample:  # noqa: B006  # not changed
    dense = np.zeros((n, 20, 30), np.uint8)
    for k in range(n):
        dense[k, 3 + k : 12, 2 : 9 + 3 * k] = 1
    instances = Instances(masks=RleMasks.from_dense(dense), **{"labels": [1, 5, 5, 1][:n]} | columns)
    return Sample(np.zeros((20, 30, 3), np.uint8), instances, {"image_id": image_id, "file_name": "a/b.jpg", **info})


def with_box(image_id: int) -> Sample:
    """An object with an outline, and one without."""
    instances = Instances(boxes=[[1, 2, 11, 9], [4, 4, 8, 9]], labels=[1, 5], score=[0.5, 0.25])
    return Sample(np.zeros((20, 30, 3), np.uint8), instances, {"image_id": image_id})


def written(folder: Path, samples: list[Sample], **options: Any) -> list[dict[str, Any]]:
    with ResultsWriter(folder, CATEGORIES, **options) as writer:
        for each in samples:
            writer.write(each)
    results: list[dict[str, Any]] = json.loads((folder / "results.json").read_text())
    return results


def loaded(folder: Path) -> COCO:
    return COCO(str(folder / "image_info.json")).loadRes(str(folder / "results.json"))


def test_pycocotools_loads_it(tmp_path: Path) -> None:
    samples = [sample(7, score=[0.5, 0.125], note=["x", "y"]), sample(3, n=0), sample(9, n=3, score=[1, 0.75, 0])]
    results = written(tmp_path, samples)
    assert [each["score"] for each in results] == [0.5, 0.125, 1, 0.75, 0]
    assert not any("bbox" in each or "iscrowd" in each for each in results)
    truth = loaded(tmp_path)
    for each in samples:
        found = truth.imgToAnns[each.info["image_id"]]
        masks = each.instances.masks
        assert masks is not None
        np.testing.assert_array_equal(
            [truth.annToMask(one) for one in found] or np.zeros((0, 20, 30)), masks.to_dense()
        )
        assert [one["area"] for one in found] == masks.area.tolist()
    assert not list(tmp_path.glob("*.jpg"))


def test_a_round_trip(tmp_path: Path) -> None:
    written(
        tmp_path,
        [
            sample("e7-1", score=[0.5, 0.125], note=["x", "y"]),
            sample(3, 1, {"file_name": "c.jpg"}, score=[0.1], note=["z"]),
        ],
    )
    photos = ResultsDataset(tmp_path / "results.json", tmp_path / "image_info.json", tmp_path)
    assert photos.categories == CATEGORIES
    assert photos.info(0)["given_id"] == "e7-1"
    assert photos.info(1) == {"image_id": 3, "file_name": "c.jpg", "width": 30, "height": 20}
    found = photos.instances(0)
    assert found.masks == sample().instances.masks
    assert (found.score.tolist(), found.note.tolist()) == ([0.5, 0.125], ["x", "y"])
    written(tmp_path / "again", [Sample(np.zeros((20, 30, 3), np.uint8), found, photos.info(0))])
    assert json.loads((tmp_path / "again" / "results.json").read_text())[0]["image_id"] == "e7-1"


def test_boxes_alone_give_all_a_bbox(tmp_path: Path) -> None:
    results = written(tmp_path, [with_box(4), sample(5, score=[0.5, 0.5])])
    assert ["segmentation" in each for each in results] == [False, False, True, True]
    truth = loaded(tmp_path)
    assert [each["bbox"] for each in truth.imgToAnns[4]] == [[1, 2, 10, 7], [4, 4, 4, 5]]
    assert [each["bbox"] for each in truth.imgToAnns[5]] == [[2, 3, 7, 9], [2, 4, 10, 8]]


def test_what_results_cannot_hold_is_counted(tmp_path: Path) -> None:
    told = r"not held by the format: crowds: 1; objects without a score, which have 1 now: 3$"
    with pytest.warns(UserWarning, match=told):
        results = written(
            tmp_path,
            [sample(1, iscrowd=[True, False], score=[0.5, 0.5]), sample(2), sample(3, score=[np.nan, 0.5])],
        )
    assert [each["score"] for each in results] == [0.5, 1, 1, 1, 0.5]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (sample(score=[0.5, 1.5]), r"sample\.instances\.score: expected numbers from 0 to 1, got 1.5"),
        (sample(score=["a", "b"]), r"sample\.instances\.score: expected numbers from 0 to 1, got 'a'"),
        (sample(None), r"sample\.info: expected an image_id, which results name, got None"),
        (sample(7, score=[0.5, 0.5]), "sample: expected an image_id that is not taken yet, got 7"),
        (sample(8, labels=[1, 2]), "sample: expected labels that are among the categories, got 2"),
    ],
)
def test_wrong_samples_are_named_and_leave_nothing(tmp_path: Path, wrong: Sample, message: str) -> None:
    with ResultsWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(7, score=[0.5, 0.5]))
        with pytest.raises(ArgumentError, match=message):
            writer.write(wrong)
        assert len(writer) == 1
    assert len(json.loads((tmp_path / "results.json").read_text())) == 2


def test_a_run_goes_on(tmp_path: Path) -> None:
    samples = [sample(k, score=[0.5, k / 8]) for k in range(4)]
    written(tmp_path / "whole", samples)
    written(tmp_path / "parts", samples[:2])
    with ResultsWriter(tmp_path / "parts", CATEGORIES, resume=True) as writer:
        assert len(writer) == 2
        with pytest.raises(ArgumentError, match="an image_id that is not taken yet, got 1"):
            writer.write(samples[1])
        for each in samples[2:]:
            writer.write_encoded(pickle.loads(pickle.dumps(writer.encoder()))(each))
    assert every_file(tmp_path / "parts") == every_file(tmp_path / "whole")
    written(tmp_path / "whole", [], overwrite=True)
    assert (tmp_path / "whole" / "results.json").read_text() == "[]"

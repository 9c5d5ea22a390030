"""LvisWriter: what the package lvis reads and evaluates, and what LVIS cannot hold."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from copypaste_rs import Instances, Sample, SimpleCopyPaste
from copypaste_rs.datasets import CocoWriter, CopyPasteDataset, LvisDataset, LvisWriter, open_dataset
from copypaste_rs.datasets.output import OtherSettingsError
from copypaste_rs.errors import ArgumentError
from tests.fixtures.lvis_files import CATEGORIES, LISTS, lvis_set

NO_LVIS = "the package lvis is not installed; pip install lvis brings it"


def written(folder: Path, samples: list[Sample], categories: list[dict[str, Any]] = CATEGORIES) -> dict[str, Any]:
    with LvisWriter(folder, categories, format="png") as writer:
        for sample in samples:
            writer.write(sample)
    content: dict[str, Any] = json.loads((folder / "annotations.json").read_text())
    return content


def test_a_round_trip(tmp_path: Path) -> None:
    photos = LvisDataset(*lvis_set(tmp_path / "in"))
    written(tmp_path / "out", [*photos])
    again = open_dataset(tmp_path / "out")
    assert isinstance(again, LvisDataset)
    assert again.frequency == photos.frequency
    for i in range(3):
        sample, expected = again[i], photos[i]
        np.testing.assert_array_equal(sample.image, expected.image)
        assert sample.instances.masks == expected.instances.masks
        np.testing.assert_array_equal(sample.instances.labels, expected.instances.labels)
        assert (sample.info["neg_category_ids"], sample.info["not_exhaustive_category_ids"]) == LISTS[i]
        assert sample.info["source_coco_url"] == expected.info["coco_url"]
        assert sample.info["coco_url"] == f"images/{i + 1:012d}.png"


def test_counts_and_groups_are_those_of_what_was_written(tmp_path: Path) -> None:
    photos = LvisDataset(*lvis_set(tmp_path / "in"))
    bare = [{"id": each["id"], "name": each["name"]} for each in CATEGORIES[:3]] + [CATEGORIES[3] | {"frequency": "f"}]
    counts = [(3, 3, "r"), (1, 1, "r"), (1, 2, "r"), (0, 0, "f")]
    found = written(tmp_path / "few", [*photos], bare)["categories"]
    assert [(each["image_count"], each["instance_count"], each["frequency"]) for each in found] == counts
    many = written(tmp_path / "many", [photos[0]] * 11 + [photos[1]] * 90, bare)["categories"]
    assert [each["frequency"] for each in many] == ["f", "r", "c", "f"]


def test_crowds_and_boxes_alone_are_counted(tmp_path: Path) -> None:
    photo = LvisDataset(*lvis_set(tmp_path / "in"))[0]
    columns = photo.instances.columns
    kept = {name: columns[name] for name in ("masks", "boxes")}
    odd = Instances(**kept, labels=[2, 7, 9], iscrowd=[False, True, False], box_only=[False, False, True])
    info = {"neg_category_ids": [9, 5], "not_exhaustive_category_ids": (7,)}
    with pytest.warns(UserWarning, match=r"not held by the format: crowds: 2; boxes without outlines: 2$"):
        content = written(tmp_path / "out", [photo.replace(instances=odd, info=info)] * 2)
    assert [each["category_id"] for each in content["annotations"]] == [2, 2]
    assert content["images"][1]["neg_category_ids"] == [5]
    assert content["images"][1]["not_exhaustive_category_ids"] == [7, 9]


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^categories\[1\]: expected 'r', 'c' or 'f' as frequency, got 'often'"):
        LvisWriter(tmp_path / "out", [CATEGORIES[0], CATEGORIES[1] | {"frequency": "often"}])
    assert not (tmp_path / "out").exists()
    writer = LvisWriter(tmp_path / "out", CATEGORIES)
    assert pickle.loads(pickle.dumps(writer.encoder())) == writer.encoder()
    writer.close()
    with pytest.raises(OtherSettingsError, match="output_format was 'lvis' and is 'coco'"):
        CocoWriter(tmp_path / "out", CATEGORIES, resume=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the package
@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_the_package_lvis_evaluates_it(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lvis = pytest.importorskip("lvis", reason=NO_LVIS)
    monkeypatch.setattr(np, "float", float, raising=False)  # the package is for NumPy before 1.24
    photos = LvisDataset(*lvis_set(tmp_path / "in"))
    data = CopyPasteDataset(photos, SimpleCopyPaste(size=64, select="all"), seed=1)
    content = written(tmp_path / "out", [data[i % 3] for i in range(6)])
    path = str(tmp_path / "out" / "annotations.json")
    truth, coco = lvis.LVIS(path), COCO(path)
    for each in content["annotations"]:
        np.testing.assert_array_equal(truth.ann_to_mask(each), coco.annToMask(each))
    results = [
        {name: each[name] for name in ("image_id", "category_id", "segmentation", "bbox")} | {"score": 0.5}
        for each in content["annotations"]
    ]
    evaluation = lvis.LVISEval(truth, lvis.LVISResults(truth, results), kind)
    evaluation.run()
    assert evaluation.get_results()["AP"] == 1

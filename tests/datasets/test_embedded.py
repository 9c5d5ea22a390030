"""The sample set that comes with the package."""

from __future__ import annotations

import pytest
from pycocotools.coco import COCO

from copypaste_rs.datasets import CocoDataset, sample_data, sample_paths


def test_the_sample_set_is_small_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    annotations, images = sample_paths()
    assert images.is_dir()
    folder = annotations.parent
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 2**20
    assert (folder / "LICENCE.txt").exists()
    coco = COCO(str(annotations))
    capsys.readouterr()
    assert {coco.cats[a["category_id"]]["name"] for a in coco.anns.values()} == {
        "cup", "cat", "coin", "person", "helmet", "rocket", "shuttle model"
    }  # fmt: skip


def test_sample_data_is_the_set_that_the_paths_name(capsys: pytest.CaptureFixture[str]) -> None:
    photos = sample_data()
    assert isinstance(photos, CocoDataset)
    assert len(photos) == 5
    assert list(photos) == list(CocoDataset(*sample_paths()))
    coco = COCO(str(sample_paths()[0]))
    capsys.readouterr()
    for sample in photos:
        annotated = coco.imgToAnns[sample.info["image_id"]]
        assert len(annotated) > 0
        assert sample.instances.id.tolist() == [annotation["id"] for annotation in annotated]

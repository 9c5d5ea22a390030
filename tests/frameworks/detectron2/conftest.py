"""Fixtures of the tests of Detectron2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fixtures.coloured_set import coloured_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.coco_files import Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return coloured_set(tmp_path / "set")


@pytest.fixture
def dicts(files: Files) -> Any:
    from detectron2.data.datasets import load_coco_json

    return load_coco_json(str(files.annotations), str(files.images), "coloured")


@pytest.fixture
def cfg(files: Files) -> Iterator[Any]:
    from detectron2.config import get_cfg
    from detectron2.data import DatasetCatalog, MetadataCatalog
    from detectron2.data.datasets import register_coco_instances

    register_coco_instances("coloured_train", {}, str(files.annotations), str(files.images))
    cfg = get_cfg()
    cfg.DATASETS.TRAIN = ("coloured_train",)
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.DATALOADER.FILTER_EMPTY_ANNOTATIONS = False
    cfg.SOLVER.IMS_PER_BATCH = 2
    cfg.MODEL.MASK_ON = True
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = 3
    yield cfg
    DatasetCatalog.remove("coloured_train")
    MetadataCatalog.remove("coloured_train")

"""`BackgroundDataset`: folders of images, as targets."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.datasets import BackgroundDataset, CocoDataset, CocoWriter, CopyPasteDataset, open_dataset

SIZES = {"a.png": (8, 12), "sub/b.jpg": (10, 14), "sub/z.bmp": (5, 6)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, (h, w) in SIZES.items():
        (tmp_path / "sky" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((h, w, 3), 90, np.uint8)).save(tmp_path / "sky" / name)
    return tmp_path / "sky"


def test_all_images_by_name(folder: Path) -> None:
    found = BackgroundDataset(folder)
    assert [(found.info(i)["file_name"], found[i].size) for i in range(len(found))] == list(SIZES.items())
    assert not found.has_instances
    assert found.categories == []
    assert [found.info(i)["image_id"] for i in range(3)] == [1, 2, 3]


def test_other_files_are_counted(folder: Path) -> None:
    digest = BackgroundDataset(folder).digest
    (folder / "notes.txt").write_text("hello")
    (folder / "broken.png").write_bytes(b"no")
    (folder / ".DS_Store").write_bytes(b"no")
    with pytest.warns(UserWarning, match=r"sky: left out 2 files that are no images \(broken\.png, \.\.\.\)$"):
        found = BackgroundDataset(folder)
    assert len(found) == 3
    assert found.digest == digest
    shutil.copy(folder / "a.png", folder / "c.png")
    (folder / "broken.png").unlink()
    (folder / "notes.txt").unlink()
    assert BackgroundDataset(folder).digest != digest


def test_no_folder_and_no_image(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="expected a folder of images"):
        BackgroundDataset(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match=r"expected a folder with images$"):
        BackgroundDataset(tmp_path)
    (tmp_path / "a.txt").touch()
    with pytest.raises(FileNotFoundError, match="expected a folder with images, got 1 file of other kinds"):
        BackgroundDataset(tmp_path)
    with pytest.raises(TypeError):
        BackgroundDataset(tmp_path, dtyp="keep")  # type: ignore[call-arg]


def test_opened_by_name_alone(folder: Path) -> None:
    assert isinstance(open_dataset(folder, format="backgrounds"), BackgroundDataset)
    assert len(open_dataset(folder, format="backgrounds", split="sub")) == 2
    with pytest.raises(ValueError, match="got a folder of no format that is recognised"):
        open_dataset(folder)


def test_as_targets(folder: Path, tmp_path: Path) -> None:
    mask = RleMasks.from_polygons([[[1, 1, 6, 1, 6, 6, 1, 6]]], (8, 9))
    rows = Instances(masks=mask, labels=[4], score=[0.5], note=np.array(["x"]))
    with CocoWriter(tmp_path / "photos", [{"id": 4, "name": "cat"}], format="png") as writer:
        writer.write(Sample(np.full((8, 9, 3), 200, np.uint8), rows))
    photos = CocoDataset(tmp_path / "photos/annotations.json", tmp_path / "photos/images")
    transform = SimpleCopyPaste(size=(20, 30), source_scale=(1, 1), select="all")
    pasted = CopyPasteDataset(BackgroundDataset(folder), transform, sources=photos)
    seen = 0
    for i in range(3):
        columns = pasted[i].instances.columns
        assert columns.keys() >= {"score", "note", "labels"}
        seen += len(pasted[i].instances)
    assert seen > 0

"""What `YoloWriter` writes, read by the data set of Ultralytics itself, where that package is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs.datasets import YoloDataset, YoloWriter, sample_data
from tests.fixtures.masks_of_all_kinds import ONE_PART, blobs, photo

pytest.importorskip("ultralytics", reason="ultralytics, whose own reader is the truth here, is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

MASKS = np.pad(ONE_PART, ((0, 0), (3, 4), (2, 8)))
"""In images of 12 x 17: those of fewer than 10 pixels are left out there."""


def loaded(folder: Path) -> Any:
    from ultralytics.data import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    described = check_det_dataset(str(folder / "data.yaml"))
    return YOLODataset(img_path=described["train"], data=described, task="segment", augment=False, imgsz=64)


def masks_of(label: dict[str, Any]) -> Any:
    """Masks by Ultralytics' own steps: outlines are given points between, made pixels, and filled."""
    from ultralytics.data.utils import polygons2masks
    from ultralytics.utils.ops import resample_segments

    h, w = label["shape"]
    longest = max(map(len, label["segments"]))
    points = longest + 1 if longest > 1000 else 1000  # as `update_labels_info` has it
    segments = resample_segments([each.copy() for each in label["segments"]], n=points)
    return polygons2masks((h, w), [each * (w, h) for each in segments], color=1)


def test_masks_are_exact(tmp_path: Path) -> None:
    size = (90, 130)
    noise = np.stack([blobs(seed, size, share) for seed in range(4) for share in (0.4, 0.9)])
    with YoloWriter(tmp_path, ["cat", "dog", "no"]) as writer:
        writer.write(photo(MASKS))
        writer.write(photo(noise))
    labels = loaded(tmp_path).labels
    np.testing.assert_array_equal(masks_of(labels[0]), MASKS)
    assert labels[0]["cls"].ravel().tolist() == [0, 1, 2] * 3
    found = masks_of(labels[1])
    assert (found >= noise).all()  # bridges are added


def test_photographs(tmp_path: Path) -> None:
    photos = sample_data()
    with YoloWriter(tmp_path, photos.categories) as writer:
        for sample in photos:
            writer.write(sample)
    ours = YoloDataset(tmp_path)
    dataset = loaded(tmp_path)
    assert dataset.data["names"] == {i: each["name"] for i, each in enumerate(photos.categories)}
    overlaps = []
    for i, label in enumerate(dataset.labels):
        expected = ours.instances(i).masks
        assert expected is not None
        for mask, drawn in zip(expected.to_dense(), masks_of(label), strict=True):
            overlaps.append((mask & drawn).sum() / (mask | drawn).sum())
    assert np.mean(np.array(overlaps) == 1) > 0.8
    assert min(overlaps) > 0.98


def test_what_is_refused_here_is_left_out_there(tmp_path: Path) -> None:
    from ultralytics.data.utils import verify_image_label

    with YoloWriter(tmp_path, ["cat", "dog"]) as writer:
        writer.write(photo(MASKS[:1]))
    image, label = (str(next(tmp_path.glob(f"{name}/train/*"))) for name in ("images", "labels"))
    lines = [
        "0 0.1 0.1 0.5 0.1 0.5 0.5",
        "0 0.1 -0.005 0.5 0.1 1.009 0.5",
        "0 0.1 0.1 0.5 0.1 1.02 0.5",  # what reaches out a little is taken
        "0 0.1 -0.01 0.5 1.02 0.5 0.3",
        "0 0.1 -0.02 0.5 0.1 0.5 0.5",
        "0 0.9 0.9 1.2 0.9 1.2 1.1",
        "0 -0.3 -0.3 0.2 -0.3 0.2 0.1",
        "2 0.1 0.1 0.5 0.1 0.5 0.5",
        "0 0.1 0.1 0.5 0.1 0.5",
        "0 10 10 50 10 50 50",
        "0.5 0.1 0.1 0.5 0.1 0.5 0.5",
        "cat 0.1 0.1 0.5 0.1 0.5 0.5",
    ]
    seen: set[bool] = set()
    for line in lines:
        Path(label).write_text(line)
        there = verify_image_label((image, label, "", False, 2, 0, 0, False))
        try:
            YoloDataset(tmp_path)
            here = True
        except ValueError:
            here = False
        assert (there[0] is not None) == here, line
        seen.add(here)
    assert seen == {True, False}

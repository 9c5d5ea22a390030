"""`YoloWriter`: masks as OpenCV fills them by Ultralytics' rule, as pycocotools draws them, and as they are read."""

from __future__ import annotations

import math
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pycocotools.mask as coco_mask
import pytest
from numpy.typing import NDArray

from copypaste_rs import Instances, RleMasks, Sample
from copypaste_rs.datasets import CocoDataset, YoloDataset, YoloWriter, open_dataset, sample_data
from copypaste_rs.datasets.outlines import joined
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.masks_of_all_kinds import ONE_PART, SEVERAL_PARTS, blobs, photo

NAMES = ["cat", "dog", "no"]
JOINED = "objects of several parts, which are joined"


def filled(line: str, size: tuple[int, int]) -> NDArray[Any]:
    """The mask of a line, as Ultralytics makes it: float32, fractions cut off, filled with its border."""
    h, w = size
    points = np.array(line.split()[1:], np.float32).reshape(-1, 2) * np.array([w, h], np.float32)
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [points.astype(np.int32)], (1,))
    return mask


def by_coco(line: str, size: tuple[int, int]) -> NDArray[Any]:
    h, w = size
    points = (np.array(line.split()[1:], float).reshape(-1, 2) * (w, h)).ravel().tolist()
    decoded: NDArray[Any] = coco_mask.decode(coco_mask.frPyObjects([points], h, w))[:, :, 0]
    return decoded


def written(folder: Path, *samples: Sample, **options: Any) -> list[list[str]]:
    with YoloWriter(folder, NAMES, **options) as writer:
        for sample in samples:
            writer.write(sample)
    return [path.read_text().splitlines() for path in sorted(folder.glob("labels/*/*.txt"))]


def test_one_part_is_exact_by_both_rules(tmp_path: Path) -> None:
    (lines,) = written(tmp_path, photo(ONE_PART))
    assert [line.split()[0] for line in lines] == ["0", "1", "2"] * 3
    for line, mask in zip(lines, ONE_PART, strict=True):
        np.testing.assert_array_equal(filled(line, (5, 7)), mask)
        np.testing.assert_array_equal(by_coco(line, (5, 7)), mask)
    found = YoloDataset(tmp_path).instances(0)
    np.testing.assert_array_equal(found.masks.to_dense(), ONE_PART)  # type: ignore[union-attr]


def test_several_parts_are_exact_here(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=f"{JOINED}: 4$"):
        (lines,) = written(tmp_path, photo(SEVERAL_PARTS))
    for line, mask in zip(lines, SEVERAL_PARTS, strict=True):
        np.testing.assert_array_equal(by_coco(line, (5, 7)), mask)
        assert (filled(line, (5, 7)) >= mask).all()
    found = YoloDataset(tmp_path).instances(0)
    np.testing.assert_array_equal(found.masks.to_dense(), SEVERAL_PARTS)  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore:.*which are joined")
@pytest.mark.parametrize("size", [(64, 97), (97, 64), (1024, 1500), (30, 3000)])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_blobs_of_any_shape(tmp_path: Path, size: tuple[int, int], share: float) -> None:
    masks = np.stack([blobs(seed, size, share) for seed in range(2)])
    if size[0] > 1000:  # few large ones
        masks = masks[:1, ::8, ::8].repeat(8, 1).repeat(8, 2)[:, : size[0], : size[1]]
    (lines,) = written(tmp_path, photo(masks))
    for line, mask in zip(lines, masks, strict=True):
        np.testing.assert_array_equal(by_coco(line, size), mask)
        drawn = filled(line, size)
        assert (drawn >= mask).all()  # bridges are added, and nothing is lost
    found = YoloDataset(tmp_path).instances(0)
    np.testing.assert_array_equal(found.masks.to_dense(), masks)  # type: ignore[union-attr]


def test_widest_images(tmp_path: Path) -> None:
    mask = np.zeros((1, 3, 60_001), np.uint8)
    mask[0, 1, 59_990:60_000] = mask[0, 0, 3:5_000] = mask[0, 1, 4_999:59_990] = 1
    (lines,) = written(tmp_path, photo(mask))
    np.testing.assert_array_equal(filled(lines[0], (3, 60_001)), mask[0])
    np.testing.assert_array_equal(YoloDataset(tmp_path).instances(0).masks.to_dense(), mask)  # type: ignore[union-attr]


def test_photographs(tmp_path: Path) -> None:
    photos = sample_data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with YoloWriter(tmp_path, photos.categories, format="png") as writer:
            for sample in photos:
                writer.write(sample)
    found = YoloDataset(tmp_path)
    assert [category["name"] for category in found.categories] == [category["name"] for category in photos.categories]
    numbers = [category["id"] for category in photos.categories]
    for i in range(len(photos)):
        expected, got = photos.instances(i), found.instances(i)
        plain = expected[~expected.iscrowd] if expected.iscrowd is not None else expected
        assert got.masks == plain.masks
        assert [numbers[label] for label in got.labels.tolist()] == plain.labels.tolist()  # type: ignore[union-attr]
        np.testing.assert_array_equal(found[i].image, photos[i].image)


def test_coco_photographs_by_the_rule_of_ultralytics(tmp_path: Path) -> None:
    root = os.environ.get("COPYPASTE_RS_TEST_DATA")
    if not root:
        pytest.skip("COPYPASTE_RS_TEST_DATA names no folder")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        place = Path(root, "coco_free56")
        photos = CocoDataset(place / "annotations.json", place / "images", columns=[], crowds="drop")
        with YoloWriter(tmp_path, photos.categories) as writer:
            for sample in photos:
                writer.write(sample)
        found = YoloDataset(tmp_path)
    overlaps = []
    for i, path in enumerate(sorted(tmp_path.glob("labels/train/*.txt"))):
        expected = photos.instances(i).masks
        assert expected is not None
        assert found.instances(i).masks == expected
        for line, mask in zip(path.read_text().splitlines(), expected.to_dense(), strict=True):
            drawn = filled(line, expected.size)
            overlaps.append((drawn & mask).sum() / (drawn | mask).sum())
    assert np.mean(np.array(overlaps) == 1) > 0.85
    assert np.mean(overlaps) > 0.995


def test_files(tmp_path: Path) -> None:
    empty = Sample(np.zeros((5, 7, 3), np.uint8), Instances())
    lines = written(tmp_path, photo(ONE_PART), empty, split="val", format="png")
    assert lines[1] == []
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in names if not name.startswith(".")] == [
        "data.yaml", "images/val/000000000001.png", "images/val/000000000002.png",
        "labels/val/000000000001.txt", "labels/val/000000000002.txt",
    ]  # fmt: skip
    remark = "  # to be replaced: train and val have to be named, and only val was written"
    assert (tmp_path / "data.yaml").read_text() == (
        f'train: images/val{remark}\nval: images/val\nnames:\n  0: "cat"\n  1: "dog"\n  2: "no"\n'
    )
    assert len(YoloDataset(tmp_path, "val")) == 2


@pytest.mark.parametrize(
    "name", ["no", "1.0", "a: b # c", 'it\'s "x"', "a\nb", "\u00e9\U0001f600", "\x7f\x85\u2028\ufeff", "[x]", "", "~"]
)
def test_names_of_classes_come_back(tmp_path: Path, name: str) -> None:
    with YoloWriter(tmp_path, [name, "x"]) as writer:
        writer.write(photo(ONE_PART[:2]))
    assert YoloDataset(tmp_path).categories[0]["name"] == name


def test_what_is_not_held_is_counted(tmp_path: Path) -> None:
    crowd = np.array([True, False, False, False])
    alone = np.array([False, True, False, False])
    masks = RleMasks.from_dense(np.concatenate([ONE_PART[:3], ONE_PART[:1] * 0]))
    rows = Instances(
        masks=masks, labels=[0, 1, 2, 0], iscrowd=crowd, box_only=alone, boxes=masks.boxes, score=[1.0] * 4
    )
    sample = Sample(np.zeros((5, 7, 3), np.uint8), rows)
    writer = YoloWriter(tmp_path, NAMES)
    writer.write(sample)
    writer.write(sample)
    with pytest.warns(UserWarning, match="not held by the format") as caught:
        writer.close()
    assert len(caught) == 1
    told = str(caught[0].message).removeprefix(f"{tmp_path}: not held by the format: ")
    assert told.split("; ") == [
        "crowds, which are left out: 2",
        "boxes without an outline, which are left out: 2",
        "objects without a pixel, which are left out: 2",
        "values of the column 'score': 2",
    ]
    assert YoloDataset(tmp_path).instances(0).labels.tolist() == [2]  # type: ignore[union-attr]


def test_categories_are_numbered_in_their_order(tmp_path: Path) -> None:
    categories = [{"id": 7, "name": "cat"}, {"id": 3, "name": "dog"}]
    with YoloWriter(tmp_path, categories) as writer:
        writer.write(photo(ONE_PART[1:3], labels=[3, 7]))
        with pytest.raises(ArgumentError, match="sample: expected labels that are among the categories, got 4"):
            writer.write(photo(ONE_PART[1:2], labels=[4]))
    found = open_dataset(tmp_path)
    assert found.instances(0).labels.tolist() == [1, 0]  # type: ignore[union-attr]
    assert len(found) == 1


def test_arguments(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="split: expected one of 'train', 'val', 'test', got 'x'"):
        YoloWriter(tmp_path, NAMES, split="x")
    with pytest.raises(ArgumentTypeError, match="names: expected a sequence of names"):
        YoloWriter(tmp_path, "cat")
    with pytest.raises(ArgumentTypeError, match=r"names\[1\]: expected a name"):
        YoloWriter(tmp_path, ["cat", 3])  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"names\[0\]: expected a name, got None"):
        YoloWriter(tmp_path, [{"id": 1}])
    with YoloWriter(tmp_path, NAMES) as writer:
        for name in ("images/a.jpg", ".a.jpg"):
            with pytest.raises(ArgumentError, match="file_name: expected no hidden file, nor a folder 'images'"):
                writer.write(photo(ONE_PART[:1]), name)
        writer.write(photo(ONE_PART[:1]), "sub/a.b.jpg")
        pickle.loads(pickle.dumps(writer.encoder()))(photo(ONE_PART[:1]))
    assert YoloDataset(tmp_path).instances(0).labels.tolist() == [0]  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="split was 'train' and is 'val'"):
        YoloWriter(tmp_path, NAMES, split="val", resume=True)


def test_bridges_are_a_shortest_tree() -> None:
    """By brute force over all trees that Kruskal's rule could build: total length of the bridges."""
    rng = np.random.default_rng(4)
    for _ in range(30):
        rings = [rng.integers(0, 50, 2) + rng.random((rng.integers(3, 7), 2)) * 5 for _ in range(rng.integers(2, 7))]
        found = joined(rings)
        own = sum(np.linalg.norm(ring - np.roll(ring, -1, axis=0), axis=1).sum() for ring in rings)
        extra = np.linalg.norm(found - np.roll(found, -1, axis=0), axis=1).sum() - own
        pairs = sorted(
            (math.sqrt(((a[:, None] - b[None]) ** 2).sum(2).min()), i, j)
            for i, a in enumerate(rings)
            for j, b in enumerate(rings[:i])
        )
        group, total = list(range(len(rings))), 0.0
        for length, i, j in pairs:
            if group[i] != group[j]:
                total += length
                group = [group[j] if each == group[i] else each for each in group]
        assert extra == pytest.approx(2 * total)

"""`CsvWriter`: rows that NumPy fills, and that are read again as they were."""

from __future__ import annotations

import csv
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from copypaste_rs import Instances, RleMasks, Sample
from copypaste_rs.datasets import CsvDataset, CsvWriter, open_dataset, sample_data
from copypaste_rs.errors import ArgumentError
from tests.fixtures.masks_of_all_kinds import ONE_PART, SEVERAL_PARTS, photo

CATEGORIES = [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog, small"}, {"id": 2, "name": 'x"y'}]


def filled(text: str, size: tuple[int, int]) -> NDArray[Any]:
    pixels = np.zeros(size[0] * size[1], np.uint8)
    numbers = [*map(int, text.split())]
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        pixels[start - 1 : start - 1 + length] = 1
    return pixels.reshape(size, order="F")


def test_rows(tmp_path: Path) -> None:
    masks = np.concatenate([ONE_PART, SEVERAL_PARTS])
    with CsvWriter(tmp_path, CATEGORIES) as writer:
        writer.write(photo(masks))
        writer.write(Sample(np.zeros((5, 7, 3), np.uint8), Instances()), "sub/empty.jpg")
    with (tmp_path / "annotations.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert len(rows) == len(masks) + 1
    for row, mask in zip(rows, masks, strict=False):
        np.testing.assert_array_equal(filled(row["EncodedPixels"], (5, 7)), mask)
    assert rows[-1] == {"ImageId": "sub/empty.jpg", "EncodedPixels": "", "Class": "", "Width": "7", "Height": "5"}
    assert [row["Class"] for row in rows[:3]] == ["cat", "dog, small", 'x"y']
    found = open_dataset(tmp_path)
    assert isinstance(found, CsvDataset)
    np.testing.assert_array_equal(found.instances(0).masks.to_dense(), masks)  # type: ignore[union-attr]
    assert len(found.instances(1)) == 0
    assert found[1].size == (5, 7)


def test_columns_come_back(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"score": [0.1, np.nan, 1], "n": [3, 4, 5], "look": np.array(["a", "b, c", ""]), "good": [True, False, True],
               "big": np.array([0.1, 2, 3], np.float32), "part": [1.0, np.nan, 3.0], "label": [7, 8, 9], "image_class": [1, 2, 3]}  # fmt: skip
    sample = photo(ONE_PART[:3], **columns)
    with CsvWriter(tmp_path, CATEGORIES, integers=["part"], format="png") as writer:
        writer.write(sample)
    rows = CsvDataset(tmp_path / "annotations.csv", tmp_path / "images").instances(0)
    assert rows.masks == sample.instances.masks
    for name, values in columns.items():
        if name == "big":
            np.testing.assert_array_equal(np.float32(rows.big), np.asarray(values))
        else:
            np.testing.assert_array_equal(rows.columns[name], values)
    last = (tmp_path / "annotations.csv").read_text().splitlines()[-1]
    assert last.endswith(",1.0,5,,True,3.0,3,9,3")  # a whole number of `part`, since it is among the integers


def test_what_is_not_held_is_counted(tmp_path: Path) -> None:
    masks = RleMasks.from_dense(ONE_PART[:2])
    points = np.zeros((2, 3, 3), np.float32)
    rows = Instances(masks=masks, labels=[0, 1], iscrowd=[True, False], keypoints=points, **{"a\nb": [1, 2]})
    writer = CsvWriter(tmp_path, CATEGORIES)
    writer.write(Sample(np.zeros((5, 7, 3), np.uint8), rows))
    told = r"crowds, which are left out: 1; values of the column 'keypoints': 1; values of the column 'a\\nb': 1$"
    with pytest.warns(UserWarning, match=told):
        writer.close()


def test_photographs(tmp_path: Path) -> None:
    photos = sample_data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with CsvWriter(tmp_path, photos.categories) as writer:
            pickle.loads(pickle.dumps(writer.encoder()))
            for sample in photos:
                writer.write(sample)
    found = open_dataset(tmp_path).with_categories(photos.categories)
    for i in range(len(photos)):
        expected = photos.instances(i)
        plain = expected[~expected.iscrowd] if expected.iscrowd is not None else expected
        assert found.instances(i).masks == plain.masks
        assert found.instances(i).labels.tolist() == plain.labels.tolist()  # type: ignore[union-attr]


def test_categories(tmp_path: Path) -> None:
    for name in ("cat", " ", None):
        with pytest.raises(ArgumentError, match=r"categories\[1\]: expected a name of its own"):
            CsvWriter(tmp_path, [{"id": 1, "name": "cat"}, {"id": 2, "name": name}])

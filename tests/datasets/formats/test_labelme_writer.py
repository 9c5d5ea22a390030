"""`LabelMeWriter`: shapes that Pillow draws as LabelMe does, and that are read again as they were."""

from __future__ import annotations

import base64
import io
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from copypaste_rs import Instances, RleMasks, Sample
from copypaste_rs.datasets import LabelMeDataset, LabelMeWriter, open_dataset, sample_data
from copypaste_rs.errors import ArgumentError
from tests.fixtures.masks_of_all_kinds import ONE_PART, SEVERAL_PARTS, blobs, photo

CATEGORIES = [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 2, "name": '\u00e9 "x"'}]


def drawn(shape: dict[str, Any], size: tuple[int, int]) -> NDArray[Any]:
    if shape["shape_type"] == "mask":
        dense = np.zeros(size, np.uint8)
        (x0, y0), (x1, y1) = shape["points"]
        dense[y0 : y1 + 1, x0 : x1 + 1] = np.asarray(Image.open(io.BytesIO(base64.b64decode(shape["mask"]))))
        return dense
    image = Image.new("L", size[::-1])
    ImageDraw.Draw(image).polygon([(x, y) for x, y in shape["points"]], fill=1, outline=1)
    return np.asarray(image)


@pytest.mark.parametrize("shapes", ["mask", "polygon"])
def test_shapes(tmp_path: Path, shapes: str) -> None:
    size = (40, 57)
    noise = np.stack([blobs(seed, size, share) for seed in range(4) for share in (0.3, 0.7)])
    small = np.concatenate([ONE_PART, SEVERAL_PARTS])
    with LabelMeWriter(tmp_path, CATEGORIES, shapes=shapes) as writer:
        writer.write(photo(small), "sub/a.b.jpg")
        writer.write(photo(noise))
    for name, masks in (("sub/a.b", small), ("000000000002", noise)):
        file = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        assert file["imagePath"] == f"{name}.jpg".removeprefix("sub/")
        assert (file["imageHeight"], file["imageWidth"]) == masks.shape[1:]
        objects: dict[Any, NDArray[Any]] = {}
        for k, shape in enumerate(file["shapes"]):
            key = ("alone", k) if shape["group_id"] is None else (shape["label"], shape["group_id"])
            objects[key] = objects.get(key, 0) | drawn(shape, masks.shape[1:])
        np.testing.assert_array_equal([*objects.values()], masks)
    found = open_dataset(tmp_path)
    assert isinstance(found, LabelMeDataset)
    np.testing.assert_array_equal(found.instances(0).masks.to_dense(), noise)  # type: ignore[union-attr]
    np.testing.assert_array_equal(found.instances(1).masks.to_dense(), small)  # type: ignore[union-attr]
    assert found.categories == [{"id": i, "name": category["name"]} for i, category in enumerate(CATEGORIES, 1)]
    assert found.instances(1).labels.tolist() == [1 + k % 3 for k in range(len(small))]  # type: ignore[union-attr]


def test_flags_and_descriptions_come_back(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"broken": [True, False], "description": np.array(["left", ""]), "score": [0.5, 1.0]}
    sample = photo(ONE_PART[:2], **columns)
    sample = Sample(sample.image, sample.instances, {"night": True, "image_id": 7})
    writer = LabelMeWriter(tmp_path, CATEGORIES)
    writer.write(sample)
    with pytest.warns(UserWarning, match=r"not held by the format: values of the column 'score': 2$"):
        writer.close()
    found = LabelMeDataset(tmp_path)
    rows = found.instances(0)
    assert rows.broken.tolist() == [True, False]
    assert rows.description.tolist() == ["left", ""]
    assert found.info(0)["night"] is True


def test_crowds_are_left_out(tmp_path: Path) -> None:
    rows = Instances(masks=RleMasks.from_dense(ONE_PART[:2]), labels=[0, 1], iscrowd=[True, False])
    writer = LabelMeWriter(tmp_path, CATEGORIES)
    writer.write(Sample(np.zeros((5, 7, 3), np.uint8), rows))
    writer.write(Sample(np.zeros((5, 7, 3), np.uint8), Instances()))
    with pytest.warns(UserWarning, match=r"crowds, which are left out: 1$"):
        writer.close()
    found = LabelMeDataset(tmp_path)
    assert [len(found.instances(i)) for i in range(2)] == [1, 0]


def test_photographs(tmp_path: Path) -> None:
    photos = sample_data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with LabelMeWriter(tmp_path, photos.categories) as writer:
            for sample in photos:
                writer.write_encoded(pickle.loads(pickle.dumps(writer.encoder()))(sample))
    found = LabelMeDataset(tmp_path).with_categories(photos.categories)
    for i in range(len(photos)):
        expected = photos.instances(i)
        plain = expected[~expected.iscrowd] if expected.iscrowd is not None else expected
        assert found.instances(i).masks == plain.masks
        assert found.instances(i).labels.tolist() == plain.labels.tolist()  # type: ignore[union-attr]


def test_arguments(tmp_path: Path) -> None:
    for name in ("cat", "__ignore__", None):
        with pytest.raises(ArgumentError, match=r"categories\[1\]: expected a name of its own"):
            LabelMeWriter(tmp_path, [{"id": 1, "name": "cat"}, {"id": 2, "name": name}])
    with pytest.raises(ArgumentError, match="shapes: expected one of 'mask', 'polygon', got 'circle'"):
        LabelMeWriter(tmp_path, CATEGORIES, shapes="circle")
    with LabelMeWriter(tmp_path, CATEGORIES) as writer:
        with pytest.raises(ArgumentError, match="file_name: expected no hidden file"):
            writer.write(photo(ONE_PART[:1]), ".a.jpg")
        writer.write(photo(ONE_PART[:1]), "a.jpg")
        with pytest.raises(ArgumentError, match="file_name: expected a name whose files are not taken yet"):
            writer.write(photo(ONE_PART[:1]), "a.jpeg")

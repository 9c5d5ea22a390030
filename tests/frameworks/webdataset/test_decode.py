"""Tar files read as samples: beside Pillow, pycocotools, and `CocoDataset` on the same files."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

wds = pytest.importorskip("webdataset", reason="webdataset is not installed: make test-frameworks installs it")

from copypaste_rs import SimpleCopyPaste  # noqa: E402
from copypaste_rs.datasets import encode_image, sample_data, sample_paths  # noqa: E402
from copypaste_rs.integrations.webdataset import CopyPaste, Decode  # noqa: E402
from tests.fixtures.photos import photo  # noqa: E402
from tests.frameworks.webdataset.tars import PLACES, SIZES, as_is, numbered, stream  # noqa: E402


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """WebDataset leaves files to the garbage collector."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ResourceWarning)
        yield


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return numbered(tmp_path_factory.mktemp("tars"))


def test_samples_are_what_was_written(tars: list[str]) -> None:
    samples = list(wds.WebDataset(tars, shardshuffle=False).map(Decode()))
    assert len(samples) == sum(SIZES)
    for k, sample in enumerate(samples):
        truth = photo(1 + k, 0 if k % 4 == 3 else 2)
        assert np.array_equal(sample.image, truth.image)
        assert sample.instances.masks == truth.instances.masks
        assert np.array_equal(sample.instances.labels, truth.instances.labels)  # type: ignore[arg-type]
        expected = {
            "image_id": 1 + k,
            "__key__": f"{k:04d}",
            "__url__": tars[PLACES[k][0]],
            "file_name": f"{k:04d}.png",
        }
        assert sample.info == {**expected, "height": 20, "width": 30}


def test_what_webdataset_decoded_is_the_same(tars: list[str]) -> None:
    decoded = wds.WebDataset(tars, shardshuffle=False).decode("rgb8").map(Decode())
    assert list(decoded) == list(wds.WebDataset(tars, shardshuffle=False).map(Decode()))


def test_colours_polygons_and_labels() -> None:
    """Beside Pillow; a list of annotations alone; labels by their place among the categories."""
    pixels = np.zeros((6, 9, 3), np.uint8)
    pixels[:3] = (255, 0, 0)
    pixels[:, :2] = (0, 0, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    rows = [
        {"category_id": 44, "segmentation": [[1, 0, 3, 0, 3, 2, 1, 2]]},
        {"category_id": 18, "segmentation": {"size": [6, 9], "counts": [0, 54]}, "iscrowd": 1},
    ]
    given = {"__key__": "x", "png": file.getvalue(), "json": json.dumps(rows).encode()}
    categories = [{"id": 18, "name": "dog"}, {"id": 44, "name": "cup"}]
    decode = Decode(categories, labels="from0")
    sample = decode(given)
    assert np.array_equal(sample.image, pixels)
    assert sample.instances.labels.tolist() == [1, 0]  # type: ignore[union-attr]
    assert sample.instances.iscrowd.tolist() == [False, True]  # type: ignore[union-attr]
    dense = np.zeros((6, 9), np.uint8)
    dense[:2, 1:3] = 1
    assert np.array_equal(sample.instances.masks.to_dense(), np.stack([dense, np.ones_like(dense)]))  # type: ignore[union-attr]
    assert "image_id" not in sample.info
    assert decode.categories == [{"id": 0, "name": "dog"}, {"id": 1, "name": "cup"}]
    assert Decode(categories, labels="from1")(given).instances.labels.tolist() == [2, 1]  # type: ignore[union-attr]
    assert Decode(categories)(given).instances.labels.tolist() == [44, 18]  # type: ignore[union-attr]


def test_the_sample_data_reads_as_a_coco_file(tmp_path: Path) -> None:
    """Pictures and polygons of the file put into a tar file: the samples of `CocoDataset`."""
    annotation_file, images = sample_paths()
    coco = json.loads(annotation_file.read_text())
    with wds.TarWriter(str(tmp_path / "train.tar")) as writer:
        for record in coco["images"]:
            rows = [each for each in coco["annotations"] if each["image_id"] == record["id"]]
            picture = (images / record["file_name"]).read_bytes()
            content = json.dumps({"image": record, "annotations": rows}).encode()
            writer.write({"__key__": f"{record['id']}", "jpg": picture, "json": content})
    photos = sample_data()
    for got, truth in zip(stream([str(tmp_path / "train.tar")], as_is), photos, strict=True):
        assert np.array_equal(got.image, truth.image)
        assert got.instances == truth.instances
        assert {name: got.info[name] for name in truth.info} == truth.info


def test_real_photographs(test_data: Path, tmp_path: Path) -> None:
    """Polygons, crowds and empty images of COCO, put into a tar file as they stand."""
    from pycocotools.coco import COCO

    folder = test_data / "coco_free56"
    coco = json.loads((folder / "annotations.json").read_text())
    with wds.TarWriter(str(tmp_path / "coco.tar")) as writer:
        for record in coco["images"]:
            rows = [each for each in coco["annotations"] if each["image_id"] == record["id"]]
            content = {"image": record, "annotations": rows}
            picture = (folder / "images" / record["file_name"]).read_bytes()
            writer.write({"__key__": f"{record['id']:012d}", "jpg": picture, "json": json.dumps(content).encode()})
    truth = COCO(str(folder / "annotations.json"))
    decode = Decode(coco["categories"], labels="from0")
    samples = list(wds.WebDataset(str(tmp_path / "coco.tar"), shardshuffle=False).map(decode))
    assert len(samples) == len(coco["images"])
    for sample in samples:
        rows = truth.loadAnns(truth.getAnnIds(sample.info["image_id"]))
        assert len(sample.instances) == len(rows)
        masks = sample.instances.masks.to_dense()
        for mask, row, label in zip(masks, rows, sample.instances.labels, strict=True):
            assert np.array_equal(mask, truth.annToMask(row))
            assert coco["categories"][label]["id"] == row["category_id"]
    items = list(CopyPaste(SimpleCopyPaste(size=128), seed=1)(samples))
    assert [item.info["image_id"] for item in items] == [sample.info["image_id"] for sample in samples]


PICTURE = encode_image(np.zeros((4, 6, 3), np.uint8), "png")
ROW = {"category_id": 3, "segmentation": [[1, 0, 3, 0, 3, 2, 1, 2]]}


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"png": None}, ValueError, r"sample\['a of t\.tar'\]: expected an image \(jpg, png, \.\.\.\), got json"),
        ({"json": None}, ValueError, r"sample\['a of t\.tar'\]: expected annotations \(json\), got png"),
        ({"json": b"{"}, ValueError, r"\['json'\]: expected JSON, got b'{'"),
        ({"json": b'{"objects": []}'}, ValueError, r"\['json'\]: expected a list of annotations, .*got dict objects"),
        ({"png": PICTURE[:40]}, OSError, "a of t.tar: png"),
        ({"png": "text"}, TypeError, r"\['png'\]: expected an image file, or an array .*got str"),
        ({"json": {"image": {"height": 5}, "annotations": []}}, ValueError, r"\['height'\]: expected 4, as the image has it, got 5"),
        ({"json": [{"category_id": 9, "segmentation": []}]}, ValueError, "expected one of the 1 categories, got category 9"),
        ({"json": [{"category_id": 3, "segmentation": {"size": [9, 9], "counts": [81]}}]}, ValueError, r"\['annotations'\]\[0\]\['segmentation'\]"),
    ],
)  # fmt: skip
def test_wrong_samples_are_named(change: dict[str, Any], kind: type[Exception], message: str) -> None:
    whole: dict[str, Any] = {"__key__": "a", "__url__": "t.tar", "png": PICTURE, "json": [ROW], **change}
    decode = Decode([{"id": 3, "name": "cup"}], labels="from1")
    with pytest.raises(kind, match=message):
        decode({name: value for name, value in whole.items() if value is not None})


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="categories: expected the categories that labels='from0' counts, got none"):
        Decode(labels="from0")
    with pytest.raises(ValueError, match=r"categories\[0\]: expected a category with an integer as id"):
        Decode([{"name": "cup"}])
    with pytest.raises(TypeError, match="sample: expected a dict, as WebDataset gives it, got tuple"):
        Decode()((1, 2))  # type: ignore[arg-type]

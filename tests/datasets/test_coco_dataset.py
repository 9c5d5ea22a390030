"""CocoDataset: what other programs read from the same file, and clear errors where there is nothing to read."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from copypaste_rs import Sample, SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset
from copypaste_rs.errors import ArgumentTypeError
from tests.fixtures.coco_files import Files, annotation, box_polygon, small_set, write

SETS = ["coco_free56", "nuclei30", "fruits_nuts18", "dali_pixelwise6"]


def quiet_coco(path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    coco = COCO(str(path))
    capsys.readouterr()
    return coco


def assert_same_as_pycocotools(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    dataset, coco = CocoDataset(*files), quiet_coco(files.annotations, capsys)
    assert len(dataset) == len(coco.dataset["images"])
    for sample, image in zip(dataset, coco.dataset["images"], strict=True):
        annotations = coco.imgToAnns[image["id"]]
        assert sample.info["image_id"] == image["id"]
        assert sample.instances.id.tolist() == [a["id"] for a in annotations]
        assert sample.instances.labels is not None
        assert sample.instances.labels.tolist() == [a["category_id"] for a in annotations]
        assert sample.instances.iscrowd is not None
        assert sample.instances.iscrowd.tolist() == [bool(a.get("iscrowd", 0)) for a in annotations]
        assert sample.instances.masks is not None
        dense = sample.instances.masks.to_dense()
        for mask, a in zip(dense, annotations, strict=True):
            np.testing.assert_array_equal(mask, coco.annToMask(a))
        pixels = np.asarray(Image.open(files.images / image["file_name"]).convert("RGB"))
        np.testing.assert_array_equal(sample.image, pixels)


def test_reads_what_pycocotools_and_pillow_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert_same_as_pycocotools(small_set(tmp_path, 10), capsys)


@pytest.mark.parametrize("name", SETS)
def test_reads_real_sets_as_pycocotools_does(name: str, test_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = test_data / name
    assert_same_as_pycocotools(Files(folder / "annotations.json", folder / "images"), capsys)


def test_awkward_real_files_are_read_with_one_warning(test_data: Path) -> None:
    folder = test_data / "dali_quirks"
    with pytest.warns(UserWarning, match="left out") as caught:
        dataset = CocoDataset(folder / "annotations.json", folder / "images")
    assert [str(w.message) for w in caught] == [
        f"{folder / 'annotations.json'}: left out 3 polygon parts of fewer than three points, "
        "3 annotations that cover no pixel"
    ]
    assert all(sample.image.shape[2] == 3 for sample in dataset)


def test_a_sequence(tmp_path: Path) -> None:
    dataset = CocoDataset(*small_set(tmp_path))
    assert len(dataset) == 5
    assert dataset[-1] == dataset[4]
    assert [sample.info["image_id"] for sample in dataset] == [10, 11, 12, 13, 14]
    assert dataset[np.int64(1)] == dataset[1]
    for index in (5, -6):
        with pytest.raises(IndexError, match=f"^index {index} is out of range for 5 images$"):
            dataset[index]
    wrong: Any
    for wrong in ("0", slice(2), 1.0, None):
        with pytest.raises(ArgumentTypeError, match=rf"^index: expected an integer, got {re.escape(repr(wrong))}$"):
            dataset[wrong]
    nothing: Any = None
    with pytest.raises(ArgumentTypeError, match=r"^annotations: expected a path, got None$"):
        CocoDataset(nothing, nothing)
    with pytest.raises(ArgumentTypeError, match=r"^images: expected a path, got None$"):
        CocoDataset(tmp_path, nothing)
    assert repr(dataset) == "CocoDataset(5 images, 12 instances)"


def test_instances_come_without_the_image(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    dataset = CocoDataset(*files)
    expected = [sample.instances for sample in dataset]
    for path in files.images.iterdir():
        path.unlink()
    assert [dataset.instances(i) for i in range(5)] == expected
    assert [dataset.has_objects(i) for i in range(-5, 0)] == [True, True, True, True, False]


def test_a_crowd_alone_is_no_object(tmp_path: Path) -> None:
    crowd = annotation(1, [box_polygon(2, 2, 9, 9)], iscrowd=1)
    dataset = CocoDataset(*write(tmp_path, [crowd]))
    assert len(dataset.instances(0)) == 1
    assert not dataset.has_objects(0)


def test_pickles_without_reading_or_warning_again(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)]), annotation(2, [])])
    with pytest.warns(UserWarning, match="1 annotation that covers no pixel"):
        dataset = CocoDataset(*files)
    data = pickle.dumps(dataset)
    files.annotations.unlink()
    assert pickle.loads(data)[0] == dataset[0]


def test_categories_and_file_fields_as_they_stand(tmp_path: Path) -> None:
    twins = [{"id": 0, "name": "cat"}, {"id": 5, "name": "cat", "supercategory": "animal"}]
    files = write(
        tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)], category_id=0)], categories=twins, info={"year": 1}
    )
    dataset = CocoDataset(*files)
    assert dataset.categories == twins
    assert dataset.file_info == {"year": 1}
    assert dataset.instances(0).labels == [0]


# -- awkward but legal ------------------------------------------------------------------------------------------


def test_what_covers_nothing_is_left_out_and_counted(tmp_path: Path) -> None:
    square, line, outside = box_polygon(2, 2, 9, 9), [5, 5, 5, 9, 5, 7], box_polygon(100, 100, 5, 5)
    annotations = [
        annotation(1, [square, [1, 2, 3, 4], []]),
        annotation(2, [line]),
        annotation(3, [outside]),
        annotation(4, []),
        annotation(5, None),
        annotation(6, {"size": [40, 60], "counts": [2400]}),
        annotation(
            7, {"size": [40, 60], "counts": coco_mask.encode(np.zeros((40, 60), np.uint8, "F"))["counts"].decode()}
        ),
        annotation(8, [[1, 2, 3, 4]]),
        annotation(9, [square, square]),
        annotation(10, [square], image_id=77),
    ]
    without = {"id": 11, "image_id": 10, "category_id": 1}
    with pytest.warns(UserWarning, match="left out") as caught:
        dataset = CocoDataset(*write(tmp_path, [*annotations, without]))
    assert len(caught) == 1
    assert str(caught[0].message).endswith(
        "left out 3 polygon parts of fewer than three points, 1 annotation of an image that is not there, "
        "6 annotations that cover no pixel"  # and of two polygons it turns out later
    )
    assert dataset.instances(0).id.tolist() == [1, 9]


def test_a_part_without_the_list_around_it_is_a_polygon(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, box_polygon(2, 2, 9, 9)), annotation(2, [box_polygon(2, 2, 9, 9)])])
    masks = CocoDataset(*files).instances(0).masks
    assert masks is not None
    assert masks[0] == masks[1]


@pytest.mark.parametrize("flag", [1, True])
def test_a_crowd_given_as_polygons(tmp_path: Path, flag: Any) -> None:
    files = write(tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)], iscrowd=flag)])
    assert CocoDataset(*files).instances(0).iscrowd == [True]


def test_file_names_with_folders_and_a_byte_order_mark(tmp_path: Path) -> None:
    files = write(tmp_path, [])
    (files.images / "a" / "b..c").mkdir(parents=True)
    (files.images / "0.jpg").rename(files.images / "a" / "b..c" / "ü 10:30.jpg")
    files.edit(images=[files.json["images"][0] | {"file_name": "a/b..c/ü 10:30.jpg"}])
    files.annotations.write_bytes(b"\xef\xbb\xbf" + files.annotations.read_bytes())
    assert CocoDataset(*files)[0].size == (40, 60)


def test_a_file_of_images_alone(tmp_path: Path) -> None:
    files = write(tmp_path, [])
    files.annotations.write_text(json.dumps({"images": files.json["images"]}))
    sample = CocoDataset(*files)[0]
    assert len(sample.instances) == 0
    assert sample.instances.masks is not None


def test_exif_orientations_are_said_once_or_applied(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    files = write(tmp_path, [annotation(i, square, 10 + i) for i in range(3)], [(20, 30), (20, 30), (30, 20)])
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("0.jpg", "1.png"):
        image = Image.open(files.images / name)
        image.load()
        image.save(files.images / name, exif=exif)
    photos = CocoDataset(*files)
    with pytest.warns(
        UserWarning, match=r"0\.jpg, and perhaps other images: the EXIF orientation, here 6, is not applied"
    ):
        assert photos[0].size == (20, 30)
    assert photos[1].size == (20, 30)  # without a further word
    turned = CocoDataset(*files, apply_exif=True)
    with pytest.raises(
        ValueError, match=r"0\.jpg: .* its EXIF orientation is 6, which apply_exif=False would leave out$"
    ):
        turned[0]
    files.edit(images=[{**image, "width": 20, "height": 30} for image in files.json["images"]])
    turned = CocoDataset(*files, apply_exif=True)
    assert [turned[i].size for i in range(3)] == [(30, 20)] * 3
    with pytest.raises(ValueError, match=r"0\.jpg: .* its EXIF orientation is 6, which apply_exif=True would apply$"):
        CocoDataset(*files)[0]
    with pytest.raises(ValueError, match=r"expected at most 599 pixels"):
        CocoDataset(*files, max_pixels=599)[2]
    for wrong, kind in (
        ({"apply_exif": 1}, TypeError),
        ({"max_pixels": 0}, ValueError),
        ({"max_pixels": 1.5}, TypeError),
    ):
        with pytest.raises(kind, match=next(iter(wrong))):
            CocoDataset(*files, **wrong)


def test_a_polygon_beside_the_image_is_found_when_its_image_is_taken(tmp_path: Path) -> None:
    square, beside = [box_polygon(2, 2, 9, 9)], [box_polygon(500, 500, 9, 9)]
    annotations = [
        annotation(1, beside, 10, score=1),
        annotation(2, square, 11, score=2),
        annotation(3, beside, 11, score=3),
        annotation(4, square, 12, score=4),
        annotation(5, beside, 13, score=5),
    ]
    photos = CocoDataset(*write(tmp_path, annotations, [(20, 30)] * 4))  # and no rasterising, thus no warning
    assert [photos.instances(i).score.tolist() for i in range(4)] == [[], [2], [4], []]
    assert [photos.has_objects(i) for i in range(4)] == [True] * 4
    # A partner without an object is drawn again, whether or not that is known before.
    transform = SimpleCopyPaste(size=32)
    plain: list[Sample] = list(photos)
    for seed in range(20):
        asked, unasked = (CopyPasteDataset(each, transform, seed=seed) for each in (photos, plain))
        assert all(asked[i] == unasked[i] for i in range(4))

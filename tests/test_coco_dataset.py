"""CocoDataset: what other programs read from the same file, and clear errors where there is nothing to read."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from coco_files import Files, annotation, box_polygon, photo, small_set, write
from copypaste_rs import Sample
from copypaste_rs.datasets import CocoDataset

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
        with pytest.raises(TypeError, match=rf"^index: expected an integer, got {re.escape(repr(wrong))}$"):
            dataset[wrong]
    nothing: Any = None
    with pytest.raises(TypeError, match=r"^annotations: expected a path, got None$"):
        CocoDataset(nothing, nothing)
    with pytest.raises(TypeError, match=r"^images: expected a path, got None$"):
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


# -- fields ---------------------------------------------------------------------------------------------------

FIELDS = [
    # values of a field in four annotations (... is absent), dtype, values of the column
    ([1, 2, 3, 4], "int64", [1, 2, 3, 4]),
    ([1, 2, 3, ...], "float64", [1, 2, 3, np.nan]),
    ([1, 2.5, None, 4], "float64", [1, 2.5, np.nan, 4]),
    ([2**80, 1, 1, 1], "float64", [2.0**80, 1, 1, 1]),
    ([True, False, True, True], "bool", [True, False, True, True]),
    ([True, ..., ..., False], "bool", [True, False, False, False]),
    ([True, 3, 2, 1], "int64", [1, 3, 2, 1]),
    (["a", "bcd", "", "a"], "<U3", ["a", "bcd", "", "a"]),
    ([..., ..., "ab", ...], "<U2", ["", "", "ab", ""]),
    (["a", 3, True, 0.5], "<U4", ["a", "3", "true", "0.5"]),
]


@pytest.mark.parametrize(("values", "dtype", "column"), FIELDS)
def test_further_fields_become_columns_of_one_dtype(
    tmp_path: Path, values: list[Any], dtype: str, column: list[Any]
) -> None:
    annotations = [
        annotation(i, [box_polygon(2, 2, 9, 9)], 10 + i % 2, **({} if value is ... else {"field": value}))
        for i, value in enumerate(values)
    ]
    dataset = CocoDataset(*write(tmp_path, annotations, [(20, 30), (30, 20)]))
    found: list[NDArray[Any]] = [dataset.instances(i).field for i in (0, 1)]
    assert [part.dtype for part in found] == [np.dtype(dtype)] * 2
    np.testing.assert_array_equal(np.concatenate(found), np.array([*column[::2], *column[1::2]], dtype))


def test_a_field_that_is_no_scalar_everywhere_is_left_out(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    annotations = [
        annotation(1, square, attributes={"a": 1}, mixed=1, nothing=None, area="?", bbox=["1", "2", "3", "4"]),
        annotation(2, square, keypoints=[1, 2, 2], num_keypoints=1, mixed=[2], **{"with space": 3}),
    ]
    files = write(tmp_path, annotations)
    with pytest.warns(UserWarning, match="left out") as caught:
        columns = CocoDataset(*files).instances(0).columns
    assert [str(w.message) for w in caught] == [
        f"{files.annotations}: left out the field 'attributes' of 1 annotation, which is a list or an object, "
        "the field 'mixed' of 2 annotations, which is a list or an object, "
        "the field 'keypoints' of 1 annotation, which would not move along, "
        "the field 'num_keypoints' of 1 annotation, which would not move along"
    ]
    assert list(columns) == ["masks", "labels", "boxes", "iscrowd", "id", "with space"]


@pytest.mark.parametrize("values", [[2**53 + 1, ...], [2**53 + 1, 0.5], [10**400, 1]])
def test_integers_that_float64_cannot_hold_are_refused_by_name(tmp_path: Path, values: list[Any]) -> None:
    annotations = [
        annotation(i, [box_polygon(2, 2, 9, 9)], **({} if value is ... else {"track": value}))
        for i, value in enumerate(values)
    ]
    with pytest.raises(ValueError, match=r"annotations\.json: annotations: field 'track': expected integers that"):
        CocoDataset(*write(tmp_path, annotations))


def test_which_fields_are_integers_in_the_file(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    annotations = [
        annotation(1, square, all=1, some=2, real=1.0, text="a", big=2**53 + 1),
        annotation(2, square, all=3, real=2, text="b", big=1),
    ]
    dataset = CocoDataset(*write(tmp_path, annotations))
    assert dataset.integers == {"all", "some", "big"}
    assert {name: dtype.str for name, dtype in dataset.fields.items()} == {
        "all": "<i8", "some": "<f8", "real": "<f8", "text": "<U1", "big": "<i8"
    }  # fmt: skip


def test_fields_that_copy_paste_overwrites_are_named_unless_they_are_its_own(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    theirs = write(
        tmp_path / "a", [annotation(1, square, source="web", visibility=1), annotation(2, square, source="")]
    )
    with pytest.warns(UserWarning, match="overwritten") as caught:
        dataset = CocoDataset(*theirs)
    assert [str(w.message) for w in caught] == [
        f"{theirs.annotations}: the field 'source' of 2 annotations is overwritten by copy-paste; "
        "the field 'visibility' of 1 annotation is overwritten by copy-paste"
    ]
    source: NDArray[Any] = dataset.instances(0).source
    assert source.tolist() == ["web", ""]
    own = [annotation(1, square, source=-1, source_row=0, visibility=1.0, source_image_id=3)]
    CocoDataset(*write(tmp_path / "b", own))


def test_strange_categories_and_repeated_ids_are_counted(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    annotations = [annotation(7, square, category_id=category) for category in (1, 9, 2, 9, 5)]
    files = write(tmp_path, [*annotations, annotation(8, [])])
    with pytest.warns(UserWarning, match="left out") as caught:
        dataset = CocoDataset(*files)
    assert [str(w.message) for w in caught] == [
        f"{files.annotations}: left out 1 annotation that covers no pixel; "
        "3 annotations have a category that is not among the categories (5, 9); "
        "4 annotations have the id of another one"
    ]
    labels = dataset.instances(0).labels
    assert labels is not None
    assert labels.tolist() == [1, 9, 2, 9, 5]
    assert dataset.unknown_labels(dataset.categories) == [5, 9]


def test_malformed_counts_name_their_annotation(tmp_path: Path) -> None:
    good = {"size": [40, 60], "counts": coco_mask.encode(np.ones((40, 60), np.uint8, "F"))["counts"].decode()}
    annotations = [annotation(1, [box_polygon(2, 2, 9, 9)], 77), annotation(2, good), annotation(3, [])]
    files = write(tmp_path, [*annotations, annotation(4, {"size": [40, 60], "counts": "P"}), annotation(5, good)])
    with pytest.raises(ValueError, match=r"annotations\.json: annotations\[3\]: segmentation: counts: ends inside a"):
        CocoDataset(*files)


def test_a_field_with_a_taken_name_is_named_in_the_warning(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)], labels=3, concat=1)])
    with pytest.warns(UserWarning, match="'labels', whose name has a meaning of its own here, the field 'concat'"):
        dataset = CocoDataset(*files)
    assert dataset.instances(0).labels == [1]


def test_info_has_the_scalars_of_the_image(tmp_path: Path) -> None:
    files = write(tmp_path, [])
    image = files.json["images"][0] | {"license": 3, "ok": True, "tags": ["a"], "none": None}
    info = CocoDataset(*files.edit(images=[image])).info(0)
    assert info == {"image_id": 10, "file_name": "0.jpg", "width": 60, "height": 40, "license": 3, "ok": True}


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
        "8 annotations that cover no pixel"
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


# -- errors ---------------------------------------------------------------------------------------------------

MALFORMED = [
    (b"", r"Input data was truncated \(byte 0\)"),
    (b'{"images": [', r"Input data was truncated \(byte 12\)"),
    (b'{"images": [}', r"JSON is malformed: .* \(byte 12\)"),
    (b"[]", "Expected `object`, got `array`"),
    (b"{}", "missing required field `images`"),
    (b'{"images": 3}', r"Expected `array`, got `int` - at `\$.images`"),
    (b'{"images": [], "categories": [{"name": "x"}]}', r"categories\[0\]: expected an integer as id, got None"),
    (
        b'{"images": [], "categories": [{"id": 4}, {"id": 4}]}',
        "categories: expected each id once, got 4 more than once",
    ),
    (b'{"images": [{"id": 1}]}', r"images\[0\]: Object missing required field `file_name`"),
    (b'{"images": "\xff"}', "Expected `array`|[Uu]tf"),
    (b'{"images": [], "info": ' + b"[" * 100_000, "recursion"),
]


@pytest.mark.parametrize(("content", "message"), MALFORMED)
def test_malformed_json_is_named_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"bad\.json: .*{message}"):
        CocoDataset(path, tmp_path)


IMAGES: list[tuple[dict[str, Any], str]] = [
    ({"file_name": "../0.jpg"}, r"images\[0\]: expected a file_name inside the folder of images, got '../0.jpg'"),
    ({"file_name": "a/../../0.jpg"}, "inside the folder"),
    ({"file_name": "a\\..\\0.jpg"}, "inside the folder"),
    ({"file_name": "/etc/passwd"}, "inside the folder"),
    ({"file_name": "C:\\x.jpg"}, "inside the folder"),
    ({"file_name": "\\\\host\\x.jpg"}, "inside the folder"),
    ({"file_name": "a\0.jpg"}, "inside the folder"),
    ({"file_name": ".."}, "inside the folder"),
    ({"file_name": ""}, "inside the folder"),
    ({"height": 0}, r"images\[0\]: height and width\[0\]: expected an integer from 1"),
    ({"height": 2**31 - 1, "width": 3}, r"images\[0\]: height and width: expected at most 4294967295 pixels"),
    ({"width": "60"}, r"images\[0\]: Expected `int`, got `str` - at `\$.width`"),
    ({"id": 2**63}, r"images\[0\]: Expected `int` <="),
]


@pytest.mark.parametrize(("change", "message"), IMAGES)
def test_wrong_images_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    files = write(tmp_path, [])
    with pytest.raises(ValueError, match=message):
        CocoDataset(*files.edit(images=[files.json["images"][0] | change]))


def test_an_image_id_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    files = write(tmp_path, [])
    with pytest.raises(ValueError, match="images: expected each id once, got 10 more than once"):
        CocoDataset(*files.edit(images=files.json["images"] * 2))


ANNOTATIONS: list[tuple[Any, str]] = [
    ([[1, 2, 3, 4, 5, 6, 7]], r"segmentation\[0\]: expected an even number of coordinates, got 7"),
    ([[1, 2, 3, 4, 5, "6"]], r"Expected `float`, got `str`"),
    ([[[1, 2], [3, 4], [5, 6]]], r"Expected `float`, got `array`"),
    ([[1, 2, 3, 4, 5, 6], 3], r"segmentation\[1\]: expected a list of coordinates, got a number"),
    ({"size": [60, 40], "counts": [2400]}, r"expected size \[40, 60\], height and width of its image, got \[60, 40\]"),
    ({"size": [40, 60], "counts": [2399]}, r"expected counts that sum to 2400 for size \[40, 60\], got 2399"),
    ({"size": [40, 60], "counts": [-1, 2401]}, r"Expected `int` >= 0"),
    ({"size": [40, 60], "counts": [2**33]}, r"Expected `int` <="),
    ({"size": [40, 60], "counts": "P"}, r"counts"),
    ({"size": [40, 60], "counts": "é"}, r"counts"),
    ({"size": [40, 60]}, r"missing required field `counts`"),
    ("x", r"segmentation"),
]


@pytest.mark.parametrize(("segmentation", "message"), ANNOTATIONS)
def test_wrong_segmentations_are_named(tmp_path: Path, segmentation: Any, message: str) -> None:
    files = write(tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)]), annotation(2, segmentation)])
    with pytest.raises(ValueError, match=rf"annotations.json: annotations\[1\]: .*{message}"):
        CocoDataset(*files)


@pytest.mark.parametrize("change", [{"id": None}, {"image_id": "10"}, {"category_id": 1.5}, {"iscrowd": 2}])
def test_wrong_fields_are_named(tmp_path: Path, change: dict[str, Any]) -> None:
    files = write(tmp_path, [annotation(1, []) | change])
    with pytest.raises(ValueError, match=rf"annotations\[0\]: .* at `\$.{next(iter(change))}`"):
        CocoDataset(*files)


def test_missing_files_are_os_errors_that_name_them(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        CocoDataset(tmp_path / "none.json", files.images)
    with pytest.raises(NotADirectoryError, match="elsewhere: expected a folder of images"):
        CocoDataset(files.annotations, tmp_path / "elsewhere")
    dataset = CocoDataset(*files)
    (files.images / "0.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"0\.jpg"):
        dataset[0]


def test_an_image_of_another_size_is_refused(tmp_path: Path) -> None:
    files = small_set(tmp_path)
    for name in ("0.jpg", "1.png"):
        Image.fromarray(photo((33, 44), 0)).save(files.images / name)
    dataset = CocoDataset(*files)
    for i, name in enumerate(["0.jpg", "1.png"]):
        with pytest.raises(ValueError, match=rf"{name}: expected an image of width .* got width 44 and height 33"):
            dataset[i]


@pytest.mark.parametrize("name", ["0.jpg", "1.png"])
@pytest.mark.parametrize("left", [0, 2, 30, 0.5, 0.95])
def test_a_truncated_image_is_an_os_error_that_names_it(tmp_path: Path, name: str, left: float) -> None:
    files = small_set(tmp_path)
    path = files.images / name
    data = path.read_bytes()
    path.write_bytes(data[: int(left if left > 1 else left * len(data))])
    with pytest.raises(OSError, match=rf"{name}: (cannot be read as an image|expected an image file)"):
        CocoDataset(*files)[int(name[0])]


def test_a_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['msgspec'] = None; sys.modules['PIL'] = None; sys.modules['simplejpeg'] = None\n"
        "import copypaste_rs.datasets\n"
        "print(copypaste_rs.datasets.CopyPasteDataset.__name__)\n"
        "try: from copypaste_rs.datasets import CocoDataset\n"
        "except ImportError as error: print(error)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert output[0] == "CopyPasteDataset"
    assert output[1].endswith("is not installed, which this part needs: pip install 'copypaste_rs[coco]'")


def test_items_are_samples(tmp_path: Path) -> None:
    assert all(isinstance(sample, Sample) for sample in CocoDataset(*small_set(tmp_path)))

"""Files that CocoDataset cannot read: errors that name what is wrong and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from copypaste_rs import Sample
from copypaste_rs.datasets import CocoDataset
from tests.fixtures.coco_files import annotation, box_polygon, photo, small_set, write
from tests.fixtures.processes import python

MALFORMED = [
    (b"", "expected COCO annotations, got a file that is empty"),
    (b" \n", "expected COCO annotations, got a file that is empty"),
    (b'{"images": [', r"Input data was truncated \(byte 12\)"),
    (b'{"images": [}', r"JSON is malformed: .* \(byte 12\)"),
    (b"[]", "Expected `object`, got `array`"),
    (b"{}", "missing required field `images`"),
    (b'{"images": 3}', r"Expected `array`, got `int` - at `\$.images`"),
    (b'{"images": [], "categories": [{"name": "x"}]}', r"categories\[0\]: expected an integer as id, got None"),
    (
        b'{"images": [], "categories": [{"id": 4}, {"id": 4, "name": "x"}]}',
        "categories: expected each id once, got 4 more than once",
    ),
    (b'{"images": [{"id": 1}]}', r"images\[0\]: Object missing required field `width`"),
    (b'{"images": [{"id": 1, "width": 2, "height": 2}]}', r"images\[0\]: Object missing required field `file_name`"),
    (b'{"images": "\xff"}', "expected text in UTF-8"),
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
    ({"width": "sixty"}, r"images\[0\]: Expected `int`, got `str` - at `\$.width`"),
    ({"width": 60.5}, r"images\[0\]: Expected `int`, got `float` - at `\$.width`"),
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
    (
        [[1, 2, 3, 4, 5, -3e9]],
        r"segmentation\[0\]: expected coordinates from -2147483648 to 2147483648, got -3000000000.0",
    ),
    ([[1, 2, 3, 4, 5, "six"]], r"Expected `float`, got `str`"),
    ([[1, 2, 3, 4, 5, "nan"]], r"segmentation\[0\]: expected coordinates from -2147483648 to 2147483648, got nan"),
    ([{"size": [40, 60], "counts": [2400]}, [1, 2, 3, 4, 5, 6]], r"segmentation\[1\]: expected run lengths as in"),
    ([{"size": [40, 60], "counts": [2399]}], r"segmentation\[0\]\['counts'\]: expected counts that sum to 2400"),
    ([{"size": [60, 40], "counts": [2400]}], r"segmentation\[0\]\['size'\]: expected"),
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


@pytest.mark.parametrize("change", [{"id": None}, {"image_id": [10]}, {"category_id": 1.5}, {"iscrowd": 2}])
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
        "try: copypaste_rs.datasets.sample_data()\n"
        "except ImportError as error: print(error)\n"
    )
    output = python(code).stdout.splitlines()
    assert output[0] == "CopyPasteDataset"
    assert len(output) == 3
    for line in output[1:]:
        assert line.endswith("is not installed; it comes with the extra coco: pip install 'copypaste_rs[coco]'")


def test_items_are_samples(tmp_path: Path) -> None:
    assert all(isinstance(sample, Sample) for sample in CocoDataset(*small_set(tmp_path)))

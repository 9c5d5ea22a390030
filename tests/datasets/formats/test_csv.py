"""`CsvDataset`: tables as competitions have them, masks equal to NumPy's filling of the runs."""

from __future__ import annotations

import csv
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from copypaste_rs.datasets import CsvDataset, open_dataset
from copypaste_rs.errors import ArgumentError

SIZE = (5, 7)


def runs(mask: NDArray[Any], order: Any = "F") -> str:
    """Starts and lengths, by looking at each pixel."""
    found: list[list[int]] = []
    for i, value in enumerate(mask.flatten(order)):
        if value and found and sum(found[-1]) == i + 1:
            found[-1][1] += 1
        elif value:
            found.append([i + 1, 1])
    return " ".join(f"{start} {length}" for start, length in found)


def images(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(folder / name)
    return folder


def table(folder: Path, text: str | bytes) -> Path:
    (folder / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / "t.csv"


RNG = np.random.default_rng(2)
MASKS = (RNG.random((6, *SIZE)) < np.linspace(0.2, 1, 6)[:, None, None]).astype(np.uint8)


@pytest.mark.parametrize("order", ["F", "C"])
def test_masks(tmp_path: Path, order: str) -> None:
    images(tmp_path, "a.png", "b.png")
    rows = "".join(f"{'ab'[i % 2]}.png,{runs(mask, order)}\n" for i, mask in enumerate(MASKS))
    found = CsvDataset(table(tmp_path, f"ImageId,EncodedPixels\n{rows}"), tmp_path, order=order)
    assert len(found) == 2
    for i in range(2):
        np.testing.assert_array_equal(found.instances(i).masks.to_dense(), MASKS[i::2])  # type: ignore[union-attr]
        assert found[i].size == SIZE
    assert found.categories == [{"id": 1, "name": "object"}]
    assert found.instances(0).labels.tolist() == [1, 1, 1]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("ImageId,EncodedPixels", ["a,1 3"]),  # nuclei, ships
        ("ImageId_ClassId,EncodedPixels", ["a.jpg_2,1 3", "b.jpg_1,"]),  # steel
        ("ImageId,ClassId,EncodedPixels", ["a.jpg,2,1 3"]),
        ("id,annotation,width,height,cell_type,plate_time", ["a,1 3,7,5,shsy5y,11h30m00s"]),  # cells
        (",img,rle_mask", ["0,a.jpg,1 3"]),
        ("Unnamed: 0;image id;RLE;label", ["0;a.jpg;1 3;2"]),
        ("filename\tSegmentation", ["deep/a.jpg\t1 3"]),
    ],
)
def test_spellings(tmp_path: Path, header: str, rows: list[str]) -> None:
    images(tmp_path / "images", "deep/a.jpg", "b.jpg")
    path = table(tmp_path, "\n".join([header, *rows, "", ""]))
    told = pytest.warns(UserWarning, match=r"left out 1 image that the table does not name \(b\.jpg\)")
    with told if len(rows) == 1 else nullcontext():
        found = open_dataset(path)
    assert isinstance(found, CsvDataset)
    assert found.info(0)["file_name"] == "deep/a.jpg"
    assert found.instances(0).masks.area.tolist() == [3]  # type: ignore[union-attr]
    assert "2" in [each["name"] for each in found.categories] or header.count("lass") + header.count("label") == 0


def test_images_without_objects(tmp_path: Path) -> None:
    images(tmp_path, "a.png", "b.png", "c.png", "d.png")
    found = CsvDataset(table(tmp_path, "image,rle\na,\nb, -1\nc,nan\nd,1 2\nb,3 4\n"), tmp_path)
    assert [len(found.instances(i)) for i in range(4)] == [0, 1, 0, 1]


def test_classes_by_name_and_by_number(tmp_path: Path) -> None:
    images(tmp_path, "a.png")
    found = CsvDataset(table(tmp_path, "image,rle,class\na,1 2,nut\na,3 2,bolt\na,5 2,nut\n"), tmp_path)
    assert found.categories == [{"id": 1, "name": "bolt"}, {"id": 2, "name": "nut"}]
    assert found.instances(0).labels.tolist() == [2, 1, 2]  # type: ignore[union-attr]
    found = CsvDataset(table(tmp_path, "image,rle,class\na,1 2,10.0\na,3 2,2\na,,\n"), tmp_path)
    assert found.categories == [{"id": 2, "name": "2"}, {"id": 10, "name": "10"}]
    assert found.instances(0).labels.tolist() == [10, 2]  # type: ignore[union-attr]
    assert CsvDataset(table(tmp_path, "image,rle\na,1 2"), tmp_path, category="ship").categories[0]["name"] == "ship"


def test_further_columns(tmp_path: Path) -> None:
    images(tmp_path, "a.png")
    text = 'image,rle,score,look,n,good,area\na,1 2,0.5,"x, y",3,True,9\na,3 2,,,4,False,9\n'
    rows = CsvDataset(table(tmp_path, text), tmp_path).instances(0)
    np.testing.assert_array_equal(rows.score, [0.5, np.nan])
    assert rows.look.tolist() == ["x, y", ""]
    assert rows.n.tolist() == [3, 4]
    assert rows.n.dtype == np.int64
    assert rows.good.tolist() == [True, False]
    assert CsvDataset(table(tmp_path, text), tmp_path, columns=["n"]).instances(0).columns.keys() & {"score", "n"} == {
        "n"
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "image,rle\nx.png,1 2\ny.png,1 2\n",
            r"line 2: image 'x\.png': no such image in the folder\n  line 3: image 'y",
        ),
        ("image,rle\nsame,1 2\n", r"line 2: image 'same': could be same\.jpg or sub/same\.jpg"),
        ("image,rle\na,1\n", "line 2: rle: pair 1: expected a start and a length, got '1' alone"),
        ("image,rle\na,1 x\n", "line 2: rle: pair 1: expected a start and a length of digits, got 'x'"),
        ("image,rle\na,1 2\na,5 2 6 3\n", "line 3: rle: pair 2: expected a start behind the pair before, got '6 3'"),
        (
            "image,rle\na,35 2\n",
            r"line 2: rle: pair 1: expected pixels up to 35, the last one of size \(5, 7\), got '35 2'",
        ),
        ("image,rle\na,0 2\n", "line 2: rle: pair 1: expected a start and a length of at least 1"),
        ("image,rle\na,\u0661 2\n", "line 2: rle: pair 1: expected a start and a length of digits"),
        (
            "image,rle,width,height\na,1 2,7,5\na,1 2,8,5\n",
            "line 3: expected width 7 and height 5 as in a row before, got 8 and 5",
        ),
        ("image,rle,width,height\na,1 2,7,5x\n", "line 2: height: expected a whole number of pixels, got 5x"),
        ("image,rle,width,height\na,1 2,7,-5\n", "line 2: height: expected a whole number of pixels, got -5"),
        ("image,rle\na\n", "line 2: expected 2 cells as in the header, got 1"),
        ('image,rle\na,"1 2\n', "line 2: cannot be read as CSV"),
        ("image,rle,rle\na,1 2,1 2\n", "expected each column once, got 'rle' more than once"),
        (
            "x,y\n1,2",
            "expected a header with a column of images, as ImageId, and one of runs, as EncodedPixels, got 'x,y'",
        ),
        ("", "expected a header with a column of images, .* got ''"),
        (b"image,rle\na,1 \xe9", r"expected text in UTF-8, got 0xe9 \(byte 14\)"),
        ("image,rle\na,1 2".encode("utf-16"), "expected text in UTF-8, got UTF-16"),
    ],
)
def test_tables_that_cannot_be(tmp_path: Path, text: str | bytes, message: str) -> None:
    images(tmp_path, "a.png", "same.jpg", "sub/same.jpg")
    with pytest.raises(ValueError, match=rf"t\.csv: {message}"):
        CsvDataset(table(tmp_path, text), tmp_path)


def test_marks_line_ends_and_long_cells(tmp_path: Path) -> None:
    images(tmp_path, "a.png")
    long = " ".join(f"{k} 1" for k in range(1, 100_000, 2))
    limit = csv.field_size_limit()
    with pytest.raises(ValueError, match="pair 19: expected pixels up to 35"):
        CsvDataset(table(tmp_path, b"\xef\xbb\xbf" + f"image,rle\r\na,{long}\r\n".encode()), tmp_path)
    assert csv.field_size_limit() == limit


def test_arguments(tmp_path: Path) -> None:
    path = table(images(tmp_path, "a.png"), "image,rle\na,1 2")
    with pytest.raises(ArgumentError, match="order: expected one of 'F', 'C', got 'K'"):
        CsvDataset(path, tmp_path, order="K")
    with pytest.raises(TypeError, match="category: expected a string"):
        CsvDataset(path, tmp_path, category=1)  # type: ignore[arg-type]
    with pytest.raises(NotADirectoryError, match="expected a folder of images"):
        CsvDataset(path, tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        CsvDataset(tmp_path / "none.csv", tmp_path)


def test_found_in_a_folder(tmp_path: Path) -> None:
    images(tmp_path / "train", "a.png")
    (tmp_path / "train.csv").write_text("ImageId,EncodedPixels\na,1 2\n")
    (tmp_path / "notes.csv").write_text("x,y\n1,2\n")
    assert isinstance(open_dataset(tmp_path), CsvDataset)
    (tmp_path / "test.csv").write_text("ImageId,EncodedPixels\na,1 2\n")
    assert len(open_dataset(tmp_path, split="train")) == 1
    with pytest.raises(ValueError, match="of no format that is recognised"):
        open_dataset(tmp_path)
    (tmp_path / "train/a.png").unlink()
    with pytest.raises(FileNotFoundError, match="no folder beside it has images"):
        open_dataset(tmp_path / "train.csv")


def test_many_rows_open_fast(tmp_path: Path) -> None:
    images(tmp_path, "a.png")
    with (tmp_path / "t.csv").open("w") as file:
        file.write("ImageId,EncodedPixels\n")
        file.writelines("a.png,1 3 6 4 11 5 17 2 25 3\n" for _ in range(50_000))
    start = time.perf_counter()
    found = CsvDataset(tmp_path / "t.csv", tmp_path)
    assert time.perf_counter() - start < 20
    assert found.instances(0).masks.area.tolist() == [17] * 50_000  # type: ignore[union-attr]

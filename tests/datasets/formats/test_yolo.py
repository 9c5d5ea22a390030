"""`YoloDataset`: layouts and descriptions as tools write them, masks equal to pycocotools'."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask as coco_mask
import pytest
from PIL import Image

from copypaste_rs.datasets import YoloDataset, open_dataset
from copypaste_rs.datasets.boxes import BoxAloneError
from copypaste_rs.datasets.formats.yolo.description import read_description

SIZE = (40, 60)
SQUARE = "0.1 0.2 0.5 0.2 0.5 0.75 0.1 0.75"
ROBOFLOW = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cat', 'dog']\n"
ULTRALYTICS = "path: .\ntrain: images/train  # 2 images\nval: images/val\ntest:\n\nnames:\n  0: cat\n  1: dog\n"


def put(folder: Path, files: dict[str, str | bytes | tuple[int, int]]) -> Path:
    """Write files: text, bytes, or an image of a size."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            Image.fromarray(np.full((*content, 3), 90, np.uint8)).save(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def small(folder: Path, labels: str | bytes, description: str | bytes = ULTRALYTICS) -> Path:
    return put(folder, {"data.yaml": description, "images/train/a.png": SIZE, "labels/train/a.txt": labels})


@pytest.mark.parametrize(
    ("description", "images", "labels"),
    [
        (ULTRALYTICS, "images/train", "labels/train"),
        (ULTRALYTICS.replace("path: .", "path: ../nowhere/coco8-seg"), "images/train", "labels/train"),
        (ULTRALYTICS.replace("path: .", "path: /content/data"), "images/train/sub", "labels/train/sub"),
        (ULTRALYTICS.replace("images/train", "./images\\train"), "images/train", "labels/train"),
        (ROBOFLOW, "train/images", "train/labels"),
        (ROBOFLOW.replace("../", ""), "train/images", "train/labels"),
        ("names: {0: cat, 1: dog}\ntrain: [images/other, images/train]", "images/train", "labels/train"),
        ("names: {0: cat, 1: dog}\ntrain: train", "train", "train"),
        ("names: {0: cat, 1: dog}\ntrain: train.txt", "images/train", "labels/train"),
    ],
)
def test_layouts(tmp_path: Path, description: str, images: str, labels: str) -> None:
    put(tmp_path, {
        "set/data.yaml": description, f"set/{images}/a.png": SIZE, f"set/{images}/b.x.jpg": (30, 20),
        f"set/{labels}/a.txt": f"1 {SQUARE}\n\n0 {SQUARE} 0.3 0.9\r\n", f"set/{labels}/b.x.txt": "",
    })  # fmt: skip
    if "images/other" in description:
        (tmp_path / "set/images/other").mkdir()
    if "train.txt" in description:
        put(tmp_path / "set", {"train.txt": "./images/train/b.x.jpg\r\n\ndata/images/train/a.png\n"})
    found = YoloDataset(tmp_path / "set/data.yaml")
    assert [found[i].size for i in range(len(found))] == [SIZE, (30, 20)]
    assert found.path(0) == tmp_path / f"set/{images}/a.png"
    assert found.categories == [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
    assert found.instances(0).labels.tolist() == [1, 0]  # type: ignore[union-attr]
    assert len(found.instances(1)) == 0
    again = open_dataset(tmp_path / "set")
    assert isinstance(again, YoloDataset)
    assert again.digest == found.digest == open_dataset(tmp_path / "set/data.yaml", split="train").digest


@pytest.mark.parametrize(
    ("images", "labels", "names"),
    [
        ("train/images", "train/labels", "classes.txt"),
        ("images/train", "labels/train", "labels/classes.txt"),
        ("images", "labels", "classes.txt"),  # Label Studio's
        ("train", "train", "classes.txt"),
        (".", ".", "classes.txt"),
    ],
)
def test_without_a_description(tmp_path: Path, images: str, labels: str, names: str) -> None:
    put(tmp_path, {f"{images}/a.png": SIZE, f"{labels}/a.txt": f"1 {SQUARE}", names: "cat\r\ndog\n"})
    found = YoloDataset(tmp_path)
    assert found.categories == [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
    assert found.instances(0).labels.tolist() == [1]  # type: ignore[union-attr]
    if labels != images:
        assert isinstance(open_dataset(tmp_path), YoloDataset)
    (tmp_path / names).unlink()
    with pytest.raises(FileNotFoundError, match=r"expected data\.yaml in the folder, or classes\.txt"):
        YoloDataset(tmp_path)
    assert YoloDataset(tmp_path, names=["a", "b"]).categories[1]["name"] == "b"


@pytest.mark.parametrize(
    ("images", "labels", "split"),
    [("images", "labels", "train"), ("train/images", "train/labels", "train"), ("valid/images", "valid/labels", "val")],
)
def test_a_description_without_splits(tmp_path: Path, images: str, labels: str, split: str) -> None:
    """Classes alone, as Supervision writes them: images are looked for as where there is no description."""
    files: dict[str, str | bytes | tuple[int, int]] = {
        "data.yaml": "nc: 2\nnames: [cat, dog]\n",
        f"{images}/a.png": SIZE,
    }
    put(tmp_path, {**files, f"{labels}/a.txt": f"1 {SQUARE}"})
    for path in (tmp_path, tmp_path / "data.yaml"):
        found = open_dataset(path, split=split)
        assert isinstance(found, YoloDataset)
        assert found.categories == [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
        assert found.instances(0).labels.tolist() == [1]  # type: ignore[union-attr]
    with pytest.raises(
        ValueError, match=r"data\.yaml: expected the split 'test', got no splits, and no images in .*/test"
    ):
        YoloDataset(tmp_path, "test")


def test_splits_by_any_name(tmp_path: Path) -> None:
    put(tmp_path, {"data.yaml": ROBOFLOW, "valid/images/a.png": SIZE, "valid/labels/a.txt": f"1 {SQUARE}"})
    for split in ("val", "valid", "validation"):
        assert len(YoloDataset(tmp_path, split)) == 1
    with pytest.raises(FileNotFoundError, match=r"data\.yaml: train: no such folder or file: '\.\./train/images'"):
        YoloDataset(tmp_path)
    with pytest.raises(ValueError, match=r"expected the split 'mini', got the splits 'train', 'val', 'test'"):
        YoloDataset(tmp_path, "mini")
    with pytest.raises(TypeError, match="split: expected a string"):
        YoloDataset(tmp_path, 3)  # type: ignore[arg-type]
    (tmp_path / "data.yaml").unlink()
    assert len(YoloDataset(tmp_path, "val", names=["a", "b"])) == 1
    with pytest.raises(FileNotFoundError, match="expected images of the split 'test'"):
        YoloDataset(tmp_path, "test", names=["a", "b"])


def test_masks_are_those_of_pycocotools(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    shares = [rng.random(2 * n) for n in (3, 4, 7, 30, 200)]
    lines = ["0 " + " ".join(f"{share:.6f}" for share in each) for each in shares]
    found = YoloDataset(small(tmp_path, "\n".join(lines))).instances(0)
    h, w = SIZE
    for i, line in enumerate(lines):
        points = (np.array(line.split()[1:], float).reshape(-1, 2) * (w, h)).ravel().tolist()
        expected = coco_mask.decode(coco_mask.frPyObjects([points], h, w))[:, :, 0]
        np.testing.assert_array_equal(found.masks.to_dense()[i], expected)  # type: ignore[union-attr]


def test_boxes_without_outlines(tmp_path: Path) -> None:
    small(tmp_path, f"0 {SQUARE}\n1 0.5 0.5 0.2 0.5\n")
    with pytest.raises(BoxAloneError, match=r"a\.txt: line 2: expected a segmentation, got a bbox alone"):
        YoloDataset(tmp_path)
    found = YoloDataset(tmp_path, boxes="keep").instances(0)
    assert found.box_only.tolist() == [False, True]  # type: ignore[union-attr]
    np.testing.assert_allclose(found.boxes[1], [24, 10, 36, 30], rtol=1e-6)  # type: ignore[index]
    with pytest.warns(UserWarning, match="left out 1 annotation with a bbox alone"):
        assert len(YoloDataset(tmp_path, boxes="drop").instances(0)) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.1 0.2", r"line 2: expected a class and x, y of at least three points, or .* got 3 numbers"),
        ("0", r"line 2: .* got 1 number$"),
        ("0 0.5 0.5 0.2 0.5 0.9", "line 2: .* got 6 numbers: a box with a confidence or a track"),
        (f"0 {SQUARE} 0.9", "line 2: .* got 10 numbers: half a point, or a confidence or a track"),
        (f"2 {SQUARE}", "line 2: expected a class from 0 to 1, as there are 2 names, got 2"),
        (f"-1 {SQUARE}", "line 2: expected a class from 0 to 1"),
        (f"0.5 {SQUARE}", "line 2: expected a class from 0 to 1"),
        (f"nan {SQUARE}", "line 2: expected a class from 0 to 1"),
        (f"cat {SQUARE}", "line 2: expected numbers, got 'cat'"),
        ("0 0.1 0.2 0.5 0.2 0.5 1_0", "line 2: expected numbers, got '1_0'"),
        ("0 0.1 0.2 0.5 0.2 0.5 \u0661", "line 2: expected numbers, got '\u0661'"),
        ("0 0.1 0.2 0.5 0.2 0.5 nan", "line 2: expected coordinates as shares of the image, from 0 to 1, got nan$"),
        ("0 0.1 0.2 0.5 inf 0.5 0.3", "line 2: expected coordinates .* got inf$"),
        ("0 0.1 0.2 0.5 1e300 0.5 0.3", "line 2: expected coordinates .* got 1e300, as in pixels"),
        ("0 12 20 312.5 33 18 40", "line 2: expected coordinates .* got 312.5, as in pixels"),
        ("0 0.1 -0.52 0.5 0.2 0.5 0.3", r"line 2: expected coordinates .* got -0\.52$"),
        ("0 0.1 -0.01 0.5 1.02 0.5 0.3", r"line 2: expected coordinates .* got 1\.02$"),
        ("0 0.5 1.02 0.1 0.1", r"line 2: expected coordinates .* got 1\.02$"),
        ("0 0.5 0.5 -0.001 0.5", "line 2: expected a width and a height of at least 0"),
    ],
)
def test_lines_that_cannot_be(tmp_path: Path, line: str, message: str) -> None:
    small(tmp_path, f"0 {SQUARE}\n{line}\n0 0 0 1 0 1 1\n")
    with pytest.raises(ValueError, match=rf"labels.train.a\.txt: {message}"):
        YoloDataset(tmp_path)


def test_slack_of_ultralytics(tmp_path: Path) -> None:
    found = YoloDataset(small(tmp_path, "0 -0.005 -0.005 1.004 0 1.004 1 0 1"))
    assert found.instances(0).masks.area.tolist() == [40 * 60]  # type: ignore[union-attr]


def test_problems_of_all_files_at_once(tmp_path: Path) -> None:
    files: dict[str, Any] = {f"images/train/{i:02d}.png": SIZE for i in range(7)}
    files |= {f"labels/train/{i:02d}.txt": f"9 {SQUARE}\n0 {SQUARE}\n0 1 2 3\n" for i in range(6)}
    put(tmp_path, files | {"labels/train/06.txt": b"0 0.1 \xe9", "data.yaml": ULTRALYTICS})
    with pytest.raises(ValueError, match=r"00\.txt: line 1: expected a class") as caught:
        YoloDataset(tmp_path)
    assert str(caught.value).count("\n") == 10
    assert str(caught.value).endswith("and 3 more")


@pytest.mark.parametrize(("data", "message"), [
    (f"0 {SQUARE}".encode("utf-16"), "expected text in UTF-8, got UTF-16"),
    (b"0 0.1 0.2 \xe9", r"expected text in UTF-8, got 0xe9 \(byte 10\)"),
])  # fmt: skip
def test_other_encodings(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=rf"a\.txt: {message}"):
        YoloDataset(small(tmp_path, data))


def test_marks_and_line_ends(tmp_path: Path) -> None:
    small(
        tmp_path,
        b"\xef\xbb\xbf" + f"0 {SQUARE}\r\n\r\n  1\t{SQUARE}  \r\n".encode(),
        b"\xef\xbb\xbf" + ULTRALYTICS.replace("\n", "\r\n").encode(),
    )
    assert YoloDataset(tmp_path).instances(0).labels.tolist() == [0, 1]  # type: ignore[union-attr]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    small(tmp_path, f"0 {SQUARE}\n1 {SQUARE}\n0 {SQUARE}\n0 0.5 0.5 0.5 0.5 0.5 0.5\n")
    put(tmp_path, {"labels/train/z.txt": "", "labels/train/classes.txt": "cat", "images/train/none.png": SIZE})
    told = r"left out 1 line that stands twice in its file, 1 label file without an image \(z\.txt\)"
    with pytest.warns(UserWarning, match=told):
        found = YoloDataset(tmp_path)
    assert len(found.instances(0)) == 2
    assert len(found.instances(1)) == 0


def test_labels_that_are_nowhere(tmp_path: Path) -> None:
    put(tmp_path, {"data.yaml": ULTRALYTICS, "images/train/a.png": SIZE})
    with pytest.warns(UserWarning, match=r"no image has a label file \(looked for .*labels.train.a\.txt\)"):
        YoloDataset(tmp_path)


def test_images_that_are_listed_and_missing(tmp_path: Path) -> None:
    small(tmp_path, "", "names: [cat]\ntrain: train.txt")
    put(tmp_path, {"train.txt": "./images/train/a.png\n./images/train/b.png\n./images/train/c.png\n"})
    with pytest.raises(
        FileNotFoundError, match=r"train\.txt: line 2: '\./images/train/b\.png', and 1 other: no such image"
    ):
        YoloDataset(tmp_path)
    put(tmp_path, {"train.txt": "\n"})
    with pytest.raises(FileNotFoundError, match=r"train\.txt: expected images, got none"):
        YoloDataset(tmp_path)


def test_images_are_turned_as_ultralytics_does(tmp_path: Path) -> None:
    small(tmp_path, f"0 {SQUARE}")
    (tmp_path / "images/train/a.png").unlink()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(tmp_path / "images/train/a.jpg", exif=exif)
    assert YoloDataset(tmp_path)[0].size == (60, 40)
    assert YoloDataset(tmp_path, apply_exif=False).instances(0).masks.size == (40, 60)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: [cat", r"cannot be read as YAML: .*\(line 1\)"),
        ("- a", "expected keys and values, as names and train, got a list"),
        ("", "expected keys and values, as names and train, got nothing"),
        ("names: cat\ntrain: x", "names: expected a list, or a mapping of numbers to names, got 'cat'"),
        ("names: {a: cat}", "names: expected numbers of classes as keys, got 'a'"),
        ("names: {0: cat, '00': dog}", "names: expected each number once, got 00 more than once"),
        ("names: [[cat]]", "names: 0: expected a name, got a list"),
        ("train: x", "expected the names of the classes under names, got none"),
        ("nc: 3\nnames: [a, b]", "names: expected 3 as nc says, got 2"),
        ("nc: many", "nc: expected the number of classes, got 'many'"),
        ("nc: 999999999", "nc: expected at most"),
        ("names: [a]\ntrain: {a: b}", "train: expected a folder, a file that lists images, or a list of them, got a mapping"),
        ("names: [a]\npath: [b]", "path: expected text, got a list"),
        ("names: [a]\nkpt_shape: [17, 3]\n", "expected a set with outlines, got one of poses: each line has a class, a box "
         r"and 17 keypoints of 3 numbers \(kpt_shape\), and no outline to paste. .* CocoDataset reads"),
        ("names: [a]\nkpt_shape: 17\n", r"a box and keypoints \(kpt_shape\), and no outline"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nnames: *b", r"expected no references \(\*name\), got one in line 2"),
        ("names: " + "[" * 5000, "cannot be read as YAML"),
        ("names: !!python/object/apply:os.system ['true']", "names: 0: expected|split"),
    ],
)  # fmt: skip
def test_descriptions_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        YoloDataset(tmp_path)


def test_without_pyyaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(tmp_path, f"0 {SQUARE}")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(
        ImportError, match=r"yaml is not installed; it comes with the extra yolo: pip install 'copypaste_rs\[yolo\]'"
    ):
        YoloDataset(tmp_path)
    (tmp_path / "data.yaml").unlink()
    assert len(YoloDataset(tmp_path, names=["cat"])) == 1


def test_names_stay_as_they_are_written() -> None:
    found = read_description(Path("data.yaml"), b"names: [no, 1.0, 2024-01-01, null, 'x y']\nnc: 5\ntrain: ~\nval: a")
    assert [*found.names.values()] == ["no", "1.0", "2024-01-01", "null", "x y"]
    assert found.splits == {"val": ["a"]}
    assert read_description(Path("data.yaml"), b"nc: 2").names == {0: "class_0", 1: "class_1"}
    assert read_description(Path("data.yaml"), b"names: {7: b, 2: a}").names == {2: "a", 7: "b"}


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected data\.yaml or a folder"):
        YoloDataset(tmp_path / "none")
    put(tmp_path, {"a.yaml": "names: [a]", "b.yaml": "names: [a]"})
    with pytest.raises(ValueError, match=r"expected one YAML file, as data\.yaml, got 2 \(a\.yaml, \.\.\.\)"):
        YoloDataset(tmp_path)
    with pytest.raises(ValueError, match="images: expected none for a YOLO set"):
        open_dataset(tmp_path, tmp_path, format="yolo")
    with pytest.raises(TypeError, match="names: expected a sequence of strings"):
        YoloDataset(tmp_path, names="cat")


def test_many_labels_open_fast(tmp_path: Path) -> None:
    random.seed(1)
    lines = ["0 " + " ".join(f"{random.random():.6f}" for _ in range(50)) for _ in range(20_000)]
    small(tmp_path, "\n".join(lines))
    start = time.perf_counter()
    YoloDataset(tmp_path)
    assert time.perf_counter() - start < 30

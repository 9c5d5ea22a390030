"""CocoWriter: files that pycocotools loads and that agree with the samples, whole or not there."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from copypaste_rs import Instances, Sample, SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CocoWriter, CopyPasteDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.coco_files import every_file, small_set
from tests.fixtures.samples import squares

CATEGORIES = [{"id": 1, "name": "square"}, {"id": 2, "name": "ring"}, {"id": 3, "name": "star"}]


def sample(n: int = 2, **fields: Any) -> Sample:
    return squares(n, 90, labels=np.arange(1, n + 1), **fields)


def written(folder: Path, *samples: Sample, **options: Any) -> dict[str, Any]:
    with CocoWriter(folder, CATEGORIES, **options) as writer:
        for one in samples:
            writer.write(one)
    content: dict[str, Any] = json.loads((folder / "annotations.json").read_text())
    return content


def visible(folder: Path) -> list[str]:
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path) for path in paths if path.parts[0] != ".copypaste-rs")


def test_pycocotools_loads_it_and_everything_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = CopyPasteDataset(CocoDataset(*small_set(tmp_path / "in", 10)), SimpleCopyPaste(size=(50, 70)))
    results = [data[i] for i in range(10)]
    with CocoWriter(tmp_path / "out", CATEGORIES, format="png") as writer:
        for i, result in enumerate(results):
            assert writer.write(result, sources=data.inputs(i)[1]) == i + 1
    coco = COCO(str(tmp_path / "out" / "annotations.json"))
    capsys.readouterr()
    assert sorted(coco.imgs) == list(range(1, 11))
    assert sorted(coco.anns) == list(range(1, sum(len(result.instances) for result in results) + 1))
    for i, result in enumerate(results):
        image = coco.imgs[i + 1]
        assert (image["height"], image["width"]) == (50, 70)
        assert image["source_image_id"] == 10 + i
        stored = np.asarray(Image.open(tmp_path / "out" / "images" / image["file_name"]))
        np.testing.assert_array_equal(stored, result.image)
        annotations = coco.imgToAnns[i + 1]
        instances = result.instances
        assert instances.masks is not None
        assert instances.labels is not None
        assert [a["category_id"] for a in annotations] == instances.labels.tolist()
        for a, mask in zip(annotations, instances.masks.to_dense(), strict=True):
            dense = coco.annToMask(a)
            np.testing.assert_array_equal(dense, mask)
            ys, xs = np.nonzero(dense)
            assert a["area"] == len(ys)
            x, y = xs.min(), ys.min()
            assert a["bbox"] == [x, y, xs.max() + 1 - x, ys.max() + 1 - y]


def test_annotations_say_where_they_come_from(tmp_path: Path) -> None:
    photos = CocoDataset(*small_set(tmp_path / "in", 5))
    data = CopyPasteDataset(photos, SimpleCopyPaste(size=(50, 70)), num_sources=2)
    ids = {annotation: 10 + i for i in range(5) for annotation in photos.instances(i).id.tolist()}
    with CocoWriter(tmp_path / "out", CATEGORIES) as writer:
        for i in range(5):
            writer.write(data[i], sources=data.inputs(i)[1])
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    pasted = 0
    for a in content["annotations"]:
        assert ids[a["source_annotation_id"]] == a["source_image_id"]
        assert 0 < a["visibility"] <= 1
        target = content["images"][a["image_id"] - 1]["source_image_id"]
        assert (a["source"] == -1) == (a["source_image_id"] == target)
        pasted += a["source"] >= 0
    assert pasted > 0


def test_the_layout_of_the_file(tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "id": [70, 80], "iscrowd": [False, True], "score": np.array([0.1, np.nan], np.float32), "name": ["é", ""],
        "good": [True, False], "count": np.array([2**64 - 1, 3], np.uint64), "vector": [[1.5, 2], [np.nan, 0]],
    }  # fmt: skip
    one = Sample(sample().image, sample(**fields).instances, {"image_id": "x7", "file_name": "a/b.jpg", "license": 4})
    content = written(tmp_path, one, info={"year": 2026}, licenses=[{"id": 4}])
    assert content == {
        "info": {"year": 2026},
        "licenses": [{"id": 4}],
        "categories": CATEGORIES,
        "images": [
            {"id": 1, "file_name": "000000000001.jpg", "license": 4, "width": 30, "height": 20,
             "source_image_id": "x7", "source_file_name": "a/b.jpg"},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 110, "bbox": [4.0, 5.0, 10.0, 11.0],
             "segmentation": {"size": [20, 30], "counts": content["annotations"][0]["segmentation"]["counts"]},
             "score": 0.1, "name": "é", "good": True, "count": 2**64 - 1, "vector": [1.5, 2.0],
             "source_image_id": "x7", "source_annotation_id": 70},
            {"id": 2, "image_id": 1, "category_id": 2, "iscrowd": 1, "area": 110, "bbox": [5.0, 5.0, 10.0, 11.0],
             "segmentation": {"size": [20, 30], "counts": content["annotations"][1]["segmentation"]["counts"]},
             "name": "", "good": False, "count": 3,
             "source_image_id": "x7", "source_annotation_id": 80},
        ],
    }  # fmt: skip
    assert isinstance(content["annotations"][0]["segmentation"]["counts"], str)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    first = [sample(3, score=[0.5, 0.25, np.nan]), sample(0), sample(1, score=[1.0])]
    written(tmp_path, *first, format="png")
    back = CocoDataset(tmp_path / "annotations.json", tmp_path / "images")
    for a, b in zip(first, back, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        assert a.instances.masks == b.instances.masks or len(a.instances) == 0
        if len(a.instances):
            np.testing.assert_array_equal(a.instances.score, b.instances.score)


def test_a_second_round_names_the_first(tmp_path: Path) -> None:
    written(tmp_path / "1", Sample(sample().image, sample(id=[7, 8]).instances, {"image_id": 5}))
    again = CocoDataset(tmp_path / "1" / "annotations.json", tmp_path / "1" / "images")[0]
    content = written(tmp_path / "2", again)
    assert [(a["source_image_id"], a["source_annotation_id"]) for a in content["annotations"]] == [(1, 1), (1, 2)]


def test_nothing_but_the_files_and_the_state(tmp_path: Path) -> None:
    written(tmp_path, sample(), sample(0), format="png")
    assert visible(tmp_path) == ["annotations.json", "images/000000000001.png", "images/000000000002.png"]
    state = [path.name for path in (tmp_path / ".copypaste-rs").iterdir()]
    assert sorted(state) == ["lock", "names", "records", "settings"]


def test_file_names_may_have_folders(tmp_path: Path) -> None:
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(), "a/b/1.jpg")
        with pytest.raises(ValueError, match=r"^file_name: expected a name that is not taken yet, got 'a/b/1.jpg'$"):
            writer.write(sample(), "a/b/1.jpg")
        for name in ("../1.jpg", "/1.jpg", "a/../../1.jpg", "C:/1.jpg", "", "a\\..\\..\\1.jpg"):
            with pytest.raises(ValueError, match=r"^file_name: expected a name inside the folder of images"):
                writer.write(sample(), name)
        for name in ("./a/b/1.jpg", "a//b/1.jpg", "a/./b/1.jpg"):
            with pytest.raises(ValueError, match=r"not taken yet, got 'a/b/1.jpg'$"):
                writer.write(sample(), name)
        for name in ("1.png", "1", ".", "a.jpg/1", "jpg"):
            with pytest.raises(ValueError, match=r"^file_name: expected the suffix .jpg or .jpeg, got "):
                writer.write(sample(), name)
        writer.write(sample(), "./2.JPEG")
    assert visible(tmp_path) == ["annotations.json", "images/2.JPEG", "images/a/b/1.jpg"]
    content = json.loads((tmp_path / "annotations.json").read_text())
    assert [image["file_name"] for image in content["images"]] == ["a/b/1.jpg", "2.JPEG"]


def test_integers_of_the_file_are_integers_again(tmp_path: Path) -> None:
    content = written(tmp_path, sample(3, track=[7.0, np.nan, 0.5], score=[1.0, 0.5, 0.0]), integers={"track"})
    assert [a.get("track") for a in content["annotations"]] == [7, None, 0.5]
    assert [type(a.get("track")) for a in content["annotations"]] == [int, type(None), float]
    assert {type(a["score"]) for a in content["annotations"]} == {float}


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with CocoWriter(tmp_path, CATEGORIES) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            with pytest.raises(OSError, match="No space left on device") as caught:
                writer.write(sample())
        assert caught.value.filename == str(tmp_path / "images" / "000000000001.jpg")
        assert caught.value.errno == errno.ENOSPC


def test_grey_images(tmp_path: Path) -> None:
    grey = sample(0).image[:, :, 0]
    written(tmp_path, Sample(grey, Instances()), Sample(grey[:, :, None], Instances()))
    for path in (tmp_path / "images").iterdir():
        with Image.open(path) as image:
            assert image.mode == "L"


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        written(tmp_path / name, sample(), sample(1), quality=80)
    for path in visible(tmp_path / "a"):
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


# -- what is refused -------------------------------------------------------------------------------------------


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("x")
    choices: list[dict[str, Any]] = [{}, {"overwrite": True}, {"resume": True}]
    for options in choices:
        with pytest.raises(FileExistsError, match=r"holds other files; choose another folder$"):
            CocoWriter(tmp_path, CATEGORIES, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]
    with pytest.raises(FileExistsError, match=r"precious\.txt: expected a folder, got a file"):
        CocoWriter(tmp_path / "precious.txt", CATEGORIES)


def test_a_data_set_of_somebody_else_is_never_overwritten(tmp_path: Path) -> None:
    small_set(tmp_path / "in")
    before = visible(tmp_path / "in")
    with pytest.raises(FileExistsError, match="holds other files; choose another folder"):
        CocoWriter(tmp_path / "in", CATEGORIES, overwrite=True)
    assert visible(tmp_path / "in") == before


def test_overwriting_deletes_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(), "a/1.jpg")
        writer.write(sample(), "2.jpg")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "images" / "mine.jpg").write_text("x")
    written(tmp_path, sample(), format="png", overwrite=True)
    assert visible(tmp_path) == ["annotations.json", "images/000000000001.png", "images/mine.jpg", "notes.txt"]


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample())
        choices: list[dict[str, Any]] = [{"overwrite": True}, {"resume": True}]
        for options in choices:
            with pytest.raises(BlockingIOError, match="another run is writing there"):
                CocoWriter(tmp_path, CATEGORIES, **options)
    assert visible(tmp_path) == ["annotations.json", "images/000000000001.jpg"]


def test_an_exception_leaves_whole_images_and_no_annotation_file(tmp_path: Path) -> None:
    writer = CocoWriter(tmp_path, CATEGORIES)

    def fail() -> None:
        with writer:
            writer.write(sample())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert visible(tmp_path) == ["images/000000000001.jpg"]
    with pytest.raises(ValueError, match="is closed"):
        writer.write(sample())


REFUSED: list[tuple[Any, str]] = [
    (3, "sample: expected a Sample, got int"),
    (
        Sample(np.zeros((4, 5), np.uint16), Instances()),
        "image: expected dtype uint8 to write a file of .*, got uint16; format 'png' or 'tif' holds it",
    ),
    (
        Sample(np.zeros((4, 5, 2), np.uint8), Instances()),
        "image: expected 1 or 3 channels to write a file of .*, got 2; format 'png' or 'tif' holds them",
    ),
    (Sample(np.zeros((4, 5), np.uint8), Instances(labels=[1])), "sample: expected masks for its instances, got none"),
    (Sample(sample().image, Instances(masks=sample().instances.masks)), "sample: expected integer labels"),
    (Sample(sample().image, Instances(masks=sample().instances.masks, labels=["a", "b"])), "expected integer labels"),
    (sample(4), "sample: expected labels that are among the categories, got 4"),
    (sample(when=np.array(["2026", "2027"], "datetime64[Y]")), "when: expected numbers, bools or strings"),
]


@pytest.mark.parametrize(("wrong", "message"), REFUSED)
def test_a_sample_that_cannot_be_written_leaves_no_trace(tmp_path: Path, wrong: Any, message: str) -> None:
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
            writer.write(wrong)
        assert len(writer) == 0
    assert visible(tmp_path) == ["annotations.json"]


def test_options_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^format: expected one of 'jpg', 'png', 'tif', got 'gif'$"):
        CocoWriter(tmp_path, CATEGORIES, format="gif")
    with pytest.raises(ArgumentError, match=r"^quality: expected an integer from 1 to 100, got 0$"):
        CocoWriter(tmp_path, CATEGORIES, quality=0)
    with pytest.raises(ArgumentError, match=r"^overwrite: expected False where resume is True, got True$"):
        CocoWriter(tmp_path, CATEGORIES, resume=True, overwrite=True)
    nothing: Any = None
    with pytest.raises(ArgumentTypeError, match=r"^directory: expected a path, got None$"):
        CocoWriter(nothing, CATEGORIES)
    with pytest.raises(ArgumentTypeError, match=r"^categories: expected a sequence of dicts, got NoneType$"):
        CocoWriter(tmp_path, nothing)
    with pytest.raises(ArgumentTypeError, match=r"^categories\[0\]: expected a dict, got NoneType$"):
        CocoWriter(tmp_path, [nothing])
    with pytest.raises(ArgumentError, match=r"^categories\[1\]: expected an integer as id, got None$"):
        CocoWriter(tmp_path, [{"id": 1}, {"name": "x"}])
    with pytest.raises(ArgumentError, match=r"^categories: expected each id once, got 1 more than once$"):
        CocoWriter(tmp_path, [{"id": 1}, {"id": 1}])
    assert list(tmp_path.iterdir()) == []


# -- going on ---------------------------------------------------------------------------------------------------

SAMPLES = [sample(n % 4) for n in range(6)]


def run(folder: Path, stop: int = 6) -> int:
    """Write the samples, stop early perhaps; how many were there already."""
    with CocoWriter(folder, CATEGORIES, resume=True) as writer:
        done = len(writer)
        for one in SAMPLES[done:stop]:
            writer.write(one)
        if stop < 6:
            writer._let_go()
    return done


def cut_off(path: Path, n: int) -> None:
    path.write_bytes(path.read_bytes()[:-n])


DAMAGES: list[tuple[str, int]] = [
    ("nothing", 3),
    ("half a record", 2),
    ("lost image", 1),
    ("short image", 1),
    ("changed image", 1),
    ("stray partial file", 3),
    ("garbage in the records", 3),
    ("lost records", 0),
]


@pytest.mark.parametrize(("damage", "left"), DAMAGES)
def test_a_resumed_run_ends_with_the_same_bytes(tmp_path: Path, damage: str, left: int) -> None:
    assert run(tmp_path / "whole") == 0
    part = tmp_path / "part"
    run(part, 3)
    image = part / "images" / "000000000002.jpg"
    records = part / ".copypaste-rs" / "records"
    if damage == "half a record":
        cut_off(records, 9)
    elif damage == "lost image":
        image.unlink()
    elif damage == "short image":
        cut_off(image, 1)
    elif damage == "changed image":
        image.write_bytes(b"x" * image.stat().st_size)
    elif damage == "stray partial file":
        (part / ".copypaste-rs" / "partial").write_bytes(b"half")
    elif damage == "garbage in the records":
        records.write_bytes(records.read_bytes() + b'{"file": 3}\n\xff\n')
    elif damage == "lost records":
        records.unlink()
    assert run(part) == left
    assert every_file(part) == every_file(tmp_path / "whole")
    assert run(part) == 6
    assert every_file(part) == every_file(tmp_path / "whole")


def test_a_run_with_other_settings_is_not_resumed(tmp_path: Path) -> None:
    with CocoWriter(tmp_path, CATEGORIES, settings={"seed": 1}) as writer:
        writer.write(sample())
    before = every_file(tmp_path)
    with pytest.raises(ValueError, match="had other settings: quality was 95 and is 90, seed was 1 and is 2"):
        CocoWriter(tmp_path, CATEGORIES, settings={"seed": 2}, quality=90, resume=True)
    assert every_file(tmp_path) == before

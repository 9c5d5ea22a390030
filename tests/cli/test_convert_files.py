"""`copypaste-rs convert`: names that are taken, or that a format cannot hold, and files that are copied as they are."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from copypaste_rs.cli.writers import WRITTEN
from copypaste_rs.datasets import open_dataset
from copypaste_rs.datasets.formats import WRITTEN_ALONE
from tests.fixtures.coco_files import every_file, photo
from tests.fixtures.command_line import run

if TYPE_CHECKING:
    from copypaste_rs.datasets.annotated import AnnotatedImages

SQUARE = [[2, 3, 30, 3, 30, 20, 2, 20]]
IMAGED = [kind for kind in WRITTEN if kind not in {"coco-results", *WRITTEN_ALONE}]


def write(root: Path, names: list[str], size: tuple[int, int] = (40, 60)) -> Path:
    """A COCO set of images of these names, each with a square, further right in each than in the one before."""
    images, annotations = [], []
    for number, name in enumerate(names):
        place = root / "images" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            kind = Image.registered_extensions().get(place.suffix.lower(), "PNG")
            Image.fromarray(photo(size, number)).save(place, kind)
        images.append({"id": number + 1, "file_name": name, "height": size[0], "width": size[1]})
        square = [[value + number * (1 - i % 2) for i, value in enumerate(SQUARE[0])]]
        annotations.append({"id": number + 1, "image_id": number + 1, "category_id": 1, "segmentation": square})
    file = root / "annotations.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "x"}]}))
    return file


def opened(folder: Path, kind: str) -> AnnotatedImages:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one object in each label image looks like no objects
        return open_dataset(folder, format=kind)


def command(file: Path, out: Path, kind: str, *more: str) -> list[str]:
    images = str(file.parent / "images")
    return ["convert", "--input", str(file), "--images", images, "--output", str(out), "--output-format", kind, *more]


@pytest.mark.parametrize("kind", IMAGED)
@pytest.mark.parametrize("names", [["a.png", "a.png", "a.png"], ["b/a.png", "b/a.jpg", "b/a-2.png"]])
def test_names_that_are_taken_get_a_number(
    tmp_path: Path, kind: str, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "in", names)
    assert run(command(file, tmp_path / "out", kind)) == 0
    told = capsys.readouterr().err
    made = opened(tmp_path / "out", kind)
    assert len(made) == 3
    squares = {}
    for i in range(3):
        masks = made.instances(i).masks
        assert masks is not None
        squares[int(masks.boxes[0, 0]) - 2] = made.path(i).read_bytes()
    assert squares == {i: (tmp_path / "in" / "images" / name).read_bytes() for i, name in enumerate(names)}
    if names[0] == names[1]:
        assert "names of images that others have too, with a number behind them now: 2" in told
    whole = every_file(tmp_path / "out")
    records = tmp_path / "out" / ".copypaste-rs" / "records"
    records.write_bytes(records.read_bytes().splitlines(keepends=True)[0])
    assert run(command(file, tmp_path / "out", kind, "--resume")) == 0
    assert every_file(tmp_path / "out") == whole


def test_results_of_one_photograph_under_two_ids(tmp_path: Path) -> None:
    assert run(command(write(tmp_path / "in", ["a.png", "a.png"]), tmp_path / "out", "coco-results")) == 0
    info = json.loads((tmp_path / "out" / "image_info.json").read_text())
    assert [image["file_name"] for image in info["images"]] == ["a.png", "a.png"]
    assert [result["image_id"] for result in json.loads((tmp_path / "out" / "results.json").read_text())] == [1, 2]


@pytest.mark.parametrize(
    ("name", "kinds", "message"),
    [
        ("a\nb.png", IMAGED, r"expected a name without line breaks, got 'a\nb.png'"),
        (".a.png", ["yolo", "voc", "label-maps", "labelme", "csv"], "expected no hidden file"),
        (".b/a.png", ["yolo", "voc", "label-maps", "labelme", "csv"], "expected no hidden file"),
        ("images/a.png", ["yolo"], "nor a folder 'images'"),
        ("a", ["yolo", "voc", "label-maps", "csv"], "expected the suffix of an image, by which it is found"),
        (" a.png", ["voc", "csv"], "spaces at its ends, which"),
        ('a"b.png', ["voc"], "expected a name without control characters, quotes"),
    ],
)
def test_names_that_a_format_cannot_hold_are_told_at_the_start(
    tmp_path: Path, name: str, kinds: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "in", ["b.png", name])
    for kind in IMAGED:
        status = run(command(file, tmp_path / kind, kind))
        told = capsys.readouterr().err
        assert status == (kind in kinds), told
        if kind in kinds:
            assert f"{file}: file_name: " in told
            assert message in told
            assert not (tmp_path / kind).exists()
        else:
            assert len(opened(tmp_path / kind, kind)) == 2


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc", "csv"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif"])
def test_images_that_are_cut_short_are_not_copied(
    tmp_path: Path, suffix: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "in", [f"a{suffix}"])
    image = tmp_path / "in" / "images" / f"a{suffix}"
    data = image.read_bytes()
    image.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(OSError, match=r"truncated|decod"), Image.open(image) as opened:
        opened.load()
    assert run(command(file, tmp_path / "out", kind)) == 1
    assert f"{image}: cannot be read as an image: " in capsys.readouterr().err
    image.write_bytes(data)
    assert run(command(file, tmp_path / "out", kind, "--resume")) == 0


def test_what_lies_behind_an_image_or_before_it_ends_is_copied(tmp_path: Path) -> None:
    """A thumbnail has an end of its own, and a file may go on after its image."""
    file = write(tmp_path / "in", ["a.jpg", "b.jpg"])
    one, other = (tmp_path / "in" / "images" / name for name in ("a.jpg", "b.jpg"))
    thumbnail = io.BytesIO()
    Image.new("RGB", (8, 8)).save(thumbnail, "JPEG")
    block = b"Exif\0\0" + thumbnail.getvalue()
    data = one.read_bytes()
    one.write_bytes(data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:] + b"after it" * 9)
    assert run(command(file, tmp_path / "out", "yolo")) == 0
    assert (tmp_path / "out" / "images" / "train" / "a.jpg").read_bytes() == one.read_bytes()
    cut = one.read_bytes()[: 600 + len(block)]
    assert b"\xff\xd9" in cut
    one.write_bytes(cut)
    assert run(command(file, tmp_path / "out2", "yolo")) == 1
    assert other.is_file()


def test_images_that_jpeg_could_not_hold_are_copied(tmp_path: Path) -> None:
    file = write(tmp_path / "in", ["long.png"], (22, 66_000))
    assert run(command(file, tmp_path / "out", "coco")) == 0
    made = open_dataset(tmp_path / "out")
    assert made.size(0) == (22, 66_000)
    assert np.array_equal(made[0].image, open_dataset(file)[0].image)


def test_errors_name_an_image_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "in", ["a.png"])
    image = tmp_path / "in" / "images" / "a.png"
    Image.new("RGB", (9, 9)).save(image)
    assert run(command(file, tmp_path / "out", "coco")) == 1
    assert f"copypaste-rs: {image}: expected an image of width 60" in capsys.readouterr().err
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 60)).save(image, exif=exif)
    assert run(command(file, tmp_path / "out", "coco", "--resume")) == 1
    assert "its EXIF orientation is 6, which --apply-exif would apply" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "odd", "plain"), [("info", "by hand", {"year": 2024}), ("licenses", {"a": 1}, ["MIT"])]
)
def test_what_stands_at_the_head_is_kept_or_told(
    tmp_path: Path, name: str, odd: object, plain: object, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "in", ["a.png"])
    data = json.loads(file.read_text())
    for value, out in ((plain, "plain"), (odd, "odd"), (None, "none")):
        file.write_text(json.dumps(data | {name: value}))
        assert run(command(file, tmp_path / out, "coco")) == 0
        made = json.loads((tmp_path / out / "annotations.json").read_text())
        assert made[name] == plain if out == "plain" else not made[name]
        assert (f"left out {name} of the input: expected " in capsys.readouterr().err) == (out == "odd")


@pytest.mark.parametrize("more", [[], ["--image-format", "png"]])
@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_outlines_beside_their_image_are_counted(
    tmp_path: Path, kind: str, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "in", ["a.png", "b.png"])
    data = json.loads(file.read_text())
    beside = [[100, 100, 130, 100, 130, 120]]
    data["annotations"] += [{"id": k, "image_id": 2, "category_id": 1, "segmentation": beside} for k in (7, 8)]
    file.write_text(json.dumps(data))
    assert run(command(file, tmp_path / "out", kind, *more)) == 0
    assert "outlines that cover no pixel of their image, which are left out: 2" in capsys.readouterr().err
    made = opened(tmp_path / "out", kind)
    assert [len(made.instances(i)) for i in range(2)] == [1, 1]

"""`copypaste-rs convert` and `augment` of images with an EXIF orientation: outlines stay on what they outline.

Some tools take outlines to be of the stored pixels, and others (Ultralytics, LabelMe) of the turned ones. Pillow says
here what either of them sees.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from copypaste_rs.datasets import open_dataset
from tests.fixtures.command_line import run

CASES = [*((".jpg", number) for number in range(1, 9)), (".png", 1), (".png", 6), (".png", 7)]
TURNING = ("yolo", "labelme")
STORED = ("coco", "lvis", "panoptic", "voc", "label-maps", "csv")
H, W = 40, 60


def photo(place: Path, orientation: int) -> NDArray[np.uint8]:
    """Write an image, dark but for one square, and give it as it is stored."""
    pixels = np.zeros((H, W, 3), np.uint8)
    pixels[5:20, 8:30] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera"
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(place, exif=exif, quality=100, lossless=True)
    return pixels


def coco(root: Path, orientation: int, suffix: str) -> Path:
    photo(root / "images" / f"a{suffix}", orientation)
    square = [[8, 5, 30, 5, 30, 20, 8, 20]]
    image = {"id": 1, "file_name": f"a{suffix}", "height": H, "width": W}
    annotations = [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": square}]
    file = root / "annotations.json"
    file.write_text(json.dumps({"images": [image], "annotations": annotations, "categories": [{"id": 1, "name": "x"}]}))
    return file


def yolo(root: Path, orientation: int, suffix: str) -> Path:
    """A set whose outline is that of the turned image, as Ultralytics has it."""
    file = root / "images" / "train" / f"a{suffix}"
    photo(file, orientation)
    with Image.open(file) as image:
        bright = np.asarray(ImageOps.exif_transpose(image).convert("L")) > 128
    h, w = bright.shape
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    (y0, y1), (x0, x1) = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
    points = [x0 / w, y0 / h, x1 / w, y0 / h, x1 / w, y1 / h, x0 / w, y1 / h]
    (root / "labels" / "train").mkdir(parents=True)
    (root / "labels" / "train" / "a.txt").write_text("0 " + " ".join(f"{share:.8f}" for share in points))
    (root / "data.yaml").write_text("train: images/train\nval: images/train\nnames: [x]\n")
    return root


def check(folder: Path, kind: str) -> Path:
    """Check that the outline is around what is bright for a reader of this format; the image file."""
    photos = open_dataset(folder, format=kind)
    with Image.open(photos.path(0)) as image:
        seen = np.asarray((ImageOps.exif_transpose(image) if kind in TURNING else image).convert("L"))
    masks = photos.instances(0).masks
    assert masks is not None
    mask = masks.to_dense()[0].astype(bool)
    assert mask.shape == seen.shape
    assert mask.sum() == 15 * 22
    assert seen[mask].min() > 200
    assert seen[~mask].max() < 50
    return photos.path(0)


@pytest.mark.parametrize(("suffix", "orientation"), [*CASES, (".webp", 1), (".webp", 8)])
@pytest.mark.parametrize("kind", [*TURNING, *STORED])
def test_outlines_of_stored_pixels(
    tmp_path: Path, orientation: int, suffix: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = coco(tmp_path / "in", orientation, suffix)
    assert run(["convert", "--input", str(file), "--output", str(tmp_path / "out"), "--output-format", kind]) == 0
    made = check(tmp_path / "out", kind)
    before = (tmp_path / "in" / "images" / f"a{suffix}").read_bytes()
    changes = kind in TURNING and orientation != 1
    assert (made.read_bytes() == before) != changes
    assert len(made.read_bytes()) == len(before)  # nothing is encoded anew
    assert ("EXIF orientations that outlines do not follow, which are 1 now: 1" in capsys.readouterr().err) == changes
    with Image.open(made) as image:
        assert image.getexif()[0x010F] == "a camera"


@pytest.mark.parametrize(("suffix", "orientation"), CASES)
@pytest.mark.parametrize("kind", [*TURNING, *STORED])
def test_outlines_of_turned_pixels(
    tmp_path: Path, orientation: int, suffix: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = yolo(tmp_path / "in", orientation, suffix)
    check(folder, "yolo")
    assert run(["convert", "--input", str(folder), "--output", str(tmp_path / "out"), "--output-format", kind]) == 0
    made = check(tmp_path / "out", kind)
    changes = kind in STORED and orientation != 1
    assert (made.read_bytes() == (folder / "images" / "train" / f"a{suffix}").read_bytes()) != changes
    told = "images that were turned as their EXIF orientation says, and encoded anew: 1"
    assert (told in capsys.readouterr().err) == changes


def test_a_turned_image_of_another_kind_asks_for_a_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = yolo(tmp_path / "in", 6, ".webp")
    command = ["convert", "--input", str(folder), "--output", str(tmp_path / "out"), "--output-format", "coco"]
    assert run(command) == 1
    assert "a.webp: expected a JPEG or PNG file where an EXIF orientation is applied, got another one; " in (
        capsys.readouterr().err
    )
    assert run([*command, "--image-format", "png", "--overwrite"]) == 0
    check(tmp_path / "out", "coco")


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_augment_turns_as_the_format_does(tmp_path: Path, suffix: str) -> None:
    for name, inputs in (("coco", coco(tmp_path / "c", 6, suffix)), ("yolo", yolo(tmp_path / "y", 6, suffix))):
        out = tmp_path / name
        assert run(["augment", "--annotations", str(inputs), "--output", str(out), "--size", "60", "--flip", "0",
                    "--fill", "0", "--target-scale", "1", "1", "--image-format", "png"]) == 0  # fmt: skip
        check(out, "coco")


def test_the_option_says_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = yolo(tmp_path / "in", 3, ".png")
    command = ["convert", "--input", str(folder), "--output", str(tmp_path / "out"), "--output-format", "coco"]
    assert run([*command, "--no-apply-exif"]) == 0
    with pytest.raises(AssertionError):
        check(tmp_path / "out", "coco")
    assert run([*command, "--resume"]) == 2
    assert "--apply-exif has changed since" in capsys.readouterr().err

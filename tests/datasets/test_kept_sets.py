"""Data sets whose images are kept as they are stored: augmented, drawn, written, and read again."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CocoWriter, CopyPasteDataset
from copypaste_rs.datasets.images import encode_image
from copypaste_rs.visualize import contact_sheet, overlay
from tests.fixtures.arrays import photograph, pixels
from tests.fixtures.coco_files import Files, annotation, box_polygon
from tests.fixtures.command_line import run
from tests.fixtures.image_files import opencv

KINDS: list[tuple[str, tuple[int, ...], Any]] = [
    ("png", (), np.uint16), ("png", (3,), np.uint16), ("png", (4,), np.uint16), ("png", (2,), np.uint8),
    ("png", (4,), np.uint8), ("tif", (), np.uint16), ("tif", (5,), np.uint8), ("tif", (3,), np.uint16),
    ("tif", (2,), np.uint16), ("tif", (), np.float32), ("tif", (7,), np.float32),
]  # fmt: skip


def a_set(
    folder: Path, suffix: str, channels: tuple[int, ...], dtype: Any, n: int = 3
) -> tuple[Files, list[NDArray[Any]]]:
    """Images of one kind with two objects each, and their pixels."""
    (folder / "images").mkdir(parents=True)
    made, images, rows = [], [], []
    for i in range(n):
        size = 30 + i, 44 - i
        made.append(photograph(i, (*size, *channels), dtype))
        (folder / "images" / f"{i}.{suffix}").write_bytes(encode_image(made[-1], suffix))
        images.append({"id": i + 1, "file_name": f"{i}.{suffix}", "height": size[0], "width": size[1]})
        rows += [annotation(2 * i + k, [box_polygon(3 + 9 * k, 4, 8, 12)], i + 1) for k in (1, 2)]
    data = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "cell"}]}
    (folder / "a.json").write_text(json.dumps(data))
    return Files(folder / "a.json", folder / "images"), made


@pytest.mark.parametrize(("suffix", "channels", "dtype"), KINDS)
def test_a_set_is_augmented_and_written(tmp_path: Path, suffix: str, channels: tuple[int, ...], dtype: Any) -> None:
    files, made = a_set(tmp_path / "in", suffix, channels, dtype)
    photos = CocoDataset(*files, dtype="keep")
    for photo, image in zip(photos, made, strict=True):
        assert photo.image.dtype == dtype
        np.testing.assert_array_equal(photo.image, image)
    train = CopyPasteDataset(photos, SimpleCopyPaste(size=(36, 48), fill="min", blend_sigma=1.0), seed=3)
    results = [train[i] for i in range(3)]
    with CocoWriter(tmp_path / "out", photos.categories, format=suffix) as writer:
        for result in results:
            writer.write(result)
    written = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images", dtype="keep")
    for again, result in zip(written, results, strict=True):
        assert again.image.dtype == dtype
        np.testing.assert_array_equal(again.image, result.image)
        assert again.instances.masks == result.instances.masks
    rows = [(*train.inputs(i), results[i]) for i in range(2)]
    assert contact_sheet(rows, side=64).mode == "RGB"


def test_images_that_differ_are_refused_when_they_meet(tmp_path: Path) -> None:
    grey, _ = a_set(tmp_path / "grey", "png", (), np.uint16)
    colour, _ = a_set(tmp_path / "colour", "png", (3,), np.uint16)
    sets = [CocoDataset(*files, dtype="keep") for files in (grey, colour)]
    train = CopyPasteDataset(sets[0], SimpleCopyPaste(size=32), sources=sets[1])
    with pytest.raises(
        ValueError, match=r"sources\[0\]: expected an image with no channel axis as the target's, got 3"
    ):
        train[0]


# -- PNG of 16 bits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (9, 14), (9, 14, 1), (1, 5, 3), (7, 1, 3), (9, 14, 3), (9, 14, 4)])
@pytest.mark.parametrize("smooth", [False, True])
def test_opencv_reads_what_is_written(shape: tuple[int, ...], smooth: bool) -> None:
    image = pixels(4, shape, np.uint16)
    if smooth:  # of which other filters are chosen
        image = np.cumsum(image >> 10, axis=1).astype(np.uint16) + np.arange(shape[0], dtype=np.uint16).reshape(
            -1, *[1] * (len(shape) - 1)
        )
    data = encode_image(np.asfortranarray(image), "png")
    assert encode_image(image, "png") == data
    np.testing.assert_array_equal(opencv(data), image[:, :, 0] if shape[2:] == (1,) else image)


def test_grey_with_alpha_of_16_bits() -> None:
    """Pillow knows its upper bytes."""
    image = pixels(4, (9, 14, 2), np.uint16)
    with Image.open(io.BytesIO(encode_image(image, "png"))) as picture:
        found = np.asarray(picture)
    np.testing.assert_array_equal(found[:, :, [0, 3]], image >> 8)


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_of_8_bits(channels: int) -> None:
    image = pixels(4, (9, 14, channels), np.uint8)
    with Image.open(io.BytesIO(encode_image(image, "png"))) as picture:
        assert picture.mode == {2: "LA", 4: "RGBA"}[channels]
        np.testing.assert_array_equal(np.asarray(picture), image)


@pytest.mark.parametrize(
    ("image", "kind", "told"),
    [
        (np.zeros((3, 4), np.uint16), "jpg", "dtype uint8 .* 'jpg', got uint16; format 'png' or 'tif' holds it"),
        (np.zeros((3, 4), np.float32), "png", "dtype uint8 or uint16 .* 'png', got float32; format 'tif' holds it"),
        (np.zeros((3, 4), np.int16), "tif", "dtype uint8 or uint16 or float32 .* 'tif', got int16$"),
        (np.zeros((3, 4, 5), np.uint16), "png", "1, 2, 3 or 4 channels .* 'png', got 5; format 'tif' holds them"),
    ],
)
def test_what_a_format_does_not_hold_is_refused(image: NDArray[Any], kind: str, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^image: expected {told}"):
        encode_image(image, kind)


# -- pictures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "values", "shown"),
    [
        (np.uint16, [0, 256, 65535], [0, 1, 255]),
        (np.uint16, [0, 16, 4095], [0, 1, 255]),
        (np.uint16, [0, 3, 200], [0, 3, 200]),
        (np.float32, [-1, 0.5, 1], [0, 128, 255]),
        (np.float32, [0, 2, 4], [0, 128, 255]),
        (np.float32, [0, np.nan, np.inf], [0, 0, 255]),
    ],
)
def test_pictures_are_scaled_to_what_can_be_seen(dtype: Any, values: list[float], shown: list[int]) -> None:
    from copypaste_rs import Instances, Sample

    picture = np.asarray(overlay(Sample(np.array([values], dtype), Instances())))
    assert picture[0, :, 0].tolist() == shown


# -- command line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "channels", "dtype"), [("png", (3,), np.uint16), ("tif", (5,), np.float32)])
def test_augment_and_preview(tmp_path: Path, suffix: str, channels: tuple[int, ...], dtype: Any) -> None:
    files, _ = a_set(tmp_path / "in", suffix, channels, dtype)
    given = [
        "--annotations",
        str(files.annotations),
        "--images",
        str(files.images),
        "--size",
        "36x48",
        "--dtype",
        "keep",
    ]
    given += ["--fill", "edge"]
    out = tmp_path / "out"
    assert run(["augment", *given, "--output", str(out), "--workers", "1", "--format", suffix]) == 0
    assert run(["preview", *given, "--output", str(tmp_path / "sheet.png")]) == 0
    train = CopyPasteDataset(CocoDataset(*files, dtype="keep"), SimpleCopyPaste(size=(36, 48), fill="edge"))
    written = CocoDataset(out / "annotations.json", out / "images", dtype="keep")
    for i in range(3):
        np.testing.assert_array_equal(written[i].image, train[i].image)
    assert run(["augment", *given, "--output", str(out), "--workers", "1", "--format", suffix, "--resume"]) == 0
    without = [each for each in given if each not in ("--dtype", "keep")]
    assert run(["augment", *without, "--output", str(out), "--workers", "1", "--format", suffix, "--resume"]) == 2


def test_jpeg_cannot_hold_what_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, _ = a_set(tmp_path / "in", "png", (), np.uint16)
    given = [
        "--annotations",
        str(files.annotations),
        "--images",
        str(files.images),
        "--dtype",
        "keep",
        "--fill",
        "4000",
    ]
    assert run(["augment", *given, "--size", "32", "--output", str(tmp_path / "out"), "--workers", "1"]) == 1
    assert "expected dtype uint8 to write a file of format 'jpg', got uint16; format 'png'" in capsys.readouterr().err
    assert (
        run(
            ["augment", *given, "--size", "32", "--output", str(tmp_path / "out2"), "--workers", "1", "--format", "png"]
        )
        == 0
    )
    written = (tmp_path / "out2" / "images" / "000000000001.png").read_bytes()
    assert opencv(written).dtype == np.uint16

"""JPEG files of which the rows at the top are decoded: those of Pillow's whole image, and items that need no others."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from copypaste_rs import ForTraining, Paste, Placement, Plan, ScaleJitter, SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset, annotated, images
from copypaste_rs.datasets.image_checks import ImageOptions
from copypaste_rs.datasets.image_headers import jpeg_frame
from copypaste_rs.datasets.images import read_image
from copypaste_rs.datasets.jpeg_rows import top_rows
from copypaste_rs.datasets.needed_rows import needed_rows
from tests.fixtures.image_files import by_opencv, by_pillow
from tests.fixtures.samples import discs

SAMPLING = cv2.IMWRITE_JPEG_SAMPLING_FACTOR


def picture(h: int, w: int, seed: int = 0) -> NDArray[np.uint8]:
    """Noise over a slope of colours."""
    slope = np.add.outer(np.linspace(0, 150, h), np.linspace(0, 60, w))[:, :, None] * [1.0, 0.5, 0.8]
    noise = np.random.default_rng(seed).integers(0, 40, (h, w, 3))
    found: NDArray[np.uint8] = (slope + noise).astype(np.uint8)
    return found


COLOURS = picture(150, 77)
RGB = Image.fromarray(COLOURS)
FILES = {
    "4:2:0": by_pillow(RGB, "JPEG", subsampling="4:2:0"),
    "4:2:2": by_pillow(RGB, "JPEG", subsampling="4:2:2"),
    "4:4:4": by_pillow(RGB, "JPEG", subsampling="4:4:4", quality=100),
    "4:4:0": by_opencv(".jpg", COLOURS, SAMPLING, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440),
    "4:1:1": by_opencv(".jpg", COLOURS, SAMPLING, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
    "grey": by_pillow(RGB.convert("L"), "JPEG"),
    "optimised": by_pillow(RGB, "JPEG", optimize=True, quality=30),
    "with restarts": by_opencv(".jpg", COLOURS, cv2.IMWRITE_JPEG_RST_INTERVAL, 3),
    "RGB": by_pillow(RGB, "JPEG", keep_rgb=True),
    "many whole units": by_pillow(Image.fromarray(picture(160, 80)), "JPEG"),
}


def whole(data: bytes, mode: str = "RGB") -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert(mode))


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("keep", [False, True])
def test_rows_are_those_of_the_whole_image(kind: str, keep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    data, options = FILES[kind], ImageOptions(dtype="keep" if keep else "uint8")
    expected = whole(data, "L" if keep and kind == "grey" else "RGB")
    monkeypatch.setattr(images, "empty", lambda shape: np.full(shape, 77, np.uint8))
    frame = jpeg_frame(data)
    assert frame is not None
    for rows in [*range(0, len(expected) + 1, 7), len(expected)]:
        found = read_image("a.jpg", expected.shape[:2], options, None, data, rows)
        assert found.shape == expected.shape
        np.testing.assert_array_equal(found[:rows], expected[:rows])
        top = top_rows(data, frame, rows)
        if rows < 100:
            assert top is not None
            assert rows + 4 <= top.rows <= rows + 4 + 15
            assert (found[top.rows :] == 77).all()


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ("progressive", ImageOptions()),
        ("for printing", ImageOptions()),
        ("behind its end", ImageOptions()),
        ("no size", ImageOptions()),
        ("turned", ImageOptions(apply_exif=True)),
    ],
)
def test_others_are_decoded_whole(change: str, options: ImageOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    data = {
        "progressive": by_pillow(RGB, "JPEG", progressive=True),
        "for printing": by_pillow(RGB.convert("CMYK"), "JPEG"),
        "behind its end": FILES["4:2:0"] + b"more",
        "no size": FILES["4:2:0"],
        "turned": by_pillow(RGB, "JPEG", exif=exif),
    }[change]
    expected = whole(data)[:: -1 if change == "turned" else 1, :: -1 if change == "turned" else 1]
    monkeypatch.setattr(images, "empty", lambda shape: np.full(shape, 77, np.uint8))
    size = None if change == "no size" else expected.shape[:2]
    np.testing.assert_array_equal(read_image("a.jpg", size, options, None, data, 20), expected)


def test_channels_one_after_the_other_are_decoded_whole() -> None:
    data = bytearray(FILES["4:2:0"])
    frame = jpeg_frame(bytes(data))
    assert frame is not None
    assert top_rows(bytes(data), frame, 20) is not None
    data[frame.scan + 4] = 1
    assert top_rows(bytes(data), frame, 20) is None


def test_a_file_that_is_cut_short_is_refused_whatever_is_needed() -> None:
    data = FILES["4:2:0"]
    for length in (len(data) - 2, len(data) // 2):
        with pytest.raises(OSError, match="cannot be read as an image"):
            read_image("a.jpg", COLOURS.shape[:2], None, None, data[:length], 20)
    with pytest.raises(ValueError, match="expected an image of width 77 and height 151"):
        read_image("a.jpg", (151, 77), None, None, data, 20)


def test_damage_by_which_nothing_is_decoded_is_an_error() -> None:
    """A decoder that is not strict is silent where it remarked on something before it gave up."""
    data = bytearray(FILES["4:2:0"])
    scan = data.index(b"\xff\xda")
    data[scan + 6], data[scan + 11] = 0x33, 5  # a table that is not there, and a first coefficient that cannot be
    for rows in (None, 20):
        with pytest.raises(OSError, match="cannot be read as an image"):
            read_image("a.jpg", COLOURS.shape[:2], None, None, bytes(data), rows)


@pytest.mark.parametrize("words", ["Unsupported marker type 0x4f", "Premature end of JPEG file"])
def test_all_rows_are_decoded_where_a_decoder_gives_up_on_some(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = simplejpeg.decode_jpeg

    def gives_up(data: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(data, bytearray):
            raise ValueError(words)
        return decode(data, *arguments, **options)

    monkeypatch.setattr(simplejpeg, "decode_jpeg", gives_up)
    found = read_image("a.jpg", COLOURS.shape[:2], None, None, FILES["4:2:0"], 20)
    np.testing.assert_array_equal(found, whole(FILES["4:2:0"]))


def test_damage_gives_the_pixels_of_the_whole_image_or_an_error() -> None:
    """Where the whole image can be read, however damaged, its rows come; damage below them need not be found."""
    equal = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        data = bytearray(FILES[["4:2:0", "with restarts", "4:4:4"][seed % 3]])
        for place in rng.integers(20, len(data) - 2, 1 + seed % 4).tolist():
            data[place] = rng.integers(256)
        size, rows = COLOURS.shape[:2], int(rng.integers(0, 140))
        try:
            expected = read_image("a.jpg", size, None, None, bytes(data))
        except (OSError, ValueError):
            continue
        np.testing.assert_array_equal(
            read_image("a.jpg", size, None, None, bytes(data), rows)[:rows], expected[:rows], str(seed)
        )
        equal += 1
    assert equal > 100


def test_no_more_rows_than_show() -> None:
    sample, size = discs(3, (1000, 800)), (1000, 800)
    boxes = sample.instances.boxes
    assert boxes is not None

    def rows(resized: int, offset: int, *pastes: Paste) -> list[int]:
        place = Placement(size, (resized, 800), (offset, 0), (100, 100))
        return needed_rows(Plan(place, pastes), [sample, sample])

    assert rows(1000, 0) == [102, 0]
    assert rows(1000, -500) == [602, 0]
    assert rows(100, 0) == [1000, 0]
    assert rows(2000, -50) == [77, 0]
    assert rows(1000, 100) == [0, 0]
    place = Placement(size, (100, 80), (0, 0), (100, 100))
    for row in range(3):
        needed = rows(1000, 0, Paste(0, (row,), place), Paste(0, (), place))[1]
        assert boxes[row, 3] < needed <= boxes[row, 3] + 32
        assert rows(1000, 0, Paste(0, (row,), place, 2.0))[1] >= min(1000, needed + 60)


def a_set(folder: Path) -> CocoDataset:
    """Photographs of several sizes, with an object here and there."""
    rng = np.random.default_rng(5)
    pictures: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    kinds: list[dict[str, Any]] = [{}, {"subsampling": "4:4:4"}, {"progressive": True}]
    for number in range(1, 9):
        h, w = rng.integers(100, 200, 2).tolist()
        Image.fromarray(picture(h, w, number)).save(folder / f"{number}.jpg", quality=92, **kinds[number % 3])
        pictures.append({"id": number, "file_name": f"{number}.jpg", "height": h, "width": w})
        for _ in range(rng.integers(1, 4)):
            x, y, a = rng.integers(0, w - 30), rng.integers(0, h - 30), rng.integers(8, 30)
            outline = [float(side) for side in (x, y, x + a, y + 3, x + a - 4, y + a, x + 1, y + a)]
            row = {"id": len(rows) + 1, "image_id": number, "category_id": 1, "iscrowd": 0, "segmentation": [outline]}
            rows.append(row)
    file = folder / "annotations.json"
    file.write_text(json.dumps({"images": pictures, "annotations": rows, "categories": [{"id": 1, "name": "a"}]}))
    return CocoDataset(file, folder)


TRANSFORMS: dict[str, Any] = {
    "large": SimpleCopyPaste(size=96),
    "standard": SimpleCopyPaste(size=(90, 140), target_scale="standard", source_scale="standard", flip=1.0),
    "enlarged": SimpleCopyPaste(size=200, target_scale=(1.0, 3.0), source_scale=(1.0, 3.0)),
    "small canvas": SimpleCopyPaste(size=20, target_scale=(1.0, 3.0), source_scale=(1.0, 3.0)),
    "nearest": SimpleCopyPaste(size=96, interpolation="nearest"),
    "two taps": SimpleCopyPaste(size=96, antialias=False),
    "soft": SimpleCopyPaste(size=96, blend_sigma=(0.5, 9.0)),
    "anywhere": SimpleCopyPaste(size=96, placement="uniform", select="all"),
    "one": SimpleCopyPaste(size=96, select="one", pad="random", scale_reference="input"),
    "edge": SimpleCopyPaste(size=96, fill="edge"),
    "darkest": SimpleCopyPaste(size=96, fill="min"),
    "a rule": SimpleCopyPaste(size=96, select=lambda source, rows, rng: rows[: int(source.image[-1, -1, 0]) % 2]),
    "NumPy": SimpleCopyPaste(size=64, backend="numpy"),
    "jitter": ScaleJitter(size=96, scale=(1.0, 3.0)),
    "for training": ForTraining(SimpleCopyPaste(size=96), masks="label_map"),
    "jitter for training": ForTraining(ScaleJitter(size=96, scale=(0.5, 3.0)), layout="hwc", dtype="uint8"),
}
WHOLE = ("edge", "darkest", "a rule")
"""Those that look at pixels which do not show."""


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_items_are_those_of_whole_images(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands where nothing was decoded."""
    transform = TRANSFORMS[kind]
    data: Any = CopyPasteDataset(a_set(tmp_path), transform, num_sources=2, seed=3)
    rng = np.random.default_rng(1)
    left_out: list[int] = []

    def only_these(path: str, size: Any, options: Any, remark: Any, content: bytes, rows: int | None) -> NDArray[Any]:
        image = read_image(path, size, options, remark, content, rows)
        if rows is not None:
            left_out.append(len(image[rows:]))
            image[rows:] = rng.integers(0, 256, image[rows:].shape, np.uint8)
        return image

    monkeypatch.setattr(annotated, "read_image", only_these)
    is_jitter = isinstance(transform, ScaleJitter)
    for epoch in range(4 if kind == "NumPy" else 12):
        for i in range(len(data)):
            target, partners = data.inputs(i, epoch)
            key = data.key(i, epoch)
            expected = transform(target, key) if is_jitter else transform(target, partners, key)
            found = data[epoch, i]
            assert found.image.dtype == expected.image.dtype
            np.testing.assert_array_equal(found.image, expected.image)
            assert found.instances == expected.instances
            assert found.info == expected.info
    several = sum(rows > 0 for rows in left_out)
    assert several == 0 if kind in WHOLE else several > 10


class Inverted(SimpleCopyPaste):  # type: ignore[misc]  # final to type checkers alone
    """A transform with a call of its own."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        made = super().__call__(*arguments, **options)
        return made.replace(image=255 - made.image)


def test_transforms_of_the_users_own_are_called(tmp_path: Path) -> None:
    data: Any = CopyPasteDataset(a_set(tmp_path), Inverted(size=96))
    plain: Any = CopyPasteDataset(data._dataset, SimpleCopyPaste(size=96))
    for i in range(len(data)):
        np.testing.assert_array_equal(data[i].image, 255 - plain[i].image)

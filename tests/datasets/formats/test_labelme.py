"""`LabelMeDataset`: shapes as Pillow draws them on the whole image, files as LabelMe and its users leave them."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from copypaste_rs.datasets import LabelMeDataset, open_dataset
from copypaste_rs.datasets.formats.labelme.shapes import Shape, mask_of

SIZE = (24, 36)
TRIANGLE: dict[str, Any] = {"label": "nut", "points": [[3.7, 2.2], [20, 5.5], [8.9, 15.1]], "shape_type": "polygon"}


def picture(size: tuple[int, int] = SIZE, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((*size, 3), 90, np.uint8)).save(buffer, kind, **options)
    return buffer.getvalue()


def label(*shapes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    head: dict[str, Any] = {
        "version": "5.5.0",
        "flags": {},
        "imagePath": "a.png",
        "imageData": None,
        "imageHeight": 24,
        "imageWidth": 36,
    }
    return head | {"shapes": list(shapes)} | fields


def put(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder


def drawn(kind: str, points: list[list[float]], size: tuple[int, int] = SIZE) -> NDArray[np.bool_]:
    """What LabelMe draws: on the whole image, with its border."""
    image = Image.new("L", size[::-1])
    draw = ImageDraw.Draw(image)
    if kind == "circle":
        (x, y), (px, py) = points
        d = math.sqrt((x - px) ** 2 + (y - py) ** 2)
        draw.ellipse((x - d, y - d, x + d, y + d), fill=1, outline=1)
    elif kind == "rectangle":
        (x0, y0), (x1, y1) = points
        draw.rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), fill=1, outline=1)
    else:
        draw.polygon([(x, y) for x, y in points], fill=1, outline=1)
    return np.asarray(image) > 0


def png(pixels: NDArray[Any]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("kind", ["polygon", "rectangle", "circle", "oriented_rectangle"])
def test_shapes_are_drawn_as_by_labelme(kind: str) -> None:
    rng = np.random.default_rng(5)
    for k in range(400):
        size = (int(rng.integers(1, 60)), int(rng.integers(1, 60)))
        n = {"rectangle": 2, "circle": 2, "oriented_rectangle": 4}.get(kind, int(rng.integers(3, 12)))
        points = (rng.random((n, 2)) * 2 - 0.5) * size[::-1]
        points = np.round(points * 2) / 2 if k % 2 else points
        given = [(float(x), float(y)) for x, y in points]
        found = mask_of(Shape("nut", given, kind), size)
        np.testing.assert_array_equal(found.to_dense()[0], drawn(kind, points.tolist(), size))


def test_objects(tmp_path: Path) -> None:
    mask = np.zeros((4, 5), np.uint8)
    mask[1:3, 1:] = 255
    shapes = [
        TRIANGLE | {"flags": {"broken": True}, "description": "left"},
        {"label": "bolt", "points": [[30, 2], [25, 8]], "shape_type": "rectangle", "group_id": 3},
        {"label": "bolt", "points": [[20, 15], [22, 15]], "shape_type": "circle", "group_id": 3},
        {"label": "nut", "points": [[1, 1], [2, 9], [9, 2]], "group_id": 3},  # before version 4, without a type
        {"label": "nut", "points": [[30, 18], [34, 21]], "shape_type": "mask", "mask": png(mask)},
        {"label": "nut", "points": [[30, 18], [34, 21]], "shape_type": "mask", "mask": png(mask > 0)},
    ]
    put(tmp_path, {"a.json": label(*shapes, flags={"night": True}), "a.png": picture()})
    found = LabelMeDataset(tmp_path)
    rows = found.instances(0)
    full = np.zeros(SIZE, bool)
    full[18:22, 30:35] = mask > 0
    expected = [
        drawn("polygon", TRIANGLE["points"]),
        drawn("rectangle", [[30, 2], [25, 8]]) | drawn("circle", [[20, 15], [22, 15]]),
        drawn("polygon", [[1, 1], [2, 9], [9, 2]]),
        full,
        full,
    ]
    np.testing.assert_array_equal(rows.masks.to_dense(), expected)  # type: ignore[union-attr]
    assert found.categories == [{"id": 1, "name": "bolt"}, {"id": 2, "name": "nut"}]
    assert rows.labels.tolist() == [2, 1, 2, 2, 2]  # type: ignore[union-attr]
    assert rows.broken.tolist() == [True, False, False, False, False]
    assert rows.description.tolist() == ["left", "", "", "", ""]
    assert found.info(0)["night"] is True
    assert found[0].size == SIZE
    assert isinstance(open_dataset(tmp_path), LabelMeDataset)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    shapes = [
        TRIANGLE,
        {"label": "nut", "points": [[1, 1], [5, 5]], "shape_type": "line"},
        {"label": "nut", "points": [[1, 1], [5, 5], [7, 1]], "shape_type": "linestrip"},
        {"label": "nut", "points": [[1, 1]], "shape_type": "point"},
        {"label": "nut", "points": [[1, 1], [5, 5]], "shape_type": "polygon"},
        {"label": "__ignore__", "points": [[1, 1], [5, 5], [7, 1]]},
        {"label": "_background_", "points": [[1, 1], [5, 5], [7, 1]]},
        {"label": "nut", "points": [[100, 100], [105, 105], [107, 101]]},
    ]
    put(
        tmp_path,
        {"a.json": label(*shapes), "a.png": picture(), "b.png": picture(), "coco.json": {"images": []}, "c.json": []},
    )
    told = (
        r"left out 2 JSON files of other kinds, 3 shapes without an area \(line, linestrip, point\), 1 polygon of fewer "
        r"than three points, 2 shapes with the label '__ignore__' or '_background_', 1 image without a JSON file \(b\.png\), "
        r"1 annotation that covers no pixel$"
    )
    with pytest.warns(UserWarning, match=told):
        found = LabelMeDataset(tmp_path)
    assert len(found) == 1
    assert len(found.instances(0)) == 1
    assert found.categories == [{"id": 1, "name": "nut"}]


@pytest.mark.parametrize(
    ("path", "image"),
    [
        ("a.png", "sub/a.png"),
        (r"..\photos\a.png", "photos/a.png"),
        ("../../elsewhere/a.png", "sub/a.png"),
        (r"C:\Users\me\a.png", "sub/a.png"),
        ("/home/me/a.png", "sub/a.png"),
        ("renamed.png", "sub/x.jpg"),  # by the name of the file
    ],
)
def test_images_are_found(tmp_path: Path, path: str, image: str) -> None:
    kind = "JPEG" if image.endswith("jpg") else "PNG"
    put(tmp_path, {"sub/x.json": label(TRIANGLE, imagePath=path), image: picture(kind=kind)})
    found = LabelMeDataset(tmp_path)
    assert found.info(0)["file_name"] == image
    assert found[0].size == SIZE


def test_images_in_another_folder(tmp_path: Path) -> None:
    put(tmp_path, {"labels/a.json": label(TRIANGLE, imagePath="../images/a.png"), "images/a.png": picture()})
    with pytest.raises(ValueError, match=r"a\.json: imagePath: no such image in .*; give images, the folder of images"):
        LabelMeDataset(tmp_path / "labels")
    for found in (
        LabelMeDataset(tmp_path / "labels", tmp_path / "images"),
        open_dataset(tmp_path / "labels", tmp_path / "images"),
    ):
        assert found.path(0) == tmp_path / "images/a.png"
        assert found[0].size == SIZE


def test_the_image_in_the_file_is_taken(tmp_path: Path) -> None:
    data = base64.b64encode(picture()).decode()
    put(tmp_path, {"a.json": label(TRIANGLE, imageData=data)})
    found = LabelMeDataset(tmp_path)
    assert found.info(0)["file_name"] == "a.json"
    np.testing.assert_array_equal(found[0].image, np.full((*SIZE, 3), 90, np.uint8))
    put(tmp_path, {"a.json": label(TRIANGLE, imageData=data[:-40])})
    with pytest.raises(OSError, match=r"a\.json: "):
        LabelMeDataset(tmp_path)[0]
    put(tmp_path, {"a.json": label(TRIANGLE, imageData="no base64!")})
    with pytest.raises(ValueError, match=r"imagePath: no such image in .*: 'a\.png', nor is it in the file$"):
        LabelMeDataset(tmp_path)


def test_sizes(tmp_path: Path) -> None:
    put(tmp_path, {"a.json": label(TRIANGLE, imageHeight=None), "a.png": picture((50, 60))})
    assert LabelMeDataset(tmp_path)[0].size == (50, 60)
    put(tmp_path, {"a.json": label(TRIANGLE, imageHeight=24.0)})
    with pytest.raises(ValueError, match="expected an image of width 36 and height 24 as in the annotation file"):
        LabelMeDataset(tmp_path)[0]
    for wrong in ("x", -1, 0, 1e300, 24.5, 2**40):
        put(tmp_path, {"a.json": label(TRIANGLE, imageHeight=wrong)})
        with pytest.raises(ValueError, match=r"a\.json: "):
            LabelMeDataset(tmp_path)
    (tmp_path / "a.png").unlink()
    exif = Image.Exif()
    exif[0x0112] = 6
    put(
        tmp_path,
        {
            "a.json": label(TRIANGLE, imagePath="a.jpg", imageHeight=36, imageWidth=24),
            "a.jpg": picture(kind="JPEG", exif=exif),
        },
    )
    assert LabelMeDataset(tmp_path)[0].size == (36, 24)  # as LabelMe shows it


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"points": [[1, 1]]}, "Object missing required field `label`"),
        ({"label": 3, "points": []}, r"Expected `str`, got `int` - at `\$.label`"),
        ({"label": "a", "points": [[1, 1], [2], [3, 3]]}, r"at `\$.points\[1\]`"),
        ({"label": "a", "points": [[1, 1], ["2", 2], [3, 3]]}, r"Expected `float`, got `str`"),
        ({"label": "a", "points": [[1, 1], [1e300, 2], [3, 3]]}, r"points: expected coordinates from .*, got 1e\+300"),
        ({"label": "a", "points": [[1, 1]], "shape_type": "circle"}, "points: expected the centre of a circle"),
        ({"label": "a", "points": [[1, 1], [99999, 1]], "shape_type": "circle"}, "points: expected a radius of at most"),
        ({"label": "a", "points": [[1, 1]], "shape_type": "rectangle"}, "points: expected two corners of a rectangle, got 1"),
        ({"label": "a", "points": [[1, 1]], "shape_type": "mask", "mask": ""}, "expected a mask, .*, got 1 points"),
        ({"label": "a", "points": [[1, 1], [2, 2]], "shape_type": "mask"}, "expected a mask, .*, got no mask"),
        ({"label": "a", "points": [[1, 1], [2, 2]], "shape_type": "mask", "mask": "xx"}, "mask: expected a PNG file in base64"),
        ({"label": "a", "points": [[1, 1], [2, 2]], "shape_type": "mask", "mask": png(np.ones((3, 2), np.uint8))},
         "mask: expected width 2 and height 2, as its points say, got 2 and 3"),
        ({"label": "a", "points": [[1, 1], [2, 2]], "shape_type": "mask", "mask": png(np.ones((2, 2, 3), np.uint8))},
         "mask: expected one channel, got 3"),
        ({"label": "a", "points": [[34, 1], [36, 2]], "shape_type": "mask", "mask": png(np.ones((2, 3), np.uint8))},
         "points: expected pixels of the image, of width 36 and height 24"),
    ],
)  # fmt: skip
def test_shapes_that_cannot_be(tmp_path: Path, shape: dict[str, Any], message: str) -> None:
    put(tmp_path, {"a.json": label(TRIANGLE, shape), "a.png": picture()})
    with pytest.raises(ValueError, match=rf"a\.json: shapes\[1\]: .*{message}"):
        LabelMeDataset(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"shapes": [', "cannot be read as JSON: Input data was truncated"),
        (b"", "cannot be read as JSON"),
        (b'{"shapes": 3, "imagePath": "a.png"}', "cannot be read as a LabelMe file: Expected `array`"),
        (b'{"shapes": [], "imagePath": "a.png", "x": "\xe9"}', r"expected text in UTF-8, got 0xe9 \(byte 43\)"),
        (json.dumps(label()).encode("utf-16"), "expected text in UTF-8, got UTF-16"),
        (
            b'{"shapes": [{"label": "a", "points": [[NaN, 1]]}], "imagePath": "a.png"}',
            "cannot be read as JSON: .*invalid",
        ),
    ],
)
def test_files_that_cannot_be(tmp_path: Path, data: bytes, message: str) -> None:
    put(tmp_path, {"a.json": data, "a.png": picture()})
    with pytest.raises(ValueError, match=rf"a\.json: {message}"):
        LabelMeDataset(tmp_path)


def test_deep_json(tmp_path: Path) -> None:
    for deep in (b'{"a":' * 100_000, b"[" * 100_000, b'{"shapes": [], "imagePath": "a.png", "x": ' + b"[" * 100_000):
        put(tmp_path, {"a.json": deep, "a.png": picture()})
        with pytest.raises((ValueError, OSError), match=r"a\.json: cannot be read|got 1 of other kinds"):
            LabelMeDataset(tmp_path)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="expected a folder"):
        LabelMeDataset(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="expected JSON files of LabelMe in the folder, got none"):
        LabelMeDataset(tmp_path)
    put(tmp_path, {"a.json": {"images": []}})
    with pytest.raises(FileNotFoundError, match="expected JSON files of LabelMe in the folder, got 1 of other kinds"):
        LabelMeDataset(tmp_path)


def test_marks_and_several_problems(tmp_path: Path) -> None:
    put(tmp_path, {"a.json": b"\xef\xbb\xbf" + json.dumps(label(TRIANGLE)).encode(), "a.png": picture()})
    assert len(LabelMeDataset(tmp_path).instances(0)) == 1
    wrong = {"label": "a", "points": [[1, 1]], "shape_type": "rectangle"}
    put(tmp_path, {f"{k}.json": label(TRIANGLE, wrong, wrong) for k in range(6)})
    with pytest.raises(ValueError, match=r"0\.json: shapes\[1\]: points") as caught:
        LabelMeDataset(tmp_path)
    assert str(caught.value).endswith("and 2 more")

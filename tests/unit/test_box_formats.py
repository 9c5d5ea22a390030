"""Formats of boxes, against numbers by hand and plain loops."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from copypaste_rs import convert_boxes
from copypaste_rs.box_formats import FORMATS
from tests.fixtures.arrays import LAYOUTS

# One box of an image of height 32 and width 64, in every format; all are exact in binary.
BY_HAND = {
    "xyxy": [16.0, 8.0, 48.0, 12.0],
    "xywh": [16.0, 8.0, 32.0, 4.0],
    "cxcywh": [32.0, 10.0, 32.0, 4.0],
    "xyxyn": [0.25, 0.25, 0.75, 0.375],
    "xywhn": [0.25, 0.25, 0.5, 0.125],
    "cxcywhn": [0.5, 0.3125, 0.5, 0.125],
}


@pytest.mark.parametrize(("source", "target"), [*product(FORMATS, FORMATS)])
def test_one_box_by_hand(source: str, target: str) -> None:
    for dtype in (np.float32, np.float64):
        boxes = np.array([BY_HAND[source], BY_HAND[source]], dtype)
        found = convert_boxes(boxes, source, target, size=(32, 64))
        assert found.dtype == dtype
        assert found.tolist() == [BY_HAND[target]] * 2
        assert not np.may_share_memory(found, boxes)
        if source.endswith("n") == target.endswith("n"):
            assert convert_boxes(boxes, source, target).tolist() == found.tolist()


def corners(box: list[float], kind: str, h: int, w: int) -> list[float]:
    a, b, c, d = box
    if kind.endswith("n"):
        a, b, c, d = a * w, b * h, c * w, d * h
    if kind.startswith("xyxy"):
        return [a, b, c, d]
    return [a, b, a + c, b + d] if kind.startswith("xywh") else [a - c / 2, b - d / 2, a + c / 2, b + d / 2]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("source", "target"), [*product(FORMATS, FORMATS)])
def test_boxes_are_where_they_were(source: str, target: str, layout: Any) -> None:
    boxes = np.random.default_rng(4).uniform(-1, 2, (7, 4))
    before = boxes.copy()
    found = convert_boxes(layout(boxes), source, target, (37, 91))
    np.testing.assert_array_equal(boxes, before)
    for box, made in zip(boxes.tolist(), found.tolist(), strict=True):
        np.testing.assert_allclose(corners(made, target, 37, 91), corners(box, source, 37, 91), rtol=1e-13, atol=1e-12)


def test_the_same_format_keeps_every_bit() -> None:
    boxes = np.random.default_rng(1).uniform(-1e30, 1e30, (9, 4)).astype(np.float32)
    for each in FORMATS:
        assert convert_boxes(boxes, each, each).tobytes() == boxes.tobytes()


def test_lists_integers_and_other_shapes() -> None:
    assert convert_boxes([[1, 2, 4, 8]], "xyxy", "xywh").tolist() == [[1, 2, 3, 6]]
    assert convert_boxes(np.array([1, 2, 4, 8], np.uint8), "xyxy", "cxcywh").tolist() == [2.5, 5, 3, 6]
    assert convert_boxes([], "xyxy", "xywh").shape == (0, 4)
    assert convert_boxes(np.zeros((2, 0, 4), np.float32), "xyxy", "cxcywhn", 5).shape == (2, 0, 4)
    assert convert_boxes(np.zeros((2, 3, 4)), "cxcywh", "xyxy").dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[0, 0, 1, 1]], "xyxy", "cxcywhn"), ValueError, "size: expected height and width of the image, from xyxy to cxcywhn, got none"),
        (([[0, 0, 1, 1]], "xywhn", "xyxy", (0, 5)), ValueError, "size[0]: expected an integer from 1 to 2147483647, got 0"),
        (([[0, 0, 1, 1]], "xyxy", "yxyx"), ValueError, "target: expected one of 'xyxy', 'xywh', 'cxcywh', 'xyxyn', 'xywhn', 'cxcywhn', got 'yxyx'"),
        (([[0, 0, 1, 1]], None, "xyxy"), TypeError, "source: expected one of 'xyxy', 'xywh', 'cxcywh', 'xyxyn', 'xywhn', 'cxcywhn', got None"),
        (([[0, 0, 1]], "xyxy", "xywh"), ValueError, "boxes: expected shape (..., 4), got (1, 3)"),
        ((5, "xyxy", "xywh"), ValueError, "boxes: expected shape (..., 4), got ()"),
        (([["a"] * 4], "xyxy", "xywh"), TypeError, "boxes: expected float32, float64 or integers, got dtype <U1"),
        ((np.zeros((1, 4), np.float16), "xyxy", "xywh"), TypeError, "boxes: expected float32, float64 or integers, got dtype float16"),
        ((np.zeros((1, 4), bool), "xyxy", "xywh"), TypeError, "boxes: expected float32, float64 or integers, got dtype bool"),
        (([[0, 0, 1], [2]], "xyxy", "xywh"), ValueError, "boxes: expected an array of shape (..., 4), got nested lists"),
        (([[0, 0, np.nan, 1]], "xyxy", "xywh"), ValueError, "boxes: expected finite numbers, got NaN or infinity"),
        ((np.full((1, 4), 3e38, np.float32), "xywh", "xyxy"), ValueError, "boxes: expected numbers whose results float32 holds, got larger ones"),
        ((np.full((1, 4), 1.7e308), "xywh", "xyxy"), ValueError, "boxes: expected numbers whose results float64 holds, got larger ones"),
    ],
)  # fmt: skip
def test_what_is_refused(arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        convert_boxes(*arguments)
    assert str(caught.value) == message

"""One outline for each mask: all masks of 3 x 4 pixels, as pycocotools, OpenCV and Pillow fill it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pycocotools.mask as coco_mask
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from copypaste_rs import RleMasks
from copypaste_rs.datasets.outlines import inset_outlines, joined

SIZE = (3, 4)
EVERY = (np.arange(1, 1 << 12)[:, None] >> np.arange(12) & 1).astype(np.uint8).reshape(-1, *SIZE)
"""Each mask of this size but the empty one."""

LOOPS = np.pad(EVERY, ((0, 0), (1, 1), (1, 1)), constant_values=1)
"""These in a frame, so that there are holes, and parts in holes."""


def by_coco(outlines: list[NDArray[Any]], size: tuple[int, int]) -> NDArray[Any]:
    points = [[outline.ravel().tolist()] for outline in outlines]
    drawn = [coco_mask.decode(coco_mask.frPyObjects(each, *size))[:, :, 0] for each in points]
    return np.array(drawn)


@pytest.mark.parametrize("masks", [EVERY, LOOPS, LOOPS.transpose(0, 2, 1)])
def test_by_the_rule_of_coco(masks: NDArray[np.uint8]) -> None:
    outlines = [joined(rings) for rings in inset_outlines(RleMasks.from_dense(np.ascontiguousarray(masks)))]
    np.testing.assert_array_equal(by_coco(outlines, masks.shape[1:]), masks)


@pytest.mark.parametrize("masks", [EVERY, LOOPS])
def test_by_rules_that_fill_the_border(masks: NDArray[np.uint8]) -> None:
    """Fractions are cut off; each part for itself is exact, and what joins parts is added."""
    for mask, rings in zip(masks, inset_outlines(RleMasks.from_dense(masks)), strict=True):
        assert len(rings) == cv2.connectedComponents(mask, connectivity=4)[0] - 1
        by_opencv, by_pillow = np.zeros_like(mask), Image.new("L", mask.shape[::-1])
        for ring in rings:
            cv2.fillPoly(by_opencv, [ring.astype(np.int32)], (1,))
            ImageDraw.Draw(by_pillow).polygon([(x, y) for x, y in ring.tolist()], fill=1, outline=1)
        np.testing.assert_array_equal(by_opencv, mask)
        np.testing.assert_array_equal(np.asarray(by_pillow), mask)
        whole = np.zeros_like(mask)
        cv2.fillPoly(whole, [joined(rings).astype(np.int32)], (1,))
        assert (whole >= mask).all()


def test_no_mask_and_an_empty_one() -> None:
    assert inset_outlines(RleMasks.empty(SIZE)) == []
    assert inset_outlines(RleMasks(SIZE, [12], [0, 1])) == [[]]

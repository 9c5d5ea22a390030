"""Placed masks against pictures and against fractions, pixel by pixel."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from copypaste_rs import Placement, RleMasks
from tests.fixtures.ascii import dense, draw, masks, rle
from tests.fixtures.geometry import nearest
from tests.fixtures.processes import python
from tests.fixtures.strategies import dense_masks, placements, sizes

FLOWER = ".#../##.#/#..#"
"""3 x 4, unlike its mirror images."""


def place(kernels: ModuleType, picture: str, **fields: Any) -> str:
    """One picture placed; what is not given stays as it is."""
    found = masks(picture)
    size = found.size
    resized = fields.get("resized", size)
    placement = Placement(
        size, resized, fields.get("offset", (0, 0)), fields.get("canvas", resized), fields.get("hflip", False)
    )
    return draw(dense(kernels.place_masks(found, placement))[0])


def expected_pixel(mask: NDArray[np.uint8], p: Placement, y: int, x: int) -> int:
    """What shows at one canvas pixel: the input pixel that the centre of the resized pixel falls into."""
    i, k = y - p.offset[0], x - p.offset[1]
    if not (0 <= i < p.resized_size[0] and 0 <= k < p.resized_size[1]):
        return 0
    row = nearest(i, p.input_size[0], p.resized_size[0])
    return int(mask[row, nearest(k, p.input_size[1], p.resized_size[1], p.hflip)])


@given(data=st.data())
def test_every_pixel_comes_from_the_nearest_one(kernels: ModuleType, data: st.DataObject) -> None:
    size = data.draw(sizes(1, 12))
    pixels = data.draw(dense_masks(st.integers(0, 3), st.just(size)))
    placement = data.draw(placements(size, 14))
    h, w = placement.canvas_size
    expected = [[[expected_pixel(each, placement, y, x) for x in range(w)] for y in range(h)] for each in pixels]
    found = kernels.place_masks(rle(pixels), placement)
    assert found.size == (h, w)
    np.testing.assert_array_equal(dense(found), np.array(expected, np.uint8).reshape(len(pixels), h, w))


def test_nothing_changes(kernels: ModuleType) -> None:
    assert place(kernels, FLOWER) == FLOWER


def test_mirrored(kernels: ModuleType) -> None:
    assert place(kernels, FLOWER, hflip=True) == "..#./#.##/#..#"


def test_cropped(kernels: ModuleType) -> None:
    assert place(kernels, FLOWER, offset=(-1, -1), canvas=(2, 3)) == "#.#/..#"


def test_padded(kernels: ModuleType) -> None:
    assert place(kernels, FLOWER, offset=(1, 2), canvas=(5, 7)) == "......./...#.../..##.#./..#..#./......."


def test_cropped_and_mirrored(kernels: ModuleType) -> None:
    assert place(kernels, FLOWER, offset=(0, -2), canvas=(3, 3), hflip=True) == "#../##./.#."


def test_twice_as_large(kernels: ModuleType) -> None:
    found = place(kernels, FLOWER, resized=(6, 8))
    assert found == "..##..../..##..../####..##/####..##/##....##/##....##"


def test_other_scales_on_either_axis(kernels: ModuleType) -> None:
    # Rows 1.5, columns 4 to 2: rows 0, 1, 2 are those of 0.5, 1.5, 2.5; columns 1 and 3.
    assert place(kernels, FLOWER, resized=(3, 2)) == "#./##/.#"
    assert place(kernels, FLOWER, resized=(1, 4)) == "##.#"


@pytest.mark.parametrize("offset", [(3, 0), (-3, 0), (0, 4), (0, -4), (1000, -1000), (-(2**31) + 1, 2**31 - 1)])
def test_wholly_off_the_canvas(kernels: ModuleType, offset: tuple[int, int]) -> None:
    assert place(kernels, FLOWER, offset=offset) == "..../..../...."


@pytest.mark.parametrize("hflip", [False, True])
def test_a_huge_resized_side_costs_what_the_canvas_costs(kernels: ModuleType, hflip: bool) -> None:
    side = 2**31 - 1
    found = place(kernels, "#./.#/##", resized=(side, side), offset=(-(side // 3) + 2, -(side // 2) + 3), canvas=(5, 6), hflip=hflip)  # fmt: skip
    # The border between rows 0 and 1 lies at the third of the height, that of the columns at half the width.
    upper, lower = ("###...", "...###") if not hflip else ("...###", "###...")
    assert found == "/".join([upper] * 2 + [lower] * 3)


def test_many_masks_at_once(kernels: ModuleType) -> None:
    some = masks(FLOWER, "..../..../....", "####/####/####", "...#/..../#...")
    found = kernels.place_masks(some, Placement((3, 4), (3, 4), (-1, 1), (3, 4)))
    assert [draw(each) for each in dense(found)] == [
        ".##./.#../....",
        "..../..../....",
        ".###/.###/....",
        "..../.#../....",
    ]
    assert kernels.place_masks(some[:0], Placement((3, 4), (2, 2), (0, 0), (5, 2))) == RleMasks.empty((5, 2))


def test_large_canvas(kernels: ModuleType) -> None:
    """Runs over the column border, at a size where pixel numbers pass 2^31."""
    found = kernels.place_masks(masks("##"), Placement((1, 2), (3, 2), (0, 1), (3, 5)))
    assert found == RleMasks((3, 5), [3, 6, 6], [0, 3])


def test_another_input_size_is_refused(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^placement: expected input_size \(3, 4\) as masks has, got \(4, 3\)$"):
        kernels.place_masks(masks(FLOWER), Placement((4, 3), (4, 3), (0, 0), (4, 3)))
    with pytest.raises(ValueError, match=r"^placement: expected input_size \(0, 4\) as masks has, got \(1, 4\)$"):
        kernels.place_masks(RleMasks.empty((0, 4)), Placement((1, 4), (1, 4), (0, 0), (1, 4)))


@pytest.mark.parametrize("placement", [None, ((3, 4), (3, 4), (0, 0), (3, 4)), "here"])
def test_other_types_are_refused(kernels: ModuleType, placement: Any) -> None:
    with pytest.raises(TypeError) as info:
        kernels.place_masks(masks(FLOWER), placement)
    assert str(info.value) == f"placement: expected a Placement, got {type(placement).__name__}"
    with pytest.raises(TypeError) as info:
        kernels.place_masks(np.zeros((1, 3, 4)), Placement((3, 4), (3, 4), (0, 0), (3, 4)))
    assert str(info.value) == "masks: expected RleMasks, got ndarray"


MEMORY = """
import resource, sys
import numpy as np
from copypaste_rs import Placement, functional as F
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
board = F.encode(((np.add.outer(np.arange(60), np.arange(60)) % 2)[None]).astype(np.uint8))
calls = [
    lambda: F.place_masks(board, Placement((60, 60), (60, 60_000_000), (0, 0), (60, 60_000_000))),
    lambda: F.alpha(board[:1], Placement((60, 60), (1, 1), (0, 0), (65535, 65537)), np.array([4096], np.uint16)),
    lambda: F.encode(np.broadcast_to(np.ones((1, 2, 2), np.uint8), (2**29, 2, 2))),
]
for call in calls:
    try:
        call()
    except MemoryError as error:
        print("MemoryError")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's here")
def test_too_little_memory_is_an_error_and_no_crash() -> None:
    assert python(MEMORY).stdout == "MemoryError\n" * 3

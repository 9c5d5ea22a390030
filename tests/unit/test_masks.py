"""RleMasks: validated, canonical, immutable, a sequence."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from copypaste_rs import RleMasks
from tests.fixtures.ascii import draw, mask

TWO = RleMasks((2, 3), [1, 2, 3, 0, 6], [0, 3, 5])


def test_runs_walk_down_the_columns() -> None:
    assert [draw(dense) for dense in TWO.to_dense()] == [".#./#..", "###/###"]


@pytest.mark.parametrize(
    ("size", "counts", "expected"),
    [
        ((2, 3), [1, 0, 5], [6]),
        ((2, 3), [1, 0, 2, 1, 2], [3, 1, 2]),
        ((2, 3), [1, 1, 0, 1, 3], [1, 2, 3]),
        ((2, 3), [0, 0, 6], [6]),
        ((2, 3), [0, 0, 0, 6], [0, 6]),
        ((2, 3), [0, 6, 0], [0, 6]),
        ((2, 3), [6, 0], [6]),
        ((2, 3), [3, 0, 0, 3], [3, 3]),
        ((2, 3), [3, 0, 0, 0, 3], [6]),
        ((0, 3), [0, 0, 0], [0]),
        ((0, 3), [], [0]),
        ((0, 0), [0], [0]),
    ],
)
def test_zero_runs_are_merged(size: tuple[int, int], counts: list[int], expected: list[int]) -> None:
    masks = RleMasks(size, counts, [0, len(counts)])
    assert masks.counts.tolist() == expected
    assert masks.offsets.tolist() == [0, len(expected)]


@given(
    hnp.arrays(np.uint8, st.tuples(st.just(3), st.integers(0, 5), st.integers(0, 5)), elements=st.integers(0, 1)),
    st.lists(st.integers(0, 20), max_size=6),
)
def test_zero_runs_change_no_pixel(dense: Any, where: list[int]) -> None:
    masks = RleMasks.from_dense(dense)
    runs = [masks[i].counts.tolist() for i in range(3)]
    for i, spot in enumerate(where):
        run = runs[i % 3]
        run[spot % (len(run) + 1) : spot % (len(run) + 1)] = [0, 0]
    offsets = np.cumsum([0, *map(len, runs)])
    again = RleMasks(dense.shape[1:], [count for run in runs for count in run], offsets)
    assert again == masks
    np.testing.assert_array_equal(again.to_dense(), dense)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ((2, 3), [1, 2], [0, 2]),
            ValueError,
            "counts: expected counts of mask 0 that sum to 6 for size (2, 3), got 3",
        ),
        (
            ((2, 3), [6, 7], [0, 1, 2]),
            ValueError,
            "counts: expected counts of mask 1 that sum to 6 for size (2, 3), got 7",
        ),
        (
            ((2, 3), [6], [0, 1, 1]),
            ValueError,
            "counts: expected counts of mask 1 that sum to 6 for size (2, 3), got 0",
        ),
        (
            ((2, 3), [2**32 - 1, 7], [0, 2]),
            ValueError,
            "counts: expected counts of mask 0 that sum to 6 for size (2, 3), got 4294967302",
        ),
        (((2, 3), [-6, 12], [0, 2]), ValueError, "counts: expected numbers from 0 to 4294967295, got -6 to 12"),
        (((2, 3), [2**32], [0, 1]), ValueError, "counts: expected numbers from 0 to 4294967295, got 4294967296"),
        (((2, 3), [6.0], [0, 1]), TypeError, "counts: expected integers, got dtype float64"),
        (((2, 3), [[6], [6, 7]], [0, 1]), ValueError, "counts: expected a one-dimensional array, got nested lists"),
        (((2, 3), [[6]], [0, 1]), ValueError, "counts: expected a one-dimensional array, got shape (1, 1)"),
        (((2, 3), [6], [1, 1]), ValueError, "offsets: expected ascending numbers from 0 to 1, the number of counts"),
        (((2, 3), [6], [0]), ValueError, "offsets: expected ascending numbers from 0 to 1, the number of counts"),
        (((2, 3), [6], []), ValueError, "offsets: expected ascending numbers from 0 to 1, the number of counts"),
        (((2, 3), [6, 6], [0, 2, 1, 2]), ValueError, "offsets: expected ascending numbers from 0 to 2"),
        (((2, 3), [6], [0, 2]), ValueError, "offsets: expected numbers from 0 to 1, got 0 to 2"),
        (((-1, 3), [], [0]), ValueError, "size[0]: expected an integer from 0 to 4294967295, got -1"),
        (((2**16, 2**16), [], [0]), ValueError, "size: expected at most 4294967295 pixels, got (65536, 65536)"),
        ((2.0, [], [0]), TypeError, "size: expected a pair of integers, got 2.0"),
    ],
)
def test_malformed(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        RleMasks(*arguments)
    assert str(caught.value).startswith(message)


def test_the_largest_sizes() -> None:
    pixels = 2**32 - 1
    masks = RleMasks((1, pixels), [pixels, 0, pixels, 1, 5, pixels - 6], [0, 1, 3, 6])
    assert masks.area.tolist() == [0, pixels, 5]
    assert RleMasks.from_coco(masks.to_coco(), (1, pixels)) == masks
    tall = RleMasks((pixels, 1), [7, pixels - 7], [0, 2])
    assert tall.area.tolist() == [pixels - 7]


def test_a_sequence() -> None:
    assert len(TWO) == 2
    assert TWO[1] == TWO[-1] == TWO[[1]] == TWO[1:] == TWO[[False, True]] == TWO[np.array([1], np.uint8)]
    assert TWO[[1, 0, 1]].area.tolist() == [6, 2, 6]
    assert len(TWO[[]]) == len(TWO[5:]) == len(RleMasks.empty((2, 3))) == 0
    assert RleMasks.concat([TWO, TWO[:1]]) == TWO[[0, 1, 0]]
    assert RleMasks.empty(4).size == (4, 4)
    with pytest.raises(IndexError, match=r"^rows: row 2 is out of range for 2 rows$"):
        TWO[2]
    with pytest.raises(IndexError, match=r"^rows: row -3 is out of range for 2 rows$"):
        TWO[[0, -3]]
    with pytest.raises(IndexError, match=r"^rows: expected a bool array of length 2, got 1$"):
        TWO[[True]]
    with pytest.raises(TypeError, match=r"^rows: expected row numbers, a slice or a bool array, got 0.5$"):
        TWO[0.5]  # type: ignore[index]
    with pytest.raises(ValueError, match=r"^masks\[1\]: expected masks of size \(2, 3\), got \(3, 2\)$"):
        RleMasks.concat([TWO, RleMasks.empty((3, 2))])
    with pytest.raises(ValueError, match=r"^masks: expected at least one RleMasks, got none$"):
        RleMasks.concat([])


def test_a_value() -> None:
    again = pickle.loads(pickle.dumps(TWO))
    assert again == TWO
    assert hash(again) == hash(TWO)
    assert not again.counts.flags.writeable
    assert TWO[[1, 0]] != TWO
    assert RleMasks.empty((2, 3)) != RleMasks.empty((3, 2))
    assert TWO != 5
    assert repr(TWO) == "RleMasks(size=(2, 3), n=2)"
    with pytest.raises(AttributeError, match=r"^RleMasks is immutable: cannot set 'size'$"):
        TWO.size = (3, 2)
    with pytest.raises(ValueError, match="read-only"):
        TWO.counts[0] = 5
    counts = np.array([1, 2, 3], np.uint32)
    masks = RleMasks((2, 3), counts, [0, 3])
    counts[:] = 9
    assert masks.counts.tolist() == [1, 2, 3]


def test_written_to_behind_its_back_it_is_refused() -> None:
    """Nobody should; whoever does gets an error and no crash."""
    masks = RleMasks((2, 3), [1, 2, 3], [0, 3])
    masks.counts.flags.writeable = True
    masks.counts[1] = 40
    for call in (masks.union, masks.to_dense, masks.to_coco, lambda: masks.area, lambda: masks.boxes):
        with pytest.raises(ValueError, match=r"^masks\[0\]: expected counts that sum to 6 for size \(2, 3\), got 44$"):
            call()


def test_coco_both_ways() -> None:
    coco = TWO.to_coco()
    assert coco == [{"size": [2, 3], "counts": b"123"}, {"size": [2, 3], "counts": b"06"}]
    assert RleMasks.from_coco(coco, (2, 3)) == TWO
    mixed: list[Any] = [{"size": (2, 3), "counts": "123"}, {"size": [2, 3], "counts": [0, 6]}]
    assert RleMasks.from_coco(mixed, (2, 3)) == TWO
    uint: list[Any] = [
        {"size": np.array([2, 3]), "counts": np.array([1, 2, 3], np.uint32)},
        {"size": [2, 3], "counts": (0, 6)},
    ]
    assert RleMasks.from_coco(uint, (2, 3)) == TWO
    assert RleMasks.from_coco([], (2, 3)) == RleMasks.empty((2, 3))
    # Bytes of any kind are text, never numbers: these add up to 10 * 15.
    as_bytes = {"size": [10, 15], "counts": b"123"}
    for kind in (bytearray, memoryview):
        with pytest.raises(
            ValueError, match=r"^objects\[0\]\['counts'\]: expected counts that sum to 150 for size \(10, 15\), got 6$"
        ):
            RleMasks.from_coco([as_bytes | {"counts": kind(b"123")}], (10, 15))


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        ({"size": [3, 2], "counts": b"06"}, ValueError, "objects[1]['size']: expected (2, 3), got (3, 2)"),
        ({"size": [2, 3], "counts": b"05"}, ValueError, "objects[1]['counts']: expected counts that sum to 6 for size (2, 3), got 5"),
        ({"size": [2, 3], "counts": "0"}, ValueError, "objects[1]['counts']: expected counts that sum to 6 for size (2, 3), got 0"),
        ({"size": [2, 3], "counts": b"P"}, ValueError, "objects[1]['counts']: expected whole counts, got a string that ends inside one"),
        ({"size": [2, 3], "counts": b"0\x006"}, ValueError, "objects[1]['counts']: expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0x00 at position 1"),
        ({"size": [2, 3], "counts": [0, 7]}, ValueError, "objects[1]['counts']: expected counts that sum to 6 for size (2, 3), got 7"),
        ({"size": [2, 3], "counts": [-1, 7]}, ValueError, "objects[1]['counts']: expected numbers from 0 to 4294967295"),
        ({"size": [2, 3], "counts": [0.5]}, TypeError, "objects[1]['counts']: expected integers, got dtype float64"),
        ({"size": [2, -3], "counts": [6]}, ValueError, "objects[1]['size'][1]: expected an integer from 0 to 4294967295, got -3"),
        ({"size": "23", "counts": [6]}, TypeError, "objects[1]['size']: expected a pair of integers, got '23'"),
        ({"size": [2, 3], "counts": "0\u00e9"}, ValueError, "objects[1]['counts']: expected ASCII characters, got '\u00e9' at position 1"),
        ({"size": [2, 3]}, TypeError, "objects[1]: expected a dict with 'size' and 'counts', got dict"),
        (b"06", TypeError, "objects[1]: expected a dict with 'size' and 'counts', got bytes"),
    ],
)  # fmt: skip
def test_bad_coco(item: Any, error: type[Exception], message: str) -> None:
    good = {"size": [2, 3], "counts": [0, 6]}
    with pytest.raises(error) as caught:
        RleMasks.from_coco([good, item], (2, 3))
    assert str(caught.value).startswith(message)


def test_methods_are_the_kernels() -> None:
    a, b = mask("##./..."), mask(".#./.#.")
    masks = RleMasks.from_dense(np.stack([a, b]))
    assert draw(masks.union().to_dense()[0]) == "##./.#."
    assert draw(masks.intersection().to_dense()[0]) == ".#./..."
    assert draw(masks[:1].difference(masks[1:]).to_dense()[0]) == "#../..."
    assert masks.iou(masks).tolist() == [[1, 1 / 3], [1 / 3, 1]]
    assert masks.iou(masks, iscrowd=[False, True]).tolist() == [[1, 1 / 2], [1 / 3, 1]]


@given(hnp.arrays(np.bool_, st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 8))))
def test_polygons_come_back_exactly(dense: Any) -> None:
    """Holes, several parts, and parts that touch at a corner: no pixel is lost or gained."""
    masks = RleMasks.from_dense(dense)
    polygons = masks.to_polygons()
    assert len(polygons) == len(masks)
    assert RleMasks.from_polygons(polygons, masks.size) == masks

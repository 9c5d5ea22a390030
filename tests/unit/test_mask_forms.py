"""Masks from what people have: lists of arrays, segmentations as they stand, texts of starts and lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import RleMasks
from copypaste_rs.errors import ArgumentError
from tests.fixtures.arrays import LAYOUTS
from tests.fixtures.arrays_in_use import in_use
from tests.fixtures.ascii import masks, pictures, rle
from tests.fixtures.strategies import dense_masks, sizes


class Tensor:
    """What NumPy makes an array of."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array


# -- dense masks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@given(dense=dense_masks(size=sizes(0, 20)))
def test_dense_masks_in_any_form(layout: Any, dense: Any) -> None:
    expected, (n, h, w) = rle(dense), dense.shape
    last = np.zeros((h, w, n), np.uint8)
    for i, y, x in np.ndindex(n, h, w):
        last[y, x, i] = 3 * dense[i, y, x]
    assert RleMasks.from_dense(layout(last), layout="hwn") == expected
    assert RleMasks.from_dense(layout(last.astype(np.bool_)), layout="hwn", size=(h, w)) == expected
    assert RleMasks.from_dense([layout(each) for each in dense], size=(h, w)) == expected
    assert RleMasks.from_dense(tuple(Tensor(each.astype(np.bool_)) for each in dense), size=(h, w)) == expected
    assert RleMasks.from_dense(Tensor(dense)) == expected
    if n:
        assert RleMasks.from_dense(list(dense)) == expected


def test_an_empty_list_has_the_size_that_is_given() -> None:
    assert RleMasks.from_dense([], size=(2, 3)) == RleMasks.empty((2, 3))
    assert RleMasks.from_dense((), size=4) == RleMasks.empty(4)
    assert RleMasks.from_dense(np.zeros((0, 2, 3), bool)) == RleMasks.empty((2, 3))


ONE = np.zeros((2, 3), np.uint8)


@pytest.mark.parametrize(
    ("value", "options", "error", "message"),
    [
        ([], {}, ValueError, "size: expected a size, as there is no mask to take it from, got none"),
        ([ONE], {"layout": "hwn"}, ValueError, "layout: expected 'nhw' where masks come in a list, got 'hwn'"),
        ([ONE], {"layout": "chw"}, ValueError, "layout: expected one of 'nhw', 'hwn', got 'chw'"),
        ([ONE, ONE.T], {}, ValueError, "array[1]: expected masks of size (2, 3), got (3, 2)"),
        ([ONE, ONE], {"size": (3, 2)}, ValueError, "array[0]: expected masks of size (3, 2), got (2, 3)"),
        (ONE[None], {"size": (3, 2)}, ValueError, "array: expected masks of size (3, 2), got (2, 3)"),
        ([ONE], {"size": 2.0}, TypeError, "size: expected a pair of integers, got 2.0"),
        ([ONE, ONE[None]], {}, ValueError, "array[1]: expected shape (h, w), got (1, 2, 3)"),
        ([ONE, ONE.tolist()], {}, TypeError, "array[1]: expected a NumPy array, got list"),
        ([ONE, ONE.astype(np.int64)], {}, TypeError, "array[1]: expected dtype uint8 or bool, got int64"),
        ([ONE, RleMasks.empty(2)], {}, TypeError, "array[1]: expected an array of shape (h, w), got RleMasks"),
        (ONE, {}, ValueError, "array: expected shape (n, h, w), got (2, 3)"),
        (5, {}, TypeError, "array: expected a NumPy array or a list of masks, got int"),
        (ONE[None].astype(np.float32), {}, TypeError, "array: expected dtype uint8 or bool, got float32"),
    ],
)  # fmt: skip
def test_dense_masks_that_are_none(value: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        RleMasks.from_dense(value, **options)
    assert str(caught.value) == message


def test_a_mask_of_a_list_that_is_in_use() -> None:
    busy = np.ones((2, 3), np.uint8)
    with in_use(busy), pytest.raises(ArgumentError, match=r"^array\[1\]: expected an array that no other call"):
        RleMasks.from_dense([ONE, busy])


# -- segmentations as they stand ---------------------------------------------------------------------------------


def test_every_form_of_a_segmentation() -> None:
    square, line = [1, 0, 3, 0, 3, 2, 1, 2], [0, 0, 1, 0, 1, 2, 0, 2]
    counts: dict[str, Any] = {"size": [2, 4], "counts": [0, 3, 5]}
    compressed = RleMasks((2, 4), [7, 1], [0, 2]).to_coco()[0]
    given: list[Any] = [
        [square],
        counts,
        None,
        [square, line],
        [],
        compressed,
        [counts, compressed],
        square,
        np.array(square, np.float64),
        [[1, 0, 3, 0], line],  # two points cover nothing
        [[]],
        compressed | {"counts": compressed["counts"].decode()},
        [counts],
        np.array([square]),
    ]
    found = RleMasks.from_segmentations(given, (2, 4))
    assert pictures(found) == [
        ".##./.##.", "##../#...", "..../....", "###./###.", "..../....", "..../...#", "##../#..#", ".##./.##.",
        ".##./.##.", "#.../#...", "..../....", "..../...#", "##../#...", ".##./.##.",
    ]  # fmt: skip
    for i, each in enumerate(given):
        assert RleMasks.from_segmentations([each], (2, 4)) == found[i]
    assert RleMasks.from_segmentations([], (2, 4)) == RleMasks.empty((2, 4))
    assert RleMasks.from_segmentations(iter([None, None]), 3) == RleMasks((3, 3), [9, 9], [0, 1, 2])


GOOD: dict[str, Any] = {"size": [2, 4], "counts": [0, 8]}
PART = [0, 0, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        ("text", TypeError, "segmentations[2]: expected polygon parts, a dict of run lengths or None, got str"),
        (5, TypeError, "segmentations[2]: expected polygon parts, a dict of run lengths or None, got int"),
        ([PART, [0, 0, 1, 0, 1]], ValueError, "segmentations[2][1]: expected an even number of coordinates, got 5"),
        ([[0, 0], PART, [0, 0, 1, 0, 1, np.nan]], ValueError, "segmentations[2][2]: expected finite coordinates, got nan"),
        ([0, 0, 1, 0, 1, 2**40], ValueError, "segmentations[2]: expected coordinates from -2147483648 to 2147483648, got 1099511627776.0"),
        ([PART, "text"], TypeError, "segmentations[2][1]: expected flat coordinates [x, y, x, y, ...], got str"),
        ([PART, GOOD], TypeError, "segmentations[2][0]: expected a dict as others there, got no dict"),
        ({"size": [4, 2], "counts": [0, 8]}, ValueError, "segmentations[2]['size']: expected (2, 4), got (4, 2)"),
        ({"size": [2, 4], "counts": [0, 7]}, ValueError, "segmentations[2]['counts']: expected counts that sum to 8 for size (2, 4), got 7"),
        ([GOOD, {"size": [2, 4], "counts": "P"}], ValueError, "segmentations[2][1]['counts']: expected whole counts, got a string that ends inside one"),
        ({"counts": "08"}, TypeError, "segmentations[2]: expected a dict with 'size' and 'counts', got dict"),
    ],
)  # fmt: skip
def test_segmentations_that_are_none(item: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        RleMasks.from_segmentations([[PART], GOOD, item], (2, 4))
    assert str(caught.value) == message
    with pytest.raises(error):
        RleMasks.from_segmentations([item], (2, 4))


def test_arguments_that_are_no_segmentations() -> None:
    with pytest.raises(TypeError, match=r"^segmentations: expected a sequence, got NoneType$"):
        RleMasks.from_segmentations(None, (2, 4))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^size: expected at most 4294967295 pixels"):
        RleMasks.from_segmentations([], 2**20)


# -- starts and lengths ------------------------------------------------------------------------------------------


def test_pairs_by_hand() -> None:
    assert pictures(RleMasks.from_starts_lengths("1 3 7 2", (4, 2))) == ["#./#./##/.#"]
    assert RleMasks.from_starts_lengths("", (4, 2)) == masks("../../../..")
    assert RleMasks.from_starts_lengths(" 1\t2\n3 6 ", (4, 2)) == masks("##/##/##/##")
    assert RleMasks.from_starts_lengths(["8 1", "", "1 1"], (4, 2)) == masks(
        "../../../.#", "../../../..", "#./../../.."
    )
    assert RleMasks.from_starts_lengths([], (4, 2)) == RleMasks.empty((4, 2))
    assert RleMasks.from_starts_lengths(np.array(["8 1"]), (4, 2)) == masks("../../../.#")
    assert RleMasks.from_starts_lengths("", (0, 3)) == RleMasks((0, 3), [0], [0, 1])


@given(dense=dense_masks(size=sizes(0, 12)), split=st.booleans())
def test_pairs_are_runs_of_pixels(dense: Any, split: bool) -> None:
    n, h, w = dense.shape
    texts = []
    for each in dense:
        pairs: list[list[int]] = []
        for pixel in range(h * w):
            if each[pixel % h, pixel // h]:
                if not split and pairs and sum(pairs[-1]) == pixel + 1:
                    pairs[-1][1] += 1
                else:
                    pairs.append([pixel + 1, 1])
        texts.append(" ".join(f"{start} {length}" for start, length in pairs))
    assert RleMasks.from_starts_lengths(texts, (h, w)) == rle(dense)
    assert n == 0 or RleMasks.from_starts_lengths(texts[0], (h, w)) == rle(dense[:1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3", "text[1]: expected a start and a length, got '3' alone"),
        ("1 2 x 3", "text[1]: expected a start and a length of digits, got 'x'"),
        ("1 -2", "text[0]: expected a start and a length of digits, got '-2'"),
        ("1 2.0", "text[0]: expected a start and a length of digits, got '2.0'"),
        ("1 1_0", "text[0]: expected a start and a length of digits, got '1_0'"),
        ("1 \u0661", "text[0]: expected a start and a length of digits, got '\u0661'"),
        ("1 " + "9" * 5000, "text[0]: expected a start and a length of digits, got '99999999999999999999'"),
        ("0 2", "text[0]: expected a start and a length of at least 1, got '0 2'"),
        ("1 2 4 0", "text[1]: expected a start and a length of at least 1, got '4 0'"),
        ("1 2 8 2", "text[1]: expected pixels up to 8, the last one of size (4, 2), got '8 2'"),
        ("3 2 4 1", "text[1]: expected a start behind the pair before, got '4 1'"),
        ("3 2 1 1", "text[1]: expected a start behind the pair before, got '1 1'"),
    ],
)
def test_pairs_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^text") as caught:
        RleMasks.from_starts_lengths(text, (4, 2))
    assert str(caught.value) == message
    with pytest.raises(ValueError, match=r"^text") as caught:
        RleMasks.from_starts_lengths(["", text], (4, 2))
    assert str(caught.value) == message.replace("text", "text[1]", 1)


def test_texts_that_are_none() -> None:
    for value, message in (
        (None, "text: expected a sequence, got NoneType"),
        (b"1 2", "text: expected a sequence, got bytes"),
        (["1 2", None], "text[1]: expected a str of starts and lengths, got NoneType"),
        (["1 2", float("nan")], "text[1]: expected a str of starts and lengths, got float"),
    ):
        with pytest.raises(TypeError) as caught:
            RleMasks.from_starts_lengths(value, (4, 2))  # type: ignore[arg-type]
        assert str(caught.value) == message


def test_the_largest_size() -> None:
    pixels = 2**32 - 1
    assert RleMasks.from_starts_lengths(f"2 {pixels - 1}", (1, pixels)).area.tolist() == [pixels - 1]

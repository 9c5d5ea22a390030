"""Compressed counts against pycocotools, numbers written by hand, and input made to break parsers."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco

from copypaste_rs import RleMasks
from tests.fixtures.ascii import masks, rle
from tests.fixtures.strategies import dense_masks, rle_masks, sizes
from tests.oracles.coco_truth import coco_encode

ALPHABET = bytes(range(0x30, 0x70))


@given(pixels=dense_masks(size=sizes(1, 40)))
def test_strings_are_those_of_pycocotools(kernels: ModuleType, pixels: NDArray[np.uint8]) -> None:
    expected = [each["counts"] for each in coco_encode(pixels)]
    assert kernels.format_counts(rle(pixels)) == expected
    assert kernels.parse_counts(expected, pixels.shape[1:]) == rle(pixels)
    assert kernels.parse_counts([each.decode() for each in expected], pixels.shape[1:]) == rle(pixels)


@given(found=rle_masks())
def test_what_is_written_is_read_back(kernels: ModuleType, found: RleMasks) -> None:
    strings = kernels.format_counts(found)
    assert all(type(each) is bytes for each in strings)
    assert kernels.parse_counts(strings, found.size) == found


@pytest.mark.parametrize(
    ("counts", "string"),
    [
        ([6], b"6"),
        ([0, 6], b"06"),
        ([1, 2, 3], b"123"),
        # From the fourth run on the difference from the run two before: 1, 2, 3, then 2 - 2 = 0, then 3 - 3 = 0.
        ([1, 2, 3, 2, 3], b"12300"),
        # 5 - 7 = -2 is the digit 30, whose upper bit is the sign.
        ([1, 7, 3, 5], b"173N"),
        ([15], b"?"),
        # 16 would be negative as one digit, so a digit 0 follows.
        ([16], b"`0"),
        ([31], b"o0"),
        ([32], b"P1"),
        # 1 - 16 = -15 is 17 with its sign; 1 - 17 = -16 is 16; 1 - 18 = -17 needs two digits: 15 and -1.
        ([0, 16, 1, 1], b"0`01A"),
        ([0, 17, 1, 1], b"0a01@"),
        ([0, 18, 1, 1], b"0b01_O"),
        ([2**29], b"PPPPP`0"),
        ([2**32 - 1], b"oooooo3"),
        ([0, 2**32 - 1], b"0oooooo3"),
        # 2^32 - 4 is 28, five times 31, 3; then 1 - (2^32 - 4) = 5 - 2^32: 5, five times 0, -4 and a negative end.
        ([1, 2**32 - 4, 1, 1], b"1looooo31UPPPPPL"),
    ],
)
def test_numbers_written_by_hand(kernels: ModuleType, counts: list[int], string: bytes) -> None:
    found = RleMasks((1, sum(counts)), counts, [0, len(counts)])
    assert kernels.format_counts(found) == [string]
    assert kernels.parse_counts([string], found.size) == found


def test_zero_runs_and_longer_forms_are_read(kernels: ModuleType) -> None:
    # 1, 1, 0, 1, 3 with 0 - ... as differences: 1 1 0 (1-1) (3-0).
    assert kernels.parse_counts([b"11003"], (2, 3)) == masks(".#./#..")
    # 1 as two digits, as seven, and -1 as three: runs 1, 2, 2, 2 - 1 = 1.
    assert kernels.parse_counts([b"Q023"], (2, 3)) == masks(".#./#..")
    assert kernels.parse_counts([b"QPPPPP023"], (2, 3)) == masks(".#./#..")
    assert kernels.parse_counts([b"122ooO"], (2, 3)) == RleMasks((2, 3), [1, 2, 2, 1], [0, 4])


@pytest.mark.parametrize("size", [(0, 3), (4, 0), (0, 0)])
def test_masks_without_pixels(kernels: ModuleType, size: tuple[int, int]) -> None:
    empty = RleMasks(size, [0], [0, 1])
    assert kernels.format_counts(empty) == [b"0"]
    for string in (b"0", b"", b"000"):
        assert kernels.parse_counts([string], size) == empty


def test_no_strings(kernels: ModuleType) -> None:
    assert kernels.parse_counts([], (2, 3)) == RleMasks.empty((2, 3))
    assert kernels.parse_counts((), 5) == RleMasks.empty((5, 5))
    assert kernels.format_counts(RleMasks.empty((2, 3))) == []


@pytest.mark.parametrize(
    ("string", "message"),
    [
        (b"", "expected counts that sum to 6 for size (2, 3), got 0"),
        (b"12", "expected counts that sum to 6 for size (2, 3), got 3"),
        (b"124", "expected counts that sum to 6 for size (2, 3), got 7"),
        (b"1235", "expected counts that sum to 6 for size (2, 3), got 13"),
        (b"0oooooo3", "expected counts that sum to 6 for size (2, 3), got 4294967295"),
        (b"oooooo3" * 3, "expected counts that sum to 6 for size (2, 3), got 12884901885"),
        (b"P", "expected whole counts, got a string that ends inside one"),
        (b"12P", "expected whole counts, got a string that ends inside one"),
        (b"12PPPPPP", "expected whole counts, got a string that ends inside one"),
        (b"12PPPPPPPP", "expected whole counts, got a string that ends inside one"),
        (b"12PPPPPPP0", "expected counts of at most 7 characters, got a longer one at position 2"),
        (b"QPPPPPP023", "expected counts of at most 7 characters, got a longer one at position 0"),
        (b"1" + b"o" * 1000 + b"1", "expected counts of at most 7 characters, got a longer one at position 1"),
        # The alphabet comes first, then the end, then counts in order.
        (b"OPPPPPPP0 ", "expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0x20 at position 9"),
        (b"OPPPPPPPP", "expected whole counts, got a string that ends inside one"),
        (b"OPPPPPPP0", "expected counts from 0 to 4294967295, got -1 as count 0"),
        (b"1 23", "expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0x20 at position 1"),
        (b"123\n", "expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0x0a at position 3"),
        (b"12\x003", "expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0x00 at position 2"),
        (b"\xff", "expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0xff at position 0"),
        (b"12/", "expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0x2f at position 2"),
        (b"12p", "expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0x70 at position 2"),
        (b"12P\x80", "expected bytes of the RLE alphabet, 0x30 to 0x6f, got 0x80 at position 3"),
        (b"O", "expected counts from 0 to 4294967295, got -1 as count 0"),
        (b"123M", "expected counts from 0 to 4294967295, got -1 as count 3"),
        (b"12oooooo4", "expected counts from 0 to 4294967295, got 5368709119 as count 2"),
        (b"PPPPPP@", "expected counts from 0 to 4294967295, got -17179869184 as count 0"),
        (b"1oooooo31oooooo3", "expected counts from 0 to 4294967295, got 8589934590 as count 3"),
    ],
)
def test_malformed_strings(kernels: ModuleType, string: bytes, message: str) -> None:
    with pytest.raises(ValueError) as info:
        kernels.parse_counts([b"123", string, b"P"], (2, 3))
    assert str(info.value) == f"strings[1]: {message}"


@pytest.mark.parametrize(
    ("strings", "size", "error", "message"),
    [
        (b"123", (2, 3), TypeError, "strings: expected a sequence of bytes or str, got bytes"),
        ("123", (2, 3), TypeError, "strings: expected a sequence of bytes or str, got str"),
        (bytearray(b"123"), (2, 3), TypeError, "strings: expected a sequence of bytes or str, got bytearray"),
        (None, (2, 3), TypeError, "strings: expected a sequence of bytes or str, got NoneType"),
        ([b"123", [1, 2, 3]], (2, 3), TypeError, "strings[1]: expected bytes or str, got list"),
        ([49, 50, 51], (2, 3), TypeError, "strings[0]: expected bytes or str, got int"),
        (["12\u00e93"], (2, 3), ValueError, "strings[0]: expected ASCII characters, got '\u00e9' at position 2"),
        ([b"6"], (2, -3), ValueError, "size[1]: expected an integer from 0 to 4294967295, got -3"),
        ([b"6"], (2.0, 3), TypeError, "size[0]: expected an integer, got 2.0"),
        ([b"6"], (2**16, 2**16), ValueError, "size: expected at most 4294967295 pixels, got (65536, 65536)"),
        ([b"6"], (6,), ValueError, "size: expected a pair of integers, got 1 values"),
    ],
)
def test_arguments_of_another_kind(kernels: ModuleType, strings: Any, size: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as info:
        kernels.parse_counts(strings, size)
    assert str(info.value) == message


@given(string=st.one_of(st.binary(max_size=12), st.lists(st.sampled_from(ALPHABET), max_size=12).map(bytes)))
def test_any_bytes_are_read_or_refused(kernels: ModuleType, string: bytes) -> None:
    try:
        found = kernels.parse_counts([string], (2, 3))
    except ValueError as error:
        assert str(error).startswith("strings[0]: ")  # noqa: PT017 (either outcome is right)
    else:
        assert kernels.parse_counts(kernels.format_counts(found), (2, 3)) == found


def test_real_strings(kernels: ModuleType, test_data: Path) -> None:
    for entry in json.loads((test_data / "results" / "coco_val2014_fakesegm100_results.json").read_text())[:200]:
        segmentation = entry["segmentation"]
        found = kernels.parse_counts([segmentation["counts"]], segmentation["size"])
        np.testing.assert_array_equal(kernels.decode(found)[0], coco.decode(segmentation))
        canonical = coco.encode(coco.decode(segmentation))["counts"]
        assert kernels.format_counts(found) == [canonical]

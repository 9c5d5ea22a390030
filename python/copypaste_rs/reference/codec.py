"""COCO's compressed counts: runs as text.

A run is written as a number in base 32, lowest digit first, one digit a character: 48 plus the digit, plus 32
while more digits follow. The last digit's upper bit (16) is the sign. From the fourth run on, what is written is
the difference from the run two before, which is of the same state and often of nearly the same length.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.masks import RleMasks, check_masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from copypaste_rs._checks import Place, Size

_ZERO = 48
"""The character of digit 0."""
_MORE = 32
_SIGN = 16
_MOST_CHARACTERS = 7
"""Seven digits hold every difference of two 32-bit numbers."""


def parse_counts(strings: Sequence[bytes | str], size: Size) -> RleMasks:
    """Masks from COCO's compressed counts.

    Parameters
    ----------
    strings : sequence of bytes or str
        The counts of n masks. Runs of zero are legal and merged; a number may be written with more digits than
        it needs, up to seven.
    size : (int, int) or int
        Height and width of every mask; either may be zero.

    Returns
    -------
    RleMasks
        n masks.

    Raises
    ------
    ValueError
        When a string holds a character that is no digit, ends inside a number, has a number of more than seven
        characters or a run that is negative or over 2^32 - 1, or when its runs do not add up to ``h * w``.
    TypeError
        When an argument is of another type; one string alone is not a sequence of them.

    Examples
    --------
    >>> parse_counts([b"123"], (2, 3)).counts
    array([1, 2, 3], dtype=uint32)
    """
    h, w = _checks.size("size", size, 0, _checks.MAX_PIXELS)
    counts: list[int] = []
    offsets = [0]
    for i, string in enumerate(_checks.counts_strings("strings", strings)):
        runs = _runs_of(("strings", i), string)
        if sum(runs) != h * w:
            raise wrong(("strings", i), f"counts that sum to {h * w} for size ({h}, {w})", str(sum(runs)))
        counts += runs
        offsets.append(len(counts))
    return RleMasks((h, w), np.array(counts, np.uint32), np.array(offsets, np.int64))


def _runs_of(place: Place, string: bytes) -> list[int]:
    for position, character in enumerate(string):
        if not _ZERO <= character < _ZERO + 2 * _MORE:
            got = f"{character:#04x} at position {position}"
            raise wrong(place, "bytes of the RLE alphabet, 0x30 to 0x6f", got)
    if string and string[-1] - _ZERO >= _MORE:
        raise wrong(place, "whole counts", "a string that ends inside one")
    runs: list[int] = []
    start = 0
    while start < len(string):
        value, length = _number_at(place, string, start)
        if len(runs) > 2:
            value += runs[-2]
        if not 0 <= value <= _checks.MAX_PIXELS:
            raise wrong(place, f"counts from 0 to {_checks.MAX_PIXELS}", f"{value} as count {len(runs)}")
        runs.append(value)
        start += length
    return runs


def _number_at(place: Place, string: bytes, start: int) -> tuple[int, int]:
    """The number that starts at a position, and how many characters it takes."""
    value = 0
    for k in range(_MOST_CHARACTERS):
        digit = string[start + k] - _ZERO
        value += (digit % _MORE) << (5 * k)
        if digit < _MORE:
            negative = digit >= _SIGN
            return value - (negative << (5 * (k + 1))), k + 1
    raise wrong(place, f"counts of at most {_MOST_CHARACTERS} characters", f"a longer one at position {start}")


def format_counts(masks: RleMasks) -> list[bytes]:
    """COCO's compressed counts of each mask.

    Parameters
    ----------
    masks : RleMasks
        n masks.

    Returns
    -------
    list of bytes
        n strings, ASCII, without the size.

    Raises
    ------
    TypeError
        When `masks` is of another type.

    Examples
    --------
    >>> format_counts(RleMasks((2, 3), [1, 2, 3], [0, 3]))
    [b'123']
    """
    check_masks("masks", masks)
    strings = []
    for a, b in pairwise(masks.offsets):
        runs = masks.counts[a:b].tolist()
        strings.append(b"".join(_number(run - runs[i - 2] if i > 2 else run) for i, run in enumerate(runs)))
    return strings


def _number(value: int) -> bytes:
    characters = bytearray()
    while True:
        digit, value = value % 32, value >> 5
        if value == (-1 if digit >= _SIGN else 0):
            characters.append(_ZERO + digit)
            return bytes(characters)
        characters.append(_ZERO + _MORE + digit)

"""The two backends refuse the same arguments, with the same errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from copypaste_rs import Placement, RleMasks
from tests.backends.table import SAMPLE, SOME, STILL, TABLE
from tests.fixtures.both_backends import agree

ODD: list[Any] = [
    None, 0, 1.5, True, "x", b"x", [], {}, [1, 2], [b"0"], ["P"], np.zeros((2, 3)), np.zeros((1, 2, 3), np.uint8),
    np.zeros((2, 3), np.uint8), np.zeros((0, 3), np.float32), np.zeros((2, 3, 1), ">f4"), np.array(3), SOME, SOME[:0],
    RleMasks.empty((0, 3)), STILL, Placement((3, 2), (2, 3), (0, 0), (2, 3)), (2, 3), (2**16, 2**16), -1, 2**70,
    float("nan"), np.array([4096], np.uint16), np.array([2048, 2048], np.uint16), [[[0, 0, 1, 1]]],
    [[[0, 0, 1, 1, np.nan, 1]]], object(), SAMPLE, [SAMPLE, None], {"score": 1.0}, {"score": object()}, "nearest",
]  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_errors_are_the_same(name: str) -> None:
    """Each argument in turn replaced by whatever else there is."""
    arguments = TABLE[name].good.arguments
    for i in range(len(arguments)):
        for odd in ODD:
            agree(name, *arguments[:i], odd, *arguments[i + 1 :])


@pytest.mark.parametrize("name", [name for name, kernel in TABLE.items() if kernel.good.options])
def test_errors_of_options_are_the_same(name: str) -> None:
    """Each option in turn replaced, beside good ones and alone."""
    arguments, options = TABLE[name].good
    for option in options:
        for odd in ODD:
            agree(name, *arguments, **(options | {option: odd}))
            agree(name, *arguments, **{option: odd})

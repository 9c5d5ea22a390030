"""Dtypes of a column that have nothing in common: the error names the side at fault, and a side it does not go with."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, Placement, Plan, RleMasks, Sample
from copypaste_rs.errors import ArgumentTypeError

SIZE = (2, 3)
STILL = Placement(SIZE, SIZE, (0, 0), SIZE)
IMAGE = np.zeros(SIZE, np.uint8)
PIXEL = RleMasks(SIZE, [0, 1, 5], [0, 3])
WHEN = np.array(["2020-01-01"], "datetime64[D]")


@pytest.mark.parametrize(
    ("columns", "missing", "fields"),
    [
        (
            (WHEN, [1.0]),
            {},
            ("sources", "a dtype that combines in column 'v' with datetime64[D] of target", "float64", 0),
        ),
        (
            ([1], [2.0], WHEN),
            {},
            ("sources", "a dtype that combines in column 'v' with int64 of target", "datetime64[D]", 1),
        ),
        (
            (None, WHEN, WHEN, [True]),
            {"v": WHEN[0]},
            ("sources", "a dtype that combines in column 'v' with datetime64[D] of sources[0]", "bool", 2),
        ),
        (
            (None, WHEN),
            {"v": 1.5},
            ("missing", "a value that combines in column 'v' with datetime64[D] of sources[0]", "1.5", None),
        ),
    ],
)
def test_dtypes_that_do_not_combine(
    kernels: ModuleType, columns: tuple[Any, ...], missing: dict[str, Any], fields: tuple[Any, ...]
) -> None:
    """The error names the side at fault, its dtype, and a side that it does not go with."""
    target, *sources = (Sample(IMAGE, Instances(masks=PIXEL, **({} if v is None else {"v": v}))) for v in columns)
    with pytest.raises(ArgumentTypeError) as caught:
        kernels.copy_paste(Plan(STILL), target, sources, missing=missing)
    error = caught.value
    assert (error.argument, error.expected, error.got, error.index) == fields

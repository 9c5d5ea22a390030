"""Attributes that only some images have, as columns of all: typed as if all objects were of one image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.integrations.object_columns import columns_alike


def rows(n: int, **columns: Any) -> Instances:
    return Instances(masks=RleMasks.from_dense(np.ones((n, 4, 6), bool)), labels=[1] * n, **columns)


@pytest.mark.parametrize(
    ("first", "second", "dtype", "expected"),
    [
        ([True, False], None, "b", [True, False, False]),
        ([3, 4], None, "f", [3.0, 4.0, np.nan]),
        ([0.5, 0.25], None, "f", [0.5, 0.25, np.nan]),
        (["red", "blue"], None, "U", ["red", "blue", ""]),
        ([3, 4], [0.5], "f", [3.0, 4.0, 0.5]),
        ([True, False], [7], "i", [1, 0, 7]),
        ([3, 4], ["red"], "U", ["3", "4", "red"]),
        (None, [0.5], "f", [np.nan, np.nan, 0.5]),
    ],
)
def test_rows_without_an_attribute(first: Any, second: Any, dtype: str, expected: list[Any]) -> None:
    given = [rows(2, **({} if first is None else {"mine": first})), rows(0)]
    given.append(rows(1, **({} if second is None else {"mine": second})))
    made = columns_alike("samples", given)
    assert [len(each) for each in made] == [2, 0, 1]
    columns = [np.asarray(made[i].columns["mine"]) for i in (0, 2)]
    assert {column.dtype.kind for column in columns} == {dtype}
    np.testing.assert_array_equal(np.concatenate(columns), expected)
    assert all(each.masks == before.masks for each, before in zip(made, given, strict=True))
    assert made[1] is given[1]
    image = np.zeros((4, 6, 3), np.uint8)
    result = SimpleCopyPaste(size=8)(Sample(image, made[0]), Sample(image, made[2]), rng=0)
    assert "mine" in result.instances.columns


def test_what_is_alike_stays() -> None:
    given = [rows(2, mine=[1, 2]), rows(1, mine=[3]), rows(0)]
    assert all(each is before for each, before in zip(columns_alike("samples", given), given, strict=True))
    assert columns_alike("samples", []) == []


def test_columns_with_a_value_of_their_own() -> None:
    """Crowds, boxes alone and pseudo-labels are told by the transform where they are missing."""
    made = columns_alike("samples", [rows(1, pseudo=[True], score=[0.5], iscrowd=[True]), rows(1)])
    assert made[1].columns.keys() == rows(1).columns.keys()


def test_an_integer_that_is_no_float() -> None:
    given = [rows(1), rows(2, track=[1, 2**53 + 1]), rows(1)]
    with pytest.raises(ValueError, match=r"samples\[1\]\['track'\]: expected an integer that float64 holds"):
        columns_alike("samples", given)

"""Masks, instances, samples and maps beside NumPy arrays: unequal, and no arrays themselves."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, PixelMap, RleMasks, Sample, SimpleCopyPaste

MASKS = RleMasks.from_polygons([[[0, 0, 2, 0, 2, 2, 0, 2]], [[1, 1, 3, 1, 3, 2, 1, 2]]], (3, 4))
INSTANCES = Instances(masks=MASKS, labels=[1, 2])
SAMPLE = Sample(np.zeros((3, 4, 3), np.uint8), INSTANCES)

VALUES = [MASKS, MASKS[:0], INSTANCES, INSTANCES[:0], SAMPLE, PixelMap(np.zeros((3, 4)))]
ARRAYS = [
    MASKS.to_dense(),
    np.zeros(0),
    np.zeros(()),
    np.float64(1.0),
    np.datetime64("2026-01-01"),
    np.array(["a", "b"]),
    np.array([None, 3], object),
    np.zeros(2, [("a", int), ("b", float)]),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("array", ARRAYS, ids=repr)
def test_nothing_of_ours_equals_an_array(value: Any, array: Any) -> None:
    for left, right in ((value, array), (array, value)):
        assert (left == right) is False
        assert (left != right) is True


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_arithmetic_with_an_array_is_refused(value: Any) -> None:
    for left, right in ((value, np.zeros(2)), (np.zeros(2), value)):
        for operation in (operator.add, operator.and_, operator.lt):
            with pytest.raises(TypeError):
                operation(left, right)


@pytest.mark.parametrize(
    "make", [np.asarray, np.array, lambda value: np.asarray(value, np.uint8), lambda v: np.stack([v, v])]
)
@pytest.mark.parametrize("masks", [MASKS, MASKS[:0]], ids=repr)
def test_masks_say_what_makes_an_array_of_them(masks: RleMasks, make: Any) -> None:
    with pytest.raises(TypeError, match=r"^RleMasks: expected an array, got runs; RleMasks\.to_dense\(\) makes"):
        make(masks)
    np.testing.assert_array_equal(MASKS.to_dense()[1], [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("instances", [INSTANCES, INSTANCES[:0]], ids=repr)
def test_instances_say_that_their_columns_are_arrays(instances: Instances) -> None:
    with pytest.raises(
        TypeError, match=r"^Instances: expected an array, got columns; Instances\.columns holds an array"
    ):
        np.asarray(instances)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_arrays_of_objects_hold_them_whole(value: Any) -> None:
    array = np.array([[value, None, value]], object)
    assert array.shape == (1, 3)
    assert array[0, 0] is array[0, 2] is value


@pytest.mark.parametrize("number", [1j, np.complex64(1), np.complex128(1)])
def test_complex_numbers_are_no_numbers(number: Any) -> None:
    for options in ({"flip": number}, {"class_weights": {1: number}}, {"min_visibility": number}, {"fill": number}):
        with pytest.raises(TypeError, match=r"expected a number, got"):
            SimpleCopyPaste(size=4, **options)

"""Columns of any layout in memory give what contiguous ones give: strided, reversed, read-only, misaligned."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
from tests.fixtures.arrays import LAYOUTS, as_is, unaligned
from tests.fixtures.both_backends import BACKENDS, same_bytes
from tests.fixtures.samples import squares

TRANSFORM: dict[str, Any] = {"size": (40, 52), "target_scale": (1, 1), "source_scale": (0.8, 1.1), "select": "all"}
VALUES: list[NDArray[Any]] = [
    np.array([5, -1, 2**62]),
    np.array([0.5, np.pi, -np.inf]),
    np.array([0.5, -0.0, 1e30], np.float32),
    np.array([1, 65535, 256], np.uint16),
    np.array(["2020-01-01", "NaT", "1969-12-31"], "datetime64[s]"),
    np.array([1 + 2j, 0, -1j]),
    np.array(["a", "bcd", ""]),
    np.array([[1, 2], [3, 4], [5, 6]]),
]
Layout = Callable[[NDArray[Any]], NDArray[Any]]


def sides(values: NDArray[Any], of_target: Layout, of_source: Layout) -> tuple[Sample, Sample]:
    """A target and a source of three objects each, with one further column in these layouts."""
    return squares(3, 10, extra=of_target(values)), squares(3, 200, extra=of_source(values[::-1].copy()))


def test_a_misaligned_array_is_one() -> None:
    for values in VALUES:
        assert not unaligned(values).flags.aligned
        assert unaligned(values).tobytes() == values.tobytes()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
@pytest.mark.parametrize("values", VALUES, ids=lambda values: f"{values.dtype} {values.ndim}-D")
def test_columns_of_any_layout(kernels: ModuleType, values: NDArray[Any], layout: Layout) -> None:
    """On either side, and on both, with pixels and rows as they are without."""
    plan = SimpleCopyPaste(**TRANSFORM).sample_plan(*sides(values, as_is, as_is), (1, 2, 3))
    expected = kernels.copy_paste(plan, *sides(values, as_is, as_is))
    assert len(expected.instances) > 3
    for layouts in ((layout, as_is), (as_is, layout), (layout, layout)):
        made = kernels.copy_paste(plan, *sides(values, *layouts))
        same_bytes(made, expected)
        assert made.instances.extra.flags.aligned


@pytest.mark.parametrize("values", VALUES, ids=lambda values: f"{values.dtype} {values.ndim}-D")
def test_misaligned_columns_through_a_transform(backend: str, values: NDArray[Any]) -> None:
    """One by one, and in a batch."""
    transform = SimpleCopyPaste(**TRANSFORM, backend=backend)
    expected = transform(*sides(values, as_is, as_is), (1, 2, 3))
    given = sides(values, unaligned, unaligned)
    same_bytes(transform(*given, (1, 2, 3)), expected)
    plan = transform.sample_plan(*given, (1, 2, 3))
    batch = transform.apply_batch([plan] * 2, [given[0]] * 2, [given[1]] * 2, threads=2)
    for i in range(2):
        same_bytes(batch[i], expected)


@pytest.mark.parametrize(
    "flags", [np.array([0, 1, 0] * 2, bool)[::2], np.array([1, 0, 0], bool)[::-1], np.broadcast_to(True, 3)]
)
def test_crowds_of_any_layout(flags: Any) -> None:
    given = squares(3, 10, iscrowd=flags), squares(3, 200, iscrowd=flags)
    results = [SimpleCopyPaste(size=8, backend=backend)(*given, 0) for backend in BACKENDS]
    same_bytes(*results)


@pytest.mark.parametrize("masks", [{}, {"masks": RleMasks.empty((4, 6))}])
def test_a_background_image_may_have_columns_of_any_byte_order(backend: str, masks: dict[str, Any]) -> None:
    empty = Sample(np.zeros((4, 6, 3), np.uint8), Instances(labels=np.array([], ">i4"), **masks))
    assert len(SimpleCopyPaste(size=4, backend=backend)(empty, empty, 0).instances) == 0

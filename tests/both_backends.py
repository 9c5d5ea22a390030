"""Both backends on the same arguments: one result, in every byte, or one error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from copypaste_rs import Instances, RleMasks, Sample, functional, reference


def same_bytes(a: Any, b: Any) -> None:
    """Two results of one type, shape and dtype, equal in every byte."""
    assert type(a) is type(b)
    if isinstance(a, RleMasks):
        assert a.size == b.size
        same_bytes(a.counts, b.counts)
        same_bytes(a.offsets, b.offsets)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.flags.c_contiguous
        assert b.flags.c_contiguous
        if a.tobytes() != b.tobytes():
            np.testing.assert_array_equal(a, b)
            raise AssertionError("equal values, other bytes")
    elif isinstance(a, Sample):
        assert a.info == b.info
        same_bytes(a.image, b.image)
        same_bytes(a.instances, b.instances)
    elif isinstance(a, Instances):
        assert list(a.columns) == list(b.columns)
        for name, column in a.columns.items():
            same_bytes(column, b.columns[name])
    else:
        assert a == b


def outcome(call: Callable[[], Any]) -> Any:
    """The result, or the error as a value."""
    try:
        return call()
    except (TypeError, ValueError, OverflowError, IndexError) as error:
        return type(error), str(error)


def agree(name: str, *arguments: Any, **options: Any) -> Any:
    """Both backends on the same arguments; the result that both give."""
    results = [outcome(lambda: getattr(each, name)(*arguments, **options)) for each in (functional, reference)]  # noqa: B023
    same_bytes(*results)
    return results[0]

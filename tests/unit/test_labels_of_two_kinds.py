"""Labels of one kind that meet labels of another: a TypeError that names the argument, whatever NumPy says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste

KINDS = [
    np.array([3]),
    np.array([2**40]),
    np.array([2.5]),
    np.array([1 + 2j]),
    np.array(["a"]),
    np.array(["2026-01-01"]),
    np.array([b"ab"]),
    np.array(["2026-01-01"], "datetime64[D]"),
    np.array(["2026-01-01T12:00:00.123456789"], "datetime64[ns]"),
    np.array([123456], "timedelta64[s]"),
    np.array([(1, 2)], [("a", np.int64), ("b", np.int64)]),
    np.array([None]),
]


def sample(labels: Any) -> Sample:
    square = RleMasks.from_polygons([[[1, 1, 6, 1, 6, 6, 1, 6]]], (8, 8))
    return Sample(np.zeros((8, 8), np.uint8), Instances(masks=square, labels=labels))


@pytest.mark.parametrize("backend", ["rust", "numpy"])
@pytest.mark.parametrize("ours", KINDS, ids=lambda kind: str(kind.dtype))
@pytest.mark.parametrize("theirs", KINDS, ids=lambda kind: str(kind.dtype))
def test_labels_fit_or_are_refused_by_name(ours: Any, theirs: Any, backend: Any) -> None:
    transform = SimpleCopyPaste(size=8, backend=backend)
    try:
        result = transform(sample(ours), sample(theirs), 0)
    except TypeError as error:
        assert str(error).startswith("sources[0]: expected labels that fit dtype ")  # noqa: PT017
    else:
        assert result.instances.labels is not None
        assert result.instances.labels.dtype == ours.dtype


@pytest.mark.parametrize("text", ["a", b"a"])
def test_dates_never_fit_text_that_is_too_short(text: Any) -> None:
    dates = np.array(["2026-01-01"], "datetime64[D]")
    for given in (dates, dates - dates + np.timedelta64(10**9, "s")):
        with pytest.raises(TypeError, match=r"^sources\[0\]: expected labels that fit dtype .* that do not$"):
            SimpleCopyPaste(size=8)(sample([text]), sample(given), 0)


def test_a_date_that_stands_in_for_labels_is_refused_by_name() -> None:
    transform = SimpleCopyPaste(size=8, missing={"labels": np.datetime64("2026-01-01")})
    source = Sample(np.zeros((8, 8), np.uint8), Instances(masks=sample([1]).instances.masks))
    with pytest.raises(
        TypeError, match=r"^missing: expected labels that fit dtype <U1 of target, got values of dtype datetime64"
    ):
        transform(sample(["a"]), source, 0)

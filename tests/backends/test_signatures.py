"""The two modules of kernels: the same names, signatures and documentation, all of them in the table."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from copypaste_rs import functional, reference
from tests.backends.table import TABLE
from tests.fixtures.processes import python


def test_names_are_the_same() -> None:
    assert functional.__all__ == reference.__all__


def test_the_table_has_every_kernel() -> None:
    """Who adds a kernel writes down how both backends are called, or learns of it here."""
    assert sorted(TABLE) == sorted(functional.__all__)


@pytest.mark.parametrize("name", functional.__all__)
def test_the_table_has_every_argument(name: str) -> None:
    """Each argument and option is there to be replaced by what does not fit."""
    call = TABLE[name].good
    bound = inspect.signature(getattr(functional, name)).bind(*call.arguments, **call.options)
    assert list(bound.arguments) == list(bound.signature.parameters)


@pytest.mark.parametrize("name", functional.__all__)
def test_the_call_of_the_table_is_right(kernels: Any, name: str) -> None:
    getattr(kernels, name)(*TABLE[name].good.arguments, **TABLE[name].good.options)


@pytest.mark.parametrize("name", reference.__all__)
def test_signatures_are_the_same(name: str) -> None:
    assert inspect.signature(getattr(functional, name)) == inspect.signature(getattr(reference, name))
    assert getattr(functional, name).__annotations__ == getattr(reference, name).__annotations__


@pytest.mark.parametrize("name", reference.__all__)
def test_everything_is_documented(name: str) -> None:
    for each in (functional, reference):
        kernel: Callable[..., Any] = getattr(each, name)
        assert kernel.__doc__ is not None
        assert ">>>" in kernel.__doc__


def test_the_reference_needs_no_extension() -> None:
    """It is a specification only as long as nothing in it is computed by what it specifies."""
    python("""
import sys; sys.modules["copypaste_rs._core"] = None
import numpy as np
from copypaste_rs import Instances, Paste, Placement, Plan, Sample, reference
found = reference.encode(np.eye(3, 4, dtype=np.uint8)[np.newaxis])
columns = {"masks": found, "boxes": reference.boxes(found)}
sample = Sample(np.zeros((3, 4), np.uint8), Instances._trusted(columns))
still = Placement((3, 4), (3, 4), (0, 0), (3, 4))
plan = Plan(still, (Paste(0, (0,), still), Paste(0, (0,), still, 1.0)))
assert len(reference.copy_paste(plan, sample, sample).instances) == 1
""")

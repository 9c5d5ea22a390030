"""Fixtures of tests of other frameworks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture
def crowded_loaders() -> Iterator[None]:
    """More workers than processors, and forks of a process that has threads, are what loaders are tried with."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
        warnings.filterwarnings("ignore", "'set_vital' is deprecated", UserWarning)  # of torch, called by torchdata
        yield

"""What all tests share: both backends, and how hard Hypothesis looks."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ci", max_examples=25, derandomize=True, deadline=None)
settings.register_profile(
    "thorough",
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    """Let pycocotools be as it is: its `decode` still has the array protocol of NumPy 1."""
    config.addinivalue_line(
        "filterwarnings", "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    )


@pytest.fixture(params=["functional", "reference"], scope="session")
def kernels(request: pytest.FixtureRequest) -> ModuleType:
    """One of the two backends: the same test holds for both."""
    return import_module(f"copypaste_rs.{request.param}")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """A folder of real annotations, where there is one."""
    folder = os.environ.get("COPYPASTE_RS_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("COPYPASTE_RS_TEST_DATA names no folder")
    return Path(folder)

"""Fixtures of all tests: backends, real data; and how hard Hypothesis looks."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, settings

from tests.fixtures.both_backends import BACKENDS
from tests.fixtures.instruction_sets import INSTRUCTIONS, lacking

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip everything where instructions are asked for that are not there: lesser ones would be tested instead."""
    asked = os.environ.get("COPYPASTE_RS_SIMD", "")
    reason = lacking(asked) if asked in INSTRUCTIONS else None
    if reason is not None:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"COPYPASTE_RS_SIMD asks for {reason}"))


@pytest.fixture(params=["functional", "reference"], scope="session")
def kernels(request: pytest.FixtureRequest) -> ModuleType:
    """One of the two modules of kernels: the same test holds for both."""
    return import_module(f"copypaste_rs.{request.param}")


@pytest.fixture(params=BACKENDS, scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """The name of one of the two backends, for a transform: the same test holds for both."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def test_data() -> Path:
    """A folder of real annotations, where there is one."""
    folder = os.environ.get("COPYPASTE_RS_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("COPYPASTE_RS_TEST_DATA names no folder")
    return Path(folder)

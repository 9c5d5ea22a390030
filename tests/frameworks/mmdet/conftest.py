"""Fixtures of the tests of MMDetection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.coloured_set import coloured_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.coco_files import Files


@pytest.fixture(autouse=True)
def scope() -> Iterator[None]:
    """MMDetection's names are found."""
    from mmengine.registry import DefaultScope, init_default_scope

    init_default_scope("mmdet")
    yield
    DefaultScope._instance_dict.clear()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return coloured_set(tmp_path / "set")

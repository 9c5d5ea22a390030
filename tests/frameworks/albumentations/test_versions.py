"""Packages of the name that do not fit, and none at all: what is said then. No real one is needed for that."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.fixtures.processes import python

IMPORT = "import sys; sys.path[:0] = sys.argv[1:]; import copypaste_rs.integrations.albumentations"


def test_an_old_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "albumentations").mkdir()
    (tmp_path / "albumentations" / "__init__.py").write_text("__version__ = '1.4.24'\n")
    done = python(IMPORT, str(tmp_path), check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: copypaste_rs.integrations.albumentations: expected albumentations 2.0 or AlbumentationsX, got "
        "1.4.24; pip install albumentations==2.0.8"
    )


@pytest.mark.skipif(importlib.util.find_spec("albumentations") is not None, reason="it is installed")
def test_what_is_missing_is_named() -> None:
    done = python(IMPORT, check=False)
    assert done.stderr.splitlines()[-1].startswith("ImportError: albumentations is not installed; pip install")

"""CONTRIBUTING and the Makefile name the same targets."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_contributing_lists_the_targets_of_make_help() -> None:
    told = re.findall(r"^make ([a-z-]+) ", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(told) == len(set(told))
    assert set(told) == set(re.findall(r"^ *make ([a-z-]+) ", shown.stdout, re.MULTILINE))

"""The promise: same key, same inputs, same options, same bytes, wherever it runs."""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from copypaste_rs import SimpleCopyPaste
from tests.fixtures.both_backends import BACKENDS
from tests.fixtures.instruction_sets import levels
from tests.fixtures.processes import python
from tests.fixtures.samples import SOURCE, TARGET, digest

OPTIONS: dict[str, dict[str, Any]] = {
    "default": {"size": (48, 56)},
    "two taps": {"size": (48, 56), "antialias": False, "min_area": 5},
    "nearest, uniform": {"size": 40, "interpolation": "nearest", "placement": "uniform", "pad": "random"},
    "soft": {"size": (33, 70), "blend_sigma": (0.5, 3), "select": "all", "scale_reference": "input"},
    "soft, uniform": {"size": 64, "blend_sigma": 1.5, "placement": "uniform", "on_hidden": "crowd", "min_visibility": 0.5},
}  # fmt: skip


@functools.cache
def golden() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, options in OPTIONS.items():
        for backend in BACKENDS:
            transform = SimpleCopyPaste(**options, backend=backend)
            plans = [transform.sample_plan(TARGET, [SOURCE, TARGET], (2026, 1, i)) for i in range(8)]
            text = "".join(plan.to_json() for plan in plans)
            results = [digest(transform.apply(plan, TARGET, [SOURCE, TARGET])) for plan in plans]
            found[f"{name} ({backend})"] = [hashlib.sha256(text.encode()).hexdigest()[:16], *results]
    return found


def test_golden_vectors() -> None:
    """Same key, same inputs, same options, same bytes: on this machine as on the one that wrote the file."""
    stored = json.loads(Path(__file__).with_name("golden.json").read_text())
    found = golden()
    assert list(found) == [f"{name} ({backend})" for name in OPTIONS for backend in BACKENDS]
    for name, values in found.items():
        assert values == stored[name.rsplit(" (", 1)[0]], name


GOLDEN = "import json; from tests.backends.test_golden import golden; print(json.dumps(golden()))"


def test_another_process_gives_the_same_bytes() -> None:
    assert json.loads(python(GOLDEN).stdout) == golden()


@pytest.mark.parametrize("level", levels())
def test_every_instruction_set_gives_the_same_bytes(level: str) -> None:
    assert json.loads(python(GOLDEN, environment={"COPYPASTE_RS_SIMD": level}).stdout) == golden()


def test_an_unknown_instruction_set_is_refused() -> None:
    done = python("import copypaste_rs.functional", environment={"COPYPASTE_RS_SIMD": "avx3"}, check=False)
    assert done.returncode == 1
    assert "ValueError: COPYPASTE_RS_SIMD: expected 'portable', 'avx2' or 'avx512', got \"avx3\"" in done.stderr


if __name__ == "__main__":
    # `python -m tests.backends.test_golden` writes the golden vectors anew: only for a release that may change them.
    vectors = {name.rsplit(" (", 1)[0]: values for name, values in golden().items()}
    Path(__file__).with_name("golden.json").write_text(json.dumps(vectors, indent=1) + "\n")

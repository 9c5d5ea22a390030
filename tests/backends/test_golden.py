"""The promise: same key, same inputs, same options, same bytes, wherever it runs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from copypaste_rs import Sample, SimpleCopyPaste
from tests.transforms.test_transform import BACKENDS, SOURCE, TARGET

OPTIONS: dict[str, dict[str, Any]] = {
    "default": {"size": (48, 56)},
    "two taps": {"size": (48, 56), "antialias": False, "min_area": 5},
    "nearest, uniform": {"size": 40, "interpolation": "nearest", "placement": "uniform", "pad": "random"},
    "soft": {"size": (33, 70), "blend_sigma": (0.5, 3), "select": "all", "scale_reference": "input"},
    "soft, uniform": {"size": 64, "blend_sigma": 1.5, "placement": "uniform", "on_hidden": "crowd", "min_visibility": 0.5},
}  # fmt: skip


def digest(result: Sample) -> str:
    """A hash of every byte of a result, whatever the platform."""
    summary = hashlib.sha256(result.image.tobytes())
    assert result.instances.masks is not None
    for values in (result.instances.masks.counts, result.instances.masks.offsets):
        summary.update(values.astype("<i8").tobytes())
    for name, values in result.instances.columns.items():
        if name != "masks":
            summary.update(name.encode() + values.astype("<f8").tobytes())
    return summary.hexdigest()[:16]


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


def test_another_process_gives_the_same_bytes() -> None:
    code = "from tests.backends import test_golden; import json; print(json.dumps(test_golden.golden()))"
    here = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {here!r}); {code}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert json.loads(output) == golden()


@pytest.mark.parametrize("level", ["portable", "avx2", "avx512"])
def test_every_instruction_set_gives_the_same_bytes(level: str) -> None:
    """Where the processor has less, asking for more gives the best there is."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); from tests.backends import test_golden; import json; "
    command = [sys.executable, "-c", code + "print(json.dumps(test_golden.golden()))"]
    environment = os.environ | {"COPYPASTE_RS_SIMD": level}
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    assert json.loads(output) == golden()


def test_an_unknown_instruction_set_is_refused() -> None:
    command = [sys.executable, "-c", "import copypaste_rs.functional"]
    environment = os.environ | {"COPYPASTE_RS_SIMD": "avx3"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "ValueError: COPYPASTE_RS_SIMD: expected 'portable', 'avx2' or 'avx512', got \"avx3\"" in done.stderr


if __name__ == "__main__":
    # Writes the golden vectors anew: only for a release that is allowed to change them.
    vectors = {name.rsplit(" (", 1)[0]: values for name, values in golden().items()}
    Path(__file__).with_name("golden.json").write_text(json.dumps(vectors, indent=1) + "\n")

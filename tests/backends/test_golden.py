"""The promise: same key, same inputs, same options, same bytes, wherever it runs."""

from __future__ import annotations

import json

import pytest

from tests.backends.golden import OPTIONS, STORED, golden
from tests.fixtures.both_backends import BACKENDS
from tests.fixtures.instruction_sets import levels
from tests.fixtures.processes import python


def test_golden_vectors() -> None:
    """Same key, same inputs, same options, same bytes: on this machine as on the one that wrote the file."""
    stored = json.loads(STORED.read_text())
    found = golden()
    assert list(found) == [f"{name} ({backend})" for name in OPTIONS for backend in BACKENDS]
    for name, values in found.items():
        assert values == stored[name.rsplit(" (", 1)[0]], name


GOLDEN = "import json; from tests.backends.golden import golden; print(json.dumps(golden()))"


def test_another_process_gives_the_same_bytes() -> None:
    assert json.loads(python(GOLDEN).stdout) == golden()


@pytest.mark.parametrize("level", levels())
def test_every_instruction_set_gives_the_same_bytes(level: str) -> None:
    assert json.loads(python(GOLDEN, environment={"COPYPASTE_RS_SIMD": level}).stdout) == golden()


def test_an_unknown_instruction_set_is_refused() -> None:
    done = python("import copypaste_rs.functional", environment={"COPYPASTE_RS_SIMD": "avx3"}, check=False)
    assert done.returncode == 1
    assert "ValueError: COPYPASTE_RS_SIMD: expected 'portable', 'avx2' or 'avx512', got \"avx3\"" in done.stderr

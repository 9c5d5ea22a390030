"""Rules for the tests themselves: who imports whom, no sleeping, short files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FILES = {path.relative_to(TESTS): path.read_text() for path in sorted(TESTS.rglob("*.py"))}


def imported(text: str) -> Iterator[str]:
    """Modules, and names out of modules, of the tests that a file imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests"):
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("tests"))


def test_no_test_is_imported() -> None:
    """A test imports fixtures and helpers that lie beside it, never another test; a fixture imports fixtures alone."""
    for path, text in FILES.items():
        folders = {"tests.fixtures.", f"tests.{'.'.join(path.parent.parts)}."}
        for name in imported(text):
            assert name.startswith(tuple(folders)), (path, name)
            assert ".test_" not in name, (path, name)


def test_nothing_sleeps() -> None:
    """Who waits, waits for something: an event, an end, or a condition, until a deadline."""
    word = "sl" + "eep("  # which stands nowhere, scripts for other processes included
    assert not [path for path, text in FILES.items() if word in text]


def test_a_file_has_at_most_400_lines() -> None:
    assert not {path: n for path, text in FILES.items() if (n := len(text.splitlines())) > 400}

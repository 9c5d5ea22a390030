"""The check of doc lines, names and layers, on texts of a few lines."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / ".ci" / "check_docs.py"
    spec = importlib.util.spec_from_file_location("check_docs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # named tuples look up their module
    spec.loader.exec_module(module)
    return module


def found(checker: ModuleType, **files: str) -> list[str]:
    """Findings by `path:line`, of files named with `__` for a slash and `_rs` or `_py` for the suffix."""
    texts = {f"{name[:-3].replace('__', '/')}.{name[-2:]}": text for name, text in files.items()}
    return [f"{finding.path}:{finding.line}" for finding in checker.check(texts)]


REFUSED = """The same, cut. | So many rows. | This is it. | Of a mask. | What is left. | One of them. | All rows.
    | How many there are. | Whoever calls. | None for hard edges. | As above. | Such a mask. | Each of the rows."""
TAKEN = """Offset of a row, in pixels. | Whether a row is a crowd. | How many rows a mask has. | Item of a batch.
    | Oftener. | `None` stands for hard edges. | Allocates a row."""


@pytest.mark.parametrize("line", re.split(r"\s*\|\s*", REFUSED))
def test_pronouns_and_quantities_are_refused(checker: ModuleType, line: str) -> None:
    assert found(checker, rust__py__src__a_rs=f"/// {line}\nfn f() {{}}\n") == ["rust/py/src/a.rs:1"]
    assert found(checker, python__a_py=f'"""{line}"""\n') == ["python/a.py:1"]


@pytest.mark.parametrize("line", re.split(r"\s*\|\s*", TAKEN))
def test_subjects_are_taken(checker: ModuleType, line: str) -> None:
    assert not found(checker, rust__py__src__a_rs=f"/// {line}\nfn f() {{}}\n", python__a_py=f'"""{line}"""\n')


def test_only_first_lines_count(checker: ModuleType) -> None:
    assert not found(checker, rust__py__src__a_rs="//! Rows.\n//!\n//! This is more.\n// That is a comment.\n")
    assert not found(checker, python__a_py='"""Rows.\n\nThis is more.\n"""\nX = "These are data."\n')


def test_every_kind_of_docstring_counts(checker: ModuleType) -> None:
    text = 'X: int = 1\n"""That."""\n\n\nclass A:\n    """That."""\n\n    def f(self):\n        """That."""\n'
    assert found(checker, python__a_py=text) == ["python/a.py:2", "python/a.py:6", "python/a.py:9"]
    assert found(checker, tests__fixtures__a_py=text) == [f"tests/fixtures/a.py:{line}" for line in (2, 6, 9)]
    assert not found(checker, tests__unit__a_py=text)


def test_long_files_are_refused(checker: ModuleType) -> None:
    assert not found(checker, benches__a_py="x = 1\n" * 400)
    assert found(checker, benches__a_py="x = 1\n" * 401) == ["benches/a.py:401"]


def test_a_type_name_stands_for_one_thing(checker: ModuleType) -> None:
    rust = "pub(crate) struct Rows;\n"
    assert found(checker, rust__py__src__a_rs=rust, rust__py__src__b_rs="enum Rows {}\n") == ["rust/py/src/b.rs:1"]
    assert found(checker, python__a_py="class A: ...\n", python__b_py="\nclass A: ...\n") == ["python/b.py:2"]
    assert not found(checker, rust__py__src__a_rs=rust, rust__benches__src__a_rs=rust, python__a_py="class Rows: ...\n")


def test_layers_of_the_core_run_one_way(checker: ModuleType) -> None:
    lib = "pub use geometry::{Placement, Size};\n"

    def core(**files: str) -> list[str]:
        named = {f"rust__core__src__{name}": text for name, text in files.items()}
        return found(checker, rust__core__src__lib_rs=lib, **named)

    assert not core(rle__mod_rs="use crate::{error::{Error, Result}, Size};\nuse crate::rle::x;\n")
    assert core(rle__mod_rs="\nuse crate::blend::Alpha;\n") == ["rust/core/src/rle/mod.rs:2"]
    assert core(geometry_rs="use crate::{Size, memory::{a, b}};\n") == ["rust/core/src/geometry.rs:1"]
    assert core(geometry_rs="fn f() -> crate::error::Error {}\n") == ["rust/core/src/geometry.rs:1"]
    assert core(painting_rs="") == ["rust/core/src/painting.rs:1"]
    assert not core(rle__tests_rs="use crate::blend::Alpha;\n")
    assert not core(geometry_rs="#[cfg(test)]\nmod tests {\n    use crate::rle;\n}\n")


def test_unsafe_stays_where_it_is(checker: ModuleType) -> None:
    code = "fn f() {\n    unsafe { g() }\n    unsafe { g() } // unsafe\n"
    assert not found(checker, rust__core__src__simd__mod_rs=code)
    assert found(checker, rust__core__src__simd__mod_rs=f"{code}unsafe fn g();\n") == ["rust/core/src/simd/mod.rs:4"]
    assert found(checker, rust__core__src__bits_rs="unsafe { g() }\n") == ["rust/core/src/bits.rs:1"]

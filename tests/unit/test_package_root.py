"""The package root: every name is there, though nothing is imported before it is used."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import copypaste_rs

MODULES = ["datasets", "functional", "integrations", "reference", "schedules", "visualize"]
ROOT = Path(copypaste_rs.__file__).parent


def python(code: str, *options: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    result = subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_importing_it_imports_nothing_else() -> None:
    assert python("import sys, copypaste_rs; print('numpy' in sys.modules, copypaste_rs.__version__)") == (
        f"False {copypaste_rs.__version__}"
    )


@pytest.mark.parametrize("name", [*MODULES, *copypaste_rs.__all__])
def test_each_name_is_there_after_the_import_alone(name: str) -> None:
    assert python(f"import copypaste_rs; print(copypaste_rs.{name} is copypaste_rs.{name})") == "True"
    assert python(f"from copypaste_rs import {name}; print(bool({name}))") == "True"


def test_a_star_gives_all_of_them_and_no_more() -> None:
    code = "from copypaste_rs import *; print(*sorted(name for name in dir() if name not in {before}))"
    before = set(python("print(*dir())").split())
    assert python(code.format(before=before)).split() == sorted(copypaste_rs.__all__)


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'copypaste_rs' has no attribute 'Smaple'$"):
        copypaste_rs.Smaple  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(copypaste_rs, "_nothing")
    with pytest.raises(ImportError, match="cannot import name 'Smaple'"):
        exec("from copypaste_rs import Smaple")


def test_dir_and_the_type_checker_know_the_same_names() -> None:
    assert {*copypaste_rs.__all__, *MODULES} <= set(dir(copypaste_rs))
    assert {name for name, _ in inspect.getmembers(copypaste_rs)} >= {*copypaste_rs.__all__, *MODULES}
    tree = ast.parse((ROOT / "__init__.py").read_text())
    checked = next(node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    imported = {
        alias.name: node.module for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert set(imported) == {*copypaste_rs.__all__, *MODULES}
    for name, module in imported.items():
        assert getattr(copypaste_rs, name) is getattr(importlib.import_module(module or ""), name)


def test_values_pickle_into_a_fresh_interpreter(tmp_path: Path) -> None:
    masks = copypaste_rs.RleMasks.from_polygons([[[0, 0, 2, 0, 2, 2, 0, 2]]], (3, 4))
    sample = copypaste_rs.Sample(np.zeros((3, 4), np.uint8), copypaste_rs.Instances(masks=masks, labels=[1]))
    values = [sample, copypaste_rs.SimpleCopyPaste(size=8), copypaste_rs.Plan, copypaste_rs.SimpleCopyPaste]
    (tmp_path / "pickle").write_bytes(pickle.dumps(values))
    code = f"import pickle; values = pickle.load(open({str(tmp_path / 'pickle')!r}, 'rb')); print(values[:2])"
    assert python(code) == repr(values[:2])


def test_it_can_be_looked_at_with_numpy_alone(tmp_path: Path) -> None:
    """`visualize` needs Pillow: without it, it is not among the names, or `help` would fail."""
    numpy = Path(np.__file__).parent
    for folder in (ROOT, numpy, numpy.parent / "numpy.libs"):
        if folder.exists():
            (tmp_path / folder.name).symlink_to(folder)
    code = (
        "import copypaste_rs, inspect, pydoc\n"
        "names = {name for name, _ in inspect.getmembers(copypaste_rs)}\n"
        "assert 'SimpleCopyPaste' in pydoc.render_doc(copypaste_rs)\n"
        "print(*sorted({*copypaste_rs.__all__, 'datasets', 'functional', 'integrations', 'reference', 'schedules', 'visualize'} - names))\n"
        "try: copypaste_rs.visualize\n"
        "except ImportError as error: print(error)"
    )
    assert python(code, "-S", PYTHONPATH=str(tmp_path)).splitlines() == [
        "visualize",
        "PIL is not installed; it comes with the extra coco: pip install 'copypaste_rs[coco]'",
    ]

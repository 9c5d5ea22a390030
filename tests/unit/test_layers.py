"""Layers of the package: modules import from those below, and each module has its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import copypaste_rs

ROOT = Path(copypaste_rs.__file__).parent

LAYERS: list[set[str]] = [
    {"_core"},  # the extension: values call its kernels
    {"errors", "_equality", "_field_values", "_immutable", "_ragged", "_result_memory"},
    {"_checks.*", "_shown"},
    {"column_kinds.*"},
    # Values: plain data, and what is drawn from keys.
    {
        "annotations",
        "blur",
        "box_formats",
        "draws",
        "maps",
        "masks",
        "instances",
        "rectangles",
        "run_lengths",
        "sample",
        "segmentations",
        "plan",
        "plan_options",
    },
    {"_engine.*"},
    # The two backends.
    {"_rust", "functional", "reference.*"},
    {"transforms.*"},
    {"datasets.*"},
    {"schedules"},
    {"integrations.*"},
    {"visualize.*"},
    {"cli.*"},
    {"__main__"},
]
"""From the lowest; `name.*` is a package with all its modules. A module that stands nowhere fails."""

VALUES = {
    "box_formats": 0,
    "plan": 0,
    "run_lengths": 0,
    "segmentations": 0,
    "blur": 1,
    "maps": 1,
    "masks": 1,
    "plan_options": 1,
    "draws": 2,
    "annotations": 2,
    "rectangles": 2,
    "instances": 3,
    "sample": 4,
}
"""Steps of the values, which are modules of one layer: again each imports from steps below."""

ROOT_HOMES = vars(copypaste_rs)["_HOMES"]
"""Names of the package's root and the modules they come from: who imports one imports that module."""

LATE = {("cli", "cli.commands")}
"""Imports that may close a circle: `main` takes over signals before it imports what takes a while."""


def name_of(path: Path) -> str:
    """The module's name below the package; a package is named by its folder."""
    parts = [*path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {name_of(path): ast.parse(path.read_text()) for path in sorted(ROOT.rglob("*.py"))}


def imports(module: str, tree: ast.AST) -> Iterator[str]:
    """Modules of the package that a module imports, anywhere in it, but where only a checker of types reads."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test).endswith("TYPE_CHECKING"):
        for each in tree.orelse:
            yield from imports(module, each)
        return
    if isinstance(tree, ast.Import):
        assert not any(named(name.name) for name in tree.names), f"{module}: `import`, where others write `from`"
    elif isinstance(tree, ast.ImportFrom):
        assert tree.level == 0, f"{module}: a relative import"
        if named(tree.module or ""):
            below = (tree.module or "").partition(".")[2]
            for name in tree.names:
                full = f"{below}.{name.name}".strip(".")
                yield full if full in MODULES or full == "_core" else below or ROOT_HOMES[name.name]
    elif isinstance(tree, ast.Constant) and re.fullmatch(r"copypaste_rs(\.\w+)+", str(tree.value)):
        yield str(tree.value).partition(".")[2]  # for `import_module`
    for node in ast.iter_child_nodes(tree):
        yield from imports(module, node)


def named(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] == "copypaste_rs"


def layer(module: str) -> int:
    found = [i for i, names in enumerate(LAYERS) if {module, module.split(".", maxsplit=1)[0] + ".*"} & names]
    assert len(found) == 1, f"{module} stands in {len(found)} layers of the table"
    return found[0]


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"__init__"}))
def test_imports_run_one_way(module: str) -> None:
    """From a lower layer, or from the same package."""
    assert layer(module) > 0
    for other in imports(module, MODULES[module]):
        if {module, other} <= VALUES.keys():
            assert VALUES[other] < VALUES[module], f"{module} imports {other}"
        elif other.split(".")[0] != module.split(".", maxsplit=1)[0] and (module, other) != ("functional", "_rust"):
            assert layer(other) < layer(module), f"{module} imports {other}"


def test_the_table_has_no_module_that_is_not_there() -> None:
    there = MODULES.keys() | {f"{module.split('.')[0]}.*" for module in MODULES} | {"_core"}
    assert set().union(*LAYERS) <= there


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_circle(module: str) -> None:
    """Nor by way of other modules does a module import itself."""
    reached: set[str] = set()
    ahead = {module}
    while ahead:
        one = ahead.pop()
        found = {other for other in imports(one, MODULES[one]) if (one, other) not in LATE} & MODULES.keys()
        ahead |= found - reached
        reached |= found
    assert module not in reached


def closure(package: str) -> set[str]:
    """All that a package, or a module, imports by itself, directly."""
    mine = [module for module in MODULES if module == package or module.startswith(package + ".")]
    return {other for module in mine for other in imports(module, MODULES[module])}


def test_the_backends_know_nothing_of_each_other() -> None:
    """The reference is the specification of the kernels in Rust: neither is computed by the other."""
    of_reference = closure("reference")
    assert not of_reference & {"functional", "_rust", "_core"}
    for module in ("functional", "_rust"):
        assert not {other for other in closure(module) if other.split(".")[0] == "reference"}

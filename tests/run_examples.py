"""Run the examples of every docstring, of README.md and of docs/ against the installed package.

A page is run from top to bottom as one session, in a folder of its own: examples with ``>>>``, and ``python`` blocks
without, whose output has to be that of the ``text`` block right below, where there is one. A block with the comment
``<!-- needs: torch -->`` right above it is run only where these modules are installed. Arguments are names of modules
and pages, where only these are to be run.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import importlib.util
import io
import os
import pkgutil
import re
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import copypaste_rs

ROOT = Path(__file__).resolve().parent.parent
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

FRAMEWORKS = ("copypaste_rs.integrations.", "copypaste_rs.cli.ray_engine")
"""Starts of the names of modules that import a framework, and are left out where it is missing."""

BLOCK = re.compile(
    r"(?:^<!-- needs: (?P<needs>[^>]*?) -->\n)?"
    r"^```python\n(?P<code>.*?)^```\n"
    r"(?:\n^```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


class Tally(NamedTuple):
    """Examples that were tried, that failed, and that could not be run here."""

    tried: int = 0
    failed: int = 0
    left_out: tuple[str, ...] = ()

    def plus(self, other: Tally) -> Tally:
        return Tally(self.tried + other.tried, self.failed + other.failed, self.left_out + other.left_out)


def main() -> int:
    """Print what fails; the exit status says whether anything does."""
    np.set_printoptions(legacy=False)
    # The folder of a script comes first, and its folder of tests would be imported in the place of Datasets.
    sys.path[:] = [each for each in sys.path if Path(each).resolve() != Path(__file__).resolve().parent]
    total = Tally()
    for name in [name for name in sys.argv[1:] if not name.endswith(".md")] if sys.argv[1:] else modules():
        try:
            found = importlib.import_module(name)
        except ImportError as error:  # of a framework that no extra brings
            if not name.startswith(FRAMEWORKS) or not error.name or installed(error.name):
                raise
            total = total.plus(Tally(left_out=(f"{name}, without {error.name}",)))
            continue
        result = doctest.testmod(found, optionflags=FLAGS, extraglobs={"np": np})
        total = total.plus(Tally(result.attempted, result.failed))
    given = [Path(name).resolve() for name in sys.argv[1:] if name.endswith(".md")]
    for page in given if sys.argv[1:] else [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        with tempfile.TemporaryDirectory() as folder, working_in(folder):
            total = total.plus(run_page(page.relative_to(ROOT).as_posix(), page.read_text()))
    for left_out in total.left_out:
        sys.stdout.write(f"not run: {left_out}\n")
    sys.stdout.write(f"{total.tried} examples, {total.failed} failed\n")
    return 1 if total.failed or not total.tried else 0


def modules() -> list[str]:
    """Names of all modules of the package that have docstrings."""
    found = (module.name for module in pkgutil.walk_packages(copypaste_rs.__path__, "copypaste_rs."))
    return [name for name in found if not name.endswith(("._core", "__main__"))]


def run_page(name: str, text: str) -> Tally:
    """Run the blocks of a page in one namespace."""
    names: dict[str, Any] = {"__name__": "__main__"}
    total = Tally()
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        place = f"{name}:{line}"
        if absent := [part for part in (match["needs"] or "").split() if not installed(part)]:
            total = total.plus(Tally(left_out=(f"{place}, without {', '.join(absent)}",)))
        elif ">>>" in match["code"]:
            total = total.plus(run_session(place, line, match["code"], names))
        else:
            total = total.plus(run_block(place, line, match["code"], match["output"], names))
    return total


def run_session(place: str, line: int, code: str, names: dict[str, Any]) -> Tally:
    """Run examples with their results."""
    test = doctest.DocTestParser().get_doctest(code, names, place, place.rpartition(":")[0], line - 1)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    result = runner.run(test, clear_globs=False)
    names.update(test.globs)
    return Tally(result.attempted, result.failed)


def run_block(place: str, line: int, code: str, expected: str | None, names: dict[str, Any]) -> Tally:
    """Run a block and compare what it prints."""
    # As many lines before it as in the page, so that a traceback names the page's own.
    path, printed = place.rpartition(":")[0], io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * (line - 1) + code, path, "exec"), names)
    except Exception:
        sys.stdout.write(f"{place}: the block failed\n{traceback.format_exc()}")
        return Tally(1, 1)
    if expected is not None and not doctest.OutputChecker().check_output(expected, printed.getvalue(), FLAGS):
        sys.stdout.write(f"{place}: expected\n{expected}got\n{printed.getvalue()}")
        return Tally(1, 1)
    return Tally(1)


def installed(module: str) -> bool:
    """Whether a module can be imported."""
    return importlib.util.find_spec(module) is not None


@contextlib.contextmanager
def working_in(folder: str) -> Any:
    """Make a folder the current one for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    sys.exit(main())

"""Run the examples of every docstring and of README.md against the installed package."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import sys
from pathlib import Path

import numpy as np

import copypaste_rs

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def main() -> int:
    """Print what fails; the exit status says whether anything does."""
    np.set_printoptions(legacy=False)
    failed = attempted = 0
    for module in pkgutil.walk_packages(copypaste_rs.__path__, "copypaste_rs."):
        if module.name.endswith(("._core", "__main__")):
            continue
        found = importlib.import_module(module.name)
        result = doctest.testmod(found, optionflags=FLAGS, extraglobs={"np": np})
        failed, attempted = failed + result.failed, attempted + result.attempted
    readme = Path(__file__).parent.parent / "README.md"
    result = doctest.testfile(str(readme), module_relative=False, optionflags=FLAGS)
    failed, attempted = failed + result.failed, attempted + result.attempted
    sys.stdout.write(f"{attempted} examples, {failed} failed\n")
    return 1 if failed or not attempted else 0


if __name__ == "__main__":
    sys.exit(main())

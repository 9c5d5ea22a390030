"""Run the tests, examples and timings of every integration, each in an environment of its own, and keep the result.

``python -m tests.frameworks [NAME ...]`` makes the environments in ``build/frameworks``; they see the packages of the
environment that runs this, torch above all, by a ``.pth`` file, so that gigabytes are installed once. Results are kept
in ``tests/frameworks/results.json``, and the table of docs/frameworks.md is made of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import sysconfig
from datetime import datetime, timezone
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from tests.frameworks.page import RESULTS, write_table
from tests.frameworks.registry import FRAMEWORKS, ROOT, Framework

ENVIRONMENTS = ROOT / "build" / "frameworks"


def main() -> int:
    """Run what is asked for; the exit status says whether anything failed."""
    known = {each.name: each for each in FRAMEWORKS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)} (default: all)")
    parser.add_argument("--table", action="store_true", help="only write the table, of the results that are kept")
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in known]:
        parser.error(f"NAME: expected one of {', '.join(known)}, got {', '.join(unknown)}")
    failed = []
    for name in [] if args.table else args.names or known:
        say(f"== {name}")
        result = run(known[name])
        keep(name, result)
        if result["ran"] != known[name].ran:
            failed.append(f"{name}: {result['ran']}")
    write_table()
    for line in failed:
        say(line)
    return 1 if failed else 0


def run(framework: Framework) -> dict[str, Any]:
    """Install, test and time; what is kept of it."""
    result: dict[str, Any] = {"date": f"{datetime.now(timezone.utc):%Y-%m-%d}", "python": platform.python_version()}
    environment = ENVIRONMENTS / framework.name
    if why := install(framework, environment):
        return {**result, "ran": f"not installed: {why}"}
    python = environment / "bin" / "python"
    result["versions"] = versions(environment, framework.packages)
    steps = {
        "tests": ["-m", "pytest", "-q", str(framework.tests)],
        "examples": ["tests/run_examples.py", framework.module, str(framework.page)],
    }
    if framework.guide:
        del steps["examples"]
    for step, command in steps.items():
        done = subprocess.run([str(python), *command], cwd=ROOT, env=clean(), check=False)
        if done.returncode:
            return {**result, "ran": f"{step} failed"}
    if framework.guide:
        return {**result, "ran": framework.ran}
    timing = [str(python), "-m", "tests.frameworks.timing", framework.tests.name]
    measured = subprocess.run(timing, cwd=ROOT, env=clean(), stdout=subprocess.PIPE, text=True, check=False)
    if measured.returncode:
        return {**result, "ran": "timing failed"}
    return {**result, "ran": framework.ran, "timing": json.loads(measured.stdout.splitlines()[-1])}


def install(framework: Framework, environment: Path) -> str:
    """Make the environment; why it could not be made, or an empty string."""
    ready = environment / ".ready"
    requirements = framework.folder / "requirements.txt"
    wanted = requirements.read_text() + (ROOT / "pyproject.toml").read_text()
    if ready.exists() and ready.read_text() == wanted:
        return ""
    python = str(environment / "bin" / "python")
    steps = [[sys.executable, "-m", "venv", "--clear", str(environment)]]
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    steps.append([*pip, "--requirement", str(requirements)])
    if (framework.folder / "install.py").exists():
        steps.append([python, str(framework.folder / "install.py")])
    for i, step in enumerate(steps):
        done = subprocess.run(step, cwd=ROOT, env=clean(), stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            return ([line for line in lines if "ERROR" in line] or lines[-1:] or ["no reason was given"])[0][:300]
        if i == 0:
            own = sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)})
            (Path(own) / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    ready.write_text(wanted)
    return ""


def versions(environment: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of what was run, torch's too."""
    own = sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)})
    there: dict[str, Distribution] = {}
    for each in distributions(path=[own, sysconfig.get_path("purelib")]):
        there.setdefault(each.metadata["Name"].lower(), each)
    return {
        name: there[name].version if name in there else "from its archive" for name in (*packages, "torch", "numpy")
    }


def keep(name: str, result: dict[str, Any]) -> None:
    """Replace the result of one framework."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept[name] = result
    RESULTS.write_text(
        json.dumps({each.name: kept[each.name] for each in FRAMEWORKS if each.name in kept}, indent=1) + "\n"
    )


def clean() -> dict[str, str]:
    """Environment variables of the programs that are run: telemetry and updates of frameworks are off.

    What is given as PYTHONPATH comes after the tests, so that a package can be tried that is not installed.
    """
    off = {"NO_ALBUMENTATIONS_UPDATE": "1", "ALBUMENTATIONS_NO_TELEMETRY": "1", "YOLO_OFFLINE": "true"}
    off |= {"HF_HUB_OFFLINE": "1", "FIFTYONE_DO_NOT_TRACK": "1"}
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [str(ROOT), *(str(ROOT / path) for path in given if path)]
    return {**os.environ, **off, "PYTHONPATH": os.pathsep.join(paths)}


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

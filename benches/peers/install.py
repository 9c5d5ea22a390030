"""Install every peer into the environment that runs this, each by itself: one that fails costs its own figures.

Why one failed is kept beside the environment's packages, for the report. Everything that shares the environment is
held to one set of versions; what takes another library's names lies apart.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
CONSTRAINTS = REQUIREMENTS / "constraints.txt"
PREFIX = Path(sys.prefix)
FAILED = PREFIX / "not-installed.json"


def main() -> None:
    """Install, report, and mark the environment as ready when nothing failed."""
    failed: dict[str, str] = {}
    for file in sorted(REQUIREMENTS.glob("*.txt")):
        if file != CONSTRAINTS:
            install(file, ["--constraint", str(CONSTRAINTS), "--requirement", str(file)], failed)
    for file in sorted((REQUIREMENTS / "apart").glob("*.txt")):
        target = ["--upgrade", "--no-deps", "--target", str(PREFIX / "apart" / file.stem)]
        install(file, [*target, "--requirement", str(file)], failed)
    FAILED.write_text(json.dumps(failed, indent=1) + "\n")
    if not failed:
        (PREFIX / ".ready").touch()


def install(file: Path, arguments: list[str], failed: dict[str, str]) -> None:
    """One file of requirements."""
    sys.stdout.write(f"installing {file.stem}\n")
    sys.stdout.flush()
    environment = dict(os.environ)
    if platform.machine() in ("x86_64", "AMD64"):
        environment.setdefault("CFLAGS", "-O3 -mavx2")  # Pillow-SIMD is what it is for only so
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        failed[file.stem] = reason(done.stderr)
        sys.stdout.write(f"  not installed: {failed[file.stem]}\n")


def reason(output: str) -> str:
    """The first error that pip names, or what it said last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.partition("ERROR: ")[2] for line in lines if "ERROR: " in line]
    return (errors or lines[-1:] or ["pip gave no reason"])[0][:300]


if __name__ == "__main__":
    main()

"""Commands that use Ray, and the processes that these start."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.fixtures.processes import ROOT

ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0"}


def begun(command: list[str], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | ENVIRONMENT | environment, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip


def ended(command: list[str], **environment: str) -> tuple[int, str, str]:
    """Status and what was said, of a command that has four minutes: Ray takes a while to start on a busy machine."""
    process = begun(command, **environment)
    said, errors = process.communicate(timeout=240)
    return process.returncode, said, errors


def session(process: subprocess.Popen[str]) -> Iterator[int]:
    """Processes of a command's session and of Ray's own, which it has started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    for number in parents:
        above = number
        while above in parents and above != process.pid:
            above = parents[above]
        if above == process.pid:
            yield number


def runs(number: int) -> str:
    """Name of a process that runs; nothing for one that is gone, or waits to be buried."""
    try:
        name, _, rest = Path(f"/proc/{number}/stat").read_text().rpartition(")")
    except OSError:
        return ""
    return "" if rest.split()[0] == "Z" else name


def actors(process: subprocess.Popen[str]) -> list[int]:
    """Processes of a command that are actors of Ray Data."""
    found = []
    for number in session(process):
        try:
            if b"MapWorker" in Path(f"/proc/{number}/cmdline").read_bytes():
                found.append(number)
        except OSError:
            continue
    return found

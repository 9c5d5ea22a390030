"""Scripts of examples/ that are stopped, or given what is wrong, before anything is trained."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.processes import wait_until

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SECONDS = 60

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The scripts without any results, in a folder of their own."""
    folder = tmp_path / "project" / "examples"
    folder.mkdir(parents=True)
    for script in EXAMPLES.glob("*.py"):
        shutil.copy(script, folder)
    return folder


def start(script: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(script), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status, and what was said on stderr."""
    error = process.communicate(timeout=SECONDS)[1]
    return process.returncode, error


def wait_for(file: Path) -> None:
    assert wait_until(file.exists, SECONDS), file


def test_training_that_is_interrupted_while_torch_is_imported_says_one_line(scripts: Path, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "torch.py").write_text(
        f"import signal, pathlib\npathlib.Path({str(slow / 'begun')!r}).touch()\nsignal.pause()\n"
    )
    data = ("--train", "train.json", "--val", "val.json", "--output", str(tmp_path / "run"))
    process = start(scripts / "train_maskrcnn.py", *data, PYTHONPATH=str(slow))
    wait_for(slow / "begun")
    process.send_signal(signal.SIGINT)
    assert end(process) == (130, "interrupted; the same command begins again, or goes on\n")


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGINT, 130, "interrupted; the same command goes on\n"), (signal.SIGTERM, 143, "")],
)
def test_evidence_that_is_stopped_ends_its_runs(
    scripts: Path, tmp_path: Path, number: signal.Signals, status: int, said: str
) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    (scripts / "train_maskrcnn.py").write_text(
        "import pathlib, signal, sys\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(ended)!r}).touch(), sys.exit(130)))\n"
        f"pathlib.Path({str(begun)!r}).touch()\n"
        "signal.pause()\n"
    )
    for name in ("train.json", "val.json"):
        (tmp_path / name).write_text("{}")
    process = start(scripts / "evidence.py", "--data", str(tmp_path), "--output", str(tmp_path / "runs"))
    wait_for(begun)
    process.send_signal(number)
    assert end(process) == (status, said)
    assert ended.exists()


def test_what_evidence_cannot_use_is_said_in_one_line(scripts: Path, tmp_path: Path) -> None:
    script, output = scripts / "evidence.py", str(tmp_path / "runs")
    status, said = end(start(script, "--data", str(tmp_path), "--output", output, "--jobs", "0"))
    assert (status, said.splitlines()[-1]) == (2, "evidence.py: error: --jobs: expected at least 1, got 0")
    status, said = end(start(script, "--data", str(tmp_path / "none"), "--output", output))
    expected = f"{tmp_path / 'none' / 'train.json'}: expected a file of COCO annotations, which is not there\n"
    assert (status, said) == (1, expected)
    status, said = end(start(script, "--page"))
    assert (status, said) == (1, f"{scripts / 'evidence'}: no results; evidence.py --data --output makes them\n")
    assert not (tmp_path / "runs").exists()

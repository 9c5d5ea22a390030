"""The command line as it is started, well and badly."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.coco_files import small_set
from tests.fixtures.command_line import arguments, augmented, run
from tests.fixtures.processes import python

USAGE = [
    (["--size", "0"], "Error: --size: expected an integer from 1"),
    (["--size", "48x0"], "Error: --size: expected an integer from 1"),
    (["--size", "3x4x5"], "expected one number or HEIGHTxWIDTH"),
    (["--target-scale", "2", "1"], "--target-scale"),
    (["--target-scale", "2"], "target-scale"),
    (["--select", "some"], "expected subset, one, all, a number or a fraction"),
    (["--select", "1.5"], "--select"),
    (["--blend-sigma", "50"], "--blend-sigma"),
    (["--blend-sigma", "1,2,3"], "expected a number or LO,HI"),
    (["--blend-sigma", "2,1"], "Error: --blend-sigma: expected"),
    (["--fill", "1,2"], "expected a number or RED,GREEN,BLUE, edge or min"),
    (["--fill", "max"], "expected a number or RED,GREEN,BLUE, edge or min"),
    (["--fill", "300"], "Error: --fill: expected whole numbers from 0 to 255"),
    (["--min-area", "-1"], "Error: --min-area: expected"),
    (["--min-visibility", "2"], "--min-visibility"),
    (["--placement", "there"], "--placement"),
    (["--missing", "score"], "expected NAME=VALUE"),
    (["--copies", "0"], "--copies"),
    (["--workers", "0"], "--workers"),
    (["--seed", "-1"], "--seed"),
    (["--num-sources", "0"], "--num-sources"),
    (["--num-sources", "1025"], "--num-sources: expected an integer from 1 to 1024"),
    (["--format", "gif"], "--format"),
    (["--resume", "--overwrite"], "exclude each other"),
    (["--source-images", "x"], "--source-images goes with --source-annotations"),
    (["--nonsense"], "--nonsense"),
]


@pytest.mark.parametrize(("more", "message"), USAGE)
def test_wrong_usage_is_status_2(
    tmp_path: Path, more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    assert run(arguments(files, tmp_path / "out", *more)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["--help"],
        ["augment", "--help"],
        ["preview", "--help"],
        ["convert", "--help"],
        ["demo", "--help"],
        ["--version"],
    ):
        assert run(command) == 0
        output = capsys.readouterr().out
        if command != ["--version"]:
            assert "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted" in output
        if command[0] == "augment":
            assert "--source-annotations" in output
    assert run([]) == 2
    assert run(["nonsense"]) == 2


def test_python_m_runs_it() -> None:
    for module in ("copypaste_rs", "copypaste_rs.cli"):
        result = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
        assert result.stdout.startswith("copypaste-rs, version ")


@pytest.mark.parametrize(("way", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_while_modules_are_imported(tmp_path: Path, way: signal.Signals, status: int) -> None:
    code = (
        "import os, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == 'click': os.kill(os.getpid(), {int(way)})\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from copypaste_rs.cli import main\n"
        "main()"
    )
    result = python(code, check=False)
    assert result.returncode == status
    assert result.stderr == "\ncopypaste-rs: interrupted\n"


def test_one_image_is_one_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    augmented(tmp_path, small_set(tmp_path / "in", 1))
    assert "out: 1 image, 1 of them made now" in capsys.readouterr().out


def test_workers_follow_the_number_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []

    def note(job: Any, numbers: Any, workers: int) -> Any:
        used.append(workers)
        return (job(number) for number in numbers)

    monkeypatch.setattr("copypaste_rs.cli.writing.ordered", note)
    monkeypatch.setattr("copypaste_rs.cli.commands.available_processors", lambda: 4)
    files = small_set(tmp_path / "in")
    command = [part for part in arguments(files, tmp_path / "out", "--overwrite") if part not in ("--workers", "1")]
    for copies in ("1", "26", "60"):
        assert run([*command, "--copies", copies]) == 0
    assert used == [1, 2, 4]


def test_a_missing_extra_is_named() -> None:
    code = "import sys; sys.modules['click'] = None\nfrom copypaste_rs.cli import main\nmain()"
    result = python(code, check=False)
    assert result.returncode == 1
    assert result.stderr == (
        "copypaste-rs: click is not installed; the command line needs the extra cli: pip install 'copypaste_rs[cli]'\n"
    )


def test_copies_that_a_list_of_results_cannot_tell_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    assert run([*arguments(files, tmp_path / "out"), "--output-format", "coco-results", "--copies", "2"]) == 2
    expected = "--copies: expected 1, since coco-results names each result by the id of its image, got 2"
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

"""The command line with standard streams that are closed or full: the work is done, the status says how it went."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from copypaste_rs.cli.commands import run
from tests.fixtures.coco_files import every_file, small_set
from tests.fixtures.command_line import COMMAND, arguments, augmented


def closed(*numbers: int) -> Callable[[], None]:
    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


def started(command: list[str], *numbers: int, **streams: Any) -> subprocess.CompletedProcess[str]:
    """Run it with these streams closed; what comes from the others."""
    pipes = {name: subprocess.PIPE for k, name in enumerate(("stdin", "stdout", "stderr")) if k not in numbers}
    return subprocess.run(
        [*COMMAND, *command], **{**pipes, **streams}, text=True, check=False, preexec_fn=closed(*numbers)
    )


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("numbers", [(2,), (1,), (0,), (0, 1, 2)], ids=str)
def test_closed_streams_change_nothing(tmp_path: Path, numbers: tuple[int, ...], workers: str) -> None:
    files = small_set(tmp_path / "in")
    expected = augmented(tmp_path, files, name="whole")
    result = started(arguments(files, tmp_path / "out", "--workers", workers), *numbers)
    assert result.returncode == 0, result.stderr
    assert every_file(tmp_path / "out") == expected
    assert not result.stderr
    assert "5 images, 5 of them made now" in (result.stdout or "") or 1 in numbers


def test_without_an_error_stream_the_status_says_it(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    for command, status in (
        (["augment", "--nonsense"], 2),
        (arguments(files, tmp_path / "out", "--copies", "0"), 2),
        (arguments(files._replace(annotations=tmp_path / "none"), tmp_path / "out"), 1),
    ):
        result = started(command, 2)
        assert (result.returncode, result.stdout) == (status, "")
        with Path("/dev/full").open("w") as full:
            assert started(command, stderr=full).returncode == status
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_printed_names_the_stream(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    with Path("/dev/full").open("w") as full:
        result = started(arguments(files, tmp_path / "out"), stdout=full)
    assert result.returncode == 1
    assert result.stderr == "copypaste-rs: standard output: No space left on device\n"
    assert (tmp_path / "out" / "annotations.json").exists()


def test_a_caller_without_an_error_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As under pythonw, where there is neither."""
    files = small_set(tmp_path / "in", 1)
    monkeypatch.setattr("sys.stderr", None)
    assert run(arguments(files, tmp_path / "out")) == 0  # with a warning
    assert run(arguments(files, tmp_path / "out")) == 2
    assert run(arguments(files._replace(images=tmp_path / "none"), tmp_path / "new")) == 1
    assert capsys.readouterr().out.count("\n") == 1


def test_a_terminal_that_goes_away_does_not_end_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

        def write(self, _: str) -> int:
            raise OSError(5, "Input/output error")

        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    files = small_set(tmp_path / "in")
    expected = augmented(tmp_path, files, name="whole")
    monkeypatch.setattr("sys.stderr", Gone())
    assert run(arguments(files, tmp_path / "out")) == 0
    assert every_file(tmp_path / "out") == expected

"""Ctrl-C while the command line starts: a line and a status, never a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import copypaste_rs
from copypaste_rs.cli.commands import run
from tests.fixtures.coco_files import small_set
from tests.fixtures.command_line import arguments

WAYS = {
    "module": "import runpy; runpy.run_module('copypaste_rs', run_name='__main__')",
    "inner module": "import runpy; runpy.run_module('copypaste_rs.cli', run_name='__main__')",
    "script": "from copypaste_rs.cli import main; main()",
}


def started(
    way: str, module: str, number: signal.Signals, prepare: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command line started one way, which sends itself a signal when it looks for a module."""
    code = (
        "import os, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "sys.argv[1:] = ['--version']\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code + WAYS[way]], capture_output=True, text=True, check=False, preexec_fn=prepare
    )


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("module", ["numpy", "dataclasses", "click"])
@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_while_modules_are_imported(way: str, module: str, number: signal.Signals, status: int) -> None:
    result = started(way, module, number)
    assert (result.returncode, result.stdout) == (status, "")
    assert result.stderr == "\ncopypaste-rs: interrupted\n"


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    def ignore() -> None:  # as nohup does, and a shell for what runs in the background
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    result = started("script", "numpy", signal.SIGINT, ignore)
    assert result.returncode == 0
    assert result.stdout.startswith("copypaste-rs, version ")


def test_an_interrupt_while_a_string_is_executed() -> None:
    """Python notes it as unhandled there, and would end with another status than that of `main`."""
    code = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'numpy': exec('os.kill(os.getpid(), signal.SIGINT)\\n' + 'os\\n' * 99, globals())\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from copypaste_rs.cli import main\n"
        "main(['--version'])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (130, "\ncopypaste-rs: interrupted\n")


def test_nothing_is_said_of_an_output_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    files = small_set(tmp_path / "in")
    preview = [part for part in arguments(files, tmp_path / "a.png") if part not in ("augment", "--workers", "1")]
    monkeypatch.setattr("copypaste_rs.datasets.annotated.read_image", interrupted)
    assert run(["preview", *preview]) == 130
    assert capsys.readouterr().err.strip() == "copypaste-rs: interrupted"
    assert run(arguments(files, tmp_path / "out")) == 130
    assert capsys.readouterr().err.strip() == ("copypaste-rs: interrupted; what is done is kept, and --resume goes on")
    monkeypatch.setattr("copypaste_rs.cli.inputs.open_dataset", interrupted)
    assert run(arguments(files, tmp_path / "new")) == 130
    assert capsys.readouterr().err.strip() == "copypaste-rs: interrupted"


def test_nothing_large_is_imported_before_main() -> None:
    code = "import sys; before = set(sys.modules); import copypaste_rs.cli; print(*set(sys.modules) - before)"
    result = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False,
                            env={"PYTHONPATH": str(Path(copypaste_rs.__file__).parent.parent)})  # fmt: skip
    assert {name.partition(".")[0] for name in result.stdout.split()} <= {
        "copypaste_rs", "signal", "enum", "types", "functools", "operator", "collections", "keyword", "reprlib",
        "_collections", "_functools", "_operator", "itertools", "__future__", "os", "stat", "genericpath",
        "posixpath", "_collections_abc", "abc", "_abc", "_stat", "_signal",
    }, result.stderr  # fmt: skip

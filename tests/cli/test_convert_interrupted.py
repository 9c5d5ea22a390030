"""`copypaste-rs convert` that is ended, or whose disk fills up: `--resume` goes on to the bytes of a whole run."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import run, start
from tests.fixtures.limits import room_for
from tests.fixtures.processes import wait_until

KINDS = {"yolo": "images/train", "voc": "JPEGImages", "labelme": "", "csv": "images"}


def command(files: Files, out: Path, kind: str, *more: str) -> list[str]:
    return ["convert", "--input", str(files.annotations), "--images", str(files.images), "--output", str(out),
            "--output-format", kind, "--workers", "1", *more]  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_set(tmp_path_factory.mktemp("set") / "in", 300)


@pytest.mark.parametrize("kind", ["yolo", "voc"])
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_ended(tmp_path: Path, many: Files, kind: str, way: signal.Signals) -> None:
    files = many
    assert run(command(files, tmp_path / "whole", kind)) == 0
    expected = every_file(tmp_path / "whole")
    out = tmp_path / "out"
    process = start(*command(files, out, kind))
    images = out / KINDS[kind]
    assert wait_until(lambda: process.poll() is not None or len(list(images.glob("*.*g"))) >= 4)
    process.send_signal(way)
    _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(way, -way)
    done = every_file(out)
    assert len(done) < len(expected)
    state = ".copypaste-rs/"
    assert {name: data for name, data in done.items() if not name.startswith(state)}.items() <= expected.items()
    assert run(command(files, out, kind, "--resume")) == 0
    assert every_file(out) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in", 12)
    assert run(command(files, tmp_path / "whole", kind)) == 0
    whole = every_file(tmp_path / "whole")
    named = set()
    for size in range(70, max(map(len, whole.values())) + 1200, 1301):
        out = tmp_path / f"{size}"
        capsys.readouterr()
        with room_for(size):
            status = run(command(files, out, kind))
        errors = capsys.readouterr().err
        if status:
            found = re.search(rf"copypaste-rs: {re.escape(str(out))}/(\S+): File too large", errors)
            assert found, errors
            named.add(found[1])
        assert not (out / ".copypaste-rs" / "partial").exists()
        assert run(command(files, out, kind, "--resume")) == 0
        assert every_file(out) == whole
    assert any(name.startswith(KINDS[kind]) for name in named)

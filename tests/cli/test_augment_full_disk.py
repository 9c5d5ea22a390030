"""`augment` on a disk that fills up: one sentence that names the file, and `--resume` goes on to the same bytes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from copypaste_rs.cli.commands import run
from tests.fixtures.coco_files import every_file, small_set
from tests.fixtures.command_line import arguments, augmented
from tests.fixtures.limits import room_for


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_full_disk_is_one_sentence(tmp_path: Path, workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in", 12)
    whole = augmented(tmp_path, files, name="whole")
    largest = max(map(len, whole.values()))
    said = set()
    for size in range(1000, largest + 600, 611 if workers == "1" else 4001):
        out = tmp_path / f"{size}"
        capsys.readouterr()
        with room_for(size):
            status = run([*arguments(files, out), "--workers", workers])
        if status:
            said.add(named_file(out, capsys.readouterr().err))
            assert "annotations.json" not in every_file(out)
        else:
            assert size >= largest
        assert run([*arguments(files, out), "--resume"]) == 0
        assert every_file(out) == whole
    assert {Path(name).suffix for name in said} == {".jpg", ""}  # images and records


def named_file(out: Path, errors: str) -> str:
    kept = "what is done is kept, and --resume goes on"
    match = re.fullmatch(rf"copypaste-rs: {re.escape(str(out))}/(\S+): File too large; {kept}\n", errors)
    assert match, errors
    return match[1]


def test_a_disk_that_is_full_at_the_very_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in", 12)
    whole = augmented(tmp_path, files)
    (tmp_path / "out" / "annotations.json").unlink()
    capsys.readouterr()
    with room_for(1000):
        assert run([*arguments(files, tmp_path / "out"), "--resume"]) == 1
    assert named_file(tmp_path / "out", capsys.readouterr().err) == "annotations.json"
    assert run([*arguments(files, tmp_path / "out"), "--resume"]) == 0
    assert every_file(tmp_path / "out") == whole

"""`preview` and `demo`: what is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.fixtures.coco_files import small_set
from tests.fixtures.command_line import arguments, check_set, run


def test_preview_writes_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    command = [part for part in arguments(files, tmp_path / "a.png") if part not in ("--workers", "1")]
    command = ["preview", *command[1:], "--side", "100"]
    assert run([*command, "--count", "2", "--placement", "uniform", "--blend-sigma", "1"]) == 0
    with Image.open(tmp_path / "a.png") as sheet:
        two = sheet.size
    assert two[0] == 10 + 4 * 110
    assert run([*command, "--item", "1"]) == 2
    assert "exists already; --overwrite replaces it" in capsys.readouterr().err
    assert run([*command, "--item", "1", "--overwrite"]) == 0
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.height < two[1]
    assert run([*command, "--item", "5", "--overwrite"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "in"]


def test_a_preview_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    (tmp_path / "folder.png").mkdir()
    inputs = ["--annotations", str(files.annotations), "--images", str(files.images), "--side", "64", "--size", "48"]
    wrong = [
        ("folder.png", f"--output: expected the name of a PNG file, got the folder {tmp_path / 'folder.png'}"),
        ("sheet.jpg", f"--output: expected a name that ends in .png, got {tmp_path / 'sheet.jpg'}"),
        ("sheet", "--output: expected a name that ends in .png"),
        ("none/sheet.png", f"--output: the folder {tmp_path / 'none'} is not there"),
    ]
    for name, message in wrong:
        for more in ([], ["--overwrite"]):
            assert run(["preview", *inputs, "--output", str(tmp_path / name), *more]) == 2
            assert message in capsys.readouterr().err

    def full(*_: Any) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        assert run(["preview", *inputs, "--output", str(tmp_path / "sheet.png")]) == 1
    assert capsys.readouterr().err == f"copypaste-rs: {tmp_path / 'sheet.png'}: No space left on device\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "in"]


def test_a_set_without_images_has_nothing_to_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in").edit(images=[], annotations=[])
    inputs = ["--annotations", str(files.annotations), "--images", str(files.images)]
    for more in ([], ["--item", "0"]):
        assert run(["preview", *inputs, "--output", str(tmp_path / "a.png"), *more]) == 1
        assert "expected at least one image to show, got a set without images" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_demo_shows_pictures_speed_and_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--output", str(tmp_path / "demo")]) == 0
    output = capsys.readouterr().out
    assert str(tmp_path / "demo" / "preview.png") in output
    assert "Rust: " in output
    assert "the same bytes on all 5 images" in output
    check_set(tmp_path / "demo", capsys)
    assert run(["demo", "--output", str(tmp_path / "demo")]) == 2

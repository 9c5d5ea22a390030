"""Wrong usage that can be told from the arguments alone: status 2 and one sentence, before any file is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from copypaste_rs.cli.commands import run
from tests.fixtures.coco_files import small_set
from tests.fixtures.command_line import arguments


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def make(folder: Path) -> None:
    (folder / "file").write_text("x")
    (folder / "folder").mkdir()
    (folder / "folder" / "mine").write_text("x")
    (folder / "loop").symlink_to("loop")
    (folder / "nowhere").symlink_to("missing")
    (folder / "nowhere.png").symlink_to("missing.png")
    (folder / "loop.png").symlink_to("loop.png")


AUGMENT = [
    (["--output", "loop"], "--output: loop: expected a folder, got a link that leads back to itself"),
    (["--output", "loop/a/b"], "--output: loop: expected a folder, got a link that leads back to itself"),
    (["--output", "nowhere"], "--output: nowhere: expected a folder, got a link to missing, which is not there"),
    (["--output", "nowhere/a"], "--output: nowhere: expected a folder, got a link to missing, which is not there"),
    (["--output", "file"], "--output: file: expected a folder, got a file"),
    (["--output", "file/a"], "--output: file: expected a folder, got a file"),
    (["--output", "folder"], "--output: folder: holds other files; choose another folder"),
    (["--copies", "10000000000000000000"], "Invalid value for '--copies': 10000000000000000000 is not in the range"),
    (["--copies", "1000000001"], "Invalid value for '--copies': 1000000001 is not in the range"),
    (
        ["--size", "70000x1"],
        "--size: expected sides of at most 65500 pixels for JPEG, got 70000x1; --image-format png has no",
    ),
    (
        ["--size", "1x65501"],
        "--size: expected sides of at most 65500 pixels for JPEG, got 1x65501; --image-format png has",
    ),
    (["--num-sources", "10000000000000000000"], "--num-sources: expected an integer from 1 to 1024, got 1000"),
    (["--num-sources", "0"], "--num-sources: expected an integer from 1 to 1024, got 0"),
    (["--seed", "-1"], "--seed: expected an integer from 0 to 18446744073709551615, got -1"),
    (["--seed", "18446744073709551616"], "--seed: expected an integer from 0 to 18446744073709551615, got 1844"),
    (["--resume", "--overwrite"], "--resume and --overwrite exclude each other"),
]


@pytest.mark.parametrize(("more", "message"), AUGMENT)
def test_augment(
    tmp_path: Path, more: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path)
    before = tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    output = [] if "--output" in more else ["--output", "out"]
    assert run(["augment", "--annotations", "none.json", "--images", "none", *output, *more]) == 2
    assert f"Error: {message}" in capsys.readouterr().err
    assert tree(tmp_path) == before


PREVIEW = [
    ("nowhere.png", "--output: nowhere.png: expected a PNG file, got a link to missing.png, which is not there"),
    ("loop.png", "--output: loop.png: expected a PNG file, got a link that leads back to itself"),
    ("loop/a.png", "--output: the folder loop is not there"),
]


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
@pytest.mark.parametrize(("output", "message"), PREVIEW)
def test_preview(
    tmp_path: Path,
    output: str,
    message: str,
    more: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(tmp_path)
    before = tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["preview", "--annotations", "none.json", "--images", "none", "--output", output, *more]) == 2
    assert f"Error: {message}" in capsys.readouterr().err
    assert run(["preview", "--annotations", "none.json", "--images", "none", "--num-sources", "0"]) == 2
    assert "Error: --num-sources: expected" in capsys.readouterr().err
    assert tree(tmp_path) == before


@pytest.mark.parametrize("place", ["loop", "nowhere/a", "file/a", "folder"])
def test_demo(tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    before = tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["demo", "--output", place]) == 2
    assert "Error: --output: " in capsys.readouterr().err
    assert run(["demo", "--output", "out", "--resume", "--overwrite"]) == 2
    assert tree(tmp_path) == before


def test_inputs_in_a_loop_are_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path)
    files = small_set(tmp_path / "in")
    loop = str(tmp_path / "loop")
    sources = ["--source-annotations", loop, "--source-images", loop]
    for more in (["--annotations", loop], ["--images", loop], sources):
        assert run([*arguments(files, tmp_path / "out"), *more]) == 1
        assert capsys.readouterr().err.startswith(f"copypaste-rs: {loop}: ")
    assert not (tmp_path / "out").exists()


def test_png_has_no_limit_of_sides(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in", 2)
    assert run(arguments(files, tmp_path / "out", "--size", "65600x1", "--format", "png")) == 0


VALUES = [
    ("track=99999999999999999999", "--missing track=99999999999999999999: expected a number of 64 bits, as the field"),
    ("track=-9223372036854775809", "--missing track=-9223372036854775809: expected a number of 64 bits, as the field"),
    ("good=9223372036854775808", "--missing good=9223372036854775808: expected a number of 64 bits, as the field"),
    (f"score=1{'0' * 400}", "expected a number of 64 bits, as the field 'score' has"),
    (f"score={'[' * 200_000}", "expected a number, as the field 'score' holds numbers"),
    ("name=\udcff", "--missing name: expected text that UTF-8 can hold, got '\\udcff'"),
]


@pytest.mark.parametrize(("value", "message"), VALUES, ids=lambda value: value[:20])
def test_a_stand_in_that_can_never_be_written(
    tmp_path: Path, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, pseudo = small_set(tmp_path / "truth"), small_set(tmp_path / "pseudo")
    fields = {"track": 3, "good": True, "name": "x"}
    truth.edit(annotations=[a | fields for a in truth.json["annotations"]])
    pseudo.edit(annotations=[{k: v for k, v in a.items() if k != "score"} for a in pseudo.json["annotations"]])
    sources = ["--source-annotations", str(truth.annotations), "--source-images", str(truth.images)]
    good = ["--missing", "track=1", "--missing", "good=true", "--missing", "name=y", "--missing", "score=1"]
    command = arguments(pseudo, tmp_path / "out", *sources, *good)
    assert run([*command, "--missing", value]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run(command) == 0

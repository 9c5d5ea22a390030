"""Photographs of a validation set that are augmented as well: one counted warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.coco_files import Files, small_set, write
from tests.fixtures.command_line import arguments, run


def named(files: Files, *names: str) -> Files:
    """The set whose images have these names in the file alone."""
    images = files.json["images"]
    for image, name in zip(images, names, strict=True):
        image["file_name"] = name
    return files.edit(images=images)


def options(files: Files) -> list[str]:
    return ["--validation-annotations", str(files.annotations), "--validation-images", str(files.images)]


@pytest.mark.parametrize("command", ["augment", "preview"])
def test_shared_photographs_are_told_once(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    validation = write(tmp_path / "val", [], [(40, 60), (48, 32), (50, 64)])
    (validation.images / "0.jpg").rename(validation.images / "new.jpg")  # the same bytes under another name
    (validation.images / "2.jpg").write_bytes(b"another file")
    (validation.images / "2.jpg").rename(validation.images / "far.jpg")
    named(validation, "new.jpg", "1.png", "far.jpg")
    given = arguments(files, tmp_path / "out", *options(validation))
    if command == "preview":
        given = ["preview", *given[1:5], "--output", str(tmp_path / "sheet.png"), *options(validation)]
    assert run(given) == 0
    err = capsys.readouterr().err
    assert err.count("warning") == 1
    told = (
        f"copypaste-rs: warning: {validation.annotations}: 2 of 3 photographs are in {files.annotations} too, by name or "
        "content, the first as 0.jpg; a model would be validated on what it was trained on"
    )
    assert told in err


def test_sources_are_looked_at_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets = named(write(tmp_path / "targets", [], [(30, 30)]), "t.jpg")
    (targets.images / "0.jpg").rename(targets.images / "t.jpg")
    sources = small_set(tmp_path / "sources")
    more = ["--source-annotations", str(sources.annotations), "--source-images", str(sources.images)]
    validation = write(tmp_path / "val", [], [(40, 60)])
    assert run(arguments(targets, tmp_path / "out", *more, *options(validation))) == 0
    told = f"{validation.annotations}: 1 of 1 photograph is in {sources.annotations} too, by name or content, the first"
    assert told in capsys.readouterr().err


def test_nothing_is_said_where_nothing_is_shared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    validation = named(write(tmp_path / "val", [], [(30, 30)]), "far.jpg")
    assert run(arguments(files, tmp_path / "out", "--validation-annotations", str(validation.annotations))) == 0
    assert "warning" not in capsys.readouterr().err


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    assert run(arguments(files, tmp_path / "out", "--validation-images", str(files.images))) == 2
    assert "--validation-images goes with --validation-annotations" in capsys.readouterr().err
    assert run(arguments(files, tmp_path / "out", "--validation-annotations", str(tmp_path / "none.json"))) == 1
    assert "none.json" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

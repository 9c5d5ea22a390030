"""Where a data set is written to: what is in the way is named, and nothing is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from copypaste_rs.datasets import CocoWriter

CATEGORIES = [{"id": 1, "name": "square"}]


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def link(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


def make(folder: Path) -> None:
    (folder / "file").write_text("x")
    (folder / "folder").mkdir()
    link(folder / "loop", "loop")
    link(folder / "there", "back")
    link(folder / "back", "there")
    link(folder / "nowhere", "missing")
    link(folder / "below", "file/missing")
    link(folder / "good", "folder")
    link(folder / "to_file", "file")


PLACES = [
    ("file", "file: expected a folder, got a file"),
    ("to_file", "to_file: expected a folder, got a file"),
    ("file/out/out", "file: expected a folder, got a file"),
    ("loop", "loop: expected a folder, got a link that leads back to itself"),
    ("there/out", "there: expected a folder, got a link that leads back to itself"),
    ("nowhere", "nowhere: expected a folder, got a link to missing, which is not there"),
    ("nowhere/a/b", "nowhere: expected a folder, got a link to missing, which is not there"),
    ("below", "below: expected a folder, got a link to file/missing, which is not there"),
    ("good/../loop/x", "loop: expected a folder, got a link that leads back to itself"),
]


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}], ids=str)
@pytest.mark.parametrize(("place", "message"), PLACES)
def test_what_is_in_the_way_is_named(tmp_path: Path, place: str, message: str, options: Any) -> None:
    make(tmp_path)
    before = tree(tmp_path)
    with pytest.raises(FileExistsError, match=f"{message}$") as caught:
        CocoWriter(tmp_path / place, CATEGORIES, **options)
    assert str(caught.value).startswith(str(tmp_path))
    assert tree(tmp_path) == before


@pytest.mark.parametrize("place", ["folder", "good", "good/a/b", "new", "new/a", "folder/../x"])
def test_folders_and_links_to_them_are_written_to(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    CocoWriter(tmp_path / place, CATEGORIES).close()
    assert (tmp_path / place / "annotations.json").is_file()
    monkeypatch.chdir(tmp_path / place)
    CocoWriter("", CATEGORIES, resume=True).close()
    CocoWriter("more", CATEGORIES).close()
    assert (tmp_path / place / "more" / "annotations.json").is_file()


def a_file(path: Path) -> None:
    path.write_text("x")


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("missing")


INSIDE = [
    ("images", a_file, "images: expected a folder, got a file"),
    ("images", a_loop, "images: expected a folder, got a link that leads back to itself"),
    ("images", a_link_to_nothing, "images: expected a folder, got a link to missing, which is not there"),
    ("annotations.json", Path.mkdir, r"annotations\.json: expected a file, got a folder"),
]


@pytest.mark.parametrize("options", [{"resume": True}, {"overwrite": True}], ids=str)
@pytest.mark.parametrize(("name", "put", "message"), INSIDE)
def test_what_is_in_the_way_inside_is_found_at_the_start(
    tmp_path: Path, name: str, put: Any, message: str, options: Any
) -> None:
    CocoWriter(tmp_path, CATEGORIES).close()
    (tmp_path / "images").rmdir()
    (tmp_path / "annotations.json").unlink()
    put(tmp_path / name)
    before = tree(tmp_path)
    with pytest.raises(FileExistsError, match=f"{message}$"):
        CocoWriter(tmp_path, CATEGORIES, **options)
    assert tree(tmp_path) == before

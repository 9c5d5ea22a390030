"""A single file put in place: links are followed, and a file that is replaced keeps its mode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from copypaste_rs.datasets.whole_file import write_whole


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("bits", [0o600, 0o664, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(b"old")
    path.chmod(bits)
    write_whole(path, [b"n", b"ew"], overwrite=True)
    assert path.read_bytes() == b"new"
    assert mode(path) == bits
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_mode_that_others_get(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"")
    write_whole(tmp_path / "labels.json", [b"new"])
    assert mode(tmp_path / "labels.json") == mode(tmp_path / "other")


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path: Path, absolute: bool) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "v1.json").write_bytes(b"old")
    (store / "v1.json").chmod(0o640)
    (store / "latest.json").symlink_to("v1.json")
    link = tmp_path / "labels.json"
    link.symlink_to(store / "latest.json" if absolute else Path("store", "latest.json"))
    before = link.readlink()
    write_whole(link, [b"new"], overwrite=True)
    assert link.readlink() == before
    assert (store / "latest.json").readlink() == Path("v1.json")
    assert (store / "v1.json").read_bytes() == b"new"
    assert not (store / "v1.json").is_symlink()
    assert mode(store / "v1.json") == 0o640
    assert sorted(path.name for path in store.iterdir()) == ["latest.json", "v1.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.json", "store"]


def test_what_fails_leaves_link_and_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"old")
    (tmp_path / "b.json").symlink_to("a.json")
    with pytest.raises(FileExistsError, match=r"b\.json: exists already; overwrite=True replaces it$"):
        write_whole(tmp_path / "b.json", [b"new"])

    def pieces() -> Iterator[bytes]:
        yield b"n"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_whole(tmp_path / "b.json", pieces(), overwrite=True)
    assert (tmp_path / "b.json").is_symlink()
    assert (tmp_path / "a.json").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]

"""The cache of tables: valid or not there, whatever lies in its place, and never needed."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import shutil
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from copypaste_rs.datasets import CocoDataset, CopyPasteDataset, sample_paths, table_cache
from copypaste_rs.datasets import coco as coco_module
from copypaste_rs.datasets.coco_json import read_coco
from copypaste_rs.datasets.sources import Stamp
from copypaste_rs.datasets.table_files import load_tables, save_tables
from copypaste_rs.transforms import SimpleCopyPaste
from tests.fixtures.plain_tables import as_data

SQUARE = [[2, 1, 9, 1, 9.25, 6, 2, 6]]
HOUR = 3600 * 10**9


def write(path: Path, n: int = 3, note: str = "x", first: str = "cat") -> Path:
    images = [{"id": i, "file_name": f"{i}.png", "height": 8, "width": 12} for i in range(1, 3)]
    rows = [
        {"id": i, "image_id": 1 + i % 2, "category_id": 5, "segmentation": SQUARE, "note": note * i, "score": i / 7,
         "long": "a" * (300 * i), "flag": i % 2 == 0}
        for i in range(1, n + 1)
    ]  # fmt: skip
    rows.append({"id": 90, "image_id": 1, "category_id": 7, "bbox": [1, 1, 3, 3]})
    file = {
        "images": images,
        "annotations": rows,
        "categories": [{"id": 5, "name": first}, {"id": 7, "name": "dog"}],
        "info": 3,
    }
    path.write_text(json.dumps(file))
    return path


def open_set(path: Path, cache: Any, **options: Any) -> CocoDataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CocoDataset(path, path.parent, cache_dir=cache, **{"boxes": "keep", **options})


def made_old(path: Path) -> Path:
    """The file, as if it had been written an hour ago."""
    then = time.time_ns() - HOUR
    os.utime(path, ns=(then, then))
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The annotation files that are read, and not mapped."""
    found: list[Path] = []

    def counting(path: Path, *arguments: Any) -> Any:
        found.append(path)
        return read_coco(path, *arguments)

    monkeypatch.setattr(coco_module, "read_coco", counting)
    return found


def data(photos: CocoDataset) -> Any:
    return as_data(photos._tables)


@pytest.mark.parametrize(
    "options", [{}, {"boxes": "drop"}, {"crowds": "objects"}, {"columns": ["note"]}, {"columns": []}]
)
def test_what_is_mapped_is_what_was_read(tmp_path: Path, reads: list[Path], options: dict[str, Any]) -> None:
    path = write(tmp_path / "a.json")
    expected = open_set(path, False, **options)
    for _ in range(2):
        photos = open_set(path, tmp_path / "cache" / "of mine", **options)
        assert data(photos) == data(expected)
        assert [photos.instances(i) for i in range(2)] == [expected.instances(i) for i in range(2)]
        assert (photos.file_info, photos.fields, photos.integers) == (3, expected.fields, expected.integers)
    assert len(reads) == 2
    assert len([*(tmp_path / "cache" / "of mine").iterdir()]) == 1


def test_each_choice_has_its_own_cache(tmp_path: Path, reads: list[Path]) -> None:
    path = write(tmp_path / "a.json")
    for _ in range(2):
        for options in ({}, {"boxes": "drop"}, {"columns": ["note", "score"]}):
            open_set(path, tmp_path / "cache", **options)
    assert len(reads) == 3


def test_a_set_without_images(tmp_path: Path, reads: list[Path]) -> None:
    (tmp_path / "a.json").write_text('{"images": []}')
    for _ in range(2):
        assert len(open_set(tmp_path / "a.json", tmp_path / "cache")) == 0
    assert len(reads) == 1


def test_place_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[Path]) -> None:
    path = write(tmp_path / "a[1].json")
    open_set(path, None)
    assert [each.name for each in tmp_path.iterdir()] == ["a[1].json"]  # small: none is made
    monkeypatch.setattr(table_cache, "WORTH_IT", 10)
    open_set(path, None, boxes="drop")
    (tmp_path / "a[1].json.0.partial").write_bytes(b"x")
    for _ in range(2):
        CocoDataset(path, tmp_path, columns=(), boxes="keep")
    with pytest.warns(UserWarning, match="left out"):
        CocoDataset(path, tmp_path, boxes="drop")
    names = {each.name for each in tmp_path.iterdir()}
    assert len(names) == 4
    assert sum(name.endswith(".copypaste-rs") for name in names) == 2
    assert len(reads) == 3


def test_files_of_one_name_have_caches_of_their_own(tmp_path: Path, reads: list[Path]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "x.json", first=name)
    for _ in range(2):
        for name in ("a", "b"):
            assert open_set(tmp_path / name / "x.json", tmp_path / "cache").categories[0]["name"] == name
    assert len(reads) == 2


def test_changed_annotations(tmp_path: Path, reads: list[Path]) -> None:
    path = made_old(write(tmp_path / "a.json"))
    open_set(path, tmp_path / "cache")
    write(path, n=4)
    assert len(open_set(path, tmp_path / "cache").instances(1)) == 2
    assert len(open_set(path, tmp_path / "cache").instances(1)) == 2
    assert len(reads) == 2


def test_a_change_within_a_step_of_the_clock(tmp_path: Path, reads: list[Path]) -> None:
    """Size, time and number are equal, and the bytes are not: a new file is compared by its bytes."""
    path = write(tmp_path / "a.json", first="cat")
    found = path.stat()
    open_set(path, tmp_path / "cache")
    with path.open("r+b") as file:
        file.write(path.read_bytes().replace(b'"cat"', b'"cow"'))
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))
    assert open_set(path, tmp_path / "cache").categories[0]["name"] == "cow"
    assert len(reads) == 2


def test_bytes_that_are_equal_under_another_time(tmp_path: Path, reads: list[Path]) -> None:
    path = made_old(write(tmp_path / "a.json"))
    open_set(path, tmp_path / "cache")
    (cache,) = (tmp_path / "cache").iterdir()
    key = table_cache.cache_key({"boxes": "keep"})
    copy = made_old(Path(shutil.copy(path, tmp_path / "b.json")))
    copy.replace(path)  # another number and time
    open_set(path, tmp_path / "cache")
    assert len(reads) == 1
    stored = load_tables(cache, key)
    assert stored is not None
    assert stored.stamp == Stamp.of(path)


def damaged(whole: bytes) -> dict[str, bytes]:
    header = whole.index(b'{"key"')
    return {
        "empty": b"",
        "start": whole[:40],
        "cut in the header": whole[: header + 20],
        "one byte less": whole[:-1],
        "one byte more": whole + b"\0",
        "zeros": bytes(len(whole)),
        "zeros behind the header": whole[:2048] + bytes(len(whole) - 2048),
        "last page": whole[:-64] + bytes([whole[-64] ^ 1]) + whole[-63:],
        "header": whole[: header + 9] + b"#" + whole[header + 10 :],
        "magic": b"X" + whole[1:],
        "another file": b"hello" * 1000,
    }


@pytest.mark.parametrize("how", damaged(b'{"key"' + b" " * 5000).keys())
def test_damaged_caches_are_made_anew(tmp_path: Path, how: str, reads: list[Path]) -> None:
    path = made_old(write(tmp_path / "a.json"))
    expected = data(open_set(path, tmp_path / "cache"))
    (cache,) = (tmp_path / "cache").iterdir()
    whole = cache.read_bytes()
    cache.write_bytes(damaged(whole)[how])
    assert data(open_set(path, tmp_path / "cache")) == expected
    assert len(reads) == 2
    assert cache.read_bytes() == whole


def test_a_cache_of_another_file(tmp_path: Path, reads: list[Path]) -> None:
    path, other = made_old(write(tmp_path / "a.json", first="cat")), made_old(write(tmp_path / "b.json", first="cow"))
    open_set(path, tmp_path / "cache")
    open_set(other, tmp_path / "cache")
    mine, theirs = sorted((tmp_path / "cache").iterdir())
    shutil.copy(theirs, mine)
    assert open_set(path, tmp_path / "cache").categories[0]["name"] == "cat"
    assert len(reads) == 3


def test_a_cache_of_another_version(tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = made_old(write(tmp_path / "a.json"))
    with monkeypatch.context() as patch:
        patch.setattr("copypaste_rs.__version__", "0.0.1")
        open_set(path, tmp_path / "cache")
    open_set(path, tmp_path / "cache")
    assert len(reads) == 2


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made_old(write(tmp_path / "a.json"))

    def changing(of: Path, *arguments: Any) -> Any:
        tables = read_coco(of, *arguments)
        write(path, n=5)
        return tables

    monkeypatch.setattr(coco_module, "read_coco", changing)
    open_set(path, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_folders_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.json")
    (tmp_path / "file").write_text("x")
    with pytest.warns(UserWarning, match="^cache_dir: .*cannot be written: .*; annotations are read each time$"):
        photos = CocoDataset(path, tmp_path, boxes="keep", cache_dir=tmp_path / "file")
    assert len(photos) == 2

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table_cache, "save_tables", full)
    monkeypatch.setattr(table_cache, "WORTH_IT", 10)
    assert len(CocoDataset(path, tmp_path, boxes="keep")) == 2  # nobody asked for it, nobody is told
    assert {each.name for each in tmp_path.iterdir()} == {"a.json", "file"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_has_no_cache(tmp_path: Path) -> None:
    content = write(tmp_path / "a.json").read_bytes()
    os.mkfifo(tmp_path / "pipe")
    writer = multiprocessing.get_context("fork").Process(target=lambda: (tmp_path / "pipe").write_bytes(content))
    writer.start()
    assert len(open_set(tmp_path / "pipe", tmp_path / "cache")) == 2
    writer.join()
    assert not (tmp_path / "cache").exists()


def test_what_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = open_set(write(tmp_path / "a.json"), False)._tables
    (tmp_path / "cache").mkdir()
    with pytest.raises((TypeError, ValueError)):
        save_tables(tmp_path / "cache" / "x", tables._replace(info=object()), Stamp(1, 2, 3), {})
    monkeypatch.setattr("copypaste_rs.datasets.table_files._checksum", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_tables(tmp_path / "cache" / "x", tables, Stamp(1, 2, 3), {})
    assert not [*(tmp_path / "cache").iterdir()]


def test_leftovers_of_killed_processes_go(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json")
    open_set(path, tmp_path / "cache")
    (cache,) = (tmp_path / "cache").iterdir()
    old, new = (cache.with_name(f"{cache.name}.{name}.partial") for name in ("old", "new"))
    for each in (old, new, tmp_path / "cache" / "other.partial"):
        each.write_bytes(b"x")
    made_old(old)
    os.utime(old, (1, 1))
    write(path, n=5)
    open_set(path, tmp_path / "cache")
    assert not old.exists()
    assert new.exists()
    assert (tmp_path / "cache" / "other.partial").exists()


def _open_many_times(path: str, cache: str, digest: str) -> None:
    for _ in range(20):
        photos = open_set(Path(path), cache)
        assert photos.digest == digest
        assert len(photos.instances(0)) == 2


def test_several_processes_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json")
    digest = open_set(path, False).digest
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_open_many_times, args=(str(path), str(tmp_path / "cache"), digest)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len([*(tmp_path / "cache").iterdir()]) == 1


@pytest.mark.parametrize("labels", ["ids", "from0"])
def test_pickles_are_small(tmp_path: Path, labels: str) -> None:
    path = write(tmp_path / "a.json", n=400)
    photos = open_set(path, tmp_path / "cache", labels=labels)
    joined = photos.with_categories([{"id": 40, "name": "dog"}])
    for given in (photos, joined):
        text = pickle.dumps(given)
        assert len(text) < 5000 < len(pickle.dumps(open_set(path, False)))
        again = pickle.loads(text)
        assert again.categories == given.categories
        assert again.category_ids == given.category_ids
        assert data(again) == data(given)
        assert [again.instances(i) for i in range(2)] == [given.instances(i) for i in range(2)]
    assert joined.instances(0) != photos.instances(0)


def test_pickles_outlive_the_cache(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json")
    photos = open_set(path, tmp_path / "cache")
    text = pickle.dumps(photos)
    shutil.rmtree(tmp_path / "cache")
    assert data(pickle.loads(text)) == data(photos)
    write(path, n=5)
    with pytest.raises(ValueError, match=r"they have changed since; open the data set anew$"):
        pickle.loads(text)
    assert len(photos.instances(0)) == 2  # what is mapped stays


def _items(train: Any, queue: Any) -> None:
    queue.put([train[i].image.sum().item() for i in range(4)])


def test_spawned_workers_see_equal_items(tmp_path: Path) -> None:
    photos = CocoDataset(*sample_paths(), cache_dir=tmp_path)
    train = CopyPasteDataset(photos, SimpleCopyPaste(size=64), seed=3)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    worker = context.Process(target=_items, args=(train, queue))
    worker.start()
    assert queue.get(timeout=60) == [train[i].image.sum().item() for i in range(4)]
    worker.join()


def test_arguments(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json")
    for wrong in (True, 3, b"x"):
        with pytest.raises(TypeError, match=r"^cache_dir: expected a path, None or False, got "):
            CocoDataset(path, tmp_path, cache_dir=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^cache_dir: expected a path without null characters"):
        CocoDataset(path, tmp_path, cache_dir="a\0b")

"""Files of tables that are begun before the tables are ready: nothing is told from one that was not, but the time."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from copypaste_rs.datasets import CocoDataset, plain_coco, table_cache
from copypaste_rs.datasets.sources import Stamp
from copypaste_rs.datasets.table_files import TableDraft, load_tables, save_tables
from tests.fixtures.limits import room_for
from tests.fixtures.plain_tables import as_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from copypaste_rs.datasets.tables import AnnotationTables

STAMP = Stamp(1, 2, 3)


def write(path: Path, n: int = 400, **further: Any) -> Path:
    images = [{"id": i, "file_name": f"{i}.png", "height": 8, "width": 12} for i in range(1, 9)]
    rows = [
        {"id": i, "image_id": 1 + i % 8, "category_id": 5, "segmentation": [[2, 1, 9, 1, 9.25, i % 6, 2, 6]],
         "note": f"{i % 7}"}
        for i in range(n)
    ]  # fmt: skip
    file = {"images": images, "annotations": rows, "categories": [{"id": 5, "name": "cat"}], **further}
    path.write_text(json.dumps(file))
    return path


def tables_of(path: Path) -> AnnotationTables:
    return CocoDataset(path, path.parent, cache_dir=False)._tables


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Numbers of arrays of the drafts that are begun early, which small files have too here."""
    found: list[int] = []
    begin = TableDraft.begin

    def counting(self: TableDraft, arrays: Any) -> None:
        found.append(len(arrays))
        begin(self, arrays)

    monkeypatch.setattr(table_cache, "WORTH_IT", 1)
    monkeypatch.setattr(TableDraft, "begin", counting)
    threads = threading.active_count()
    yield found
    assert threading.active_count() == threads


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_tables_are_those_of_a_file_that_was_not_begun(tmp_path: Path, begun: list[int]) -> None:
    path = write(tmp_path / "a.json")
    expected = as_data(tables_of(path))
    for _ in range(2):
        assert as_data(CocoDataset(path, tmp_path)._tables) == expected
    assert begun == [7]
    assert names(tmp_path) == {"a.json", "a.json.copypaste-rs"}
    # And it has no more in it, but for digits of places.
    save_tables(tmp_path / "whole", tables_of(path), STAMP, table_cache.cache_key({}))
    sizes = [(tmp_path / name).stat().st_size for name in ("whole", "a.json.copypaste-rs")]
    assert abs(sizes[0] - sizes[1]) < 64


@pytest.mark.parametrize("which", ["none", "all", "some", "others", "twice"])
def test_arrays_that_were_written_before(tmp_path: Path, which: str) -> None:
    tables = tables_of(write(tmp_path / "a.json"))
    outlines = tables.segmentations
    early: dict[str, list[Any]] = {
        "none": [],
        "all": [tables.ids, tables.labels, *outlines, tables.image_json],
        "some": [outlines.counts, outlines.coordinates],
        "others": [tables.ids.copy(), np.arange(5), outlines.coordinates],
        "twice": [tables.ids, tables.ids],
    }
    with TableDraft(tmp_path / "cache") as draft:
        draft.begin(early[which])
        draft.save(tables, STAMP, {"a": 1})
    stored = load_tables(tmp_path / "cache", {"a": 1})
    assert stored is not None
    assert as_data(stored.tables) == as_data(tables)
    assert names(tmp_path) == {"a.json", "cache"}


def test_arrays_are_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: list[int]) -> None:
    """What was read takes no memory beside what is mapped, whether or not somebody collects garbage."""
    gone: list[Any] = []
    begin = TableDraft.begin

    def watching(self: TableDraft, arrays: Any) -> None:
        gone.extend(map(weakref.ref, arrays))
        begin(self, arrays)

    monkeypatch.setattr(TableDraft, "begin", watching)
    gc.disable()
    try:
        photos = CocoDataset(write(tmp_path / "a.json"), tmp_path)
        assert len(photos) == 8
        assert [each() for each in gone] == [None] * 7
    finally:
        gc.enable()
    assert begun == [7]


def test_what_is_not_kept_leaves_nothing(tmp_path: Path) -> None:
    tables = tables_of(write(tmp_path / "a.json"))
    with TableDraft(tmp_path / "cache") as draft:
        draft.begin([tables.ids])
    with TableDraft(tmp_path / "cache") as draft:
        draft.begin([tables.ids])
        with pytest.raises(TypeError):
            draft.save(tables._replace(info=object()), STAMP, {})
    with TableDraft(tmp_path / "gone" / "cache") as draft:
        draft.begin([tables.ids])
        with pytest.raises(FileNotFoundError):
            draft.save(tables, STAMP, {})
    assert names(tmp_path) == {"a.json"}


def test_a_set_that_cannot_be_read_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: list[int]
) -> None:
    def fails(*_: Any) -> None:
        raise MemoryError

    path = write(tmp_path / "a.json")
    monkeypatch.setattr(plain_coco, "assembled", fails)
    with pytest.raises(MemoryError):
        CocoDataset(path, tmp_path)
    assert begun == [7]
    # What turns out to be odd is read otherwise, and not begun before.
    path.write_text(path.read_text().replace('"id": 399', '"id": "399"'))
    assert len(CocoDataset(path, tmp_path)) == 8
    assert begun == [7]
    assert names(tmp_path) == {"a.json", "a.json.copypaste-rs"}


def test_a_folder_is_made_only_for_a_cache(tmp_path: Path, begun: list[int]) -> None:
    path = write(tmp_path / "a.json")
    expected = as_data(tables_of(path))
    for name in ("cache", "cache", "cache2"):
        assert as_data(CocoDataset(path, tmp_path, cache_dir=tmp_path / name)._tables) == expected
    assert begun == []
    write(path, 401)
    CocoDataset(path, tmp_path, cache_dir=tmp_path / "cache")
    assert begun == [7]


def test_a_disk_that_is_full(tmp_path: Path, begun: list[int]) -> None:
    path = write(tmp_path / "a.json", 4000)
    (tmp_path / "cache").mkdir()
    expected = as_data(tables_of(path))
    for size in (0, 100, 20_000, 100_000):
        with room_for(size), pytest.warns(UserWarning, match=r"^cache_dir: .*cannot be written: .*; annotations are"):
            photos = CocoDataset(path, tmp_path, cache_dir=tmp_path / "cache")
        assert as_data(photos._tables) == expected
        assert names(tmp_path / "cache") == set()
    assert len(begun) == 4

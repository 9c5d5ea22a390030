"""Caches of the tables of every format: what is mapped is what reading gives, whatever was done to the files."""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import random
import shutil
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from copypaste_rs.datasets import CocoDataset, LvisDataset, YoloDataset, table_cache
from copypaste_rs.datasets.sources import Sources
from tests.fixtures import coco_files
from tests.fixtures.plain_tables import as_data
from tests.fixtures.sets_of_formats import SETS, SQUARE, Opened, image, text

if TYPE_CHECKING:
    from copypaste_rs.datasets.annotated import AnnotatedImages

HOUR = 3600 * 10**9
CHANGES = [(name, change) for name, (_, _, changes) in SETS.items() for change in changes]
_times = iter(range(1, 1 << 30))


def made_old(folder: Path) -> None:
    """Give all files times of some hours ago, each another one."""
    for path in [*folder.rglob("*")]:
        if time.time_ns() - path.stat().st_mtime_ns < HOUR:
            then = time.time_ns() - 3 * HOUR + 10**6 * next(_times)
            os.utime(path, ns=(then, then))


def made(name: str, folder: Path) -> Opened:
    """Write a set; the result opens it."""
    write, opened, _ = SETS[name]
    folder.mkdir(exist_ok=True)
    write(folder)
    made_old(folder)
    return functools.partial(quietly, opened, folder)


def quietly(opened: Opened, folder: Path, cache: Any, **options: Any) -> AnnotatedImages:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return opened(folder, cache_dir=cache, **options)


def data(photos: AnnotatedImages) -> Any:
    """All that a set says, its folder among it."""
    return as_data(photos._tables), str(photos.image_folder.resolve()), photos.file_info, photos.licenses


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """An entry for each time a set is read, and not mapped."""
    found: list[bool] = []

    def counting(*, is_noting: bool = False) -> Sources:
        found.append(is_noting)
        return Sources(is_noting=is_noting)

    monkeypatch.setattr(table_cache, "Sources", counting)
    return found


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_read_once(tmp_path: Path, name: str, reads: list[bool]) -> None:
    opened = made(name, tmp_path / "set")
    expected = opened(False)
    for _ in range(3):
        photos = opened(tmp_path / "cache")
        assert data(photos) == data(expected)
        assert [photos.instances(i) for i in range(len(photos))] == [expected.instances(i) for i in range(len(photos))]
        assert [photos.path(i) for i in range(len(photos))] == [expected.path(i) for i in range(len(photos))]
    assert reads == [False, True]
    (cache,) = (tmp_path / "cache").iterdir()
    assert cache.name.endswith(".copypaste-rs")


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_what_has_changed_is_read_anew(tmp_path: Path, name: str, change: str, reads: list[bool]) -> None:
    opened = made(name, tmp_path / "set")
    before = data(opened(tmp_path / "cache"))
    SETS[name][2][change](tmp_path / "set")
    made_old(tmp_path / "set")
    expected = data(opened(False))
    assert expected != before
    for _ in range(2):
        assert data(opened(tmp_path / "cache")) == expected
    assert reads == [True, False, True]


@pytest.mark.parametrize("name", ["yolo", "label maps", "labelme", "backgrounds", "csv"])
def test_any_sequence_of_changes(tmp_path: Path, name: str) -> None:
    """Files are copied, removed and exchanged at random: a cached set is what a set without a cache is."""
    opened, rng = made(name, tmp_path / "set"), random.Random(name)
    seen = set()
    for _ in range(40):
        files = sorted(path for path in (tmp_path / "set").rglob("*") if path.suffix in (".png", ".txt", ".json"))
        one, other = rng.choice(files), rng.choice(files)
        kind = rng.randrange(4)
        if kind == 0:
            one.with_name(rng.choice("abcd") + one.suffix).write_bytes(one.read_bytes())
        elif kind == 1 and one.suffix == other.suffix:
            one.rename(tmp_path / "kept")  # times stay
            if other != one:
                other.rename(one)
            (tmp_path / "kept").rename(other)
        elif kind == 2 and one.suffix == ".png" and "masks" not in one.parts:
            image(one, (40, 60 + rng.randrange(3)))
        elif kind == 3:
            one.rename(one.with_name(rng.choice(["x", "b", ".c", "d"]) + one.suffix))
        made_old(tmp_path / "set")
        found = []
        for place in (False, tmp_path / "cache", tmp_path / "cache"):
            try:
                found.append(data(opened(place)))
            except (OSError, ValueError) as error:
                found.append(str(error))
        assert found[0] == found[1] == found[2]
        seen.add(str(found[0]))
    assert len(seen) > 3


@pytest.mark.parametrize("name", SETS)
def test_files_that_are_new_may_change_unseen(tmp_path: Path, name: str, reads: list[bool]) -> None:
    """Size, time and number may stay as they are: a new set is read again, or compared by its bytes."""
    opened = made(name, tmp_path / "set")
    now = time.time_ns()
    for path in (tmp_path / "set").rglob("*"):
        os.utime(path, ns=(now, now))
    opened(tmp_path / "cache")
    change = next(iter(SETS[name][2].values()))
    change(tmp_path / "set")
    for path in (tmp_path / "set").rglob("*"):
        os.utime(path, ns=(now, now))
    assert data(opened(tmp_path / "cache")) == data(opened(False))


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("yolo", {"names": ["x", "y"]}, {"names": ["y", "x"]}),
        ("voc", {"split": None}, {"names": [f"c{i}" for i in range(20)]}),
        ("results", {"min_score": 0.5}, {"min_score": 0.125}),
        ("panoptic", {"stuff": "keep"}, {"stuff": "crowd"}),
        ("label maps", {"background": None}, {"name": "cell"}),
        ("label maps", {"divisor": 2}, {"background": 1}),
        ("csv", {"order": "C"}, {"category": "x"}),
        ("labelme", {"columns": []}, {"apply_exif": False}),
        ("backgrounds", {"apply_exif": True}, {"max_pixels": 10**5}),
        ("lvis", {"crowds": "drop"}, {"boxes": "drop"}),
    ],
)
def test_each_choice_has_its_own_cache(
    tmp_path: Path, name: str, one: dict[str, Any], other: dict[str, Any], reads: list[bool]
) -> None:
    opened = made(name, tmp_path / "set")
    for _ in range(2):
        for options in ({}, one, other):
            assert data(opened(tmp_path / "cache", **options)) == data(opened(False, **options))
    assert reads.count(True) == 3


def test_coco_and_lvis_have_caches_of_their_own(tmp_path: Path) -> None:
    path = coco_files.write(tmp_path, [], categories=[{"id": 1, "name": "cat"}]).annotations
    CocoDataset(path, tmp_path, cache_dir=tmp_path / "cache")
    for _ in range(2):
        with pytest.warns(UserWarning, match="no category has a frequency"):
            LvisDataset(path, tmp_path, cache_dir=tmp_path / "cache")


@pytest.mark.parametrize("name", SETS)
def test_place_with_the_set(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, reads: list[bool]) -> None:
    """A set of many files has its cache with it, which is none of its files."""
    opened = made(name, tmp_path / "set")
    before = sorted(tmp_path.rglob("*"))
    expected = data(opened(None))
    assert sorted(tmp_path.rglob("*")) == before  # small: none is made
    monkeypatch.setattr(table_cache, "MANY", 1)
    for _ in range(2):
        assert data(opened(None)) == expected == data(opened(False))
    (cache,) = {*tmp_path.rglob("*")} - {*before}
    assert cache.name.endswith(".copypaste-rs")
    cache.with_name(f"{cache.name}.0.partial").touch()
    assert data(opened(None)) == expected == data(opened(False))
    assert reads.count(True) == 2


@pytest.mark.parametrize("name", ["yolo", "voc", "labelme", "backgrounds", "panoptic"])
def test_a_set_may_move(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, reads: list[bool]) -> None:
    """Its cache goes with it, and names the files at their new place, where all of them lie in its folder."""
    monkeypatch.setattr(table_cache, "MANY", 1)
    made(name, tmp_path / "set")(None)
    (tmp_path / "set").rename(tmp_path / "moved")
    opened = functools.partial(quietly, SETS[name][1], tmp_path / "moved")
    assert data(opened(None)) == data(opened(False))
    assert reads.count(True) == 1 + (name == "panoptic")


def test_where_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[bool]) -> None:
    """The root of a YOLO set may be relative to the working folder."""
    for place, size in (("one", (40, 60)), ("other", (44, 70))):
        image(tmp_path / place / "root/images/a.png", size)
        text(tmp_path / place / "root/labels/a.txt", f"1 {SQUARE}")
    text(tmp_path / "set/data.yaml", "path: root\ntrain: images\nnames: [cat, dog]\n")
    made_old(tmp_path)
    for place, size in (("one", (40, 60)), ("one", (40, 60)), ("other", (44, 70))):
        monkeypatch.chdir(tmp_path / place)
        photos = YoloDataset("../set/data.yaml", cache_dir=tmp_path / "cache")
        assert (photos.size(0), photos.image_folder) == (size, tmp_path / place / "root/images")
    assert reads == [True, True]


@pytest.mark.parametrize("name", SETS)
def test_pickles_are_small(tmp_path: Path, name: str, reads: list[bool]) -> None:
    photos = made(name, tmp_path / "set")(tmp_path / "cache")
    stored = pickle.dumps(photos)
    assert len(stored) < 3000
    for _ in range(2):
        again = pickle.loads(stored)
        assert data(again) == data(photos)
        assert [again.path(i) for i in range(len(photos))] == [photos.path(i) for i in range(len(photos))]
        assert reads == [True] or not (tmp_path / "cache").exists()
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)


def _items(photos: AnnotatedImages, queue: Any) -> None:
    queue.put([photos[i].image.sum().item() for i in range(len(photos))])


def test_spawned_workers_see_equal_items(tmp_path: Path) -> None:
    photos = made("yolo", tmp_path / "set")(tmp_path / "cache")
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    worker = context.Process(target=_items, args=(photos, queue))
    worker.start()
    assert queue.get(timeout=60) == [photos[i].image.sum().item() for i in range(3)]
    worker.join()


@pytest.mark.parametrize("name", SETS)
def test_folders_that_cannot_be_written(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = made(name, tmp_path / "set")
    (tmp_path / "file").write_text("x")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = SETS[name][1](tmp_path / "set", cache_dir=tmp_path / "file")
    assert [str(each.message)[-30:] for each in caught].count("annotations are read each time") == 1
    assert data(found) == data(opened(False))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table_cache, "save_tables", full)
    monkeypatch.setattr(table_cache, "MANY", 1)
    assert data(opened(None)) == data(opened(False))  # nobody asked for it, nobody is told


@pytest.mark.parametrize("more", [{"further": {(1, 2): 3}}, {"name": "x\udcff"}])
def test_options_that_are_no_json(tmp_path: Path, more: dict[str, Any], reads: list[bool]) -> None:
    """A set with such options is read each time."""
    opened = made("label maps", tmp_path / "set")
    categories = [{"id": 1, "name": "x"} | more]
    for _ in range(2):
        photos = opened(tmp_path / "cache", categories=categories)
        assert photos.categories == categories
    assert reads == [False, False]


@pytest.mark.parametrize("name", SETS)
def test_a_folder_whose_name_is_no_text(tmp_path: Path, name: str, reads: list[bool]) -> None:
    folder = tmp_path / os.fsdecode(b"s\xfft")
    try:
        opened = made(name, folder)
    except (OSError, UnicodeError):
        pytest.skip("file names are text here")
    for _ in range(2):
        assert data(opened(tmp_path / "cache")) == data(opened(False))
    # That of a panoptic set would have to name the folder of images, which text cannot: it is not written, and said so.
    assert reads.count(True) == 1 + (name == "panoptic")

"""An output on a disk that fills up: each error names its file, nothing half-written stays, and it can go on."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, RleMasks, Sample
from copypaste_rs.datasets import CocoWriter
from copypaste_rs.datasets.logs import AppendLog
from tests.fixtures.limits import room_for

CATEGORIES = [{"id": 1, "name": "square"}]
STATE = ".copypaste-rs"


def sample(n: int) -> Sample:
    squares = [[[4 + k, 5, 14 + k, 5, 14 + k, 16, 4 + k, 16]] for k in range(n)]
    instances = Instances(masks=RleMasks.from_polygons(squares, (20, 30)), labels=np.ones(n, int))
    return Sample(np.full((20, 30, 3), 90, np.uint8), instances)


SAMPLES = [sample(n) for n in (3, 0, 1, 5, 2, 4)]
NAMES = [f"{'x' * 90}/{'y' * 90}{i}.jpg" for i in range(6)]


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    with CocoWriter(folder, CATEGORIES) as writer:
        for one, name in zip(SAMPLES, NAMES, strict=True):
            writer.write(one, name)
    return every_file(folder)


def check(folder: Path, error: OSError, images: int) -> None:
    """What is said, and what is there, after the disk was full."""
    assert error.errno == errno.EFBIG
    assert error.strerror
    assert folder in Path(error.filename).parents
    assert not (folder / STATE / "partial").exists()
    assert not (folder / "annotations.json").exists()
    records = (folder / STATE / "records").read_bytes().splitlines()
    assert [json.loads(line)["file"] for line in records] == NAMES[:images]
    assert sorted(str(path.relative_to(folder / "images")) for path in folder.rglob("*.jpg")) == NAMES[:images]


SIZES = [*range(800, 1500, 37), *range(1500, 6000, 229)]


@pytest.mark.parametrize("size", SIZES)
def test_a_writer_goes_on_when_there_is_room_again(tmp_path: Path, whole: dict[str, bytes], size: int) -> None:
    writer = CocoWriter(tmp_path, CATEGORIES)
    failures: set[str] = set()
    for k, (one, name) in enumerate(zip(SAMPLES, NAMES, strict=True)):
        try:
            with room_for(size):
                writer.write(one, name)
        except OSError as error:
            check(tmp_path, error, k)
            failures.add(Path(error.filename).name)
            assert writer.write(one, name) == k + 1
    writer.close()
    assert failures or size > 2000
    assert failures <= {"names", "records"}
    assert every_file(tmp_path) == whole


@pytest.mark.parametrize("size", SIZES)
def test_the_error_is_the_first_one_and_a_resumed_run_goes_on(
    tmp_path: Path, whole: dict[str, bytes], size: int
) -> None:
    try:
        with room_for(size), CocoWriter(tmp_path, CATEGORIES) as writer:
            for one, name in zip(SAMPLES, NAMES, strict=True):
                writer.write(one, name)
    except OSError as error:
        check(tmp_path, error, len(writer))
    with CocoWriter(tmp_path, CATEGORIES, resume=True) as again:
        assert len(again) == len(writer)
        for one, name in list(zip(SAMPLES, NAMES, strict=True))[len(again) :]:
            again.write(one, name)
    assert every_file(tmp_path) == whole


def test_an_error_at_the_very_end_lets_go_of_the_folder(tmp_path: Path, whole: dict[str, bytes]) -> None:
    writer = CocoWriter(tmp_path, CATEGORIES)
    for one, name in zip(SAMPLES, NAMES, strict=True):
        writer.write(one, name)
    with room_for(1000), pytest.raises(OSError) as caught:
        writer.close()
    assert caught.value.filename == str(tmp_path / "annotations.json")
    check(tmp_path, caught.value, 6)
    with CocoWriter(tmp_path, CATEGORIES, resume=True) as again:
        assert len(again) == 6
    assert every_file(tmp_path) == whole


def test_a_name_that_was_cut_off_does_not_join_the_next(tmp_path: Path) -> None:
    with CocoWriter(tmp_path, CATEGORIES) as writer:
        writer.write(sample(1), "é.jpg")
    log = tmp_path / STATE / "names"
    log.write_bytes(log.read_bytes() + "half/é".encode()[:-1])
    with CocoWriter(tmp_path, CATEGORIES, resume=True) as writer:
        writer.write(sample(1), "b.jpg")
    assert log.read_bytes() == "é.jpg\nb.jpg\n".encode()
    with CocoWriter(tmp_path, CATEGORIES, overwrite=True):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "annotations.json", "lock", "names", "records", "settings"
    ]  # fmt: skip


def test_a_log_takes_back_what_it_could_not_write_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\nhal")
    with AppendLog(path, 8) as log:
        for size in range(8, 15):
            with room_for(size), pytest.raises(OSError) as caught:
                log.append(b"a longer line\n")
            assert caught.value.filename == str(path)
            assert path.read_bytes() == b"one\ntwo\n"
        log.append(b"four\n")
    assert path.read_bytes() == b"one\ntwo\nfour\n"


def test_a_log_cuts_off_what_it_could_not_take_back_before_the_next_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: AppendLog) -> None:
        raise OSError(errno.EIO, "Input/output error")

    path = tmp_path / "log"
    with AppendLog(path, 0) as log:
        log.append(b"one\n")
        with monkeypatch.context() as disk:
            disk.setattr(AppendLog, "_take_back", fail)
            with room_for(9), pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
                log.append(b"a longer line\n")
            assert path.read_bytes() == b"one\na lon"
        log.append(b"two\n")
        log.append(b"three\n")
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_an_exception_of_the_caller_is_the_one_that_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def interrupted() -> None:
        with CocoWriter(tmp_path, CATEGORIES) as writer:
            writer.write(sample(1))
            monkeypatch.setattr(AppendLog, "__exit__", fail)
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        interrupted()
    monkeypatch.undo()
    with CocoWriter(tmp_path, CATEGORIES, resume=True) as writer:
        assert len(writer) == 1

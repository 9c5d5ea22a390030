"""`merge` of what is not all shards of one output: refused in one sentence that says what to do, nothing written."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import arguments, augmented, run
from tests.fixtures.limits import room_for
from tests.fixtures.shards import make_shards, merge_command, merged

STATE = ".copypaste-rs"
AGAIN = "the command that made it, with --resume, goes on"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_set(tmp_path_factory.mktemp("set") / "in", 12)


@pytest.fixture
def roots(tmp_path: Path, files: Files) -> list[Path]:
    return make_shards(files, tmp_path, 3)


def refused(roots: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int = 1) -> str:
    """What is said where the merge is refused, once it is seen that nothing was written."""
    capsys.readouterr()
    assert run(merge_command(roots, tmp_path / "merged")) == status
    assert not (tmp_path / "merged").exists()
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    return errors.strip().splitlines()[-1]


def test_other_settings(tmp_path: Path, files: Files, roots: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments(files, tmp_path / "other", "--shard", "2/3", "--seed", "1", "--quality", "9")) == 0
    assert refused([roots[0], tmp_path / "other", roots[2]], tmp_path, capsys) == (
        f"copypaste-rs: {tmp_path / 'other'}: expected a shard of the settings of {roots[0]}; quality was 95 and is 9, "
        "seed was 0 and is 1"
    )


def test_another_number_of_shards(
    tmp_path: Path, files: Files, roots: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments(files, tmp_path / "other", "--shard", "2/2")) == 0
    assert refused([roots[0], tmp_path / "other", roots[2]], tmp_path, capsys) == (
        f"copypaste-rs: {tmp_path / 'other'}: expected one of 3 shards, as {roots[0]} is, got one of 2"
    )


def test_missing_and_double_shards(tmp_path: Path, roots: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    makes = "copypaste-rs augment with the options of the others and --shard"
    assert refused(roots[:1] + roots[2:], tmp_path, capsys) == (
        f"copypaste-rs: directories: expected all 3 shards, but shard 2 is missing; {makes} 2/3 makes it"
    )
    assert refused(roots[2:], tmp_path, capsys) == (
        f"copypaste-rs: directories: expected all 3 shards, but shards 1, 2 are missing; {makes} 1/3 makes the first"
    )
    shutil.copytree(roots[1], tmp_path / "again")
    assert refused([*roots, tmp_path / "again"], tmp_path, capsys) == (
        f"copypaste-rs: {tmp_path / 'again'}: expected each shard once, got shard 2/3 in {roots[1]} too"
    )
    assert "Missing argument 'DIR...'" in refused([], tmp_path, capsys, 2)


def test_a_shard_that_is_not_finished(
    tmp_path: Path, files: Files, roots: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(roots[1])
    with room_for(1200):
        assert run(arguments(files, roots[1], "--shard", "2/3")) == 1
    assert refused(roots, tmp_path, capsys) == f"copypaste-rs: {roots[1]}: shard 2/3 is not finished; {AGAIN}"
    assert run(arguments(files, roots[1], "--shard", "2/3", "--resume")) == 0
    assert merged(roots, tmp_path / "merged") == augmented(tmp_path, files, name="plain")


def test_what_is_no_shard(tmp_path: Path, files: Files, roots: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    augmented(tmp_path, files, name="plain")
    (tmp_path / "mine").mkdir()
    (tmp_path / "file").touch()
    for name, got in {"plain": "a whole output", "mine": f"a folder without {STATE}, which is hidden"}.items():
        expected = f"copypaste-rs: {tmp_path / name}: expected a shard, which augment --shard writes, got {got}"
        assert refused([*roots, tmp_path / name], tmp_path, capsys).startswith(expected)
    for name, got in {"file": "a file", "nothing": "none"}.items():
        expected = f"copypaste-rs: {tmp_path / name}: expected the folder of a shard, got {got}"
        assert refused([*roots, tmp_path / name], tmp_path, capsys) == expected


@pytest.mark.parametrize("note", ["shard", "settings"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"shard": 3}', '{"shard": "x"}'])
def test_notes_that_cannot_be_read(
    tmp_path: Path, roots: list[Path], note: str, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (roots[1] / STATE / note).write_text(content)
    assert refused(roots, tmp_path, capsys).startswith(f"copypaste-rs: {roots[1]}: ")


@pytest.mark.parametrize("cut", [1, 400])
def test_records_that_were_cut_off(
    tmp_path: Path, roots: list[Path], cut: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = roots[1] / STATE / "records"
    os.truncate(path, path.stat().st_size - cut)
    expected = f"copypaste-rs: {roots[1]}: shard 2/3 has changed since it was finished; {AGAIN}"
    assert refused(roots, tmp_path, capsys) == expected


@pytest.mark.parametrize("damage", ["gone", "short", "changed"])
def test_a_file_of_a_shard_that_is_not_as_it_was_written(
    tmp_path: Path, files: Files, roots: list[Path], damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was merged before is kept, and goes on once the shard was mended."""
    path = roots[1] / "images" / "000000000006.jpg"
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(data[:-2] if damage == "short" else bytes(len(data)))
    capsys.readouterr()
    assert run(merge_command(roots, tmp_path / "merged", "--copy")) == 1
    got = {"gone": "no file", "short": str(len(data) - 2), "changed": "others"}[damage]
    assert capsys.readouterr().err == (
        f"copypaste-rs: {path}: expected the {len(data)} bytes that were written, got {got}; the command that made this "
        "shard, with --resume, makes it anew; what is done is kept, and --resume goes on\n"
    )
    there = every_file(tmp_path / "merged")
    assert sum(name.startswith("images/") for name in there) == 5
    assert "annotations.json" not in there
    assert run(arguments(files, roots[1], "--shard", "2/3", "--resume")) == 0
    assert merged(roots, tmp_path / "merged", "--resume") == augmented(tmp_path, files, name="plain")


def test_outputs_that_are_refused(
    tmp_path: Path, files: Files, roots: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = every_file(tmp_path)
    for output in (roots[1], roots[1] / "images", tmp_path):
        assert run(merge_command(roots, output)) in {1, 2}
        assert run(merge_command(roots, output, "--overwrite")) in {1, 2}
        assert "output" in capsys.readouterr().err
    assert every_file(tmp_path) == before
    plain = augmented(tmp_path, files, name="plain")
    assert run(merge_command(roots, tmp_path / "plain")) == 2
    assert f"{tmp_path / 'plain'} is not empty; --resume goes on with it, --overwrite repl" in capsys.readouterr().err
    assert merged(roots, tmp_path / "plain", "--overwrite") == plain
    assert run(arguments(files, tmp_path / "plain", "--seed", "4", "--overwrite")) == 0
    assert run(merge_command(roots, tmp_path / "plain", "--resume")) == 2
    assert "--seed has changed since; --overwrite starts anew" in capsys.readouterr().err


def test_a_full_disk(tmp_path: Path, files: Files, roots: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    plain = augmented(tmp_path, files, name="plain")
    said = set()
    for size in range(100, max(map(len, plain.values())) + 300, 797):
        output = tmp_path / str(size)
        capsys.readouterr()
        with room_for(size):
            status = run(merge_command(roots, output, "--copy"))
        if status:
            found = re.search(
                rf"copypaste-rs: {re.escape(str(output))}/(\S+): File too large", errors := capsys.readouterr().err
            )
            assert found, errors
            said.add(Path(found[1]).name.partition(".")[2] or Path(found[1]).name)
        assert merged(roots, output, "--copy", "--resume") == plain
    assert {"jpg", "records"} <= said


@pytest.mark.parametrize("given", ["0/3", "4/3", "1", "a/b", "1/", "/2", "-1/2", "1/0", "1/2/3", "1.0/2"])
def test_shards_that_are_none(tmp_path: Path, files: Files, given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments(files, tmp_path / "out", "--shard", given)) == 2
    assert f"expected I/N, shard I of N, from 1/1 to 1000000/1000000, got {given!r}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_shard_is_another_output(
    tmp_path: Path, files: Files, roots: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments(files, roots[1], "--shard", "3/3", "--resume")) == 2
    assert "--shard has changed since; --overwrite starts anew" in capsys.readouterr().err
    assert run(arguments(files, roots[1], "--resume")) == 2
    assert "--shard has changed since; --overwrite starts anew" in capsys.readouterr().err


def test_only_images_that_a_shard_needs_have_to_be_there(
    tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that the shard says are missing suffice for the files that it writes when all are there."""
    images = tmp_path / "some"
    images.mkdir()
    options = ["--shard", "1/12", "--image-format", "png"]
    assert run(arguments(files, tmp_path / "whole", *options)) == 0
    few = files._replace(images=images)
    for _ in range(3):
        if run(arguments(few, tmp_path / "out", *options)) == 0:
            break
        found = re.search(rf"{re.escape(str(images))}/(\S+): No such file", capsys.readouterr().err)
        assert found
        shutil.copy(files.images / found[1], images)
    assert len(list(images.iterdir())) == 2
    assert every_file(tmp_path / "out") == every_file(tmp_path / "whole")

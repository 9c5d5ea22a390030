"""`augment --shard` and `merge`: the files of a plain run, byte for byte, whatever the number of shards."""

from __future__ import annotations

import os
import random
import signal
import threading
from pathlib import Path

import pytest

from copypaste_rs.cli.writers import WRITTEN
from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import COMMAND, arguments, augmented, run, start
from tests.fixtures.processes import wait_until
from tests.fixtures.shards import make_shards, merge_command, merged

STATE = ".copypaste-rs"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_set(tmp_path_factory.mktemp("set") / "in", 12)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 30])
def test_any_number_of_shards(tmp_path: Path, files: Files, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Notes of the run included: what is merged goes on as a plain run does. Of 30 shards, 6 have no image."""
    plain = augmented(tmp_path, files, "--copies", "2", name="plain")
    roots = make_shards(files, tmp_path, count, "--copies", "2")
    assert f"shard-1: shard 1/{count}, {24 // count} image" in capsys.readouterr().out
    before = [every_file(root) for root in roots]
    random.Random(count).shuffle(roots)
    assert merged(roots, tmp_path / "merged") == plain
    assert f"merged: 24 images of {count} shard" in (said := capsys.readouterr().out)
    assert "24 of them now, 24 as hard links" in said
    assert sorted(map(len, before)) == sorted(len(every_file(root)) for root in roots)
    assert run(arguments(files, tmp_path / "merged", "--copies", "2", "--resume")) == 0
    assert every_file(tmp_path / "merged") == plain


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.filterwarnings("ignore:.*not held by the format:UserWarning")
def test_every_format(tmp_path: Path, files: Files, kind: str) -> None:
    options = ["--output-format", kind, "--image-format", "png"]
    plain = augmented(tmp_path, files, *options, name="plain")
    assert merged(make_shards(files, tmp_path, 3, *options)[::-1], tmp_path / "merged") == plain


def test_parts_of_formats_and_two_workers(tmp_path: Path, files: Files) -> None:
    options = ["--output-format", "voc", "--output-split", "val", "--workers", "2", "--num-sources", "2",
               "--class-weight", "square=2", "--blend-sigma", "1"]  # fmt: skip
    plain = augmented(tmp_path, files, *options, name="plain")
    assert merged(make_shards(files, tmp_path, 2, *options), tmp_path / "merged") == plain


def test_copies_where_they_are_asked_for_or_links_cannot_be(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = augmented(tmp_path, files, name="plain")
    roots = make_shards(files, tmp_path, 2)
    image = "images/000000000001.jpg"
    assert merged(roots, tmp_path / "linked") == plain
    assert merged(roots, tmp_path / "copied", "--copy") == plain
    assert "12 as copies" in capsys.readouterr().out
    assert (roots[0] / image).stat().st_ino == (tmp_path / "linked" / image).stat().st_ino
    assert (roots[0] / image).stat().st_ino != (tmp_path / "copied" / image).stat().st_ino

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    assert merged(roots, tmp_path / "without") == plain
    assert "12 as copies" in capsys.readouterr().out


# -- ended and gone on with ----------------------------------------------------------------------------------------------


def kill_at_random(command: list[str], seed: int) -> None:
    """Run a command, killed at random moments and run again with --resume, until it ends by itself."""
    draw = random.Random(seed)
    pause = threading.Event()
    for _ in range(6):
        process = start(*command, "--resume")
        pause.wait(draw.uniform(0.3, 1.2))
        process.kill()
        process.communicate()
    assert run([*command, "--resume"]) == 0


def test_shards_and_merge_killed_at_random_moments(tmp_path: Path, files: Files) -> None:
    options = ["--copies", "6", "--format", "png"]
    plain = augmented(tmp_path, files, *options, name="plain")
    roots = [tmp_path / "1", tmp_path / "2"]
    for number, root in enumerate(roots, 1):
        slow = ["--backend", "numpy", "--workers", str(number)]
        kill_at_random(arguments(files, root, *options, *slow, "--shard", f"{number}/2"), number)
    kill_at_random(merge_command(roots, tmp_path / "merged", "--copy"), 3)
    assert every_file(tmp_path / "merged") == plain


@pytest.mark.parametrize("placements", range(1, 12, 2))
@pytest.mark.parametrize("option", [(), ("--copy",)])
def test_a_merge_that_was_killed_between_files(
    tmp_path: Path, files: Files, placements: int, option: tuple[str, ...]
) -> None:
    plain = augmented(tmp_path, files, name="plain")
    roots = make_shards(files, tmp_path, 2)
    command = merge_command(roots, tmp_path / "merged", *option)
    code = (
        "import os, sys; from copypaste_rs.datasets import taken_files; from copypaste_rs.cli import main\n"
        "put, left = taken_files.TakenFile.put, [int(sys.argv.pop(1))]\n"
        "def counted(self, *args, **more):\n"
        "    if not left[0]: os._exit(9)\n"
        "    left[0] -= 1\n"
        "    done = put(self, *args, **more)\n"
        "    if not left[0]: os._exit(9)\n"
        "    return done\n"
        "taken_files.TakenFile.put = counted\n"
        "main(sys.argv[1:])"
    )
    status = os.spawnv(os.P_WAIT, COMMAND[0], [COMMAND[0], "-c", code, str(placements), *command])
    assert status == 9
    there = every_file(tmp_path / "merged")
    assert sum(name.startswith("images/") for name in there) == placements
    assert "annotations.json" not in there
    assert run([*command, "--resume"]) == 0
    assert every_file(tmp_path / "merged") == plain


def test_a_merge_that_was_interrupted(tmp_path: Path, files: Files) -> None:
    plain = augmented(tmp_path, files, "--copies", "200", "--size", "8", name="plain")
    roots = make_shards(files, tmp_path, 2, "--copies", "200", "--size", "8")
    command = merge_command(roots, tmp_path / "merged", "--copy")
    process = start(*command)
    images = tmp_path / "merged" / "images"
    assert wait_until(lambda: process.poll() is not None or (images / "000000000020.jpg").exists())
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (130, False)
    assert "interrupted; what is done is kept, and --resume goes on" in errors
    assert not (tmp_path / "merged" / "annotations.json").exists()
    assert run([*command, "--resume"]) == 0
    assert every_file(tmp_path / "merged") == plain

"""`augment` that was interrupted or killed: it goes on, and nothing that was there is lost."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from tests.fixtures.coco_files import Files, every_file, small_set
from tests.fixtures.command_line import arguments, augmented, run, start
from tests.fixtures.processes import wait_until


def test_resume_from_nothing_or_from_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    expected = augmented(tmp_path, files)
    (tmp_path / "empty").mkdir()
    assert augmented(tmp_path, files, "--resume", name="missing") == expected
    assert augmented(tmp_path, files, "--resume", name="empty") == expected
    assert augmented(tmp_path, files, "--resume") == expected
    assert "5 images, 0 of them made now" in capsys.readouterr().out
    (tmp_path / "out" / "annotations.json").unlink()
    (tmp_path / "out" / "images" / "000000000003.jpg").unlink()
    assert augmented(tmp_path, files, "--resume", "--workers", "2") == expected
    assert augmented(tmp_path, files, "--overwrite") == expected


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_ended_goes_on_to_the_same_bytes(tmp_path: Path, way: signal.Signals, workers: str) -> None:
    files = small_set(tmp_path / "in", 40)
    expected = augmented(tmp_path, files, "--format", "png", name="whole")
    slow = ["--format", "png", "--backend", "numpy"]
    process = start(*arguments(files, tmp_path / "out", *slow, "--workers", workers))
    images_folder = tmp_path / "out" / "images"
    assert wait_until(lambda: process.poll() is not None or len(list(images_folder.glob("*"))) >= 4)
    assert process.poll() is None, process.communicate()
    children = [
        int(pid) for path in Path(f"/proc/{process.pid}/task").glob("*/children") for pid in path.read_text().split()
    ]
    (os.killpg if way == signal.SIGINT else os.kill)(process.pid, way)  # Ctrl-C goes to all processes
    _, errors = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(way, -way)
    if way != signal.SIGKILL:
        assert "interrupted; what is done is kept, and --resume goes on" in errors
        assert "Traceback" not in errors
    done = every_file(tmp_path / "out")
    assert "annotations.json" not in done
    images = {name: data for name, data in done.items() if name.startswith("images/")}
    assert 3 <= len(images) < 40  # the last one of four may have been put in place and not yet noted down
    assert images.items() <= expected.items()
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 20)
    assert augmented(tmp_path, files, "--format", "png", "--resume") == expected


def test_an_output_that_exists_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    before = augmented(tmp_path, files)
    assert run(arguments(files, tmp_path / "out", "--seed", "1")) == 2
    errors = capsys.readouterr().err
    assert f"--output: {tmp_path / 'out'} is not empty; --resume goes on with it, --overwrite replaces it" in errors
    assert run(arguments(files, tmp_path / "out", "--seed", "1", "--resume")) == 2
    assert "--seed has changed since; --overwrite starts anew" in capsys.readouterr().err
    assert run(arguments(files, tmp_path / "out", "--min-area", "3", "--quality", "9", "--resume")) == 2
    assert "--min-area, --quality have changed since; --overwrite starts anew" in capsys.readouterr().err
    assert every_file(tmp_path / "out") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    for option in (["--overwrite"], ["--resume"], []):
        assert run(arguments(files, tmp_path / "mine", *option)) == 2
        errors = capsys.readouterr().err
        assert f"--output: {tmp_path / 'mine'}: holds other files; choose another folder" in errors
    assert list(every_file(tmp_path / "mine")) == ["file"]


def test_changed_annotations_are_other_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    augmented(tmp_path, files)
    files.edit(categories=[*files.json["categories"], {"id": 3}])
    assert run(arguments(files, tmp_path / "out", "--resume")) == 2
    assert ": --annotations has changed since; --overwrite starts anew" in capsys.readouterr().err


def test_an_input_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    augmented(tmp_path, files)
    ours = Files(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    before = every_file(tmp_path / "out")
    assert run(arguments(ours, tmp_path / "out", "--overwrite")) == 2
    assert "expected a folder apart from the inputs" in capsys.readouterr().err
    assert every_file(tmp_path / "out") == before
    augmented(tmp_path, ours, name="second")


def test_a_run_from_a_pipe_goes_on_only_with_what_came_through_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    text = files.annotations.read_text()
    expected = augmented(tmp_path, files)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def through_pipe(content: str, *options: str) -> int:
        writer = threading.Thread(target=pipe.write_text, args=(content,), daemon=True)
        writer.start()
        status = run(arguments(files._replace(annotations=pipe), tmp_path / "piped", *options))
        writer.join(10)
        return status

    assert through_pipe(text) == 0
    assert every_file(tmp_path / "piped") == expected
    assert through_pipe(text.replace('"iscrowd": 1', '"iscrowd": 0'), "--resume") == 2
    assert "annotations" in capsys.readouterr().err
    assert through_pipe(text, "--resume") == 0

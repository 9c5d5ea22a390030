"""`augment` with bad files: one sentence, that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.fixtures.coco_files import annotation, box_polygon, every_file, small_set, write
from tests.fixtures.command_line import arguments, augmented, run, start


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(("damage", "message"), [
    ("truncated", "2.jpg: cannot be read as an image"),
    ("missing", "2.jpg: No such file or directory"),
    ("resized", "2.jpg: expected an image of width 64 and height 50"),
])  # fmt: skip
def test_a_bad_image_ends_the_run_with_one_error(tmp_path: Path, damage: str, message: str, workers: str) -> None:
    files = small_set(tmp_path / "in", 12)
    whole = augmented(tmp_path, files, name="whole")
    path = files.images / "2.jpg"
    good = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(good[: len(good) // 2])
    elif damage == "missing":
        path.unlink()
    else:
        Image.new("RGB", (9, 7)).save(path)
    process = start(*arguments(files, tmp_path / "out", "--workers", workers))
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == ""
    assert len(errors.strip().splitlines()) == 1
    assert errors.startswith("copypaste-rs: ")
    assert message in errors
    if damage == "missing":
        assert not (tmp_path / "out").exists()
    else:
        assert errors.endswith("; what is done is kept, and --resume goes on\n")
    done = every_file(tmp_path / "out")
    assert "annotations.json" not in done
    assert {name for name in done if name.startswith("images")} <= {f"images/{i:012d}.jpg" for i in range(1, 13)}
    assert all(data == whole[name] for name, data in done.items() if name.startswith("images"))
    path.write_bytes(good)
    assert augmented(tmp_path, files, "--resume") == whole


@pytest.mark.parametrize(("content", "message"), [
    (b'{"images": [', "annotations.json: cannot be read as COCO annotations: Input data was truncated (byte 12)"),
    (None, "annotations.json: No such file or directory"),
])  # fmt: skip
def test_a_bad_annotation_file_is_named(
    tmp_path: Path, content: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = small_set(tmp_path / "in")
    files.annotations.unlink()
    if content is not None:
        files.annotations.write_bytes(content)
    assert run(arguments(files, tmp_path / "out")) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_missing_images_are_counted_at_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    for name in ("2.jpg", "3.png"):
        (files.images / name).unlink()
    assert run(arguments(files, tmp_path / "out")) == 1
    expected = f"{files.images / '2.jpg'}: No such file or directory (2 of 5 images are missing)"
    assert capsys.readouterr().err == f"copypaste-rs: {expected}\n"
    assert not (tmp_path / "out").exists()


def test_what_is_left_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    square = [box_polygon(4, 5, 20, 20)]
    files = write(tmp_path / "in", [annotation(1, square), annotation(2, [[1, 2, 3, 4]]), annotation(3, square, 11)],
                  [(40, 60), (30, 50)])  # fmt: skip
    augmented(tmp_path, files)
    errors = capsys.readouterr().err
    assert errors.startswith("copypaste-rs: warning: ")
    assert "1 polygon part of fewer than three points, 1 annotation that covers no pixel" in errors
    assert len(errors.splitlines()) == 1

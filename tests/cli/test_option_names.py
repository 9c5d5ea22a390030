"""Errors and warnings name options as they are typed, not the arguments of Python that they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from copypaste_rs.cli.words import ARGUMENTS, as_option, in_options, sentence
from copypaste_rs.errors import ArgumentError
from tests.fixtures.coco_files import annotation, box_polygon, small_set, write
from tests.fixtures.command_line import run

SQUARE = [box_polygon(2, 2, 9, 9)]


def augment(files: Any, output: Path, *more: str) -> list[str]:
    return ["augment", "--annotations", str(files.annotations), "--images", str(files.images), "--size", "32",
            "--output", str(output), "--workers", "1", *more]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_of_warnings_and_errors_of_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")

    def said(*more: str, of: Any = files) -> str:
        run(augment(of, tmp_path / "out", "--overwrite", *more))
        return capsys.readouterr().err

    assert "warning: --min-area 2000: nothing will ever be pasted on a canvas of 1024 pixels" in said(
        "--min-area", "2000"
    )
    assert "expected at most 100 pixels (--max-pixels), got width" in said("--max-pixels", "100")
    crowds = write(tmp_path / "crowds", [annotation(1, SQUARE, iscrowd=1)])
    assert "; --crowds objects takes crowds as objects" in said(of=crowds)
    boxes = write(tmp_path / "boxes", [{"id": 1, "image_id": 10, "category_id": 1, "bbox": [1, 2, 3, 4]}])
    assert "; --boxes keep reads it as a rectangle, --boxes drop leaves it out\n" in said(of=boxes)
    doubtful = write(
        tmp_path / "doubtful", [annotation(1, SQUARE, 10 + i, pseudo=True) for i in range(2)], [(30, 40)] * 2
    )
    assert "pasted only with --paste-boxes and --paste-pseudo;" in said(of=doubtful)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(files.images / "0.jpg", exif=exif)
    assert "--apply-exif applies it" in said()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("give format='coco' or format='lvis'", "give --input-format coco or --input-format lvis"),
        ("none, so that split=None takes all images", "none, so that no --split takes all images"),
        ("which apply_exif=False would leave out", "which --no-apply-exif would leave out"),
        ("none; missing={'score': ...} gives a value for it", "none; --missing score=VALUE gives a value for it"),
        ("floating-point ones, which dtype='keep' keeps", "floating-point ones, which --dtype keep keeps"),
        ("runs/min_area=3/a.json: exists already", "runs/min_area=3/a.json: exists already"),
        ("field min_area of the file", "field min_area of the file"),
    ],
)
def test_sentences(text: str, expected: str) -> None:
    assert in_options(text) == expected
    assert sentence(ValueError(text)) == expected


def test_errors_about_arguments() -> None:
    assert as_option(ArgumentError("blend_sigma", "a number", "x", index=0)).startswith(
        "--blend-sigma: expected a number"
    )
    assert sentence(ArgumentError("merge", "labels", "x")) == "--merge: expected labels, got x"
    assert sentence(ArgumentError("sources", "a file", "x")) == "sources: expected a file, got x"
    assert all(name.isidentifier() for name in ARGUMENTS)

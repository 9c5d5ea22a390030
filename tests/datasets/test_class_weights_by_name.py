"""Weights by the name of a category, of a data set and on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.coco_files import small_set
from tests.fixtures.command_line import STATE, arguments, augmented, run

CATEGORIES = [
    {"id": 7, "name": "car"}, {"id": 1, "name": "cart"}, {"id": 2, "name": "cup"}, {"id": 9, "name": "car"}, {"id": 4},
]  # fmt: skip


def test_names_become_ids(tmp_path: Path) -> None:
    photos = CocoDataset(*small_set(tmp_path).edit(categories=CATEGORIES))
    assert photos.class_weights({"cup": 0, "car": np.float32(2.5)}) == {7: 2.5, 2: 0.0, 9: 2.5}
    assert photos.class_weights({}) == {}
    transform = SimpleCopyPaste(size=40, class_weights=photos.class_weights({"cart": 0, "cup": 3}), select="all")
    assert set(transform.sample_plan(photos[0], photos[1], 3).pastes[0].instances) == {1}  # row 0 is a cart, 2 a crowd


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ({"cup": 1, "caar": 2}, ArgumentError, "weights: expected names of categories, got 'caar' (is 'car' or 'cart' meant?)"),
        ({"zebra": 2}, ArgumentError, "weights: expected names of categories, got 'zebra'"),
        ({7: 2}, ArgumentTypeError, "weights: expected names of categories, got 7"),
        ({"cup": -2}, ArgumentError, "weights['cup']: expected a finite number of at least 0, got -2"),
        ({"cup": "2"}, ArgumentTypeError, "weights['cup']: expected a number, got '2'"),
        (["cup"], ArgumentTypeError, "weights: expected a mapping of names of categories to weights, got list"),
    ],
)  # fmt: skip
def test_names_and_weights_that_are_refused(tmp_path: Path, weights: Any, error: type[Exception], message: str) -> None:
    photos = CocoDataset(*small_set(tmp_path).edit(categories=CATEGORIES))
    with pytest.raises(error) as caught:
        photos.class_weights(weights)
    assert str(caught.value) == message


def test_the_command_line_takes_names_of_both_files(tmp_path: Path) -> None:
    ours, theirs = small_set(tmp_path / "a"), small_set(tmp_path / "b")
    theirs.edit(categories=[{"id": 2, "name": "ring"}, {"id": 1, "name": "square"}, {"id": 9, "name": "a=b"}])
    sources = ["--source-annotations", str(theirs.annotations), "--source-images", str(theirs.images)]
    weights = ["--class-weight", "a=b=3", "--class-weight", "ring=0.25"]
    augmented(tmp_path, ours, *sources, *weights, "--format", "png", "--target-scale", "1", "1")
    transform = SimpleCopyPaste(size=(48, 64), target_scale=(1, 1), class_weights={9: 3.0, 2: 0.25})
    data = CopyPasteDataset(CocoDataset(*ours), transform, sources=CocoDataset(*theirs))
    written = CocoDataset(tmp_path / "out" / "annotations.json", tmp_path / "out" / "images")
    for i in range(5):
        np.testing.assert_array_equal(written[i].image, data[i].image)


def test_weight_zero_is_never_pasted(tmp_path: Path) -> None:
    files = small_set(tmp_path / "in")
    augmented(tmp_path, files, "--class-weight", "square=0", "--copies", "4", "--select", "all")
    content = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert {a["category_id"] for a in content["annotations"] if a["source"] >= 0} == {2}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("rings=2", "Error: --class-weight: expected names of categories, got 'rings' (is 'ring' meant?)"),
        ("ring", "expected NAME=WEIGHT, a finite number of at least 0, got 'ring'"),
        ("=2", "expected NAME=WEIGHT, a finite number of at least 0, got '=2'"),
        ("ring=", "expected NAME=WEIGHT, a finite number of at least 0, got 'ring='"),
        ("ring=-1", "expected NAME=WEIGHT, a finite number of at least 0, got 'ring=-1'"),
        ("ring=nan", "expected NAME=WEIGHT, a finite number of at least 0, got 'ring=nan'"),
        ("ring=inf", "expected NAME=WEIGHT, a finite number of at least 0, got 'ring=inf'"),
        ("ring=many", "expected NAME=WEIGHT, a finite number of at least 0, got 'ring=many'"),
    ],
)
def test_wrong_usage_is_status_2(tmp_path: Path, value: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    inputs = ["--annotations", str(files.annotations), "--images", str(files.images)]
    for command in ("augment", "preview"):
        assert run([command, *inputs, "--output", str(tmp_path / "out.png"), "--class-weight", value]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_weights_are_noted_where_they_are_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs without them are noted as before, so that an output that was begun then goes on; order does not matter."""
    files = small_set(tmp_path / "in")
    plain = augmented(tmp_path, files, name="plain")
    assert "class_weights" not in json.loads(plain["annotations.json"])["info"]["settings"]
    weights = ["--class-weight", "ring=2", "--class-weight", "square=0.5"]
    weighed = augmented(tmp_path, files, *weights)
    assert json.loads(weighed["annotations.json"])["info"]["settings"]["class_weights"] == {"1": 0.5, "2": 2.0}
    assert augmented(tmp_path, files, *weights[2:], *weights[:2], "--resume") == weighed
    assert (tmp_path / "out" / STATE).is_dir()
    capsys.readouterr()
    assert run(arguments(files, tmp_path / "out", "--resume")) == 2
    assert "--class-weight has changed since; --overwrite starts anew" in capsys.readouterr().err


def test_weights_that_say_too_little(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = small_set(tmp_path / "in")
    inputs = ["augment", "--annotations", str(files.annotations), "--images", str(files.images), "--workers", "1"]
    for given, message in (
        (["ring=0", "ring=5"], "--class-weight ring: expected each category once, got it 2 times"),
        (
            ["ring=0", "square=0"],
            "--class-weight: expected a category whose weight is not 0, or nothing would be pasted",
        ),
    ):
        options = [word for value in given for word in ("--class-weight", value)]
        assert run([*inputs, *options, "--output", str(tmp_path / "out")]) == 2
        assert message in capsys.readouterr().err
    # A class left out is no reason to warn.
    assert run([*inputs, "--class-weight", "ring=0", "--output", str(tmp_path / "out")]) == 0
    assert "warning" not in capsys.readouterr().err

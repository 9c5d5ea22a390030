"""Pseudo-labels of a folder of images, which nobody has listed: results name them by their files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from copypaste_rs.datasets import CocoDataset, PseudoLabels
from tests.fixtures.command_line import run
from tests.fixtures.pseudo_labels import CATEGORIES, SIZE, one


def folder_of(place: Path, *names: str) -> Path:
    """Images of one size."""
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SIZE[::-1], (9, 8, 7)).save(place / name)
    return place


def named(*ids: Any) -> list[dict[str, Any]]:
    return [one() | {"image_id": each} for each in ids]


def test_results_name_files_with_and_without_folder_and_suffix(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "images", "a.png", "b.png", "sub/c.png")
    results = named("a.png", "b", "sub/c.png", "c")
    labels = PseudoLabels.from_results(results, folder, categories=CATEGORIES, mask_nms=None)
    labels.save(tmp_path / "pseudo.json")
    photos = CocoDataset(tmp_path / "pseudo.json", folder)
    assert [photos.info(i)["file_name"] for i in range(3)] == ["a.png", "b.png", "sub/c.png"]
    assert [len(photos.instances(i)) for i in range(3)] == [1, 1, 2]
    assert photos[2].image.shape == (*SIZE, 3)
    again = PseudoLabels.from_results([], folder, categories=CATEGORIES, merge=tmp_path / "pseudo.json", mask_nms=None)
    assert again.kept == {1: 4}


def test_names_that_are_numbers_are_ids(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "images", "000000139.jpg", "000000285.jpg")
    labels = PseudoLabels.from_results(named(285, "000000139", 285), folder, categories=CATEGORIES, mask_nms=None)
    labels.save(tmp_path / "pseudo.json")
    written = json.loads((tmp_path / "pseudo.json").read_text())
    assert [image["id"] for image in written["images"]] == [139, 285]
    assert sorted(row["image_id"] for row in written["annotations"]) == [139, 285, 285]
    with pytest.raises(ValueError, match=r"image_id: expected the id of one of the 2 images of .*images, got 1$"):
        PseudoLabels.from_results(named(1), folder, categories=CATEGORIES)


def test_a_numbering_of_another_set_is_refused(tmp_path: Path) -> None:
    for place, names in (("a", ("a.png", "b.png")), ("b", ("1.png", "x.png")), ("c", ("c/1.png", "d/01.png"))):
        folder = folder_of(tmp_path / place, *names)
        with pytest.raises(ValueError, match=r"image_id: expected the id of one of the 2 images of .*, got 1$"):
            PseudoLabels.from_results(named(1), folder, categories=CATEGORIES)


def test_what_is_no_folder_of_images_and_has_no_categories(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "images", "a.png")
    with pytest.raises(ValueError, match=r"^categories: expected the categories of the results, as .*images has none"):
        PseudoLabels.from_results([], folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty: expected a folder with images"):
        PseudoLabels.from_results([], tmp_path / "empty", categories=CATEGORIES)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(tmp_path / "images", "a.png", "b.png")
    (tmp_path / "results.json").write_text(json.dumps(named("a", "b.png")))
    (tmp_path / "names.json").write_text(json.dumps({"images": [], "categories": CATEGORIES}))
    command = ["pseudo-label", "--results", str(tmp_path / "results.json"), "--images", str(folder)]
    command += ["--output", str(tmp_path / "out.json")]
    assert run(command) == 2
    assert f"{folder} has no categories; give --categories FILE" in capsys.readouterr().err
    assert run([*command, "--categories", str(tmp_path / "names.json")]) == 0
    assert "2 images, 2 objects, 0 ignored" in capsys.readouterr().out
    shutil.rmtree(folder)
    assert run([*command, "--overwrite"]) == 1
    assert f"{folder}: No such file or directory" in capsys.readouterr().err

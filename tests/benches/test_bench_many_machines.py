"""The benchmark of many machines: what it measures, and that files are compared."""

from pathlib import Path

import pytest
from benches import many_machines
from benches.many_machines import MERGE, ONE, SHARDS, TWO
from benches.small_images import write_small_images

from copypaste_rs.datasets import CocoDataset
from tests.fixtures.coco_files import every_file


def test_the_set_is_made_from_its_seed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_small_images(tmp_path / name, 300)
    assert every_file(tmp_path / "a") == every_file(tmp_path / "b")
    photos = CocoDataset(tmp_path / "a" / "annotations.json", tmp_path / "a" / "images")
    assert len(photos) == 300
    assert photos[299].image.shape == (64, 64, 3)
    assert sum(photos.rows(i) for i in range(300)) == 900


def test_ways_and_their_table(tmp_path: Path) -> None:
    found = many_machines.measure(30, tmp_path)
    assert [*found["ways"]] == [ONE, TWO, SHARDS, MERGE]
    assert all(each["work"] > 0 for each in found["ways"].values())
    assert sum(process["main"] for process in found["ways"][TWO]["processes"]) == 1
    text = many_machines.table(found)
    assert text.count("\n| ") == 5
    assert f"{found['ways'][ONE]['work'] * 1e3 / 30:.2f} ms" in text
    assert not any(tmp_path.iterdir())


def test_promises() -> None:
    process = {"main": True, "work": 1.0, "peak": 50.0, "growth": 1.0}
    figures = {"of_twice": 0.95, "ways": {ONE: {"processes": [process]}}}
    assert many_machines.missed(figures) == []
    figures = {"of_twice": 0.85, "ways": {ONE: {"processes": [process | {"growth": 9.0}]}}}
    assert len(many_machines.missed(figures)) == 2


def test_files_are_compared(tmp_path: Path) -> None:
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(text)
    many_machines._compare(tmp_path / "a", tmp_path / "b")
    with pytest.raises(ValueError, match="c: its files are not those of a"):
        many_machines._compare(tmp_path / "a", tmp_path / "c")

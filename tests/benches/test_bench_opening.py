"""The benchmark of opening runs on a small file, finds equal results, and its table and picture are those kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benches import opening, plots, tables
from benches.__main__ import KEPT, PAGE
from benches.annotation_file import write_annotations
from pycocotools.coco import COCO

from copypaste_rs.datasets import CocoDataset


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="memory of a process is read from /proc")
def test_a_small_file(tmp_path: Path) -> None:
    measured = opening.measure(images=500, annotations=3000, rounds=1)
    assert list(measured["ways"]) == list(opening.WAYS)
    assert all(value > 0 for each in measured["ways"].values() for value in each.values())
    assert measured["growth"].keys() == {"fork", "spawn"}
    assert "| pycocotools | " in tables.opening_table(measured)
    assert opening.missed({**measured, "growth": {"fork": 6, "spawn": 0}})[-1].startswith("opening: expected workers")
    plots.opening(measured, tmp_path / "a.png")


def test_the_file_is_as_coco(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        write_annotations(tmp_path / name, 300, 2000)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    coco, photos = COCO(str(tmp_path / "a")), CocoDataset(tmp_path / "a", tmp_path)
    capsys.readouterr()
    assert len(photos) == len(coco.imgs) == 300
    found = [coco.annToMask(a).sum() for number in sorted(coco.imgs) for a in coco.imgToAnns[number]]
    areas = np.concatenate([photos.instances(i).masks.area for i in range(300)])  # type: ignore[union-attr]
    assert areas.tolist() == [area for area in found if area]
    # As many bytes for each annotation as in train2017.
    assert 460 < (tmp_path / "a").stat().st_size / 2000 < 600


def test_the_page_shows_the_kept_figures() -> None:
    figures = json.loads(KEPT.read_text())
    table = tables.opening_table(figures["opening"])
    assert f"<!-- opening: begin -->\n{table}\n<!-- opening: end -->" in PAGE.read_text()
    assert (PAGE.parent / "opening.png").exists()

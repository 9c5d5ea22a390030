"""The command line as tests start it, and what it leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from copypaste_rs.cli.commands import run

if TYPE_CHECKING:
    from coco_files import Files

COMMAND = [sys.executable, "-m", "copypaste_rs.cli"]
STATE = ".copypaste-rs"


def arguments(files: Files, output: Path, *more: str) -> list[str]:
    inputs = ["--annotations", str(files.annotations), "--images", str(files.images), "--output", str(output)]
    return ["augment", *inputs, "--size", "48x64", "--workers", "1", *more]


def start(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True)  # fmt: skip


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def augmented(tmp_path: Path, files: Files, *more: str, name: str = "out") -> dict[str, bytes]:
    assert run(arguments(files, tmp_path / name, *more)) == 0
    return every_file(tmp_path / name)


def check_set(folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Every box, area and mask agrees as pycocotools sees them; what is pasted and what is below never overlap."""
    coco = COCO(str(folder / "annotations.json"))
    capsys.readouterr()
    assert sorted(coco.imgs) == list(range(1, len(coco.imgs) + 1))
    assert sorted(coco.anns) == list(range(1, len(coco.anns) + 1))
    for number, image in coco.imgs.items():
        with Image.open(folder / "images" / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])
            assert picture.mode == "RGB"
        below, pasted = np.zeros((2, image["height"], image["width"]), bool)
        for a in coco.imgToAnns[number]:
            mask = coco.annToMask(a).astype(bool)
            ys, xs = np.nonzero(mask)
            assert a["area"] == len(ys) > 0
            x, y = xs.min(), ys.min()
            assert a["bbox"] == [x, y, xs.max() + 1 - x, ys.max() + 1 - y]
            (below if a["source"] < 0 else pasted)[mask] = True
        assert not (below & pasted).any()
    return len(coco.anns)

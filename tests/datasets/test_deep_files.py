"""Files of values that lie millions deep in others: an error, in little time and memory, and no crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="no peak of memory here")

BYTES = 16_000_000
FILES = {
    "list": ("", "[", "]"),
    "without an end": ("", "[", ""),
    "annotations": ('{"images":[],"annotations":', "[", "]"),
    "info": ('{"images":[],"info":', '{"a":', "}"),
    "segmentation": (
        '{"images":[{"id":1,"width":3,"height":3,"file_name":"a.png"}],"annotations":[{"id":1,"image_id":1,'
        '"category_id":1,"segmentation":',
        "[",
        "]",
    ),
    "labelme": ('{"version":"5","imagePath":"a.png","shapes":', "[", "]"),
}
PROGRAM = """
import sys, resource, time
from pathlib import Path
from copypaste_rs.datasets import CocoDataset, LabelMeDataset, PanopticDataset, open_dataset
import copypaste_rs.datasets.coco
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
file, before, start = Path(sys.argv[1]), peak(), time.perf_counter()
for read in (lambda: CocoDataset(file, file.parent), lambda: open_dataset(file), lambda: LabelMeDataset(file.parent),
             lambda: PanopticDataset(file, file.parent, file.parent)):
    try:
        read()
    except (ValueError, OSError) as error:
        assert str(file.parent) in str(error), error
    else:
        raise AssertionError("read")
print(time.perf_counter() - start, peak() - before)
"""


@pytest.mark.parametrize("name", FILES)
def test_deep_values(tmp_path: Path, name: str) -> None:
    start, opening, closing = FILES[name]
    times = BYTES // len(opening + closing)
    file = tmp_path / "annotations.json"
    file.write_text(start + opening * times + closing * times)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, peak = map(float, done.stdout.split())
    assert seconds < 30
    assert peak < 2 * file.stat().st_size + 100e6  # objects of Python would take 40 times the file

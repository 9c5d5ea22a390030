"""Opening a file of COCO's size: time, memory and pickles, each way in a fresh process, against pycocotools.

Run as a program it is that process: `python -m benches.opening WAY FILE` prints what one way takes, as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benches.annotation_file import ANNOTATIONS, IMAGES, write_annotations
from benches.measure import MEBI

if TYPE_CHECKING:
    from collections.abc import Callable

PEER, COLD, CACHED, UNCACHED = "pycocotools", "the first time", "from the cache", "without a cache"
WAYS = (PEER, COLD, CACHED, UNCACHED)
ROUNDS = 3
"""Rounds in which the ways take turns; the median counts."""
COMPARED = 400
"""Images whose annotations are compared."""
WARM = 50
"""Items after which a worker has what it needs."""


def measure(images: int = IMAGES, annotations: int = ANNOTATIONS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Time and memory of each way, once their results were found to be equal; growth of workers."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "instances.json"
        write_annotations(file, images, annotations)
        size = file.stat().st_size / MEBI
        found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for cache in Path(folder).glob("*.copypaste-rs"):
                cache.unlink()
            for way in WAYS:
                found[way].append(_in_a_process(way, file))
        rows = {way: runs[0].pop("rows") for way, runs in found.items()}
        for way in WAYS:
            if rows[way] != rows[PEER]:
                raise ValueError(f"{way}: annotations differ from those of pycocotools")
        growth = {method: _in_a_process(method, file)["growth"] for method in ("fork", "spawn")}
    return {
        "images": images,
        "annotations": annotations,
        "megabytes": size,
        "ways": {way: {name: _median(runs, name) for name in runs[0]} for way, runs in found.items()},
        "growth": growth,
    }


def missed(measured: dict[str, Any]) -> list[str]:
    """Promises that the figures do not hold, in words."""
    ways, size = measured["ways"], measured["megabytes"]
    peer = ways[PEER]["seconds"]
    checks = {
        "opened the first time in a tenth of pycocotools' time": ways[COLD]["seconds"] <= peer / 10,
        "memory at the peak of at most twice the file": ways[COLD]["peak"] <= 2 * size,
        "opened from the cache in 0.2 s": ways[CACHED]["seconds"] <= 0.2,
        "memory without mapped pages under 150 MiB": ways[CACHED]["anonymous"] <= 150,
        "a pickle under 1 MiB": ways[CACHED]["pickle"] <= 1,
        "workers that grow by less than 5 MiB": max(measured["growth"].values()) < 5,
    }
    return [f"opening: expected {what}" for what, holds in checks.items() if not holds]


def _median(runs: list[dict[str, Any]], name: str) -> float:
    return float(sorted(run[name] for run in runs)[len(runs) // 2])


def _in_a_process(way: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benches.opening", way, str(file)]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{way}: {done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def run(way: str, file: Path) -> dict[str, Any]:
    """Open the file one way in this process, and say what it took."""
    if way in ("fork", "spawn"):
        return {"growth": _growth(way, file)}
    opened, rows = _timed(way, file)
    opened["rows"] = rows()
    return opened


def _timed(way: str, file: Path) -> tuple[dict[str, Any], Callable[[], Any]]:
    if way == PEER:
        from pycocotools.coco import COCO

        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(file))
        taken = _state(time.perf_counter() - start)
        return {**taken, "pickle": len(pickle.dumps(coco)) / MEBI}, lambda: [
            [[a["id"], a["category_id"], coco.annToRLE(a)["counts"].decode()] for a in coco.imgToAnns[number]]
            for number in sorted(coco.imgs)[:COMPARED]
        ]
    photos, seconds = _opened(file, cache=way != UNCACHED)
    taken = _state(seconds)
    return {**taken, "pickle": len(pickle.dumps(photos)) / MEBI}, lambda: [_rows(photos, i) for i in range(COMPARED)]


def _opened(file: Path, *, cache: bool = True) -> tuple[Any, float]:
    from copypaste_rs.datasets import CocoDataset

    start = time.perf_counter()
    photos = CocoDataset(file, file.parent, cache_dir=None if cache else False)
    return photos, time.perf_counter() - start


def _rows(photos: Any, index: int) -> list[list[Any]]:
    instances = photos.instances(index)
    counts = [each["counts"].decode() for each in instances.masks.to_coco()]
    return [list(row) for row in zip(instances.id.tolist(), instances.labels.tolist(), counts, strict=True)]


def _state(seconds: float) -> dict[str, Any]:
    """Time, highest and present memory in MiB; the latter without pages of files."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEBI
    return {"seconds": seconds, "peak": peak, "anonymous": _pages("Anonymous")}


def _pages(*fields: str) -> float:
    """MiB of this process's pages that are counted in these fields, but for those of the cache."""
    total, is_cache = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *rest = line.split()
        if not name.endswith(":"):  # the head of a mapping
            is_cache = line.endswith(".copypaste-rs")
        elif name[:-1] in fields and not is_cache:
            total += int(rest[0])
    return total * 1024 / MEBI


def _growth(method: str, file: Path) -> float:
    """MiB of its own that a worker has after an epoch of annotations, more than after the first few items."""
    photos, _ = _opened(file)
    context: Any = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=_epoch, args=(photos, sender))
    worker.start()
    grown: float = receiver.recv()
    worker.join()
    return grown


def _epoch(photos: Any, sender: Any) -> None:
    before = 0.0
    for i in range(len(photos)):
        photos.info(i)
        photos.instances(i)
        if i == WARM:
            before = _pages("Private_Dirty", "Private_Clean")
    sender.send(_pages("Private_Dirty", "Private_Clean") - before)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(sys.argv[1], Path(sys.argv[2]))))

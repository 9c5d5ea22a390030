"""Work and memory of each process of the command line on many small images: one worker, two, two shards, a merge.

`python -m benches.many_machines` measures and prints; `--write` also keeps the figures and renews docs/. Work is
processor time, so that what else runs on the machine counts little; what the clock shows is kept beside it. For some
minutes after many files were deleted, ext4 takes several times as long to make new ones: a second run has to wait.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benches.measure import machine
from benches.small_images import OBJECTS, SIDE, write_small_images
from benches.tables import markdown, put

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "benches" / "results" / "many-machines.json"
PAGE = ROOT / "docs" / "many-machines.md"

IMAGES = 100_000
ONE, TWO, SHARDS, MERGE = "one process", "two workers", "two shards at once, one worker each", "their merge"
LEAST_OF_TWICE = 0.9
"""Promised throughput of two workers on two processors, as a share of twice that of one process."""
MOST_GROWTH = 5.0
"""Promised MiB, at most, by which the private memory of any process grows between a fifth of its time and its end."""
TICKS = os.sysconf("SC_CLK_TCK")


class Watched:
    """A process and its children while they run: memory over time, processor time at the end."""

    def __init__(self, command: list[str]) -> None:
        self._memory: dict[int, list[tuple[float, float, float]]] = {}
        self._work: dict[int, float] = {}
        self._start = time.perf_counter()
        with tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
            ended = threading.Event()
            watcher = threading.Thread(target=self._watch, args=(ended,))
            watcher.start()
            _, status, used = os.wait4(self._process.pid, 0)
            self._process.returncode = status
            self.seconds = time.perf_counter() - self._start
            ended.set()
            watcher.join()
            errors.seek(0)
            if status:
                raise RuntimeError(f"{' '.join(command)}: {errors.read().decode()}")
        self.work = used.ru_utime + used.ru_stime

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(0.2):
            for number in (self._process.pid, *_children(self._process.pid)):
                if (found := _memory(number)) is not None:
                    self._memory.setdefault(number, []).append((time.perf_counter() - self._start, *found))
                    self._work[number] = _work(number)

    def figures(self) -> dict[str, Any]:
        """Seconds, processor seconds, and MiB of each process that ran for a while."""
        processes = []
        for number, samples in self._memory.items():
            fifth = samples[0][0] + (samples[-1][0] - samples[0][0]) / 5
            late = [private for moment, _, private in samples if moment >= fifth]
            if samples[-1][0] - samples[0][0] >= self.seconds / 4:
                processes.append({
                    "main": number == self._process.pid,
                    "work": self._work[number],
                    "peak": max(shared for _, shared, _ in samples),
                    "growth": max(late) - late[0],
                })  # fmt: skip
        return {"seconds": self.seconds, "work": self.work, "processes": processes}


def _children(number: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{number}/task").glob("*/children"):
        try:
            found += map(int, path.read_text().split())
        except OSError:
            continue
    return found


def _memory(number: int) -> tuple[float, float] | None:
    """MiB of a process, with its part of what is shared, and of its private pages; None for one that is gone."""
    try:
        lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        fields = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
        return fields["Pss"], fields["Pss_Anon"]
    except (OSError, KeyError, IndexError):
        return None


def _work(number: int) -> float:
    """Processor seconds of a process so far; 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(images: int = IMAGES, folder: Path | None = None) -> dict[str, Any]:
    """Figures of each way, once their files were found to be equal."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        write_small_images(place / "in", images)
        augment = [sys.executable, "-m", "copypaste_rs.cli", "augment", "--annotations",
                   str(place / "in" / "annotations.json"), "--images", str(place / "in" / "images"),
                   "--size", str(SIDE)]  # fmt: skip
        Watched([*augment, "--output", str(place / "first"), "--shard", "1/1000", "--workers", "1"])  # makes the cache
        ways = {}
        for way, workers in ((ONE, 1), (TWO, 2)):
            ways[way] = Watched([*augment, "--output", str(place / way), "--workers", str(workers)]).figures()
        _compare(place / ONE, place / TWO)
        with ThreadPoolExecutor() as both:
            commands = [
                [*augment, "--output", str(place / f"shard-{i}"), "--shard", f"{i}/2", "--workers", "1"] for i in (1, 2)
            ]
            shards = [watched.figures() for watched in both.map(Watched, commands)]
        ways[SHARDS] = {
            "seconds": max(each["seconds"] for each in shards),
            "work": sum(each["work"] for each in shards),
            "processes": [process for each in shards for process in each["processes"]],
        }
        merge = [sys.executable, "-m", "copypaste_rs.cli", "merge", *(str(place / f"shard-{i}") for i in (1, 2))]
        ways[MERGE] = Watched([*merge, "--output", str(place / MERGE)]).figures()
        _compare(place / ONE, place / MERGE)
        notes = (place / ONE / ".copypaste-rs" / "records").stat().st_size
        written = (place / ONE / "annotations.json").stat().st_size
    return {
        "machine": machine(["copypaste_rs", "numpy", "Pillow", "simplejpeg", "msgspec"]),
        "images": images,
        "notes": notes / images,
        "annotations": written / images,
        "ways": ways,
        "of_twice": ways[ONE]["work"] / ways[TWO]["work"],
    }


def _compare(one: Path, other: Path) -> None:
    """Check that two folders have the same files."""
    if subprocess.run(["diff", "-rq", one, other], check=False, stdout=subprocess.DEVNULL).returncode:
        raise ValueError(f"{other.name}: its files are not those of {one.name}")


def missed(figures: dict[str, Any]) -> list[str]:
    """The promises that the figures do not keep."""
    found = []
    if figures["of_twice"] < LEAST_OF_TWICE:
        found.append(f"two workers: {figures['of_twice']:.2f} of twice one process, not {LEAST_OF_TWICE}")
    found += [
        f"{way}: a process grows by {process['growth']:.1f} MiB, not at most {MOST_GROWTH:.0f}"
        for way, each in figures["ways"].items()
        for process in each["processes"]
        if process["growth"] > MOST_GROWTH
    ]
    return found


def table(figures: dict[str, Any]) -> str:
    """Work and memory of each way, and how that was measured."""
    images, ways = figures["images"], figures["ways"]
    rows = [
        [
            way,
            f"{each['work']:.0f} s",
            f"{1e3 * each['work'] / images:.2f} ms",
            " + ".join(f"{process['peak']:.0f}" for process in each["processes"]) + " MiB",
            f"{max((process['growth'] for process in each['processes']), default=0.0):.1f} MiB",
        ]
        for way, each in ways.items()
    ]
    heads = ["", "processor time", "for an image", "memory of each process, at most", "growth"]
    found, two = figures["machine"], ways[TWO]
    main = sum(process["work"] for process in two["processes"] if process["main"])
    return "\n".join(
        [
            markdown(heads, rows),
            "",
            f"{images:,} images of {SIDE}x{SIDE} pixels with {OBJECTS} objects each, on average, written as JPEG: so "
            "small that what surrounds an image weighs most. Files of all ways are compared first. Memory is that of "
            "each process with its part of shared pages, and growth that of its private pages after a fifth of its "
            f"time. Two workers do {figures['of_twice']:.2f} of twice the work of one process in the same processor "
            f"time; the process that writes takes {main / two['work']:.0%} of it. On the clock they are "
            f"{faster(ways, TWO):.2f} times as fast as one process, where two shards at once, which share nothing but "
            f"the machine, are {faster(ways, SHARDS):.2f} times as fast. An image has "
            f"{figures['notes']:.0f} bytes of notes and {figures['annotations']:.0f} of annotations. "
            f"{found['processor']}, {found['cores']} cores, Python {found['python']}.",
            "",
            reckoned(figures),
        ]
    )


def faster(ways: dict[str, Any], way: str) -> float:
    """How many times as fast as one process a way is, by the clock."""
    return float(ways[ONE]["seconds"] / ways[way]["seconds"])


def reckoned(figures: dict[str, Any]) -> str:
    """Sentence on a thousand shards of a thousand images, by the figures of an image."""
    images = figures["images"]
    shard, merge = (figures["ways"][way]["work"] / images for way in (SHARDS, MERGE))
    notes, annotations = (figures[name] * 1e6 / 1e9 for name in ("notes", "annotations"))
    return (
        "Reckoned from the work for an image, not measured: of a thousand shards of a thousand such images, on a "
        f"thousand processors, each takes {1e3 * shard:.1f} seconds beside its start, and their merge, with links, "
        f"{1e6 * merge / 60:.0f} minutes; it reads {notes:.1f} GB of notes, and writes as much and "
        f"{annotations:.1f} GB of annotations. Where images are large, the shards take longer in proportion to their "
        "pixels, and the merge does not."
    )


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benches.many_machines", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES, help=f"images of the set ({IMAGES})")
    parser.add_argument("--folder", type=Path, help="where files are written meanwhile; else that of the system")
    parser.add_argument("--write", action="store_true", help="keep the figures, and renew docs/")
    parser.add_argument("--check", action="store_true", help="fail when a promise is missed")
    arguments = parser.parse_args()
    figures = measure(arguments.images, arguments.folder)
    sys.stdout.write(table(figures) + "\n")
    if arguments.write:
        KEPT.write_text(json.dumps(figures, indent=1) + "\n")
        put(PAGE, "scale", table(figures))
    sentences = missed(figures)
    for sentence in sentences:
        sys.stderr.write(f"missed: {sentence}\n")
    return 1 if sentences and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())

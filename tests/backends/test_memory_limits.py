"""Calls that run out of memory: always a MemoryError, never the end of the process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LIMITED = """
import resource, sys
import numpy as np
from copypaste_rs import Instances, Paste, Placement, Plan, RleMasks, Sample, functional as F

rng = np.random.default_rng(1)
# Noise: nearly as many runs as pixels, and a ring around most of them.
noise = rng.random((12, 500, 700)) < 0.5
masks, other = RleMasks.from_dense(noise), RleMasks.from_dense(noise[::-1, ::-1])
strings = masks.to_coco()
numbers = (noise * np.arange(1, 13)[:, None, None]).max(0)
polygon = rng.uniform(0, 40_000, 400)
still = Placement((500, 700), (500, 700), (0, 0), (500, 700))
larger = Placement((500, 700), (1500, 2100), (0, 0), (1500, 2100))
target, source = (
    Sample(np.zeros((500, 700, 3), np.uint8), Instances(masks=each, labels=np.ones(12, np.int64))) for each in (masks, other)
)
many = Plan(larger, [Paste(0, [row], larger) for row in range(12)])
soft = Plan(still, [Paste(0, range(12), still, sigma=2.0)])

CALLS = {
    "from_polygons": lambda: RleMasks.from_polygons([[polygon]], (40_000, 40_000)),
    "from_polygons, two parts": lambda: RleMasks.from_polygons([[polygon, polygon[::-1]]], (20_000, 20_000)),
    "to_polygons": lambda: masks[:4].to_polygons(),
    "from_dense": lambda: RleMasks.from_dense(noise),
    "from_dense, columns in one piece": lambda: RleMasks.from_dense(noise.transpose(0, 2, 1)),
    "from_dense, neither in one piece": lambda: RleMasks.from_dense(noise[:, ::2, ::2]),
    "to_dense": lambda: masks.to_dense(),
    "label_map": lambda: F.label_map(masks),
    "from_label_map": lambda: F.from_label_map(numbers),
    "from_label_map, columns in one piece": lambda: F.from_label_map(np.asfortranarray(numbers)),
    "from_coco": lambda: RleMasks.from_coco(strings, (500, 700)),
    "to_coco": lambda: masks.to_coco(),
    "union": lambda: masks.union(),
    "intersection": lambda: masks.intersection(),
    "difference, one": lambda: masks.difference(other[:1]),
    "difference, each": lambda: masks.difference(other),
    "without_small_parts": lambda: F.without_small_parts(masks, 9),
    "iou": lambda: masks.iou(other),
    "boxes": lambda: masks.boxes,
    "place": lambda: F.place_masks(masks, larger),
    "alpha": lambda: F.alpha(masks, larger, np.array([1024, 2048, 1024], np.uint16)),
    "copy_paste": lambda: F.copy_paste(many, target, source),
    "copy_paste, soft": lambda: F.copy_paste(soft, target, source),
}
ALL_OF_IT = resource.getrlimit(resource.RLIMIT_AS)

for name, call in CALLS.items():
    print(name, end=": ", flush=True)
    failed = 0
    # From less than any call needs to as much as every one does.
    for kilobytes in (1 << step for step in range(8, 22)):
        with open("/proc/self/statm") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + 1024 * kilobytes, ALL_OF_IT[1]))
        try:
            call()
        except MemoryError:
            failed += 1
        else:
            break
        finally:
            resource.setrlimit(resource.RLIMIT_AS, ALL_OF_IT)
    else:
        raise SystemExit("not even with two gigabytes")
    print("failed" if failed else "went on in what was there")
"""

SMALL = {"area", "boxes", "union", "label_map", "iou", "from_dense, neither in one piece"}
"""Calls that may find enough in what the allocator keeps."""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's here")
def test_every_limit_of_memory_is_an_error_or_enough() -> None:
    # What is freed goes back to the system at once, so that the next call has to ask for it.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    command = [sys.executable, "-c", LIMITED]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, f"{done.stdout.splitlines()[-1:]} ended the process: {done.stderr[-2000:]}"
    ended = dict(line.split(": ") for line in done.stdout.splitlines())
    assert {name for name, how in ended.items() if how != "failed"} <= SMALL

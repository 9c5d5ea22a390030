"""Resident memory over thousands of calls, and of loops that hold what they get; Linux alone tells it."""

from __future__ import annotations

import sys

import pytest

from tests.fixtures.processes import python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read as Linux tells it")

CALLS = """
import random, resource, sys
import numpy as np
from copypaste_rs import ForTraining, Instances, RleMasks, Sample, SimpleCopyPaste

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def scene(seed, size=(90, 120)):
    rng = np.random.default_rng(seed)
    dense = np.zeros((3, *size), np.uint8)
    for i in range(3):
        dense[i, 5 * i : 40 + 5 * i, 10 * i : 60 + 10 * i] = 1
    instances = Instances(masks=RleMasks.from_dense(dense), labels=[1, 2, 3])
    return Sample(rng.integers(0, 256, (*size, 3), np.uint8), instances)

target, source = scene(1), scene(2)
sizes = [(160, 200)] if sys.argv[1] == "one size" else [(h, 3 * h // 2) for h in range(100, 360, 2)]
transforms = [ForTraining(SimpleCopyPaste(size=size), masks="dense") for size in sizes]
rng = random.Random(0)
calls = int(sys.argv[2])
after = []
for part in range(4):
    for call in range(calls // 4):
        transforms[rng.randrange(len(transforms))](target, source, (0, part, call))
    after.append(resident())
print(*after)
"""


@pytest.mark.parametrize(("sizes", "growth"), [("one size", 1 << 20), ("any size", 8 << 20)])
def test_memory_is_flat_over_many_calls(sizes: str, growth: int) -> None:
    """From the first quarter of the calls to the last, with the pool at its bound well before."""
    done = python(CALLS, sizes, "5000", environment={"COPYPASTE_RS_POOL": str(8 << 20), "MALLOC_ARENA_MAX": "1"})
    first, *_, last = map(int, done.stdout.split())
    assert last - first <= growth


HELD = """
import ctypes, resource, sys
import numpy as np
from copypaste_rs import RleMasks

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

masks = RleMasks.from_dense(np.ones((1, 1024, 1024), np.uint8))  # a mebibyte each, written throughout
masks.to_dense()
ctypes.CDLL(None).malloc_trim(0)
before, most, held = resident(), 0, []
for turn in range(120):
    held.append(masks.to_dense())
    if len(held) > 40:
        del held[0]
    most = max(most, resident())
held.clear()
ctypes.CDLL(None).malloc_trim(0)
print(most - before, resident() - before)
"""


def test_what_is_held_and_no_more_than_the_bound_beside_it() -> None:
    environment = {"COPYPASTE_RS_POOL": str(16 << 20), "MALLOC_MMAP_THRESHOLD_": "65536"}
    most, afterwards = map(int, python(HELD, environment=environment).stdout.split())
    assert most <= (41 + 16 + 2) << 20
    assert afterwards <= (16 + 2) << 20

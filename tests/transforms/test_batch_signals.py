"""Signals while a batch is at work: answered between its items and while its threads work, and by calls of their own."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from copypaste_rs import ForTraining, Instances, Paste, Placement, Plan, RleMasks, Sample, SimpleCopyPaste
from tests.fixtures.processes import wait_until

if TYPE_CHECKING:
    from types import FrameType

    from numpy.typing import NDArray
    from typing_extensions import Self

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")

LONG = """
import sys
import numpy as np
from copypaste_rs import Instances, Sample, SimpleCopyPaste
photo = Sample(np.zeros((300, 300, 3), np.uint8), Instances())
transform = SimpleCopyPaste(size=2000, target_scale=(2.0, 2.0))
plan = transform.sample_plan(photo, [], 0)
try:
    while True:
        transform.apply_batch([plan] * 60, [photo] * 60, [[]] * 60, threads=int(sys.argv[1]))
        print("done", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@needs_signals
@pytest.mark.parametrize("threads", ["1", "2"])
def test_ctrl_c_ends_a_batch(threads: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", LONG, threads], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "done\n"  # and the next one has begun
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=30)[0].split("\n")[-2:] == ["interrupted", ""]
    assert child.returncode == 0
    assert time.monotonic() - start < 10


N, SIDE = 100, 400
SQUARE = RleMasks.from_polygons([[[10, 10, 200, 10, 200, 200, 10, 200]]], (2000, 1999))
PHOTO = Sample(np.full((2000, 1999), 9, np.uint8), Instances(masks=SQUARE))
TRANSFORM = SimpleCopyPaste(size=SIDE)
PLACE = Placement(PHOTO.size, (SIDE, SIDE), (0, 0), (SIDE, SIDE))
PLAN = Plan(PLACE, (Paste(0, (0,), PLACE),))
"""A large image shrunk: much work for few pixels."""


class Reached(Exception):
    """What a handler raises."""


class Alarm:
    """Calls a function in the thread that waits for a batch, while that is at work, as far as the clock allows."""

    def __init__(self, handler: Callable[[], None]) -> None:
        self.handler = handler
        self.delays = itertools.cycle(0.02 * k for k in range(1, 12))
        self.armed = False

    def __enter__(self) -> Self:
        self.before = signal.signal(signal.SIGALRM, self.ring)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)

    def ring(self, number: int, frame: FrameType | None) -> None:
        """Only while the kernel is at work: what is raised in a callback of Python's own comes out nowhere."""
        if self.armed and frame is not None and frame.f_code.co_name == "compose_batch":
            self.handler()

    def during(self, threads: int, out: NDArray[np.uint8]) -> None:
        """A batch that the alarm meets, or comes too early or too late for."""
        self.armed = True
        signal.setitimer(signal.ITIMER_REAL, next(self.delays))
        batch(threads, out)
        self.armed = False


def batch(threads: int, out: NDArray[np.uint8]) -> None:
    TRANSFORM.apply_batch([PLAN] * N, [PHOTO] * N, [[PHOTO]] * N, threads=threads, out=out)


@needs_signals
@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_handler_raises_comes_out_and_ends_the_work(threads: int) -> None:
    """The exception itself, and nothing more is begun; the next batch is whole."""
    out = np.zeros((N, SIDE, SIDE), np.uint8)

    def stop() -> None:
        raise Reached

    def cut_short() -> bool:
        out[:] = 0
        try:
            alarm.during(threads, out)
        except Reached:
            alarm.armed = False
        written = out.any(axis=(1, 2))
        # In their order: those of one thread each may be begun when the last of them fails to be.
        assert not written[int(written.argmin()) + threads :].any() or written.all()
        return bool(written[0]) and not written[-1]

    with Alarm(stop) as alarm:
        assert wait_until(cut_short)
    batch(threads, out)
    alone = TRANSFORM.apply(PLAN, PHOTO, PHOTO).image
    np.testing.assert_array_equal(out, np.broadcast_to(alone, out.shape))


@needs_signals
@pytest.mark.parametrize("threads", [1, 2])
def test_arrays_in_use_are_refused(threads: int) -> None:
    """Not by the error of a library that names no argument: a handler makes calls while a batch writes."""
    out = np.zeros((N, SIDE, SIDE), np.uint8)
    inner = Sample(out[0], Instances())
    plan, empty = TRANSFORM.sample_plan(inner, [], 0), TRANSFORM.sample_plan(PHOTO, [], 0)
    ready = ForTraining(TRANSFORM, masks="dense", dtype="uint8")
    image = "expected an image that no other call is writing to, got one in use"
    array = "expected an array that no other call is using, got one in use"
    calls: list[tuple[str, Callable[[], Any]]] = [
        (f"target: {image}", lambda: TRANSFORM.apply(plan, inner, [])),
        (f"sources[1]: {image}", lambda: TRANSFORM.apply(empty, PHOTO, [PHOTO, inner])),
        (f"item 1: target: {image}", lambda: TRANSFORM.apply_batch([empty, plan], [PHOTO, inner], [[], []], threads=2)),
        (f"out: {array}", lambda: TRANSFORM.apply(empty, PHOTO, [], out=out[1])),
        (f"out: {array}", lambda: TRANSFORM.apply_batch([empty] * 2, [PHOTO] * 2, [[]] * 2, out=out[:2])),
        (f"masks_out: {array}", lambda: ready.apply(PLAN, PHOTO, PHOTO, masks_out=out)),
    ]
    found: list[str | None] = []

    def meanwhile() -> None:
        found.clear()
        for _, refused in calls:
            try:
                refused()
                found.append(None)  # too early or too late
            except ValueError as error:
                found.append(str(error))

    def met() -> bool:
        alarm.during(threads, out)
        return bool(found) and found[0] is not None

    with Alarm(meanwhile) as alarm:
        assert wait_until(met)
    assert found == [sentence for sentence, _ in calls]

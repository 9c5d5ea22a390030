"""Threads: kept between calls, no more than may be used, and none believed to be there after a fork."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.transforms.test_batch import PLANS, TRANSFORM, call
from tests.transforms.test_transform import SOURCE, TARGET

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
needs_tasks = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="threads of a process are not listed here"
)


def digest(_: int = 0) -> bytes:
    images: bytes = call(threads=2).images.tobytes()
    return images


def processors() -> int:
    """How many this process may use, by what Linux says of affinity and of the quotas of its group and those above."""
    allowed: float = len(os.sched_getaffinity(0))
    group = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line[:3] == "0::"), "/")
    inner = Path("/sys/fs/cgroup", group.strip("/"))
    for limit in (each / "cpu.max" for each in (inner, *inner.parents)):
        quota, period = limit.read_text().split() if limit.exists() else ("max", "1")
        allowed = allowed if quota == "max" else min(allowed, int(quota) / int(period))
    return max(int(allowed), 1)


def run(code: str, **environment: str) -> str:
    """What a new process prints that can import the tests."""
    child = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return child.stdout


STARTED = """
import os, time
from tests.transforms.test_threads import call, digest
before = {*os.listdir("/proc/self/task")}
started = lambda: {*os.listdir("/proc/self/task")} - before
call(threads=1)
alone = started()
digest()
first = started()
for _ in range(20):
    digest()
assert started() == first, (first, started())
for _ in range(3):
    call(threads=64)
time.sleep(0.5)  # threads that were too few end when they are told
print(len(alone), len(first), len(started()))
"""


@needs_tasks
def test_threads_are_kept_and_no_more_than_may_be_used() -> None:
    most = processors()
    alone, first, many = map(int, run(STARTED).split())
    assert alone == 0
    assert first == min(most, 2) - 1
    assert many == min(most, 64) - 1


@needs_tasks
def test_the_environment_caps_threads() -> None:
    assert run(STARTED, COPYPASTE_RS_THREADS="1").split() == ["0"] * 3


def test_a_cap_of_one_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYPASTE_RS_THREADS", "1")
    assert call(threads=8)[0] == TRANSFORM.apply(PLANS[0], TARGET, SOURCE)


@pytest.mark.parametrize("cap", ["many", "0", "-2", "+5", "1.5"])
def test_a_bad_cap_is_named(monkeypatch: pytest.MonkeyPatch, cap: str) -> None:
    monkeypatch.setenv("COPYPASTE_RS_THREADS", cap)
    for threads in (1, 2):
        with pytest.raises(ValueError) as caught:
            call(threads=threads)
        assert str(caught.value) == f"COPYPASTE_RS_THREADS: expected a positive number, got {cap!r}"


@pytest.mark.parametrize("cap", ["", "2", "9" * 30])
def test_any_positive_cap_will_do(monkeypatch: pytest.MonkeyPatch, cap: str) -> None:
    monkeypatch.setenv("COPYPASTE_RS_THREADS", cap)
    assert call(threads=2)[0] == TRANSFORM.apply(PLANS[0], TARGET, SOURCE)


def test_calls_at_the_same_time_do_not_share_threads() -> None:
    expected = digest()
    found: list[bytes] = []

    def often() -> None:
        found.extend(digest() for _ in range(30))

    callers = [threading.Thread(target=often) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=60)
        assert not caller.is_alive()
    assert found == [expected] * 120


@needs_fork
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_forked_after_threads_do_not_hang() -> None:
    expected = digest()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(digest, range(20)).get(timeout=60) == [expected] * 20


GENERATIONS = """
import ctypes, os
from tests.transforms.test_threads import digest
fork = {fork}
expected = digest()
for generation in range(4):
    child = fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        os._exit(0)
    assert digest() == expected
"""


@needs_fork
@pytest.mark.parametrize("fork", ["os.fork", "ctypes.PyDLL(None).fork"], ids=["Python", "C"])
def test_children_of_children_have_threads_of_their_own(fork: str) -> None:
    """Whoever forks, and whether Python hears of it."""
    run(GENERATIONS.format(fork=fork))


MEANWHILE = """
import os, threading
from tests.transforms.test_threads import digest
expected = digest()
stop = threading.Event()
def always():
    while not stop.is_set():
        digest()
other = threading.Thread(target=always)
other.start()
for _ in range(30):
    child = os.fork()
    if not child:
        os._exit(digest() != expected)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
other.join()
"""


@needs_fork
def test_a_fork_while_another_thread_is_at_work() -> None:
    run(MEANWHILE)

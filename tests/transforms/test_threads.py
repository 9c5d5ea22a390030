"""Threads: kept between calls, no more than may be used, and none believed to be there after a fork."""

from __future__ import annotations

import multiprocessing
import os
import threading
from pathlib import Path

import pytest

from tests.fixtures.batches import PLANS, TRANSFORM, call, images
from tests.fixtures.processes import processors, python
from tests.fixtures.samples import SOURCE, TARGET

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
needs_tasks = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="threads of a process are not listed here"
)


STARTED = """
import os, sys
from tests.fixtures.batches import call, images
from tests.fixtures.processes import wait_until
before = {*os.listdir("/proc/self/task")}
started = lambda: {*os.listdir("/proc/self/task")} - before
call(threads=1)
alone = started()
images()
first = started()
for _ in range(20):
    images()
assert started() == first, (first, started())
most = int(sys.argv[1])
for _ in range(3):
    call(threads=64)
    assert wait_until(lambda: len(started()) <= most, 10), started()  # threads that are not needed end when told
many = started()
images()
assert wait_until(lambda: len(started()) <= len(first), 10), started()  # two were asked for
print(len(alone), len(first), len(many))
"""


@needs_tasks
def test_threads_are_kept_and_no_more_than_asked() -> None:
    """The thread that calls works too, so one fewer is started: none for one, then no more than may be used."""
    most = min(processors(), 64) - 1
    alone, first, many = map(int, python(STARTED, str(most)).stdout.split())
    assert alone == 0
    assert first == min(most, 1)
    assert first <= many <= most


@needs_tasks
def test_the_environment_caps_threads() -> None:
    assert python(STARTED, "0", environment={"COPYPASTE_RS_THREADS": "1"}).stdout.split() == ["0"] * 3


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
    expected = images()
    found: list[bytes] = []

    def often() -> None:
        found.extend(images() for _ in range(30))

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
    expected = images()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(images, range(20)).get(timeout=60) == [expected] * 20


GENERATIONS = """
import ctypes, os
from tests.fixtures.batches import images
fork = {fork}
expected = images()
for generation in range(4):
    child = fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        os._exit(0)
    assert images() == expected
"""


@needs_fork
@pytest.mark.parametrize("fork", ["os.fork", "ctypes.PyDLL(None).fork"], ids=["Python", "C"])
def test_children_of_children_have_threads_of_their_own(fork: str) -> None:
    """Whoever forks, and whether Python hears of it."""
    python(GENERATIONS.format(fork=fork))


MEANWHILE = """
import os, threading
from tests.fixtures.batches import images
expected = images()
stop = threading.Event()
def always():
    while not stop.is_set():
        images()
other = threading.Thread(target=always)
other.start()
for _ in range(30):
    child = os.fork()
    if not child:
        os._exit(images() != expected)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
other.join()
"""


@needs_fork
def test_a_fork_while_another_thread_is_at_work() -> None:
    python(MEANWHILE)


MANY_CHILDREN = """
import os, sys
from tests.fixtures.batches import images
expected = images()
for number in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        os._exit(images() != expected)
    assert os.waitpid(child, 0)[1] == 0
    if number % 50 == 0:
        assert images() == expected
"""


@needs_fork
def test_children_made_one_after_the_other_all_end() -> None:
    """Each does a batch on threads of its own, after its parent did; one that waited for ever would end the test."""
    python(MANY_CHILDREN, "200")


WITHIN = """
import collections.abc, os, signal
from tests.fixtures.batches import SOURCES, call
from copypaste_rs import Sample
expected, asked, child = call().images.tobytes(), [], []
class Forking(collections.abc.Sequence):
    def __init__(self, samples):
        self.samples = [samples] if isinstance(samples, Sample) else samples
    def __len__(self):
        return len(self.samples)
    def __getitem__(self, i):
        asked.append(i)
        if len(asked) == 3:
            child.append(os.fork())
            if not child[0]:
                signal.alarm(30)
        return self.samples[i]
made = call(sources=[Forking(each) for each in SOURCES], threads=2).images.tobytes()
if not child[0]:
    os._exit(made != expected)
assert made == expected
assert os.waitpid(child[0], 0)[1] == 0
"""


@needs_fork
def test_a_fork_by_a_sequence_of_sources() -> None:
    """Its code runs before there are threads, so the child goes on with the batch as its parent does."""
    python(WITHIN)

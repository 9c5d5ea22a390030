"""Work in several processes: results in order, few in flight, a clean end whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import connection
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

T = TypeVar("T")

IN_FLIGHT = 2
"""Groups of results under way for each process: one at work, one waiting, so that memory stays bounded."""

GROUP_SECONDS = 0.05
"""Work that a process is given at once, about: handing over takes as long as making a small image. With 20 milliseconds
two processes took 4 to 9% longer on images of 64x64."""
MOST_IN_GROUP = 128

_job: Callable[[int], Any] | None = None  # of a worker process


def ordered(job: Callable[[int], T], numbers: Sequence[int], workers: int) -> Generator[T, None, None]:
    """``job(number)`` for each number, in order, worked out by so many processes; by this one, if only one.

    `job` travels to each process once.
    """
    workers = min(workers, len(numbers))
    if workers <= 1:
        yield from map(job, numbers)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start, (job,))
    groups = _Groups(pool, numbers)
    try:
        while groups.is_left:
            while groups.is_left and len(groups) < IN_FLIGHT * workers:
                groups.submit()
            yield from groups.first()
        while len(groups):
            yield from groups.first()
    except BrokenProcessPool:
        raise OSError("a worker process died, perhaps for lack of memory; try fewer workers") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Groups:
    """Numbers that follow one another, handed to processes as one task: as many as take about `GROUP_SECONDS`."""

    def __init__(self, pool: ProcessPoolExecutor, numbers: Sequence[int]) -> None:
        self._pool = pool
        self._numbers = numbers
        self._next = 0
        self._size = 1
        self._waiting: deque[tuple[Sequence[int], Future[tuple[list[Any], float]]]] = deque()

    def __len__(self) -> int:
        """Number of tasks under way."""
        return len(self._waiting)

    @property
    def is_left(self) -> bool:
        """Whether there are numbers that no process was given yet."""
        return self._next < len(self._numbers)

    def submit(self) -> None:
        """Hand over the next group."""
        group = self._numbers[self._next : self._next + self._size]
        self._next += len(group)
        self._waiting.append((group, self._submitted(group)))

    def first(self) -> list[Any]:
        """Results of the first group, as far as they were made before one failed, whose error is next."""
        group, future = self._waiting.popleft()
        results, seconds = future.result()
        if len(results) < len(group):  # it fails again, as the first of its group
            rest = group[len(results) :]
            self._waiting.appendleft((rest, self._submitted(rest)))
        self._size = max(1, min(MOST_IN_GROUP, 2 * self._size, int(GROUP_SECONDS * len(results) / max(seconds, 1e-6))))
        return results

    def _submitted(self, group: Sequence[int]) -> Future[tuple[list[Any], float]]:
        with _interrupts_held():
            return self._pool.submit(_run, group)


def _start(job: Callable[[int], Any]) -> None:
    global _job  # noqa: PLW0603 (the one thing a worker process holds)
    _job = job
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one decides
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # the pool ends its processes by it
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A killed parent cannot say goodbye, and a worker would wait for its next number for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run(numbers: Sequence[int]) -> tuple[list[Any], float]:
    """Results of the job for these numbers, up to one that fails unless that is the first, and seconds it took."""
    job = cast("Callable[[int], Any]", _job)
    start = perf_counter()
    results = [job(numbers[0])]
    with suppress(Exception):
        results.extend(job(number) for number in numbers[1:])
    return results, perf_counter() - start


@contextmanager
def _interrupts_held() -> Iterator[None]:
    # Processes may be started in here, and have to inherit that Ctrl-C is not for them: until they have run
    # `_start`, it would end them with a traceback. This one gets it afterwards.
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def available_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""Work in several processes: results in order, few in flight, a clean end whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

T = TypeVar("T")

IN_FLIGHT = 2
"""Results under way for each process: one at work, one waiting, so that memory stays bounded."""

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
    waiting: deque[Future[Any]] = deque()
    try:
        for number in numbers:
            if len(waiting) == IN_FLIGHT * workers:
                yield waiting.popleft().result()
            with _interrupts_held():
                waiting.append(pool.submit(_run, number))
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise OSError("a worker process died, perhaps for lack of memory; try fewer workers") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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


def _run(number: int) -> Any:
    return cast("Callable[[int], Any]", _job)(number)


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

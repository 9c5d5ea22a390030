"""A second process that does the same work at the same time: how much of a second processor the machine gives."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection


@contextmanager
def beside(prepare: Callable[[], Callable[[], Any]]) -> Iterator[Callable[[], None]]:
    """A call that does what `prepare` gives here and, at the same time, in a process of its own.

    `prepare` is a function of a module: each of the two processes calls it once.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_serve, args=(prepare, there), daemon=True)
    child.start()
    there.close()  # so that its end is seen
    work = prepare()
    here.recv()

    def both() -> None:
        here.send(True)
        work()
        here.recv()

    try:
        yield both
    finally:
        here.close()
        child.join()


def _serve(prepare: Callable[[], Callable[[], Any]], connection: Connection) -> None:
    work = prepare()
    connection.send(True)
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        work()
        connection.send(True)

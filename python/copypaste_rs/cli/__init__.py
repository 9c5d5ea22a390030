"""The command line, ``copypaste-rs``."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # as in `typing`: until `main` runs, nothing is imported that takes a while
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["main"]


class TerminatedError(BaseException):
    """SIGTERM has come: like KeyboardInterrupt, no error that anybody should catch on the way."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``copypaste-rs`` and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else it is ignored, by nohup say
    signal.signal(signal.SIGTERM, _end)
    if ours:
        signal.signal(signal.SIGINT, _end)
    _open_missing_streams()
    try:
        from copypaste_rs.cli.commands import run

        signal.signal(signal.SIGTERM, _terminate)
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = run(arguments)
        if ours:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # there is nothing left to say
    except ImportError as error:
        # Of what the command line needs, other parts need some: they name another extra.
        words = f"{error.name} is not installed; the command line needs the extra cli: pip install 'copypaste_rs[cli]'"
        print(f"copypaste-rs: {words if error.name else error}", file=sys.stderr)
        status = 1
    except (KeyboardInterrupt, TerminatedError) as error:  # just before `run`, or after it
        print("\ncopypaste-rs: interrupted", file=sys.stderr)
        status = 130 if isinstance(error, KeyboardInterrupt) else 143
    sys.exit(status)


def _end(number: int, _: Any) -> None:
    # While modules are imported nothing is under way, and an exception may be lost in what they execute.
    try:
        os.write(2, b"\ncopypaste-rs: interrupted\n")
    finally:
        os._exit(128 + number)


def _terminate(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the second one ends it at once
    raise TerminatedError


def _open_missing_streams() -> None:
    """Put something in the place of standard streams that are closed, as after ``2>&-``.

    Otherwise the next file that is opened would take their numbers, and whatever is said would be written to it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
            os.set_inheritable(opened, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115

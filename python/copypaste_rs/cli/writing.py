"""Writing all items of an output, in processes, with progress, so that it can be stopped and gone on with."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from copypaste_rs.cli import TerminatedError
from copypaste_rs.cli.parallel import ordered
from copypaste_rs.cli.progress import progress_bar
from copypaste_rs.cli.words import sentence

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from copypaste_rs.datasets.encoding import EncodedSample
    from copypaste_rs.datasets.sample_writer import SampleWriter

KEPT = "what is done is kept, and --resume goes on"


class Work(Protocol):
    """The work for each item, number 0 up; picklable, for worker processes."""

    def __call__(self, number: int, /) -> EncodedSample:
        """The item, encoded."""
        ...

    def name(self, number: int, /) -> str | None:
        """Name of its image; None counts."""
        ...


def write_all(writer: SampleWriter, work: Work, missing: Sequence[int], workers: int) -> int:
    """Write the items that are not there yet, close the writer, and return how many were made now."""
    with keeping(), writer:
        _write(writer, work, ordered(work, missing, workers), missing)
    return len(missing)


@contextmanager
def keeping() -> Iterator[None]:
    """Say of errors in this block, and of interruptions, that what was done before is kept."""
    try:
        yield
    except (OSError, ValueError, TypeError, MemoryError) as error:
        raise OSError(f"{sentence(error)}; {KEPT}") from None
    except (KeyboardInterrupt, TerminatedError) as error:
        raise type(error)(KEPT) from None


def _write(
    writer: SampleWriter, work: Work, results: Generator[EncodedSample, None, None], missing: Sequence[int]
) -> None:
    bar = progress_bar(len(writer), len(writer) + len(missing))
    try:
        for number, encoded in zip(missing, results, strict=True):
            if (name := work.name(number)) is None:
                writer.write_encoded(encoded)
            else:
                writer.write_renamed(encoded, name)
            with suppress(OSError):  # the work goes on when the terminal is gone
                bar.update()
    finally:
        results.close()  # ends the processes
        with suppress(OSError):
            bar.close()

"""Passes of samplers, of which each is an epoch: counted, said, and gone on with in the middle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, SupportsIndex, TypeVar, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_WORD = 2**64 - 1

Given = TypeVar("Given")


class EpochPasses(Generic[Given]):
    """Base of samplers whose passes are epochs, counted from 0 on as they are begun.

    A class below has a length, the number of things that are given in a pass, and says with `_from` what these are.
    """

    def __init__(self) -> None:
        self._next = (0, 0)  # epoch and position with which the next pass begins
        self._current: EpochPass[Given] | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    def _from(self, epoch: int, position: int) -> Iterator[Given]:
        """Things that are given in an epoch, from a position on."""
        raise NotImplementedError

    def set_epoch(self, epoch: SupportsIndex) -> None:
        """Say which epoch the next pass is, 0 to 2^64 - 1; those after it are counted on from there.

        Nothing has to call it. After `load_state_dict` the epoch that was loaded goes on where it was.
        """
        number = _checks.integer("epoch", epoch, 0, MAX_WORD)
        if number != self._next[0]:
            self._next = (number, 0)
        self._current = None

    def __iter__(self) -> EpochPass[Given]:
        """One pass; its epoch is counted when the first thing is asked for, not before."""
        return EpochPass(self)

    def state_dict(self) -> dict[str, int]:
        """Epoch of the pass that was begun last, and how much of it was given; after its end, the next one."""
        epoch, position = self._next if self._current is None else self._current.place
        return {"epoch": epoch, "position": position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after that position of that epoch, with the next pass.

        A position may be the length: a loader that is asked after the last thing of an epoch, and before it looks for
        another one, says so. The next pass is the rest of that epoch then, which is nothing, and the one after it is
        the next epoch.

        Raises
        ------
        ValueError, TypeError
            When `state` does not hold them, or the position lies beyond the end of the epoch.
        """
        self._next, self._current = self._checked(state), None

    def _checked(self, state: Mapping[str, Any]) -> tuple[int, int]:
        if not isinstance(state, Mapping):
            raise wrong_type("state", "a mapping with epoch and position", type(state).__name__)
        if absent := [name for name in ("epoch", "position") if name not in state]:
            raise wrong("state", "a mapping with epoch and position", f"one without {absent[0]}")
        epoch = _checks.integer(("state", "epoch"), state["epoch"], 0, MAX_WORD)
        return epoch, _checks.integer(("state", "position"), state["position"], 0, len(self))

    def __getstate__(self) -> dict[str, Any]:
        # A copy goes on where this one is, with a pass of its own.
        return {**vars(self), "_next": tuple(self.state_dict().values()), "_current": None}


@final
class EpochPass(Iterator[Given]):
    """One pass of a sampler.

    Parameters
    ----------
    sampler : EpochPasses
        The sampler that is gone through.
    """

    def __init__(self, sampler: EpochPasses[Given]) -> None:
        self._sampler = sampler
        self._begin: tuple[int, int] | None = None  # None: where the sampler says, once the first thing is asked for
        self._count = 0
        self._rest: Iterator[Given] | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Epoch, and how much of it was given, what came before a resumption included."""
        epoch, position = self._sampler._next if self._begin is None else self._begin
        return epoch, position + self._count

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Given:
        # Data loaders make iterators that they never ask: only what was asked counts as a pass.
        if self._rest is None:
            if self._begin is None:
                self._take(self._sampler._next)
            self._rest = self._sampler._from(*self.place)
        try:
            given = next(self._rest)
        except StopIteration:
            if self._sampler._current is self:
                self._sampler._current = None
            raise
        self._count += 1
        return given

    def _take(self, begin: tuple[int, int]) -> None:
        self._begin = begin
        self._sampler._next = (begin[0] + 1) % (MAX_WORD + 1), 0
        self._sampler._current = self

    def state_dict(self) -> dict[str, int]:
        """State of the pass, as that of its sampler."""
        epoch, position = self.place
        return {"epoch": epoch, "position": position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Be the rest of another pass; the next one of the sampler is the epoch after it."""
        self._rest, self._count = None, 0
        self._take(self._sampler._checked(state))

"""The number of the epoch, in memory that worker processes share."""

from __future__ import annotations

import ctypes
from multiprocessing import context, sharedctypes
from typing import Any


class SharedEpoch:
    """A number that worker processes share with the process that started them, and whether somebody said it."""

    def __init__(self, epoch: int = 0, said: bool = False) -> None:
        # The number, whether it was said, and whether anybody was told of one that contradicts it.
        self._numbers = sharedctypes.RawArray(ctypes.c_uint64, [epoch, said, False])

    def get(self) -> int:
        """The number."""
        return int(self._numbers[0])

    @property
    def said(self) -> bool:
        """Whether somebody said a number."""
        return bool(self._numbers[1])

    def set(self, epoch: int) -> None:
        """Say another number, which all processes see."""
        self._numbers[0] = epoch
        self._numbers[1] = True

    def first_contradicted_by(self, epoch: int) -> bool:
        """Whether another number than `epoch` was said; True once among all processes, so that one of them warns."""
        number, said, told = self._numbers
        if told or not said or number == epoch:
            return False
        self._numbers[2] = True
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        # Shared memory can be handed to a process only while it is being started; a fork inherits it. A pickle
        # made for anything else takes the number along.
        if context.get_spawning_popen() is None:
            return SharedEpoch, (self.get(), bool(self._numbers[1]))
        return _attach, (self._numbers,)


def _attach(numbers: ctypes.Array[ctypes.c_uint64]) -> SharedEpoch:
    epoch = SharedEpoch.__new__(SharedEpoch)
    epoch._numbers = numbers
    return epoch

"""The number of the epoch, in memory that worker processes share."""

from __future__ import annotations

import ctypes
from multiprocessing import context, sharedctypes
from typing import Any


class SharedEpoch:
    """A number that worker processes share with the process that started them."""

    def __init__(self, epoch: int = 0) -> None:
        self._number = sharedctypes.RawValue(ctypes.c_uint64, epoch)

    def get(self) -> int:
        """The number."""
        return int(self._number.value)

    def set(self, epoch: int) -> None:
        """Say another number, which all processes see."""
        self._number.value = epoch

    def __reduce__(self) -> tuple[Any, ...]:
        # Shared memory can be handed to a process only while it is being started; a fork inherits it. A pickle
        # made for anything else takes the number along.
        if context.get_spawning_popen() is None:
            return SharedEpoch, (self.get(),)
        return _attach, (self._number,)


def _attach(number: ctypes.c_uint64) -> SharedEpoch:
    epoch = SharedEpoch.__new__(SharedEpoch)
    epoch._number = number
    return epoch

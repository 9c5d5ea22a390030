"""Immutability of values, whose attributes are set once, by their own class; and what they are to arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class NotAnArray:
    """Base of values that are compared with arrays as a whole: `==` is False, whichever side the array is on."""

    __slots__ = ()

    __array_ufunc__: ClassVar[None] = None


class Immutable(NotAnArray):
    """Base of classes whose attributes cannot be set or deleted from outside."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name!r}")

    def _put(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)


def element(refusal: str, value: object, dtype: Any) -> NDArray[Any]:
    """`value` as the one element of an array of objects; an array of any other dtype is refused with a TypeError."""
    if dtype is None or np.dtype(dtype) != np.dtype(object):
        raise TypeError(refusal)
    array = np.empty((), object)
    array[()] = value
    return array

"""Values as JSON text: what JSON cannot say is refused with its place, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from copypaste_rs.datasets._extras import extra

with extra("coco"):
    import msgspec

_FAILURES = (TypeError, ValueError, OverflowError, RecursionError)


def json_text(name: str, value: object) -> bytes:
    """JSON text of a value, in UTF-8; numbers and text of NumPy are written as Python's.

    Parameters
    ----------
    name : str
        What errors call the value.
    value : object
        Anything that msgspec encodes.

    Raises
    ------
    TypeError, ValueError
        When the value, or one inside it, cannot be written; the message says which.

    Examples
    --------
    >>> json_text("info", {"year": np.int64(2026)})
    b'{"year":2026}'
    """
    try:
        return msgspec.json.encode(value, enc_hook=_as_python)
    except RecursionError:
        raise ValueError(f"{name}: expected values that JSON can hold, got some that lie too deep in others") from None
    except _FAILURES:
        _refuse(name, value)


def check_text(name: str, text: str) -> None:
    """Refuse text that UTF-8 cannot hold: lone surrogates, as undecodable file names have them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: expected text that UTF-8 can hold, got {text!r}") from None


def _as_python(value: object) -> object:
    """A number or text of NumPy, or of a subclass, as Python's own."""
    if isinstance(value, np.number | np.bool_ | np.str_) and not isinstance(
        value, np.longdouble | np.complexfloating | np.timedelta64
    ):
        return value.item()
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


def _refuse(name: str, value: object) -> NoReturn:
    """Raise an error about the innermost value that cannot be written."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not _can_be_written({key: None}):
                if isinstance(key, str):
                    check_text(f"{name}: key", key)
                raise TypeError(f"{name}: expected text as keys, got {key!r}")
            if not _can_be_written(item):
                _refuse(f"{name}[{key!r}]", item)
    if isinstance(value, list | tuple):
        for i, item in enumerate(value):
            if not _can_be_written(item):
                _refuse(f"{name}[{i}]", item)
    if isinstance(value, str):
        check_text(name, value)
    if isinstance(value, int):
        raise ValueError(f"{name}: expected an integer of 64 bits, got {value}")
    raise TypeError(
        f"{name}: expected what JSON can hold (text, numbers, True, False, None, lists, dicts), "
        f"got {type(value).__name__}"
    )


def _can_be_written(value: Any) -> bool:
    try:
        msgspec.json.encode(value, enc_hook=_as_python)
    except _FAILURES:
        return False
    return True

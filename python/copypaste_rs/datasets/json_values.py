"""Values as JSON text: what JSON cannot say is refused with its place, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from copypaste_rs._checks import item, wrong, wrong_type
from copypaste_rs.datasets._extras import extra

if TYPE_CHECKING:
    from copypaste_rs._checks import Place

with extra("coco"):
    import msgspec

_FAILURES = (TypeError, ValueError, OverflowError, RecursionError)


def json_text(name: Place, value: object) -> bytes:
    """JSON text of a value, in UTF-8; numbers and text of NumPy are written as Python's.

    Parameters
    ----------
    name : str, or tuple of a name with numbers or keys
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
        raise wrong(name, "values that JSON can hold", "some that lie too deep in others") from None
    except _FAILURES:
        _refuse(name, value)


def check_text(name: Place, text: str, what: str = "text") -> None:
    """Refuse text that UTF-8 cannot hold: lone surrogates, as undecodable file names have them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise wrong(name, f"{what} that UTF-8 can hold", repr(text)) from None


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


def _refuse(name: Place, value: object) -> NoReturn:
    """Raise an error about the innermost value that cannot be written."""
    if isinstance(value, Mapping):
        for key, held in value.items():
            if not _can_be_written({key: None}):
                if isinstance(key, str):
                    check_text(name, key, "keys")
                raise wrong_type(name, "text as keys", repr(key))
            if not _can_be_written(held):
                _refuse(item(name, key), held)
    if isinstance(value, list | tuple):
        for i, held in enumerate(value):
            if not _can_be_written(held):
                _refuse(item(name, i), held)
    if isinstance(value, str):
        check_text(name, value)
    if isinstance(value, int):
        raise wrong(name, "an integer of 64 bits", str(value))
    expected = "what JSON can hold (text, numbers, True, False, None, lists, dicts)"
    raise wrong_type(name, expected, type(value).__name__)


def _can_be_written(value: Any) -> bool:
    try:
        msgspec.json.encode(value, enc_hook=_as_python)
    except _FAILURES:
        return False
    return True

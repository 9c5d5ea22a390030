"""Values of a field of annotations, as a column of one dtype holds them."""

from __future__ import annotations


class InexactError(ValueError):
    """Float64 does not hold the integer of a field."""


def as_float(value: float) -> float:
    """The number as float64 holds it; of an integer that it does not hold, an `InexactError`."""
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if isinstance(value, int) and (number == float("inf") or int(number) != value):
        raise InexactError
    return number


def as_text(value: object) -> str:
    """The text, or a number or bool as JSON has it."""
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)

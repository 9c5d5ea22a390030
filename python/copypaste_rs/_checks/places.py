"""Places of values: the name of an argument, or of an item of one; and the errors about them."""

from __future__ import annotations

from typing import Any, TypeAlias

from copypaste_rs.errors import ArgumentError, ArgumentTypeError

Place: TypeAlias = "str | tuple[Any, ...]"
"""Name of an argument, or a tuple of the name and the numbers or keys of an item: ``("sources", 1)``."""


def item(place: Place, *numbers: int | str) -> Place:
    """The place of an item of what stands at a place."""
    return (place, *numbers) if isinstance(place, str) else (*place, *numbers)


def part(place: Place, suffix: str = "") -> str:
    """The place in words, with a suffix such as ``.shape``."""
    if isinstance(place, str):
        return place + suffix
    return str(place[0]) + "".join(f"[{number!r}]" for number in place[1:]) + suffix


def wrong(place: Place, expected: str, got: str) -> ArgumentError:
    """The error for a value that does not fit."""
    return ArgumentError(*_split(place, expected, got))


def wrong_type(place: Place, expected: str, got: str) -> ArgumentTypeError:
    """The error for a value of a type that does not fit."""
    return ArgumentTypeError(*_split(place, expected, got))


def _split(place: Place, expected: str, got: str) -> tuple[Any, ...]:
    if isinstance(place, str):
        return place, expected, got
    name, *numbers = place
    return name, expected, got, numbers[0] if len(numbers) == 1 else tuple(numbers)

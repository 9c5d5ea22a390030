"""Pairs timed over and over: what disturbs the machine for a moment disturbs one turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.measure import paired

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def take_turn(contestants: dict[str, Sequence[Callable[[], Any]]], repeats: int, number: int) -> dict[str, list[float]]:
    """Seconds of every contestant on every draw.

    Every other turn goes backwards: what one contestant leaves behind is not always the same one's to find.
    """
    return paired(dict(reversed(contestants.items())) if number % 2 else contestants, repeats)


def least(taken: Sequence[dict[str, list[float]]]) -> dict[str, list[float]]:
    """The quickest turn of every contestant on every draw: noise only ever adds."""
    return {name: [min(values) for values in zip(*(turn[name] for turn in taken), strict=True)] for name in taken[0]}


def in_turns(contestants: dict[str, Sequence[Callable[[], Any]]], repeats: int, turns: int) -> dict[str, list[float]]:
    """Seconds of every contestant on every draw, in the quickest of several turns."""
    return least([take_turn(contestants, repeats, number) for number in range(turns)])

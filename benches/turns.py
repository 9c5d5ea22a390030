"""Pairs timed over and over: what disturbs the machine for a moment disturbs one turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benches.measure import paired

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def turns(
    contestants: dict[str, Sequence[Callable[[], Any]]], repeats: int, count: int
) -> list[dict[str, list[float]]]:
    """Seconds of every contestant on every draw, `count` times over."""
    return [paired(contestants, repeats) for _ in range(count)]


def least(taken: Sequence[dict[str, list[float]]]) -> dict[str, list[float]]:
    """The quickest turn of every contestant on every draw: noise only ever adds."""
    return {name: [min(values) for values in zip(*(turn[name] for turn in taken), strict=True)] for name in taken[0]}

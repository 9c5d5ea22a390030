"""Draws that several integrations have in common: partners, and what sets worker processes apart."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from copypaste_rs import draws
from copypaste_rs.datasets.copy_paste import TRIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from copypaste_rs.sample import Sample
    from copypaste_rs.transforms import SimpleCopyPaste


def partners(
    inner: SimpleCopyPaste, rng: Any, n: int, candidates: int, take: Callable[[int], Sample | None]
) -> list[Sample]:
    """Partners drawn from so many candidates, at most n, by a key, as `CopyPasteDataset` draws them.

    `take` gives the sample of a number, or None for one that cannot be a partner; then another one is drawn, up to
    eight times.
    """
    if candidates < 1:
        return []
    words = draws.words(inner._backend.philox_words, draws.resolve(rng), draws.PARTNER_STREAM, TRIES * n)
    found = []
    for start in range(0, len(words), TRIES):
        for word in words[start : start + TRIES]:
            if (partner := take(draws.below(word, candidates))) is not None:
                found.append(partner)
                break
    return found


def worker() -> Any:
    """Number and seed of this worker process, as torch has them; None in others."""
    loaders = sys.modules.get("torch.utils.data")
    return None if loaders is None else loaders.get_worker_info()

"""Schedules: transforms by epoch, for `datasets.CopyPasteDataset`.

A schedule is a mapping of first epochs to transforms, or a function from an epoch to its transform; the functions here
make common ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.datasets.scheduling import checked, jitter_of
from copypaste_rs.transforms import ForTraining

if TYPE_CHECKING:
    from copypaste_rs.datasets.scheduling import AnyTransform

__all__ = ["off_for_last"]

_MOST = 2**63 - 1


def off_for_last(n: SupportsIndex, epochs: SupportsIndex, transform: AnyTransform) -> dict[int, AnyTransform]:
    """Copy-paste for all but the last epochs, and in these scale jitter alone: images as they will be met later.

    Parameters
    ----------
    n : int
        Epochs at the end in which nothing is pasted; 0 pastes always.
    epochs : int
        All epochs of the training.
    transform : SimpleCopyPaste or ForTraining
        Transform of the others. The last ones have a `ScaleJitter` with its settings, in the same form.

    Returns
    -------
    dict of int to transform
        First epochs and transforms.

    Raises
    ------
    ValueError
        When `n` is not below `epochs`.
    TypeError
        When these are no integers, or `transform` is none.

    Examples
    --------
    >>> from copypaste_rs import SimpleCopyPaste
    >>> schedule = off_for_last(10, 100, SimpleCopyPaste(size=640))
    >>> {first: type(each).__name__ for first, each in schedule.items()}
    {0: 'SimpleCopyPaste', 90: 'ScaleJitter'}
    """
    last = _checks.integer("n", n, 0, _MOST)
    total = _checks.integer("epochs", epochs, 1, _MOST)
    given = checked("transform", transform)
    if last >= total:
        raise wrong("n", f"fewer than all epochs ({total})", str(last))
    if last == 0:
        return {0: given}
    plain: AnyTransform = jitter_of(given)
    if isinstance(given, ForTraining):
        plain = ForTraining(jitter_of(given), **given._arguments)
    return {0: given, total - last: plain}

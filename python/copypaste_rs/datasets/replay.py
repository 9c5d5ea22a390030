"""Items of copy-paste replayed from their keys and masks: what becomes of each object, without a pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs._engine.call import Call
from copypaste_rs.datasets.scheduling import pasting
from copypaste_rs.datasets.undecoded import blank, decoded, undecoded, unread
from copypaste_rs.transforms import ForTraining, ScaleJitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from copypaste_rs._engine.fates import RowFates
    from copypaste_rs.datasets.scheduling import AnyTransform
    from copypaste_rs.sample import Sample


class Replay(NamedTuple):
    """An item as far as its rows go, which are numbered through the target and all partners, in order."""

    target: Sample
    """Target of the item, with a blank image."""
    labels: NDArray[Any] | None
    """Labels of all rows, as items have them; None where they have none."""
    crowd: NDArray[np.bool_]
    """Flags of the rows that are crowds."""
    chosen: NDArray[np.int64]
    """Rows of partners that were drawn to be pasted."""
    row: NDArray[np.int64]
    """Row of each of ``fates``: those of the target, then those pasted."""
    fates: RowFates


def taken_for(transform: AnyTransform) -> Callable[[str, Any, int], Sample]:
    """Taker of samples whose images are blank, but for those that a transform shows to a function of the user's."""
    inner = pasting(transform)
    return _sources_decoded if inner is not None and inner._planning.choose is not None else unread


def _sources_decoded(name: str, dataset: Any, index: int) -> Sample:
    return decoded(undecoded(name, dataset, index)) if name == "sources" else unread(name, dataset, index)


def replayed(transform: AnyTransform, target: Sample, sources: list[Sample], key: tuple[int, int, int]) -> Replay:
    """The item that a transform makes of a target and its partners, of which only the masks are looked at."""
    inner = transform.transform if isinstance(transform, ForTraining) else transform
    if isinstance(inner, ScaleJitter):
        plan, name = inner.sample_plan(target, key), "sample"
    else:
        plan, name = inner.sample_plan(target, sources, key), "target"
    call = Call.check(inner._options, plan, target, [blank(source) for source in sources], name)
    fates = inner._backend._row_fates(call, inner._options.of_masks())
    ours, theirs = call.sides()
    starts: NDArray[np.int64] = np.cumsum([0, *(len(side.masks) for side in (ours, *theirs))], dtype=np.int64)
    chosen = [starts[paste.source + 1] + np.array(paste.instances, np.int64) for paste in plan.pastes]
    labels = next((column.arrays for column in call.layout.carried if column.name == "labels"), None)
    return Replay(
        target,
        None if labels is None else np.concatenate(labels),
        np.concatenate([side.iscrowd for side in (ours, *theirs)]),
        np.concatenate(chosen) if chosen else _NONE,
        starts[fates.source + 1] + fates.source_row,
        fates,
    )


_NONE = np.zeros(0, np.int64)

"""The kernels of the engine in Rust, on checked arguments: what `copypaste_rs.reference` has in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from copypaste_rs import _core, draws
from copypaste_rs._engine import columns
from copypaste_rs._engine.call import Composition, Pasted, Side
from copypaste_rs._engine.fates import RowFates
from copypaste_rs.blur import weights_of
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Paste, Placement, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from copypaste_rs._engine.call import Call
    from copypaste_rs._engine.formats import OutputFormat
    from copypaste_rs._engine.options import KernelOptions
    from copypaste_rs._engine.planning import Weights
    from copypaste_rs.plan_options import PlanOptions, PlanSource

_T = TypeVar("_T")


class KernelCall(NamedTuple):
    """A call as the extension takes it."""

    plan: Plan
    sides: list[Side]
    """Target and sources, images with a channel axis."""
    weights: list[NDArray[np.uint16] | None]
    """Weights of the blur of each paste; None pastes hard."""
    columns: list[list[NDArray[Any]]]
    wants_unions: bool

    @staticmethod
    def of(call: Call) -> KernelCall:
        """The call, made ready."""
        target, sources = call.sides()
        sides = [
            side if side.image.ndim == 3 else side._replace(image=planes(side.image)) for side in (target, *sources)
        ]
        weights = [None if paste.sigma is None else weights_of(paste.sigma) for paste in call.plan.pastes]
        return KernelCall(call.plan, sides, weights, call.carried(), call.wants_pasted)


class MapCall(NamedTuple):
    """A map of one call as the extension takes it."""

    plan: Plan
    sides: list[NDArray[Any]]
    """Rasters of target and sources, with a channel axis, their values as words."""


class MapOptions(NamedTuple):
    """Name and options of a map, the same for all calls of a batch."""

    name: str
    fill: NDArray[Any]
    """Words of one pixel."""
    nearest: bool
    antialias: bool
    numbered: bool
    """Whether errors have the number of the call."""


def compose(
    call: Call,
    options: KernelOptions,
    out: NDArray[Any],
    output_format: OutputFormat | None,
    rasters: Sequence[NDArray[Any]],
) -> Composition:
    """Apply the plan of a call; write its image to `out`, in another format where there is one, and its maps.

    `rasters` has an array for each map of the call.
    """
    image = call.samples[0].image
    jobs = _map_jobs([call], options, [each[np.newaxis] for each in rasters], numbered=False) if rasters else ()
    for job in jobs:  # only checked, before anything is written
        _core.render_map(*job, (), 1)
    rows = _core.copy_paste(KernelCall.of(call), options, _with_channels(out, image), _format(output_format, image))
    made = _composition(call, out, rows)
    for job in jobs:
        _core.render_map(*job, _unions([made]), 1)
    return made


def compose_batch(
    calls: Iterable[Call],
    image: NDArray[Any],
    options: KernelOptions,
    out: NDArray[Any],
    output_format: OutputFormat | None,
    rasters: Sequence[NDArray[Any]],
    threads: int,
    collect: Callable[[int, Call, Composition], _T],
) -> list[_T]:
    """`compose` for each call, into its image of `out`. Nothing is written before the masks of all are done.

    Their targets are like `image`; `rasters` has an array (N, h, w, ...) for each map. The results are what `collect`
    makes of each call, its number and its composition, in order. Calls are taken, and results made, while threads work.
    """
    jobs: list[MapJob] = []
    if rasters:
        calls = list(calls)
        jobs = _map_jobs(calls, options, rasters, numbered=True)
    for job in jobs:  # only checked, before anything is written
        _core.render_map(*job, (), threads)
    taken: list[Call] = []
    made: list[Composition] = []

    def ready(call: Call) -> KernelCall:
        taken.append(call)
        return KernelCall.of(call)

    def collected(i: int, rows: _core.ComposedRows) -> _T:
        made.append(_composition(taken[i], out[i], rows))
        return collect(i, taken[i], made[i])

    written, given_format = _with_channels(out, image), _format(output_format, image)
    results = _core.copy_paste_batch(map(ready, calls), options, written, given_format, threads, collected)
    for job in jobs:
        _core.render_map(*job, _unions(made), threads)
    return results


def row_fates(call: Call, options: KernelOptions) -> RowFates:
    """Fate of each row of the target, and of each that is pasted; no image is looked at."""
    target, sources = call.sides()
    # Labels follow the hard mask, whatever the edge.
    hard: list[NDArray[np.uint16] | None] = [None] * len(call.plan.pastes)
    return RowFates(*_core.row_fates(KernelCall(call.plan, [target, *sources], hard, [], wants_unions=False), options))


class MapJob(NamedTuple):
    """One map of several calls, ready to be rendered."""

    calls: list[MapCall]
    options: MapOptions
    out: NDArray[Any]
    """Words of all canvases, (N, h, w, C)."""


def _map_jobs(
    calls: Sequence[Call], options: KernelOptions, rasters: Sequence[NDArray[Any]], *, numbered: bool
) -> list[MapJob]:
    jobs = []
    for number, ((name, kind, (like, *_)), raster) in enumerate(zip(calls[0].maps, rasters, strict=True)):
        given = [MapCall(call.plan, [_words(planes(each)) for each in call.maps[number].arrays]) for call in calls]
        nearest = kind.interpolation == "nearest"
        of_map = MapOptions(name, _words(kind.values), nearest, options.antialias, numbered)
        jobs.append(MapJob(given, of_map, _words(_with_channels(raster, like))))
    return jobs


def _unions(made: Sequence[Composition]) -> list[RleMasks]:
    """Masks of what each paste covers, of each call."""
    unions = []
    for each in made:
        assert each.pasted is not None  # calls with maps want it
        unions.append(each.pasted.unions)
    return unions


_WORDS: dict[int, Any] = {1: np.uint8, 2: np.uint16, 4: np.float32}
"""Dtypes of pixels that the extension knows, by size; the nearest pixel is a copy of bits, whatever they mean."""


def _words(values: NDArray[Any]) -> NDArray[Any]:
    """Memory of an array as words: larger values as several float32 each, one after the other on the last axis.

    It is copied only where it is not aligned, or where values of several words lie apart on that axis.
    """
    words: NDArray[Any]
    size = values.dtype.itemsize
    if size in _WORDS:
        words = values.view(_WORDS[size])
    else:
        several: Any = [("words", np.float32, (size // 4,))]
        words = values.view(several)["words"].reshape(*values.shape[:-1], -1)
    return words if words.flags.aligned else words.copy()


def draw_masks(masks: Sequence[RleMasks], out: Sequence[NDArray[Any]], threads: int, *, numbered: bool) -> None:
    """Draw each of `masks` in its array: planes (m, h, w), the first of which are written, or a map (h, w).

    Errors call the array ``masks_out``, with its number where `numbered`.
    """
    _core.draw_masks(list(masks), _bytes_or_numbers(out), numbered, threads)


def check_unused(out: Sequence[NDArray[Any]], *, numbered: bool) -> None:
    """Check that no other call uses an array that `draw_masks` is to write to: it comes after the image."""
    _core.draw_masks([], _bytes_or_numbers(out), numbered, 1)


def _bytes_or_numbers(out: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    return [each.view(np.uint8) if each.ndim == 3 else each for each in out]


def draw(
    key: draws.Key,
    options: PlanOptions,
    target: tuple[int, int],
    sources: Sequence[PlanSource],
    weights: Weights | None,
) -> Plan:
    """Draw a plan, whatever `options.choose` says; rows by their weights, where there are any."""
    given = [source if source.boxes is not None else source._replace(boxes=_NO_BOXES) for source in sources]
    weighed = None if weights is None else (key.counter(draws.WEIGHT_STREAM), weights)
    placed, pasted = _core.draw_plan(key.key, key.counter(draws.PLAN_STREAM), options, target, given, weighed)
    canvas = options.canvas
    pastes = [
        Paste._trusted(
            number, rows, Placement._trusted(sources[number].size, place[0], place[1], canvas, place[2]), sigma
        )
        for number, rows, place, sigma in pasted
    ]
    return Plan._trusted(Placement._trusted(target, placed[0], placed[1], canvas, placed[2]), tuple(pastes))


def planes(image: NDArray[Any]) -> NDArray[Any]:
    """The image with a channel axis."""
    return image if image.ndim == 3 else image[:, :, np.newaxis]


_NO_BOXES = np.zeros((0, 4), np.float32)


def _with_channels(out: NDArray[Any], image: NDArray[Any]) -> NDArray[Any]:
    """`out` with a channel axis, where images like `image` have none; it is the last then in any layout."""
    return out if image.ndim == 3 else out[..., np.newaxis]


def format_of(output_format: OutputFormat, image: NDArray[Any]) -> tuple[bool, Any]:
    """The format as the extension takes it: whether channels come first, and the factors of each."""
    return output_format.channels_first and image.ndim == 3, output_format.linear(image)


def _format(output_format: OutputFormat | None, image: NDArray[Any]) -> tuple[bool, Any] | None:
    return None if output_format is None else format_of(output_format, image)


def _composition(call: Call, image: NDArray[Any], rows: _core.ComposedRows) -> Composition:
    masks = RleMasks._trusted(call.plan.canvas_size, rows.counts, rows.offsets)
    carried = [
        # NumPy picks from what is rare: it takes longer to get ready than to work.
        columns.pick(column.arrays, rows.row) if values is None else values
        for column, values in zip(call.layout.carried, rows.carried, strict=True)
    ]
    pasted = None
    if call.wants_pasted and rows.unions is not None and rows.paste is not None:
        pasted = Pasted(rows.paste, RleMasks._trusted(masks.size, *rows.unions))
    return Composition(image, masks, rows, carried, pasted)

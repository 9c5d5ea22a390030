"""The whole operation: what a plan makes of a target and its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, TypeVar

import numpy as np

from copypaste_rs._engine import call, columns
from copypaste_rs._engine.call import Composition, Pasted
from copypaste_rs._engine.fates import Fate, RowFates
from copypaste_rs._engine.options import Options
from copypaste_rs.blur import gaussian_weights
from copypaste_rs.masks import RleMasks
from copypaste_rs.reference.blend import blurred_union, mixed
from copypaste_rs.reference.labels import label_map
from copypaste_rs.reference.output import write_image
from copypaste_rs.reference.resample import place_pixels
from copypaste_rs.reference.rle import area, boxes, decode, place_masks
from copypaste_rs.reference.runs import from_pixels, pixels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from copypaste_rs import _checks
    from copypaste_rs._engine.call import Call, Side
    from copypaste_rs._engine.formats import OutputFormat
    from copypaste_rs._engine.maps import CarriedMap
    from copypaste_rs._engine.options import KernelOptions
    from copypaste_rs.plan import Paste, Plan
    from copypaste_rs.sample import Sample

_T = TypeVar("_T")


def copy_paste(
    plan: Plan,
    target: Sample,
    sources: Sample | Sequence[Sample],
    *,
    fill: _checks.Fill = None,
    interpolation: str = "bilinear",
    antialias: bool = True,
    min_area: int = 0,
    min_visibility: float = 0.0,
    on_hidden: str = "drop",
    missing: Mapping[str, Any] | None = None,
    flip_pairs: Sequence[tuple[SupportsIndex, SupportsIndex]] | None = None,
    out: NDArray[Any] | None = None,
) -> Sample:
    """Apply a plan: the target on the canvas, with objects of the sources pasted over it.

    Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation" (CVPR 2021).
    Whatever a paste covers loses those pixels, and area and box with them; what has too little left is dropped.

    Parameters
    ----------
    plan : Plan
        What was drawn: where images land, what is pasted.
    target : Sample
        The image that is pasted onto, with its instances.
    sources : Sample or sequence of Sample
        Where the plan's pastes come from, by number.
    fill, interpolation, antialias
        As in `place_image`.
    min_area : int
        Rows with fewer pixels are not pasted, and are dropped at the end, crowds excepted.
    min_visibility : float
        Rows of which a smaller share is left are dropped at the end, crowds excepted. From 0 to 1.
    on_hidden : "drop" or "crowd"
        What happens to rows that would be dropped and have a pixel: with "crowd" they stay and become crowds.
    missing : mapping, optional
        Values for columns and maps that only some of the samples have; 0 for keypoints, which gives rows of zeros.
    flip_pairs : sequence of (int, int), optional
        Numbers of keypoints that a mirror image exchanges; () for none. Needed where there are keypoints and the plan
        mirrors an image.
    out : array, optional
        Where to write the image.

    Returns
    -------
    Sample
        Rows of the target in their order, then pasted ones in theirs; further columns are ``source`` (-1 is the
        target), ``source_row`` and ``visibility``, the share of the row's pixels on the canvas that is not covered.
        Maps are the target's, where pasted masks are those of the sources, hard also where the image is mixed.

    Raises
    ------
    ValueError
        When the plan, the samples and the options do not fit each other.
    TypeError
        When an argument is of another type.

    Examples
    --------
    >>> from copypaste_rs import Instances, Paste, Placement, Plan, Sample
    >>> here = Placement((2, 3), (2, 3), (0, 0), (2, 3))
    >>> black = Sample(np.zeros((2, 3), np.uint8), Instances())
    >>> white = Sample(np.full((2, 3), 255, np.uint8), Instances(RleMasks((2, 3), [1, 2, 3], [0, 3])))
    >>> copy_paste(Plan(here, (Paste(0, (0,), here),)), black, white).image
    array([[  0, 255,   0],
           [255,   0,   0]], dtype=uint8)
    """
    options = Options.check(
        fill=fill,
        interpolation=interpolation,
        antialias=antialias,
        min_area=min_area,
        min_visibility=min_visibility,
        on_hidden=on_hidden,
        missing=missing,
        flip_pairs=flip_pairs,
    )
    return call.apply(compose, options, plan, target, call.samples(sources), out)


class Layer(NamedTuple):
    """The rows of a paste that have enough pixels on the canvas, if any."""

    paste: Paste
    rows: NDArray[np.int64]
    """Row numbers within the source."""
    placed: RleMasks
    """Masks of the rows on the canvas, before later pastes cover them."""
    union: RleMasks
    """Canvas pixels that the paste covers: one mask."""


class Judged(NamedTuple):
    """The rows of the target, or those that are pasted together, after all pastes, as columns."""

    paste: int
    """Number of the paste, and of its source; -1 for the target."""
    source: int
    masks: RleMasks
    row: NDArray[np.int64]
    placed: NDArray[np.int64]
    """Pixels on the canvas before anything covered a row."""
    left: NDArray[np.int64]
    fate: NDArray[np.uint8]

    def kept(self) -> Judged:
        """The rows that are in the result."""
        kept = self.fate <= Fate.CROWD
        return Judged(
            self.paste,
            self.source,
            self.masks[kept],
            self.row[kept],
            self.placed[kept],
            self.left[kept],
            self.fate[kept],
        )


class Rows(NamedTuple):
    """The rows that are left, in their order, as columns of one length."""

    boxes: NDArray[np.float32]
    area: NDArray[np.int64]
    source: NDArray[np.int32]
    source_row: NDArray[np.int32]
    visibility: NDArray[np.float32]
    crowd: NDArray[np.bool_]


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
    plan, (target, sources) = call.plan, call.sides()
    layers = [_layer(paste, sources, options.min_area) for paste in plan.pastes]
    image = out if output_format is None else np.empty(call.shape, target.image.dtype)
    _render(image, plan, target, sources, layers, options)
    if output_format is not None:
        write_image(image, output_format, out)
    for carried, raster in zip(call.maps, rasters, strict=True):
        _render_map(raster, plan, carried, layers, antialias=options.antialias)

    kept = [part.kept() for part in _judged(plan, target, sources, layers, options)]

    def numbers(of_part: Callable[[Judged], int]) -> NDArray[np.int32]:
        return np.concatenate([np.full(len(part.row), of_part(part), np.int32) for part in kept])

    masks = RleMasks.concat([part.masks for part in kept])
    iscrowd = [target.iscrowd, *(source.iscrowd for source in sources)]
    starts = np.cumsum([0, *map(len, iscrowd)])
    row = np.concatenate([part.row + starts[part.source + 1] for part in kept])
    rows = Rows(
        boxes(masks),
        area(masks),
        numbers(lambda part: part.source),
        np.concatenate([part.row for part in kept]).astype(np.int32),
        np.concatenate([part.left / part.placed for part in kept]).astype(np.float32),
        np.concatenate([(part.fate == Fate.CROWD) | iscrowd[part.source + 1][part.row] for part in kept]),
    )
    pasted = None
    if call.wants_pasted:
        unions = [RleMasks.empty(plan.canvas_size), *(layer.union for layer in layers)]
        pasted = Pasted(numbers(lambda part: part.paste), RleMasks.concat(unions))
    return Composition(out, masks, rows, [columns.pick(arrays, row) for arrays in call.carried()], pasted)


def row_fates(call: Call, options: KernelOptions) -> RowFates:
    """Fate of each row of the target, and of each that is pasted; no image is looked at."""
    plan, (target, sources) = call.plan, call.sides()
    layers = [_layer(paste, sources, options.min_area) for paste in plan.pastes]
    parts = _judged(plan, target, sources, layers, options)
    return RowFates(
        np.concatenate([np.full(len(part.row), part.source, np.int32) for part in parts]),
        np.concatenate([part.row for part in parts]).astype(np.int32),
        np.concatenate([part.placed for part in parts]),
        np.concatenate([part.left for part in parts]),
        np.concatenate([boxes(part.masks) for part in parts]),
        np.concatenate([part.fate for part in parts]),
    )


def _judged(
    plan: Plan, target: Side, sources: Sequence[Side], layers: Sequence[Layer], options: KernelOptions
) -> list[Judged]:
    """Judgement of all rows, cut by the pastes above them: those of the target, then those of each paste."""
    # From the last paste to the target, since later pastes cover earlier ones; whatever lies on top is `covered`.
    covered = np.zeros(plan.canvas_size, np.bool_)
    judged: list[Judged] = []

    def judge(paste: int, source: int, placed: RleMasks, rows: NDArray[np.int64], crowd: NDArray[np.bool_]) -> None:
        visible = from_pixels(placed.size, (pixels_of(placed, i) & ~covered for i in range(len(placed))))
        before, after = area(placed), area(visible)
        judged.append(Judged(paste, source, visible, rows, before, after, _fates(before, after, crowd, options)))

    for number, layer in reversed([*enumerate(layers)]):
        source = layer.paste.source
        judge(number, source, layer.placed, layer.rows, sources[source].iscrowd[layer.rows])
        covered |= pixels_of(layer.union, 0)
    judge(-1, -1, place_masks(target.masks, plan.target), np.arange(len(target.masks)), target.iscrowd)
    return judged[::-1]


def _fates(
    placed: NDArray[np.int64], left: NDArray[np.int64], crowd: NDArray[np.bool_], options: KernelOptions
) -> NDArray[np.uint8]:
    """The fates of rows that have so many pixels on the canvas, of which so many are left."""
    visibility = left / np.maximum(placed, 1)
    too_few, too_little = left < options.min_area, visibility < options.min_visibility
    if options.keep_hidden:
        fate = np.where(too_few | too_little, Fate.CROWD, Fate.KEPT)
    else:
        fate = np.where(too_few, Fate.UNDER_AREA, np.where(too_little, Fate.UNDER_VISIBILITY, Fate.KEPT))
    fate[crowd] = Fate.KEPT
    fate[left == 0] = Fate.BURIED
    fate[placed == 0] = Fate.OFF_CANVAS
    return fate.astype(np.uint8)


def _render(
    image: NDArray[Any],
    plan: Plan,
    target: Side,
    sources: Sequence[Side],
    layers: Sequence[Layer],
    options: KernelOptions,
) -> None:
    """Write the pixels: the target's, then those of each layer over what lies below."""
    (fill,), edge, nearest, antialias, *_ = options
    beyond = None if edge else fill
    place_pixels(target.image, plan.target, image, fill=beyond, nearest=nearest, antialias=antialias)
    for layer in layers:
        if len(layer.rows) == 0:
            continue
        above = np.empty_like(image)
        source = sources[layer.paste.source]
        placement = layer.paste.placement
        place_pixels(source.image, placement, above, fill=fill, nearest=nearest, antialias=antialias)
        if layer.paste.sigma is None:
            pasted = pixels_of(layer.union, 0)
            image[pasted] = above[pasted]
        else:
            weights = gaussian_weights(layer.paste.sigma)
            image[...] = mixed(above, image, blurred_union(source.masks[layer.rows], placement, weights))


def _render_map(
    raster: NDArray[Any], plan: Plan, carried: CarriedMap, layers: Sequence[Layer], *, antialias: bool
) -> None:
    """Write a map: the target's, then that of each layer where its masks are, whatever edge the image has there."""
    target, *sources = carried.arrays
    nearest, fill = carried.kind.interpolation == "nearest", carried.kind.values
    place_pixels(target, plan.target, raster, fill=fill, nearest=nearest, antialias=antialias)
    for layer in layers:
        above, placement = np.empty_like(raster), layer.paste.placement
        place_pixels(sources[layer.paste.source], placement, above, fill=fill, nearest=nearest, antialias=antialias)
        pasted = pixels_of(layer.union, 0)
        raster[pasted] = above[pasted]


def _layer(paste: Paste, sources: Sequence[Side], min_area: int) -> Layer:
    rows = np.array(paste.instances, np.int64)
    placed = place_masks(sources[paste.source].masks[rows], paste.placement)
    enough = area(placed) >= max(1, min_area)
    rows, placed = rows[enough], placed[enough]
    union = np.zeros(placed.size, np.bool_)
    for i in range(len(placed)):
        union |= pixels_of(placed, i)
    return Layer(paste, rows, placed, from_pixels(placed.size, [union]))


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
    """`compose` for each call, one by one: the reference is for reading, not for speed.

    `rasters` has an array (N, h, w, ...) for each map of the calls. The results are what `collect` makes of each call,
    its number and its composition.
    """
    del image, threads
    calls = list(calls)  # all are checked before anything is written
    made = [
        compose(call, options._replace(fill=fill[np.newaxis]), out[i], output_format, [each[i] for each in rasters])
        for i, (call, fill) in enumerate(zip(calls, options.fill, strict=True))
    ]
    return [collect(i, call, each) for i, (call, each) in enumerate(zip(calls, made, strict=True))]


def draw_masks(masks: Sequence[RleMasks], out: Sequence[NDArray[Any]], threads: int, *, numbered: bool) -> None:
    """Draw each of `masks` in its array: planes (m, h, w), the first of which are written, or a map (h, w)."""
    del threads, numbered
    for each, array in zip(masks, out, strict=True):
        if array.ndim == 3:
            decode(each, array[: len(each)])
        else:
            label_map(each, array)


def check_unused(out: Sequence[NDArray[Any]], *, numbered: bool) -> None:
    """Check of arrays that `draw_masks` is to write to: none, as NumPy does not know which another call uses."""
    del out, numbered

"""The kernels, in Rust: the same names and signatures as `copypaste_rs.reference`, the same bytes.

The reference is the specification: its docstrings say what each function computes. All functions are pure,
release the GIL while they work, and run in the calling thread. Do not write to an array while another thread
works on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from copypaste_rs import _checks, _core
from copypaste_rs._engine import call, planning
from copypaste_rs._engine.formats import OutputFormat, convert_arguments
from copypaste_rs._engine.options import Options
from copypaste_rs._result_memory import empty
from copypaste_rs._rust import check_unused as _check_unused  # noqa: F401  (the engine's, as four more)
from copypaste_rs._rust import compose as _compose
from copypaste_rs._rust import compose_batch as _compose_batch  # noqa: F401
from copypaste_rs._rust import draw, format_of, planes
from copypaste_rs._rust import draw_masks as _draw_masks  # noqa: F401
from copypaste_rs._rust import row_fates as _row_fates  # noqa: F401
from copypaste_rs.masks import RleMasks, check_masks
from copypaste_rs.plan import check_placement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from copypaste_rs import draws
    from copypaste_rs._checks import Size
    from copypaste_rs._engine.formats import PerChannel
    from copypaste_rs.plan import Placement, Plan
    from copypaste_rs.plan_options import PlanOptions, PlanSource
    from copypaste_rs.sample import Sample

__all__ = [
    "encode",
    "decode",
    "from_label_map",
    "parse_counts",
    "format_counts",
    "rasterize",
    "polygons",
    "area",
    "boxes",
    "union",
    "intersection",
    "difference",
    "iou",
    "without_small_parts",
    "place_masks",
    "place_image",
    "alpha",
    "blend",
    "convert_image",
    "label_map",
    "draw_plan",
    "copy_paste",
    "philox_words",
]


def encode(dense: NDArray[Any]) -> RleMasks:
    """Run lengths of dense masks (n, h, w), dtype uint8 or bool; non-zero is set.

    Examples
    --------
    >>> encode(np.array([[[0, 1, 0], [1, 0, 0]]], np.uint8)).counts
    array([1, 2, 3], dtype=uint32)
    """
    return RleMasks._encoded(_checks.dense_masks("dense", dense))


def decode(masks: RleMasks, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Dense masks (n, h, w), uint8, 0 and 1; into `out`, of dtype uint8 or bool, when given.

    Examples
    --------
    >>> decode(RleMasks((2, 3), [1, 2, 3], [0, 3]))
    array([[[0, 1, 0],
            [1, 0, 0]]], dtype=uint8)
    """
    return check_masks("masks", masks).to_dense(out)


def from_label_map(array: NDArray[Any], *, background: SupportsIndex | None = 0) -> tuple[RleMasks, NDArray[Any]]:
    """Masks of a map (h, w) of integers, one for each number but `background`, and these numbers, ascending.

    Examples
    --------
    >>> masks, ids = from_label_map(np.array([[0, 7, 7], [3, 3, 7]], np.int32))
    >>> ids, masks.area
    (array([3, 7], dtype=int32), array([2, 3]))
    """
    return RleMasks.from_label_map(array, background=background)


def label_map(
    masks: RleMasks, out: NDArray[np.int32] | None = None, *, order: str = "rows", stride: SupportsIndex = 1
) -> NDArray[np.int32]:
    """One map (h, w), int32: 1 + the number of the uppermost mask that a pixel is in, 0 where it is in none.

    Examples
    --------
    >>> label_map(RleMasks((2, 3), [1, 2, 3, 2, 3, 1], [0, 3, 6]))
    array([[0, 2, 2],
           [1, 2, 0]], dtype=int32)
    """
    return check_masks("masks", masks).to_label_map(out, order=order, stride=stride)


def parse_counts(strings: Sequence[bytes | str], size: Size) -> RleMasks:
    """Masks from COCO's compressed counts.

    Examples
    --------
    >>> parse_counts([b"123"], (2, 3)).counts
    array([1, 2, 3], dtype=uint32)
    """
    return RleMasks._from_counts(strings, _checks.size("size", size, 0, _checks.MAX_PIXELS))


def format_counts(masks: RleMasks) -> list[bytes]:
    """COCO's compressed counts of each mask.

    Examples
    --------
    >>> format_counts(RleMasks((2, 3), [1, 2, 3], [0, 3]))
    [b'123']
    """
    return _core.format_counts(check_masks("masks", masks))


def rasterize(polygons: Sequence[Sequence[ArrayLike]], size: Size) -> RleMasks:
    """Masks of polygons, bit-equal to pycocotools; for each instance a list of flat parts [x, y, x, y, ...].

    Examples
    --------
    >>> rasterize([[[1, 0, 3, 0, 3, 2, 1, 2]]], (2, 4)).area
    array([4])
    """
    return RleMasks.from_polygons(polygons, size)


def polygons(masks: RleMasks, *, vertices: str = "corners") -> list[list[NDArray[np.float64]]]:
    """Outlines of each mask as flat [x, y, x, y, ...], one for each 4-connected part, holes joined by a cut.

    Examples
    --------
    >>> polygons(RleMasks((2, 4), [2, 4, 2], [0, 3]))
    [[array([3., 0., 3., 2., 1., 2., 1., 0.])]]
    """
    return check_masks("masks", masks).to_polygons(vertices=vertices)


def area(masks: RleMasks) -> NDArray[np.int64]:
    """Number of pixels of each mask, shape (n,).

    Examples
    --------
    >>> area(RleMasks((2, 3), [1, 2, 3], [0, 3]))
    array([2])
    """
    return check_masks("masks", masks).area


def boxes(masks: RleMasks) -> NDArray[np.float32]:
    """Box of each mask, shape (n, 4): x0, y0, x1, y1, half-open; zeros for an empty mask.

    Examples
    --------
    >>> boxes(RleMasks((2, 3), [1, 2, 3], [0, 3]))
    array([[0., 0., 2., 2.]], dtype=float32)
    """
    return check_masks("masks", masks).boxes


def union(masks: RleMasks) -> RleMasks:
    """One mask: pixels that any mask has; empty for no masks.

    Examples
    --------
    >>> union(RleMasks((2, 3), [1, 2, 3, 2, 2, 2], [0, 3, 6])).counts
    array([1, 3, 2], dtype=uint32)
    """
    return check_masks("masks", masks).union()


def intersection(masks: RleMasks) -> RleMasks:
    """One mask: pixels that all masks have; refused for no masks.

    Examples
    --------
    >>> intersection(RleMasks((2, 3), [1, 2, 3, 2, 2, 2], [0, 3, 6])).counts
    array([2, 1, 3], dtype=uint32)
    """
    return check_masks("masks", masks).intersection()


def difference(masks: RleMasks, other: RleMasks) -> RleMasks:
    """Each mask without the pixels of `other`: its one mask, or the one of the same number.

    Examples
    --------
    >>> difference(RleMasks((2, 3), [1, 3, 2], [0, 3]), RleMasks((2, 3), [1, 2, 3], [0, 3])).counts
    array([3, 1, 2], dtype=uint32)
    """
    return check_masks("masks", masks).difference(other)


def iou(masks: RleMasks, other: RleMasks, iscrowd: ArrayLike | None = None) -> NDArray[np.float64]:
    """Intersection over union of every pair, shape (n, m); a crowd of `other` takes the area of the row's mask.

    Examples
    --------
    >>> iou(RleMasks((2, 3), [1, 4, 1], [0, 3]), RleMasks((2, 3), [1, 2, 3], [0, 3]))
    array([[0.5]])
    """
    return check_masks("masks", masks).iou(other, iscrowd)


def without_small_parts(masks: RleMasks, min_area: SupportsIndex, *, connectivity: SupportsIndex = 8) -> RleMasks:
    """Each mask without its connected parts of fewer pixels; with connectivity 8, pixels at a corner are connected.

    Examples
    --------
    >>> without_small_parts(RleMasks((2, 3), [0, 1, 2, 3], [0, 4]), 2, connectivity=4).area
    array([3])
    """
    arguments = _checks.parts_arguments(min_area, connectivity)
    return RleMasks._trusted(check_masks("masks", masks).size, *_core.without_small_parts(masks, *arguments))


def place_masks(masks: RleMasks, placement: Placement) -> RleMasks:
    """The masks mirrored, resized by the nearest pixel, and cropped or padded onto the canvas.

    Examples
    --------
    >>> from copypaste_rs import Placement
    >>> place_masks(RleMasks((2, 3), [1, 2, 3], [0, 3]), Placement((2, 3), (4, 6), (0, 0), (4, 6))).area
    array([8])
    """
    return check_masks("masks", masks).place(placement)


def place_image(
    image: NDArray[Any],
    placement: Placement,
    *,
    fill: _checks.Fill = None,
    interpolation: str = "bilinear",
    antialias: bool = True,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """The image mirrored, resized, and cropped or padded onto the canvas; into `out` when given.

    Examples
    --------
    >>> from copypaste_rs import Placement
    >>> place_image(np.array([[0, 100]], np.uint8), Placement((1, 2), (1, 4), (0, 0), (1, 5)), fill=7)
    array([[  0,  25,  75, 100,   7]], dtype=uint8)
    """
    pixels, values, nearest, canvas = call.place_arguments(image, placement, fill, interpolation, antialias, out)
    _core.place_image(planes(pixels), placement, values, nearest, bool(antialias), planes(canvas))
    return canvas


def alpha(masks: RleMasks, placement: Placement, weights: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Alpha of the source on the canvas, uint8 (h, w): the union of the placed masks, blurred.

    Examples
    --------
    >>> from copypaste_rs import Placement
    >>> masks = RleMasks((3, 6), [9, 9], [0, 2])
    >>> alpha(masks, Placement((3, 6), (3, 6), (-1, 0), (1, 7)), np.array([1024, 2048, 1024], np.uint16))
    array([[  0,   0,  64, 191, 255, 191,   0]], dtype=uint8)
    """
    check_placement(placement, check_masks("masks", masks).size, "masks")
    canvas = np.zeros(placement.canvas_size, np.uint8)
    _core.alpha(masks, placement, _checks.weights("weights", weights), canvas)
    return canvas


def blend(source: NDArray[Any], target: NDArray[Any], alpha: NDArray[np.uint8]) -> NDArray[Any]:
    """The source over the target, by a weight for each pixel, rounded to nearest.

    Examples
    --------
    >>> blend(np.array([[200, 50]], np.uint8), np.array([[100, 50]], np.uint8), np.array([[51, 99]], np.uint8))
    array([[120,  50]], dtype=uint8)
    """
    above, below, share = _checks.blend_arguments(source, target, alpha)
    mixed = empty(above.shape, above.dtype)
    _core.blend(planes(above), planes(below), share, planes(mixed))
    return mixed


def convert_image(
    image: NDArray[Any],
    *,
    layout: str = "chw",
    dtype: DTypeLike = "float32",
    mean: PerChannel = None,
    std: PerChannel = None,
    scale: bool = True,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """The image in the format that a model wants: channel order, dtype, normalisation.

    Examples
    --------
    >>> convert_image(np.array([[[0, 255]]], np.uint8), mean=0.5, std=0.25).tolist()
    [[[-2.0]], [[2.0]]]
    """
    output_format = OutputFormat.check(layout, dtype, mean, std, scale)
    pixels, converted = convert_arguments(image, output_format, out)
    _core.convert(planes(pixels), format_of(output_format, pixels), planes(converted))
    return converted


def draw_plan(options: PlanOptions, target: Size, sources: Sequence[PlanSource] = (), rng: draws.Rng = None) -> Plan:
    """A plan: placements, and which rows of which source are pasted.

    Examples
    --------
    >>> from copypaste_rs import PlanOptions, PlanSource
    >>> options = PlanOptions.check(size=64, source_scale=(1.0, 1.0), flip=0.0)
    >>> boxes = np.array([[20, 10, 40, 30]], np.float32)
    >>> draw_plan(options, (48, 64), [PlanSource((48, 64), boxes)], rng=(0, 0, 7)).pastes[0].instances
    (0,)
    """
    return planning.draw_plan(draw, options, target, sources, rng)


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
    """Apply a plan: the target on the canvas, with objects of the sources pasted over it, in one pass.

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
    return call.apply(_compose, options, plan, target, call.samples(sources), out)


def philox_words(key: tuple[int, int], counter: tuple[int, int, int, int], n: int) -> NDArray[np.uint64]:
    """The first n words of Philox4x64-10 after `counter`.

    Examples
    --------
    >>> philox_words((1, 0), (0, 0, 0, 0), 2)
    array([ 5599841837815857887, 15655913098571550255], dtype=uint64)
    """
    checked_key, checked_counter, n = _checks.philox_arguments(key, counter, n)
    words = np.empty(n, np.uint64)
    _core.philox_words(checked_key, checked_counter, words)
    return words

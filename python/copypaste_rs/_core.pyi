"""The Rust kernels. Arguments come checked; `copypaste_rs.functional` is what to call."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copypaste_rs._formats import Linear
from copypaste_rs._operation import Columns, Side
from copypaste_rs._planning import DrawOptions, Placed
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement, Plan

__all__ = [
    "alpha",
    "area",
    "blend",
    "boxes",
    "convert",
    "copy_paste",
    "decode",
    "difference",
    "draw_masks",
    "draw_plan",
    "encode",
    "format_counts",
    "intersection",
    "iou",
    "label_map",
    "parse_counts",
    "philox_words",
    "pick",
    "place_image",
    "place_masks",
    "polygons",
    "rasterize",
    "union",
]

def alpha(masks: RleMasks, placement: Placement, weights: NDArray[np.uint16], out: NDArray[np.uint8]) -> None: ...
def area(masks: RleMasks) -> NDArray[np.int64]: ...
def blend(source: NDArray[Any], target: NDArray[Any], alpha: NDArray[np.uint8], out: NDArray[Any]) -> None: ...
def boxes(masks: RleMasks) -> NDArray[np.float32]: ...
def convert(image: NDArray[Any], output_format: tuple[bool, Linear], out: NDArray[Any]) -> None: ...
def copy_paste(
    items: Iterator[tuple[Plan, list[Side], list[NDArray[np.uint16] | None]]],
    done: Callable[[int, Columns], None],
    fill: NDArray[Any],
    nearest: bool,
    antialias: bool,
    min_area: int,
    min_visibility: float,
    keep_hidden: bool,
    out: NDArray[Any],
    threads: int | None,
    output_format: tuple[bool, Linear] | None,
) -> None: ...
def decode(masks: RleMasks, out: NDArray[np.uint8]) -> None: ...
def difference(masks: RleMasks, other: RleMasks) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def draw_masks(masks: list[RleMasks], out: Sequence[NDArray[np.uint8] | NDArray[np.int32]], threads: int) -> None: ...
def draw_plan(
    key: tuple[int, int],
    counter: tuple[int, int, int, int],
    options: DrawOptions,
    target: tuple[int, int],
    sources: Sequence[tuple[tuple[int, int], NDArray[np.float32] | None, NDArray[np.bool_] | None]],
) -> tuple[Placed, list[tuple[int, tuple[int, ...], Placed, float | None]]]: ...
def encode(dense: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def format_counts(masks: RleMasks) -> list[bytes]: ...
def intersection(masks: RleMasks) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def iou(masks: RleMasks, other: RleMasks, iscrowd: NDArray[np.bool_] | None, out: NDArray[np.float64]) -> None: ...
def label_map(masks: RleMasks, out: NDArray[np.int32]) -> None: ...
def parse_counts(strings: Sequence[bytes], size: tuple[int, int]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def philox_words(key: tuple[int, ...], counter: tuple[int, ...], out: NDArray[np.uint64]) -> None: ...
def pick(columns: Sequence[Sequence[NDArray[Any]]], row: NDArray[np.int64]) -> list[NDArray[Any] | None]: ...
def place_image(
    image: NDArray[Any],
    placement: Placement,
    fill: NDArray[Any],
    nearest: bool,
    antialias: bool,
    out: NDArray[Any],
) -> None: ...
def place_masks(masks: RleMasks, placement: Placement) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def polygons(masks: RleMasks) -> list[list[NDArray[np.float64]]]: ...
def rasterize(
    coordinates: NDArray[np.float64],
    parts: NDArray[np.int64],
    instances: NDArray[np.int64],
    size: tuple[int, int],
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def union(masks: RleMasks) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...

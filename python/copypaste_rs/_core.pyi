"""The Rust kernels. Arguments come checked; `copypaste_rs.functional` is what to call."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from copypaste_rs._engine.formats import Linear
from copypaste_rs._engine.options import KernelOptions
from copypaste_rs._rust import KernelCall, MapCall, MapOptions
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Placement
from copypaste_rs.plan_options import PlanOptions, PlanSource

__all__ = [
    "ComposedRows",
    "__version__",
    "alpha",
    "area",
    "blend",
    "boxes",
    "convert",
    "copy_paste",
    "copy_paste_batch",
    "decode",
    "difference",
    "draw_masks",
    "draw_plan",
    "encode",
    "format_counts",
    "from_label_map",
    "intersection",
    "iou",
    "label_map",
    "parse_counts",
    "philox_words",
    "place_image",
    "place_masks",
    "polygons",
    "rasterize",
    "render_map",
    "union",
]

_Placed = tuple[tuple[int, int], tuple[int, int], bool]

__version__: str

@final
class ComposedRows:
    @property
    def counts(self) -> NDArray[np.uint32]: ...
    @property
    def offsets(self) -> NDArray[np.int64]: ...
    @property
    def boxes(self) -> NDArray[np.float32]: ...
    @property
    def area(self) -> NDArray[np.int64]: ...
    @property
    def source(self) -> NDArray[np.int32]: ...
    @property
    def source_row(self) -> NDArray[np.int32]: ...
    @property
    def visibility(self) -> NDArray[np.float32]: ...
    @property
    def crowd(self) -> NDArray[np.bool_]: ...
    @property
    def row(self) -> NDArray[np.int64]: ...
    @property
    def carried(self) -> list[NDArray[Any] | None]: ...
    @property
    def paste(self) -> NDArray[np.int32] | None: ...
    @property
    def unions(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]] | None: ...

def alpha(masks: RleMasks, placement: Placement, weights: NDArray[np.uint16], out: NDArray[np.uint8]) -> None: ...
def area(masks: RleMasks) -> NDArray[np.int64]: ...
def blend(source: NDArray[Any], target: NDArray[Any], alpha: NDArray[np.uint8], out: NDArray[Any]) -> None: ...
def boxes(masks: RleMasks) -> NDArray[np.float32]: ...
def convert(image: NDArray[Any], output_format: tuple[bool, Linear], out: NDArray[Any]) -> None: ...
def copy_paste(
    call: KernelCall,
    options: KernelOptions,
    out: NDArray[Any],
    output_format: tuple[bool, Linear] | None,
) -> ComposedRows: ...
def copy_paste_batch(
    calls: Sequence[KernelCall],
    options: KernelOptions,
    out: NDArray[Any],
    output_format: tuple[bool, Linear] | None,
    threads: int,
) -> list[ComposedRows]: ...
def decode(masks: RleMasks, out: NDArray[np.uint8]) -> None: ...
def difference(masks: RleMasks, other: RleMasks) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def draw_masks(
    masks: list[RleMasks], out: Sequence[NDArray[np.uint8] | NDArray[np.int32]], numbered: bool, threads: int
) -> None: ...
def draw_plan(
    key: tuple[int, int],
    counter: tuple[int, int, int, int],
    options: PlanOptions,
    target: tuple[int, int],
    sources: Sequence[PlanSource],
    weights: tuple[tuple[int, int, int, int], Sequence[NDArray[np.int64]]] | None,
) -> tuple[_Placed, list[tuple[int, tuple[int, ...], _Placed, float | None]]]: ...
def encode(dense: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def format_counts(masks: RleMasks) -> list[bytes]: ...
def from_label_map(
    array: NDArray[Any], background: int | None
) -> tuple[tuple[NDArray[np.uint32], NDArray[np.int64]], NDArray[Any]]: ...
def intersection(masks: RleMasks) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def iou(masks: RleMasks, other: RleMasks, iscrowd: NDArray[np.bool_] | None, out: NDArray[np.float64]) -> None: ...
def label_map(masks: RleMasks, by_area: bool, stride: int, out: NDArray[np.int32]) -> None: ...
def parse_counts(strings: Sequence[bytes], size: tuple[int, int]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def philox_words(key: tuple[int, ...], counter: tuple[int, ...], out: NDArray[np.uint64]) -> None: ...
def place_image(
    image: NDArray[Any],
    placement: Placement,
    fill: NDArray[Any] | None,
    nearest: bool,
    antialias: bool,
    out: NDArray[Any],
) -> None: ...
def place_masks(masks: RleMasks, placement: Placement) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def polygons(masks: RleMasks, centers: bool) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]: ...
def rasterize(
    coordinates: NDArray[np.float64],
    parts: NDArray[np.int64],
    instances: NDArray[np.int64],
    size: tuple[int, int],
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def render_map(
    calls: Sequence[MapCall],
    options: MapOptions,
    out: NDArray[Any],
    unions: Sequence[RleMasks],
    threads: int,
) -> None: ...
def union(masks: RleMasks) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...

"""The kernels, in NumPy: what the library computes, written to be read.

`copypaste_rs.functional` has the same names, with the same signatures, and gives the same bytes, from Rust. This
is the specification of it: nothing here calls Rust, and nothing is fast.
"""

from copypaste_rs.reference.blend import alpha, blend
from copypaste_rs.reference.codec import format_counts, parse_counts
from copypaste_rs.reference.contour import polygons
from copypaste_rs.reference.copy_paste import check_unused as _check_unused  # noqa: F401  (the engine's, as four more)
from copypaste_rs.reference.copy_paste import compose as _compose  # noqa: F401
from copypaste_rs.reference.copy_paste import compose_batch as _compose_batch  # noqa: F401
from copypaste_rs.reference.copy_paste import copy_paste
from copypaste_rs.reference.copy_paste import draw_masks as _draw_masks  # noqa: F401
from copypaste_rs.reference.copy_paste import row_fates as _row_fates  # noqa: F401
from copypaste_rs.reference.labels import from_label_map, label_map
from copypaste_rs.reference.output import convert_image
from copypaste_rs.reference.parts import without_small_parts
from copypaste_rs.reference.philox import philox_words
from copypaste_rs.reference.planning import draw_plan
from copypaste_rs.reference.polygon import rasterize
from copypaste_rs.reference.resample import place_image
from copypaste_rs.reference.rle import (
    area,
    boxes,
    decode,
    difference,
    encode,
    intersection,
    iou,
    place_masks,
    union,
)

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

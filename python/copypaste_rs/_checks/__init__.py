"""Checks of arguments: each failure is an error that names the argument, what was expected and what came.

- `places`: names of arguments and of their items, and the errors about them
- `scalars`: numbers, choices, sizes
- `arrays`: images, maps, masks as pixels, outputs, row numbers
- `encodings`: masks as strings and as polygons
- `pixels`: masks as pixels where polygons belong
- `fills`: values of canvas pixels that no image reaches, and of maps that are not there
"""

from copypaste_rs._checks.arrays import (
    IMAGE_DTYPES,
    apart,
    array,
    blend_arguments,
    converted,
    crowd_flags,
    dense_masks,
    dense_stacks,
    draw_weights,
    image,
    label_map,
    label_map_output,
    mask_output,
    may_overlap,
    output,
    positions,
    raster,
    row_index,
    stored,
    weights,
)
from copypaste_rs._checks.encodings import FARTHEST, counts_strings, polygon_parts
from copypaste_rs._checks.fills import Fill, MapValue, fill, fill_values, image_fill, image_fills, map_values
from copypaste_rs._checks.pixels import are_of_a_mask, are_pixels
from copypaste_rs._checks.places import Place, item, wrong, wrong_type
from copypaste_rs._checks.scalars import (
    MAX_PIXELS,
    MAX_SIDE,
    FlipPairs,
    Size,
    are_words,
    choice,
    flag,
    flip_pairs,
    integer,
    items,
    pair,
    parts_arguments,
    philox_arguments,
    position,
    real,
    size,
)

__all__ = [
    "FARTHEST",
    "IMAGE_DTYPES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "Fill",
    "FlipPairs",
    "MapValue",
    "Place",
    "Size",
    "apart",
    "are_of_a_mask",
    "are_pixels",
    "are_words",
    "array",
    "blend_arguments",
    "choice",
    "counts_strings",
    "converted",
    "crowd_flags",
    "dense_masks",
    "dense_stacks",
    "draw_weights",
    "fill",
    "fill_values",
    "flag",
    "flip_pairs",
    "image",
    "image_fill",
    "image_fills",
    "integer",
    "item",
    "items",
    "label_map",
    "label_map_output",
    "map_values",
    "mask_output",
    "may_overlap",
    "output",
    "pair",
    "parts_arguments",
    "philox_arguments",
    "position",
    "polygon_parts",
    "positions",
    "raster",
    "real",
    "row_index",
    "size",
    "stored",
    "weights",
    "wrong",
    "wrong_type",
]

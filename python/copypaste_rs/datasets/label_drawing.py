"""Masks of a sample drawn into one raster, for formats that hold a number for each pixel."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.encoding import masks_and_labels, positions_of
from copypaste_rs.datasets.losses import lost_columns

with extra("coco"):
    from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from copypaste_rs.sample import Sample


class DrawnRows(NamedTuple):
    """Rows of a sample in one raster."""

    numbers: NDArray[np.int32]
    """Shape (h, w): 0, or 1 + the place in `rows` of the row that a pixel is of."""
    rows: NDArray[np.int64]
    """Rows of the sample that have a pixel there, ascending."""
    labels: NDArray[np.integer]
    """Category id of each of them."""
    iscrowd: NDArray[np.bool_]
    """Flag of each of them."""
    remarks: dict[str, int]
    """Losses: rows and parts of rows that are not there, and columns."""


def draw_rows(sample: Sample, ids: Sequence[int], held: Collection[str] = ()) -> DrawnRows:
    """The masks of a sample in one raster: where several have a pixel, crowds lie below, later rows above earlier ones.

    Parameters
    ----------
    sample : Sample
        Its labels are among `ids`.
    ids : sequence of int
        Ids of the categories.
    held : collection of str
        Further columns that the format holds.

    Raises
    ------
    ArgumentError
        About ``sample``, when it has no masks or labels, or labels that are not among the ids.
    """
    instances = sample.instances
    if len(instances) == 0:  # there may be no columns at all
        none = np.zeros(0, np.int64)
        return DrawnRows(np.zeros(sample.size, np.int32), none, none, none.astype(np.bool_), {})
    masks, labels = masks_and_labels(sample)
    positions_of(labels, ids)
    n = len(masks)
    iscrowd = np.zeros(n, np.bool_) if instances.iscrowd is None else instances.iscrowd
    alone = np.zeros(n, np.bool_) if instances.box_only is None else instances.box_only
    order = np.concatenate([np.flatnonzero(~alone & iscrowd), np.flatnonzero(~alone & ~iscrowd)])
    drawn = masks[order].to_label_map()
    shown, whole = np.zeros(n, np.int64), masks.area
    shown[order] = np.bincount(drawn.ravel(), minlength=len(order) + 1)[1:]
    rows = np.flatnonzero(shown)
    renumbered = np.zeros(n, np.int32)
    renumbered[rows] = np.arange(1, len(rows) + 1)
    remarks = {
        "boxes without an outline, which are left out": int(alone.sum()),
        "objects without a pixel, which are left out": int((~alone & (whole == 0)).sum()),
        "objects that others cover, which are left out": int((~alone & (shown == 0) & (whole > 0)).sum()),
        "objects of which others cover a part": int(((shown > 0) & (shown < whole)).sum()),
    }
    remarks |= lost_columns(instances.columns, len(rows), held)
    numbers = np.concatenate([[0], renumbered[order]]).astype(np.int32)[drawn]
    return DrawnRows(numbers, rows, labels[rows], iscrowd[rows], remarks)


def raster_file(values: NDArray[np.integer], palette: Sequence[tuple[int, int, int]] | None = None) -> bytes:
    """A file of a raster: PNG of uint8, uint16, indices of a palette or colours (h, w, 3); TIFF of int32.

    The same values give the same bytes.
    """
    image = Image.fromarray(values)
    if palette is not None:
        image.putpalette([side for colour in palette for side in colour])
    file = io.BytesIO()
    if values.dtype == np.int32:
        image.save(file, "TIFF", compression="tiff_lzw")
    else:
        image.save(file, "PNG", compress_level=6)
    return file.getvalue()

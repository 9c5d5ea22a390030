"""RleMasks: the masks of one image as run lengths in flat arrays."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._immutable import Immutable, element
from copypaste_rs._ragged import offsets_of, picked
from copypaste_rs._result_memory import empty
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.run_lengths import canonical, coco_runs, integers, parsed_counts, starts_lengths_runs
from copypaste_rs.segmentations import sorted_segmentations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from copypaste_rs._checks import Place, Size
    from copypaste_rs.plan import Placement


@final
class RleMasks(Immutable):
    """n masks of one size, each as a COCO run-length encoding, in two flat arrays.

    Runs alternate between background and foreground, background first, and walk the mask column by column,
    as in COCO. Whatever is given is made canonical: only the first run of a mask may be zero, so that equal
    masks have equal runs. An empty mask is ``[h * w]``, a full one ``[0, h * w]``. Instances are immutable,
    compare by value, pickle, and cost what their outlines cost: a mask of a large image takes a few hundred
    numbers.

    Parameters
    ----------
    size : (int, int) or int
        Height and width of every mask; either may be zero. At most 2^32 - 1 pixels.
    counts : array of integers, shape (total number of runs,)
        All runs of all masks. Copied, as uint32.
    offsets : array of integers, shape (n + 1,)
        Mask ``i`` has the runs ``counts[offsets[i]:offsets[i + 1]]``. Copied, as int64.

    Raises
    ------
    ValueError
        When the runs of a mask do not add up to ``h * w``, or offsets do not ascend from 0 to ``len(counts)``.
    TypeError
        When an argument is not made of integers.

    Examples
    --------
    >>> masks = RleMasks((2, 3), [1, 2, 3, 6], [0, 3, 4])
    >>> masks.to_dense()[0]
    array([[0, 1, 0],
           [1, 0, 0]], dtype=uint8)
    >>> masks.area
    array([2, 0])
    """

    __slots__ = ("counts", "offsets", "size")

    size: tuple[int, int]
    counts: NDArray[np.uint32]
    offsets: NDArray[np.int64]

    def __init__(self, size: Size, counts: ArrayLike, offsets: ArrayLike) -> None:
        checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
        runs = integers("counts", counts, _checks.MAX_PIXELS).astype(np.uint32)
        ends = integers("offsets", offsets, len(runs)).astype(np.int64)
        if len(ends) == 0 or ends[0] != 0 or ends[-1] != len(runs) or (np.diff(ends) < 0).any():
            raise wrong("offsets", f"ascending numbers from 0 to {len(runs)}, the number of counts", "others")
        self._set(checked, *canonical(checked, runs, ends))

    def _set(self, size: tuple[int, int], counts: NDArray[np.uint32], offsets: NDArray[np.int64]) -> None:
        counts.setflags(write=False)
        offsets.setflags(write=False)
        _set_size(self, size)
        _set_counts(self, counts)
        _set_offsets(self, offsets)

    @classmethod
    def _trusted(cls, size: tuple[int, int], counts: NDArray[np.uint32], offsets: NDArray[np.int64]) -> Self:
        """Wrap arrays that a kernel made (or a pickle held): canonical already, and nobody else's."""
        masks = object.__new__(cls)
        masks._set(size, counts, offsets)
        return masks

    def __reduce__(self) -> tuple[Any, ...]:
        return RleMasks._trusted, (self.size, self.counts, self.offsets)

    # -- making ------------------------------------------------------------------------------------------

    @classmethod
    def empty(cls, size: Size) -> Self:
        """RleMasks without any mask, of the given size."""
        checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
        return cls._trusted(checked, np.zeros(0, np.uint32), np.zeros(1, np.int64))

    @classmethod
    def concat(cls, masks: Iterable[RleMasks]) -> Self:
        """Join several of one size, in order. At least one is needed, to know the size."""
        parts = _checks.items("masks", masks)
        if not parts:
            raise wrong("masks", "at least one RleMasks", "none")
        for i, part in enumerate(parts):
            check_masks(("masks", i), part, check_masks(("masks", 0), parts[0]).size)
        counts = np.concatenate([part.counts for part in parts])
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        return cls._trusted(parts[0].size, counts, offsets_of(lengths))

    @classmethod
    def from_dense(cls, array: Any, *, layout: str = "nhw", size: Size | None = None) -> RleMasks:
        """Encode dense masks, dtype uint8 or bool; non-zero is set.

        `array` has shape (n, h, w), or (h, w, n) with the `layout` ``"hwn"``; or it is a list of masks (h, w), arrays
        or what NumPy makes one of (``__array__``). The masks are of `size` where it is given; an empty list needs it.

        Examples
        --------
        >>> RleMasks.from_dense([np.eye(2, dtype=bool), np.ones((2, 2), bool)]).area
        array([2, 4])
        """
        stacks = _checks.dense_stacks("array", array, layout, size)
        made = []
        for i, dense in enumerate(stacks):
            try:
                made.append(cls._encoded(dense))
            except ArgumentError as error:
                numbered = i if isinstance(array, list | tuple) else None
                raise error.renamed("array", numbered) if error.argument == "dense" else error from None
        return made[0] if len(made) == 1 else cls.concat(made)

    @classmethod
    def _encoded(cls, dense: NDArray[np.uint8]) -> RleMasks:
        """Encode dense masks (n, h, w) that were checked."""
        from copypaste_rs import _core

        if not dense.transpose(0, 2, 1).flags.c_contiguous:  # columns in one piece are read as they are
            dense = np.ascontiguousarray(dense)
        return cls._trusted(dense.shape[1:], *_core.encode(dense))

    @classmethod
    def from_coco(cls, objects: Iterable[Mapping[str, Any]], size: Size) -> RleMasks:
        """Decode COCO dicts ``{"size": [h, w], "counts": ...}``, counts compressed (bytes, str) or a list."""
        checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
        return cls(checked, *coco_runs(objects, checked))

    @classmethod
    def from_segmentations(cls, segmentations: Iterable[Any], size: Size) -> RleMasks:
        """Masks of COCO's field ``segmentation`` as it stands in annotations, one for each.

        A list of polygon parts, or one part by itself; parts of fewer than three points cover nothing. A dict as
        `from_coco` takes it, or a list of such dicts, which are united. None or an empty list is an empty mask.

        Examples
        --------
        >>> given = [[[1, 0, 3, 0, 3, 2, 1, 2]], {"size": [2, 4], "counts": [0, 3, 5]}, None]
        >>> RleMasks.from_segmentations(given, (2, 4)).area
        array([4, 3, 0])
        """
        checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
        found = sorted_segmentations(segmentations)
        try:
            pieces = cls.concat([cls.from_polygons(found.polygons, checked), cls.from_coco(found.objects, checked)])
        except (ArgumentError, ArgumentTypeError) as error:
            raise found.renamed(error) from None
        if not found.united:
            return pieces[found.pieces]
        return cls.concat([cls.empty(checked), *(pieces[rows].union() for rows in found.rows())])

    @classmethod
    def from_starts_lengths(cls, text: str | Iterable[str], size: Size) -> RleMasks:
        """Masks of texts as "start length start length ...", as files of Kaggle have them, one for each text.

        Starts count the pixels from 1, down the columns; pairs ascend and do not overlap. A text by itself is one mask,
        one without pairs an empty mask.

        Examples
        --------
        >>> RleMasks.from_starts_lengths("1 3 7 2", (4, 2)).to_dense().tolist()
        [[[1, 0], [1, 0], [1, 1], [0, 1]]]
        """
        checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
        return cls(checked, *starts_lengths_runs(text, checked))

    @classmethod
    def from_polygons(cls, polygons: Sequence[Sequence[ArrayLike]], size: Size) -> RleMasks:
        """Rasterize COCO polygons: for each instance a list of parts, each flat ``[x, y, x, y, ...]``.

        Rasterised as pycocotools does, bit for bit; the parts of an instance are united. Masks as pixels, of which each
        row would be a part, are a ValueError.
        """
        from copypaste_rs import _core

        checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
        return RleMasks._trusted(
            checked, *_core.rasterize(*_checks.polygon_parts("polygons", polygons, checked), checked)
        )

    @classmethod
    def from_label_map(
        cls, array: NDArray[Any], *, background: SupportsIndex | None = 0
    ) -> tuple[RleMasks, NDArray[Any]]:
        """Masks of a map (h, w) of any integer dtype, one for each number in it, and these numbers, ascending.

        Pixels of the number `background` are in no mask; None makes a mask of every number. The map is read once,
        however many numbers there are.

        Examples
        --------
        >>> masks, ids = RleMasks.from_label_map(np.array([[0, 7, 7], [3, 3, 7]], np.int32))
        >>> ids, masks.area
        (array([3, 7], dtype=int32), array([2, 3]))
        """
        from copypaste_rs import _core

        labels, label = _checks.label_map("array", array, background)
        flags = labels.flags
        if not (flags.aligned and (flags.c_contiguous or flags.f_contiguous)):
            labels = labels.copy()
        runs, ids = _core.from_label_map(labels, label)
        return cls._trusted(labels.shape, *runs), ids

    @classmethod
    def _from_counts(cls, strings: Sequence[bytes | str], size: tuple[int, int]) -> RleMasks:
        """Decode compressed counts; the size is checked."""
        return cls._trusted(size, *parsed_counts(strings, size))

    # -- leaving -----------------------------------------------------------------------------------------

    def to_dense(self, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Dense masks (n, h, w), uint8, 0 and 1; into `out`, of dtype uint8 or bool, when given."""
        from copypaste_rs import _core

        shape = (len(self), *self.size)
        dense = empty(shape) if out is None else _checks.mask_output("out", out, shape)
        _core.decode(self, dense.view(np.uint8))
        return dense

    def to_label_map(
        self, out: NDArray[np.int32] | None = None, *, order: str = "rows", stride: SupportsIndex = 1
    ) -> NDArray[np.int32]:
        """One map (h, w), int32: 1 + the number of the uppermost mask that a pixel is in, 0 where it is in none.

        `order` says which mask is uppermost: the last one (``"rows"``), or the smallest, of equally large ones the
        last (``"area"``), so that small objects show before large ones. With a `stride` of s, the map has only the
        pixels that ``[s // 2 :: s, s // 2 :: s]`` takes of the whole one: the middle of each s pixels, which is the
        one that resizing by nearest takes.

        Examples
        --------
        >>> masks = RleMasks.from_dense(np.array([[[0, 1, 0, 0]], [[1, 1, 1, 0]]], np.uint8))
        >>> masks.to_label_map(), masks.to_label_map(order="area"), masks.to_label_map(order="area", stride=2)
        (array([[2, 2, 2, 0]], dtype=int32), array([[2, 1, 2, 0]], dtype=int32), array([], shape=(0, 2), dtype=int32))
        """
        from copypaste_rs import _core

        by_area, step, numbers = _checks.label_map_output(self.size, out, order, stride)
        _core.label_map(self, by_area, step, numbers)
        return numbers

    def to_coco(self) -> list[dict[str, Any]]:
        """COCO dicts ``{"size": [h, w], "counts": bytes}``; decode the bytes as ASCII for JSON."""
        from copypaste_rs import _core

        return [{"size": list(self.size), "counts": counts} for counts in _core.format_counts(self)]

    def to_polygons(self, *, vertices: str = "corners") -> list[list[NDArray[np.float64]]]:
        """Outlines of each mask as flat ``[x, y, x, y, ...]``, one for each 4-connected part.

        Vertices on pixel ``"corners"`` are what COCO means, and `from_polygons` turns them back exactly. COCO polygons
        cannot say "hole", so a hole is joined to the outline around it by a cut of no width: no pixel is lost or
        gained. With ``"centers"`` each of these vertices is moved into the mask by half a pixel on both axes, to the
        centre of a pixel of the mask, i + 0.5. Tools that fill the border of a polygon too, as those of YOLO and
        LabelMe, OpenCV and Pillow do, give the mask back then; `from_polygons` gives one that is half a pixel smaller
        all around.

        Examples
        --------
        >>> square = RleMasks((3, 3), [0, 2, 1, 2, 4], [0, 5])
        >>> square.to_polygons()[0][0].tolist(), square.to_polygons(vertices="centers")[0][0].tolist()
        ([2.0, 0.0, 2.0, 2.0, 0.0, 2.0, 0.0, 0.0], [1.5, 0.5, 1.5, 1.5, 0.5, 1.5, 0.5, 0.5])
        """
        from copypaste_rs import _core

        centers = _checks.choice("vertices", vertices, VERTICES) == "centers"
        coordinates, parts, instances = _core.polygons(self, centers)
        rings = [coordinates[start:end] for start, end in itertools.pairwise(parts.tolist())]
        return [rings[start:end] for start, end in itertools.pairwise(instances.tolist())]

    # -- measuring and combining ---------------------------------------------------------------------------

    @property
    def area(self) -> NDArray[np.int64]:
        """Number of pixels of each mask, shape (n,)."""
        from copypaste_rs import _core

        return _core.area(self)

    @property
    def boxes(self) -> NDArray[np.float32]:
        """Box of each mask, shape (n, 4): x0, y0, x1, y1, half-open; zeros for an empty mask."""
        from copypaste_rs import _core

        return _core.boxes(self)

    def union(self) -> RleMasks:
        """One mask: pixels that any mask has. The union of none is empty."""
        from copypaste_rs import _core

        return RleMasks._trusted(self.size, *_core.union(self))

    def intersection(self) -> RleMasks:
        """One mask: pixels that all masks have. Of no mask it is undefined: ValueError."""
        from copypaste_rs import _core

        if len(self) == 0:
            raise wrong("masks", "at least one mask to intersect", "none")
        return RleMasks._trusted(self.size, *_core.intersection(self))

    def difference(self, other: RleMasks) -> RleMasks:
        """Each mask without the pixels of `other`: its one mask, or the one of the same number."""
        from copypaste_rs import _core

        check_masks("other", other, self.size)
        if len(other) not in (1, len(self)):
            raise wrong("other", f"one mask or {len(self)}, as many as in masks", str(len(other)))
        return RleMasks._trusted(self.size, *_core.difference(self, other))

    def iou(self, other: RleMasks, iscrowd: ArrayLike | None = None) -> NDArray[np.float64]:
        """Intersection over union of every pair, shape (n, m).

        `iscrowd`, one bool for each mask of `other`, marks crowds: there the denominator is the area of the
        row's mask alone, as in COCO's evaluation.
        """
        from copypaste_rs import _core

        check_masks("other", other, self.size)
        crowd = None if iscrowd is None else _checks.crowd_flags("iscrowd", iscrowd, len(other))
        table = np.empty((len(self), len(other)))
        _core.iou(self, other, crowd, table)
        return table

    def place(self, placement: Placement) -> RleMasks:
        """The masks flipped, resized and cropped or padded onto the canvas of `placement`."""
        from copypaste_rs import _core
        from copypaste_rs.plan import check_placement

        check_placement(placement, self.size, "masks")
        return RleMasks._trusted(placement.canvas_size, *_core.place_masks(self, placement))

    # -- as a sequence -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: SupportsIndex | slice | Sequence[int] | NDArray[Any]) -> RleMasks:
        chosen = _checks.row_index("rows", rows, len(self))
        first = self.offsets[:-1][chosen]
        index, offsets = picked(first, self.offsets[1:][chosen] - first)
        return RleMasks._trusted(self.size, self.counts[index], offsets)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RleMasks):
            return NotImplemented
        return (
            self.size == other.size
            and np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.counts, other.counts)
        )

    def __array__(self, dtype: Any = None, copy: object = None) -> NDArray[Any]:
        return element("RleMasks: expected an array, got runs; RleMasks.to_dense() makes an array of them", self, dtype)

    def __hash__(self) -> int:
        return hash((self.size, self.counts.tobytes(), self.offsets.tobytes()))

    def __repr__(self) -> str:
        return f"RleMasks(size={self.size}, n={len(self)})"


VERTICES = ("corners", "centers")
"""Points of pixels that outlines run through."""

# Setters of the slots themselves: every kernel makes masks, and `object.__setattr__` looks each up by its name.
_set_size, _set_counts, _set_offsets = (vars(RleMasks)[name].__set__ for name in ("size", "counts", "offsets"))


def check_masks(name: Place, value: object, size: tuple[int, int] | None = None) -> RleMasks:
    """`value`, which must be RleMasks, of `size` where one is given."""
    if not isinstance(value, RleMasks):
        raise wrong_type(name, "RleMasks", type(value).__name__)
    if size is not None and value.size != size:
        raise wrong(name, f"masks of size {size}", str(value.size))
    return value

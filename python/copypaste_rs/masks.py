"""RleMasks: the masks of one image as run lengths in flat arrays."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from copypaste_rs._checks import Size
    from copypaste_rs.plan import Placement


@final
class RleMasks:
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
        runs = _integers("counts", counts, _checks.MAX_PIXELS).astype(np.uint32)
        ends = _integers("offsets", offsets, len(runs)).astype(np.int64)
        if len(ends) == 0 or ends[0] != 0 or ends[-1] != len(runs) or (np.diff(ends) < 0).any():
            raise ValueError(f"offsets: expected ascending numbers from 0 to {len(runs)}, the number of counts")
        self._set(checked, *_canonical(checked, runs, ends))

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

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"RleMasks is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"RleMasks is immutable: cannot delete {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return RleMasks._trusted, (self.size, self.counts, self.offsets)

    # -- making ------------------------------------------------------------------------------------------

    @classmethod
    def empty(cls, size: Size) -> Self:
        """No masks at all, of the given size."""
        checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
        return cls._trusted(checked, np.zeros(0, np.uint32), np.zeros(1, np.int64))

    @classmethod
    def concat(cls, masks: Iterable[RleMasks]) -> Self:
        """All masks of several of one size, in order. At least one is needed, to know the size."""
        parts = _checks.items("masks", masks)
        if not parts:
            raise ValueError("masks: expected at least one RleMasks, got none")
        for i, part in enumerate(parts):
            check_masks(f"masks[{i}]", part, check_masks("masks[0]", parts[0]).size)
        counts = np.concatenate([part.counts for part in parts])
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        return cls._trusted(parts[0].size, counts, _ends(lengths))

    @classmethod
    def from_dense(cls, array: NDArray[Any]) -> RleMasks:
        """From dense masks (n, h, w), dtype uint8 or bool; non-zero is set."""
        from copypaste_rs.functional import encode

        return encode(array)

    @classmethod
    def from_coco(cls, objects: Iterable[Mapping[str, Any]], size: Size) -> RleMasks:
        """From COCO dicts ``{"size": [h, w], "counts": ...}``, counts compressed (bytes, str) or a list."""
        from copypaste_rs.functional import parse_counts

        checked = _checks.size("size", size, 0, _checks.MAX_PIXELS)
        parts: list[NDArray[Any]] = []
        strings: list[bytes | str] = []
        where: list[int] = []
        for i, item in enumerate(_checks.items("objects", objects)):
            counts = _coco_counts(f"objects[{i}]", item, checked)
            if isinstance(counts, bytes | str):
                strings.append(counts)
                where.append(i)
                parts.append(np.zeros(0, np.uint32))
            else:
                runs = _integers(f"objects[{i}]['counts']", counts, _checks.MAX_PIXELS)
                if (total := int(runs.sum(dtype=np.uint64))) != checked[0] * checked[1]:
                    raise ValueError(
                        f"objects[{i}]['counts']: counts sum to {total}, "
                        f"expected {checked[0] * checked[1]} for size {checked}"
                    )
                parts.append(runs.astype(np.uint32))
        if strings:
            try:
                parsed = parse_counts(strings, checked)
            except (TypeError, ValueError) as error:
                named = re.sub(r"strings\[(\d+)\]", lambda m: f"objects[{where[int(m[1])]}]['counts']", str(error))
                raise type(error)(named) from None
            for k, i in enumerate(where):
                parts[i] = parsed.counts[parsed.offsets[k] : parsed.offsets[k + 1]]
        if not parts:
            return cls.empty(checked)
        return cls(checked, np.concatenate(parts), _ends(np.array([len(part) for part in parts])))

    @classmethod
    def from_polygons(cls, polygons: Sequence[Sequence[ArrayLike]], size: Size) -> RleMasks:
        """From COCO polygons: for each instance a list of parts, each flat ``[x, y, x, y, ...]``.

        Rasterised as pycocotools does, bit for bit; the parts of an instance are united.
        """
        from copypaste_rs.functional import rasterize

        return rasterize(polygons, size)

    # -- leaving -----------------------------------------------------------------------------------------

    def to_dense(self, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Dense masks (n, h, w), uint8, 0 and 1; into `out`, of dtype uint8 or bool, when given."""
        from copypaste_rs.functional import decode

        return decode(self, out)

    def to_label_map(self, out: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
        """One map (h, w), int32: 1 + the number of the last mask that a pixel is in, 0 where it is in none."""
        from copypaste_rs.functional import label_map

        return label_map(self, out)

    def to_coco(self) -> list[dict[str, Any]]:
        """COCO dicts ``{"size": [h, w], "counts": bytes}``; decode the bytes as ASCII for JSON."""
        from copypaste_rs.functional import format_counts

        return [{"size": list(self.size), "counts": counts} for counts in format_counts(self)]

    def to_polygons(self) -> list[list[NDArray[np.float64]]]:
        """For each mask its outlines as flat ``[x, y, x, y, ...]``, which `from_polygons` turns back exactly.

        Vertices lie on pixel corners. COCO polygons cannot say "hole", so a hole is joined to the outline
        around it by a cut of no width: no pixel is lost or gained.
        """
        from copypaste_rs import _core

        return _core.polygons(self)

    # -- measuring and combining ---------------------------------------------------------------------------

    @property
    def area(self) -> NDArray[np.int64]:
        """Number of pixels of each mask, shape (n,)."""
        from copypaste_rs.functional import area

        return area(self)

    @property
    def boxes(self) -> NDArray[np.float32]:
        """Box of each mask, shape (n, 4): x0, y0, x1, y1, half-open; zeros for an empty mask."""
        from copypaste_rs.functional import boxes

        return boxes(self)

    def union(self) -> RleMasks:
        """One mask: pixels that any mask has. The union of none is empty."""
        from copypaste_rs.functional import union

        return union(self)

    def intersection(self) -> RleMasks:
        """One mask: pixels that all masks have. Of no mask it is undefined: ValueError."""
        from copypaste_rs.functional import intersection

        return intersection(self)

    def difference(self, other: RleMasks) -> RleMasks:
        """Each mask without the pixels of `other`: its one mask, or the one of the same number."""
        from copypaste_rs.functional import difference

        return difference(self, other)

    def iou(self, other: RleMasks, iscrowd: ArrayLike | None = None) -> NDArray[np.float64]:
        """Intersection over union of every pair, shape (n, m).

        `iscrowd`, one bool for each mask of `other`, marks crowds: there the denominator is the area of the
        row's mask alone, as in COCO's evaluation.
        """
        from copypaste_rs.functional import iou

        return iou(self, other, iscrowd)

    def place(self, placement: Placement) -> RleMasks:
        """The masks flipped, resized and cropped or padded onto the canvas of `placement`."""
        from copypaste_rs.functional import place_masks

        return place_masks(self, placement)

    # -- as a sequence -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: SupportsIndex | slice | Sequence[int] | NDArray[Any]) -> RleMasks:
        picked = _checks.row_index("rows", rows, len(self))
        lengths = np.diff(self.offsets)[picked]
        offsets = _ends(lengths)
        index = np.repeat(self.offsets[picked] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return RleMasks._trusted(self.size, self.counts[index], offsets)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RleMasks):
            return NotImplemented
        return (
            self.size == other.size
            and np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.counts, other.counts)
        )

    __array_ufunc__: ClassVar[None] = None
    """Arithmetic and comparisons with arrays, which NumPy leaves to this class: `==` is False on either side."""

    def __array__(self, dtype: Any = None, copy: object = None) -> NDArray[Any]:
        return element("RleMasks: expected an array, got runs; RleMasks.to_dense() makes an array of them", self, dtype)

    def __hash__(self) -> int:
        return hash((self.size, self.counts.tobytes(), self.offsets.tobytes()))

    def __repr__(self) -> str:
        return f"RleMasks(size={self.size}, n={len(self)})"


# The setters of the slots themselves: every kernel makes masks, and `object.__setattr__` looks each up by its name.
_set_size, _set_counts, _set_offsets = (vars(RleMasks)[name].__set__ for name in ("size", "counts", "offsets"))


def check_masks(name: str, value: object, size: tuple[int, int] | None = None) -> RleMasks:
    """`value`, which must be RleMasks, of `size` where one is given."""
    if not isinstance(value, RleMasks):
        raise TypeError(f"{name}: expected RleMasks, got {type(value).__name__}")
    if size is not None and value.size != size:
        raise ValueError(f"{name}: expected masks of size {size}, got {value.size}")
    return value


def element(refusal: str, value: object, dtype: Any) -> NDArray[Any]:
    """`value` as the one element of an array of objects; an array of any other dtype is refused with a TypeError."""
    if dtype is None or np.dtype(dtype) != np.dtype(object):
        raise TypeError(refusal)
    array = np.empty((), object)
    array[()] = value
    return array


def _integers(name: str, values: ArrayLike, high: int) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError:  # ragged
        raise ValueError(f"{name}: expected a one-dimensional array, got nested lists") from None
    if array.ndim != 1:
        raise ValueError(f"{name}: expected a one-dimensional array, got shape {array.shape}")
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integers, got dtype {array.dtype}")
    if array.min() < 0 or array.max() > high:
        raise ValueError(f"{name}: expected numbers from 0 to {high}, got {array.min()} to {array.max()}")
    return array


def _ends(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """Offsets of pieces of the given lengths."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _canonical(
    size: tuple[int, int], counts: NDArray[np.uint32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Check that the runs of every mask fill it, and merge what a run of zero splits."""
    pixels = size[0] * size[1]
    total = np.zeros(len(counts) + 1, np.uint64)
    np.cumsum(counts, out=total[1:])
    sums = np.diff(total[offsets])
    wrong = np.flatnonzero(sums != pixels)
    if len(wrong):
        i = wrong[0]
        raise ValueError(f"counts: mask {i} has counts that sum to {sums[i]}, expected {pixels} for size {size}")
    zero = counts == 0
    zero[offsets[:-1][offsets[:-1] < len(counts)]] = False
    if pixels > 0 and not zero.any():
        return counts, offsets
    runs = [_merge_zero_runs(counts[a:b], pixels) for a, b in itertools.pairwise(offsets)]
    merged = np.concatenate([*runs, np.zeros(0, np.int64)]).astype(np.uint32)
    return merged, _ends(np.array([len(run) for run in runs], np.int64))


def _merge_zero_runs(runs: NDArray[np.uint32], pixels: int) -> NDArray[np.int64]:
    # A mask is the sorted pixels at which it changes; a pixel named twice does not change at all.
    toggles, times = np.unique(np.cumsum(runs[:-1], dtype=np.int64), return_counts=True)
    toggles = toggles[(times % 2 == 1) & (toggles < pixels)]
    merged: NDArray[np.int64] = np.diff(toggles, prepend=0, append=pixels)
    return merged


def _coco_counts(name: str, item: Mapping[str, Any], size: tuple[int, int]) -> Any:
    if not isinstance(item, Mapping) or "counts" not in item or "size" not in item:
        raise TypeError(f"{name}: expected a dict with 'size' and 'counts', got {type(item).__name__}")
    given = _checks.size(f"{name}['size']", item["size"], 0, _checks.MAX_PIXELS)
    if given != size:
        raise ValueError(f"{name}['size']: expected {size}, got {given}")
    counts = item["counts"]
    # Before anything is taken for a sequence of numbers: bytes are one too.
    return bytes(counts) if isinstance(counts, bytearray | memoryview) else counts

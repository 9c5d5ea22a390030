"""Maps: further rasters of an image, such as semantic labels or depth, which move with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._equality import same
from copypaste_rs._immutable import Immutable
from copypaste_rs.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INTERPOLATIONS = ("nearest", "bilinear")
MIXED = ("uint8", "uint16", "float32")
"""Dtypes that bilinear interpolation takes: those of images."""

MapFill: TypeAlias = "float | tuple[float, ...]"
"""Value where nothing lands: one number, or one for each channel where these differ."""


class MapKind(NamedTuple):
    """Dtype, channels, fill and interpolation of maps: what those of one name have in common."""

    dtype: np.dtype[Any]
    channels: tuple[int, ...]
    """Shape of one pixel: (C,), or () without a channel axis."""
    fill: MapFill
    interpolation: str
    values: NDArray[Any]
    """The fill as kernels take it: one value of the dtype for each channel."""

    def difference(self, other: MapKind) -> tuple[str, str] | None:
        """First feature that differs, in words: as it is here, and as it is there."""
        if self.dtype != other.dtype:
            return f"of dtype {self.dtype}", str(other.dtype)
        if self.channels != other.channels:
            return f"with {number_of_channels(self.channels)}", number_of_channels(other.channels)
        if not same(self.fill, other.fill):
            return f"with fill {self.fill!r}", repr(other.fill)
        if self.interpolation != other.interpolation:
            return f"with interpolation {self.interpolation!r}", repr(other.interpolation)
        return None


@final
class PixelMap(Immutable):
    """A raster of an image's size that moves with the image: semantic labels, depth, the picture of a second camera.

    A transform places it as it places the image, and pastes it hard, where masks say, whatever edge the image has.

    Parameters
    ----------
    array : array, shape (H, W) or (H, W, C)
        Any integer or float dtype, any number of channels, any memory layout. Not copied, never written to.
    fill : number, or sequence of C numbers
        Canvas pixels that no image reaches. An integer dtype has to hold it exactly; a float dtype takes NaN and
        infinity too.
    interpolation : {"nearest", "bilinear"}
        How resized pixels are made. "nearest" keeps every value as it is, bit by bit; "bilinear" is for uint8, uint16
        and float32, and averages with the transform's `antialias`. NaN and infinity, in the array or as the fill of an
        earlier result, spread to pixels beside them then, how far is not promised.

    Raises
    ------
    ValueError
        When the array has another shape, or fill or interpolation do not go with its dtype.
    TypeError
        When the array is of another dtype, or an argument of another type.

    Examples
    --------
    >>> import numpy as np
    >>> from copypaste_rs import Instances, PixelMap, Sample
    >>> image, labels = np.zeros((480, 640, 3), np.uint8), np.zeros((480, 640), np.uint8)
    >>> sample = Sample(image, Instances(), maps={"semantic": PixelMap(labels, fill=255)})
    >>> sample.maps["semantic"].shape, sample.pixel_maps["semantic"].fill
    ((480, 640), 255)
    """

    __slots__ = ("_kind", "array")

    array: NDArray[Any]
    _kind: MapKind

    def __init__(self, array: NDArray[Any], fill: _checks.MapValue = 0, interpolation: str = "nearest") -> None:
        pixels = _checks.raster("array", array)
        dtype, channels = pixels.dtype, pixels.shape[2:]
        values = _checks.map_values("fill", fill, dtype, channels)
        method = _checks.choice("interpolation", interpolation, INTERPOLATIONS)
        if method != "nearest" and dtype.name not in MIXED:
            raise wrong("interpolation", f"'nearest' for dtype {dtype} ({', '.join(MIXED)} have both)", repr(method))
        numbers = values.tolist()
        every = numbers[0] if all(same(each, numbers[0]) for each in numbers) else tuple(numbers)
        self._put(array=pixels, _kind=MapKind(dtype, channels, every, method, values))

    @classmethod
    def _of(cls, array: NDArray[Any], kind: MapKind) -> PixelMap:
        """Map of a kind that the array is known to have."""
        made = object.__new__(cls)
        made._put(array=array, _kind=kind)
        return made

    @property
    def fill(self) -> MapFill:
        """Value where nothing lands: a number, or a tuple where channels have different ones."""
        return self._kind.fill

    @property
    def interpolation(self) -> str:
        """How resized pixels are made."""
        return self._kind.interpolation

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PixelMap):
            return NotImplemented
        return self._kind.difference(other._kind) is None and same(self.array, other.array)

    __hash__ = None  # type: ignore[assignment]  # holds an array, which may be written to

    def __reduce__(self) -> tuple[Any, ...]:
        return PixelMap._of, (self.array, self._kind)

    def __repr__(self) -> str:
        return (
            f"PixelMap({self.array.shape} {self.array.dtype}, fill={self.fill!r}, interpolation={self.interpolation!r})"
        )


NO_MAPS: Mapping[str, PixelMap] = {}
"""Maps of all samples that have none; nobody writes to it."""


def check_maps(maps: object, size: tuple[int, ...]) -> Mapping[str, PixelMap]:
    """`maps` by name, each a `PixelMap` of the image's size; arrays become maps with the defaults."""
    if type(maps) is dict and not maps:  # as nearly always: what is a mapping takes a while to find out
        return NO_MAPS
    if not isinstance(maps, Mapping):
        raise wrong_type("maps", "a mapping", type(maps).__name__)
    checked: dict[str, PixelMap] = {}
    for name, given in maps.items():
        if not isinstance(name, str):
            raise wrong_type("maps", "names that are strings", repr(name))
        if not name:
            raise wrong("maps", "names with at least one character", repr(name))
        try:
            made = given if isinstance(given, PixelMap) else PixelMap(given)
        except (ArgumentError, ArgumentTypeError) as error:
            raise error.renamed("maps", name) from None
        if made.array.shape[:2] != size:
            raise wrong(("maps", name), f"the image's height and width {size}", str(made.array.shape[:2]))
        checked[name] = made
    return checked or NO_MAPS


def number_of_channels(channels: tuple[int, ...]) -> str:
    """Number of channels, in words, of what has this shape behind height and width."""
    return f"{channels[0]} channel{'s' * (channels[0] != 1)}" if channels else "no channel axis"

"""Samples: an image with its instances, and whatever else belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs._equality import same
from copypaste_rs._immutable import Immutable
from copypaste_rs.instances import Instances
from copypaste_rs.maps import NO_MAPS, PixelMap, check_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray


@final
class Sample(Immutable):
    """One image, its instances, and whatever else belongs to it.

    Parameters
    ----------
    image : array, shape (H, W) or (H, W, C)
        dtype uint8, uint16 or float32, any number of channels. Not copied, never written to.
    instances : Instances
        The objects. Masks, where there are any, have the size of the image; boxes without masks become rectangles.
    info : mapping, optional
        Data of the image as a whole (image id, file name, ...), carried along. From a list or tuple
        ``neg_category_ids``, categories that are absent as LVIS has them, copy-paste takes those that it pasted.
    maps : mapping of str to array or PixelMap, optional
        Further rasters of the image's size by name, of any integer or float dtype: semantic labels, depth. A
        transform moves and pastes them with the image. An array is a `PixelMap` with its defaults, filled with 0 and
        resized by the nearest pixel.

    Raises
    ------
    ValueError, TypeError
        When the image is not such an array, or masks or maps are of another size.

    Examples
    --------
    >>> import numpy as np
    >>> sample = Sample(np.zeros((480, 640, 3), np.uint8), Instances(), {"image_id": 7})
    >>> sample.size
    (480, 640)
    >>> depth = np.zeros((480, 640), np.float32)
    >>> Sample(sample.image, Instances(), maps={"depth": depth}).maps["depth"] is depth
    True
    """

    __slots__ = ("_maps", "image", "info", "instances")

    image: NDArray[Any]
    instances: Instances
    info: dict[str, Any]
    _maps: Mapping[str, PixelMap]

    def __init__(
        self,
        image: NDArray[Any],
        instances: Instances,
        info: Mapping[str, Any] = {},
        maps: Mapping[str, PixelMap | NDArray[Any]] = {},
    ) -> None:
        pixels = _checks.image("image", image)
        if not isinstance(instances, Instances):
            raise wrong_type("instances", "Instances", type(instances).__name__)
        if type(info) is not dict and not isinstance(info, Mapping):  # the second takes a while to find out
            raise wrong_type("info", "a mapping", type(info).__name__)
        size, masks = pixels.shape[:2], instances._columns.get("masks")
        if masks is None:
            instances = instances._in_image(size)
        elif masks.size != size:
            raise wrong("instances", f"masks of the image's size {size}", str(masks.size))
        self._set(pixels, instances, dict(info), check_maps(maps, size))

    def _set(
        self, image: NDArray[Any], instances: Instances, info: dict[str, Any], maps: Mapping[str, PixelMap]
    ) -> None:
        _set_image(self, image)
        _set_instances(self, instances)
        _set_info(self, info)
        _set_maps(self, maps)

    @classmethod
    def _trusted(
        cls,
        image: NDArray[Any],
        instances: Instances,
        info: dict[str, Any],
        maps: Mapping[str, PixelMap] = NO_MAPS,
    ) -> Sample:
        """Wrap parts that are known to fit."""
        sample = object.__new__(cls)
        sample._set(image, instances, info, maps)
        return sample

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        return self.image.shape[0], self.image.shape[1]

    @property
    def maps(self) -> dict[str, NDArray[Any]]:
        """Arrays of the further rasters by name: a new dict of the same arrays."""
        return {name: each.array for name, each in self._maps.items()}

    @property
    def pixel_maps(self) -> dict[str, PixelMap]:
        """Further rasters by name, with fill and interpolation: what the argument `maps` of another sample takes."""
        return dict(self._maps)

    def replace(
        self,
        *,
        image: NDArray[Any] | None = None,
        instances: Instances | None = None,
        info: Mapping[str, Any] | None = None,
        maps: Mapping[str, PixelMap | NDArray[Any]] | None = None,
    ) -> Sample:
        """The sample with some of its parts replaced, which are checked as the constructor checks them.

        Examples
        --------
        >>> import numpy as np
        >>> sample = Sample(np.zeros((2, 3), np.uint8), Instances(), {"image_id": 7})
        >>> sample.replace(image=sample.image + np.uint8(1)).info
        {'image_id': 7}
        """
        return Sample(
            self.image if image is None else image,
            self.instances if instances is None else instances,
            self.info if info is None else info,
            self._maps if maps is None else maps,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sample):
            return NotImplemented
        return (
            self.image.dtype == other.image.dtype
            and same(self.image, other.image)
            and self.instances == other.instances
            and same(self.info, other.info)
            and same(self._maps, other._maps)
        )

    __hash__ = None  # type: ignore[assignment]  # holds arrays, which may be written to

    def __reduce__(self) -> tuple[Any, ...]:
        parts = self.image, self.instances, self.info
        return Sample._trusted, (*parts, self._maps) if self._maps else parts

    def __repr__(self) -> str:
        maps = f", maps=[{', '.join(self._maps)}]" if self._maps else ""
        return f"Sample(image={self.image.shape} {self.image.dtype}, {self.instances!r}{maps})"


_set_image, _set_instances, _set_info, _set_maps = (
    vars(Sample)[name].__set__ for name in ("image", "instances", "info", "_maps")
)

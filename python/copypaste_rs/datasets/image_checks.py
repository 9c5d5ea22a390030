"""Options by which image files are decoded, and checks of what a file turns out to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, SupportsIndex

from copypaste_rs import _checks

if TYPE_CHECKING:
    import numpy as np

DTYPES = ("uint8", "keep")
"""Pixels that images are decoded to: 8-bit RGB, or as they are stored."""

MAX_PIXELS = 2**28
"""Height times width of the largest image that is decoded, where nobody says otherwise."""


class ImageOptions(NamedTuple):
    """How image files are decoded."""

    apply_exif: bool = False
    max_pixels: int = MAX_PIXELS
    dtype: str = "uint8"

    @staticmethod
    def check(apply_exif: bool | np.bool_, max_pixels: SupportsIndex, dtype: str = "uint8") -> ImageOptions:
        """The options, or an error that names the one that is wrong."""
        return ImageOptions(
            _checks.flag("apply_exif", apply_exif),
            _checks.integer("max_pixels", max_pixels, 1, _checks.MAX_PIXELS),
            _checks.choice("dtype", dtype, DTYPES),
        )


class SizeError(ValueError):
    """An image is not as large as it should be."""


class ExpectedImage(NamedTuple):
    """Size that an image should have, and how it is turned."""

    path: str | Path
    size: tuple[int, int] | None
    options: ImageOptions
    orientation: int

    @property
    def turns(self) -> bool:
        """Whether the image has to be turned."""
        return self.options.apply_exif and self.orientation != 1

    @property
    def stored(self) -> tuple[int, int] | None:
        """Height and width as they should be stored; None where nobody said, or they are too large."""
        if self.size is None or self.size[0] * self.size[1] > self.options.max_pixels:
            return None
        return self.size[::-1] if self.turns and self.orientation >= 5 else self.size

    def check(self, stored: tuple[int, int]) -> None:
        """Check height and width as they are stored."""
        h, w = stored
        if h * w > self.options.max_pixels:
            raise SizeError(
                f"{Path(self.path)}: expected at most {self.options.max_pixels} pixels (max_pixels), got width {w} and "
                f"height {h}"
            )
        found = (w, h) if self.turns and self.orientation >= 5 else stored
        if self.size is None or found == self.size:
            return
        hint = ""
        if self.orientation >= 5 and found[::-1] == self.size:
            hint = f"; its EXIF orientation is {self.orientation}, which apply_exif={not self.turns} would"
            hint += " leave out" if self.turns else " apply"
        raise SizeError(
            f"{Path(self.path)}: expected an image of width {self.size[1]} and height {self.size[0]} as in the "
            f"annotation file, got width {found[1]} and height {found[0]}{hint}"
        )

"""Options of copy-paste, checked, and what a kernel takes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, SupportsIndex

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._engine.columns import check_missing, not_taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

INTERPOLATIONS = ("bilinear", "nearest")
ON_HIDDEN = ("drop", "crowd")


class KernelOptions(NamedTuple):
    """Options as a kernel takes them, for targets of one dtype and number of channels."""

    fill: NDArray[Any]
    """One value for each channel of each target, shape (n, C)."""
    edge: bool
    """Whether the outermost pixels of a target go on instead."""
    nearest: bool
    antialias: bool
    min_area: int
    min_visibility: float
    keep_hidden: bool


class Options(NamedTuple):
    """Options of copy-paste, checked."""

    fill: float | tuple[float, ...] | str | None
    interpolation: str
    antialias: bool
    min_area: int
    min_visibility: float
    on_hidden: str
    missing: dict[str, Any]
    for_maps: list[str]
    """Names of `missing` that only maps can have."""
    flip_pairs: _checks.FlipPairs

    @staticmethod
    def check(
        *,
        fill: _checks.Fill = None,
        interpolation: str = "bilinear",
        antialias: bool | np.bool_ = True,
        min_area: SupportsIndex = 0,
        min_visibility: SupportsFloat = 0.0,
        on_hidden: str = "drop",
        missing: Mapping[str, Any] | None = None,
        flip_pairs: Sequence[tuple[SupportsIndex, SupportsIndex]] | None = None,
    ) -> Options:
        """The options, or an error that names the one that is wrong."""
        stand_ins = check_missing(missing)
        return Options(
            _checks.fill(fill),
            _checks.choice("interpolation", interpolation, INTERPOLATIONS),
            _checks.flag("antialias", antialias),
            _checks.integer("min_area", min_area, 0, _checks.MAX_PIXELS),
            _checks.real("min_visibility", min_visibility, 0.0, 1.0),
            _checks.choice("on_hidden", on_hidden, ON_HIDDEN),
            stand_ins,
            not_taken(stand_ins),
            _checks.flip_pairs(flip_pairs),
        )

    def of_kernel(self, *images: NDArray[Any]) -> KernelOptions:
        """The options for target images, of which there is one or more, and which are alike."""
        return self._of_kernel(*_checks.image_fills(self.fill, images))

    def of_masks(self) -> KernelOptions:
        """The options where no pixel is made, whatever images there are."""
        return self._of_kernel(np.zeros((1, 1), np.uint8), edge=False)

    def _of_kernel(self, fill: NDArray[Any], edge: bool) -> KernelOptions:
        return KernelOptions(
            fill,
            edge,
            self.interpolation == "nearest",
            self.antialias,
            self.min_area,
            self.min_visibility,
            self.on_hidden == "crowd",
        )

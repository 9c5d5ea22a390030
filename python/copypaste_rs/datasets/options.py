"""Options that data sets of files share, whatever their format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, TypedDict

from copypaste_rs import _checks
from copypaste_rs.datasets.boxes import BOXES
from copypaste_rs.datasets.column_names import ALWAYS, column_names
from copypaste_rs.datasets.image_checks import MAX_PIXELS, ImageOptions
from copypaste_rs.datasets.label_numbers import LABELS
from copypaste_rs.datasets.table_cache import CachePlace

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

CROWDS = ("keep", "objects", "drop")
"""Ways to deal with an annotation that is a crowd."""


_IMAGES = ImageOptions()


class DatasetOptions(TypedDict, total=False):
    """Keyword arguments of data sets of files; `CocoDataset` says what each is."""

    boxes: str
    crowds: str
    columns: Collection[str] | None
    apply_exif: bool
    max_pixels: SupportsIndex
    dtype: str
    labels: str
    cache_dir: str | os.PathLike[str] | bool | None


class CheckedOptions(NamedTuple):
    """The options, checked."""

    boxes: str
    crowds: str
    columns: frozenset[str] | None
    images: ImageOptions
    labels: str
    cache: CachePlace

    @property
    def of_tables(self) -> dict[str, Any]:
        """Options that tables depend on, default values left out."""
        boxes = {} if self.boxes == "error" else {"boxes": self.boxes}
        crowds = {} if self.crowds == "keep" else {"crowds": self.crowds}
        return {**boxes, **crowds, **({} if self.columns is None else {"columns": sorted(self.columns | ALWAYS)})}

    @property
    def of_read_images(self) -> dict[str, Any]:
        """Options that tables depend on of which sizes come from image files, default values left out."""
        images = {name: value for name, value in self.images._asdict().items() if value != getattr(_IMAGES, name)}
        return {**self.of_tables, **images}

    @classmethod
    def of(
        cls,
        *,
        boxes: str = "error",
        crowds: str = "keep",
        columns: Collection[str] | None = None,
        apply_exif: bool = False,
        max_pixels: SupportsIndex = MAX_PIXELS,
        dtype: str = "uint8",
        labels: str = "ids",
        cache_dir: str | os.PathLike[str] | bool | None = None,
    ) -> CheckedOptions:
        """The options, or an error that names the one that is wrong."""
        images = ImageOptions.check(apply_exif, max_pixels, dtype)
        return cls(
            _checks.choice("boxes", boxes, BOXES),
            _checks.choice("crowds", crowds, CROWDS),
            None if columns is None else column_names("columns", columns),
            images,
            _checks.choice("labels", labels, LABELS),
            CachePlace.of(cache_dir),
        )

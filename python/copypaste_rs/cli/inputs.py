"""Data sets that commands read: options that say where they are and how they are read, and the sets opened."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from copypaste_rs import _checks
from copypaste_rs.cli.option_types import LocalPath, Place
from copypaste_rs.cli.outputs import real_path
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.boxes import BOXES
from copypaste_rs.datasets.categories import joined_categories, moved_ids
from copypaste_rs.datasets.formats import NAMES, format_named
from copypaste_rs.datasets.formats.image_folders import NoImagesError
from copypaste_rs.datasets.formats.label_maps.dataset import LabelMapDataset
from copypaste_rs.datasets.image_checks import DTYPES, MAX_PIXELS
from copypaste_rs.datasets.opening import open_dataset, recognised
from copypaste_rs.datasets.options import CROWDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from copypaste_rs.datasets.annotated import AnnotatedImages

with extra("cli"):
    import click

_PATH = LocalPath()

LABEL_MAPS = "label-maps"

INPUT_OPTIONS = [
    click.option("--annotations", type=Place(), required=True,
                 help="Annotation file, or folder of a set, of the images pasted on."),
    click.option("--images", type=Place(), help="Folder of these images; else looked for beside the annotations."),
    click.option("--input-format", type=click.Choice(NAMES), help="Format of the annotations; else found out."),
    click.option("--split", help="Part of a set with several, such as train."),
]  # fmt: skip

SOURCE_OPTIONS = [
    click.option("--source-annotations", type=Place(), help="Annotations of the objects pasted; else the same ones."),
    click.option("--source-images", type=Place(), help="Folder of their images."),
    click.option("--source-format", type=click.Choice(NAMES), help="Format of these annotations; else found out."),
    click.option("--source-split", help="Part of the set of sources."),
    click.option("--validation-annotations", type=_PATH,
                 help="Annotations of a validation set: a warning says which of its photographs are used here too."),
    click.option("--validation-images", type=_PATH, help="Folder of its images; else the same as --images."),
]  # fmt: skip

READING_OPTIONS = [
    click.option("--boxes", type=click.Choice(BOXES), default="error", show_default=True,
                 help="Annotations with a box and no outline: refuse the file, keep them as rectangles, drop them."),
    click.option("--crowds", type=click.Choice(CROWDS), default="keep", show_default=True,
                 help="Annotations with iscrowd 1: keep them as crowds, take them as objects, drop them."),
    click.option("--column", "columns", multiple=True,
                 help="Further field of annotations that is kept; may be repeated; else all are."),
    click.option("--divisor", type=click.IntRange(2),
                 help="Of label images: a value is label * divisor + number of the object; else each is an object."),
    click.option("--apply-exif/--no-apply-exif", default=None,
                 help="Turn images as their EXIF orientation says, or not; else those of yolo and labelme are turned."),
    click.option("--dtype", type=click.Choice(DTYPES), default="uint8", show_default=True,
                 help="Pixels of images: 8-bit RGB, or kept as they are stored, with 16 bits and any channels too."),
    click.option("--max-pixels", type=click.IntRange(1, _checks.MAX_PIXELS), default=MAX_PIXELS, show_default=True,
                 help="Height times width of the largest image that is decoded."),
    click.option("--cache-dir", type=_PATH,
                 help="Folder of caches of annotations; else they lie with those of over 8 MB or 1,000 files."),
    click.option("--no-cache", is_flag=True, help="Make and use no cache of annotations."),
]  # fmt: skip


class Inputs(NamedTuple):
    """Data sets that a command reads, opened."""

    targets: AnnotatedImages
    sources: AnnotatedImages | None
    categories: list[dict[str, Any]]
    """Categories of both files."""

    @property
    def integers(self) -> frozenset[str]:
        """Fields that are integers wherever they are."""
        files = [self.targets] if self.sources is None else [self.targets, self.sources]
        names = {name for file in files for name in file.integers}
        return frozenset(name for name in names if all(name in f.integers or name not in f.fields for f in files))

    @property
    def flip_pairs(self) -> tuple[tuple[int, int], ...] | None:
        """Keypoints that a mirror image exchanges, by their names."""
        named = self.targets if self.sources is None or self.targets.keypoint_names else self.sources
        return named.flip_pairs


def one_set(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without sources that are the very set of the targets: then it is one set, as if not given."""
    for name in ("images", "format", "split"):
        if options[f"source_{name}"] is not None and options["source_annotations"] is None:
            raise click.UsageError(f"--source-{name} goes with --source-annotations")
    check_cache(options)
    pairs = [(options[name], options[f"source_{name}"]) for name in ("annotations", "images")]
    named = [(options["input_format"], options["source_format"]), (options["split"], options["source_split"])]
    places = [
        (None if ours is None else real_path(ours), None if given is None else real_path(given))
        for ours, given in pairs
    ]
    if all(ours == given for ours, given in (*places, *named)):
        sources = [f"source_{name}" for name in ("annotations", "images", "format", "split")]
        return {**options, **dict.fromkeys(sources)}
    return dict(options)


def check_cache(options: Mapping[str, Any]) -> None:
    """Refuse a place for caches where there are to be none."""
    if options["cache_dir"] is not None and options["no_cache"]:
        raise click.UsageError("--cache-dir and --no-cache exclude each other")


def open_inputs(options: Mapping[str, Any], *, images: bool = True) -> Inputs:
    """Open the data sets; without images, those of annotation files need not be there."""
    opened = functools.partial(open_set if images else open_without_images, options)
    targets = opened("annotations", options["images"], options["input_format"], options["split"])
    if options["source_annotations"] is None:
        check_divisor(options, targets)
        return Inputs(targets, None, targets.categories)
    path = options["source_annotations"]
    sources = opened("source_annotations", options["source_images"], options["source_format"], options["source_split"])
    check_divisor(options, targets, sources)
    ours, theirs = targets.keypoint_names, sources.keypoint_names
    if ours and theirs and ours != theirs:
        raise ValueError(f"{path}: categories: expected the keypoints of the other file, {ours}, got {theirs}")
    _, ids = joined_categories(str(path), targets.categories, sources.categories)
    if moved := moved_ids(sources.categories, ids):
        warnings.warn(f"{path}: categories are joined by name: {moved}", UserWarning, stacklevel=2)
    sources = sources.with_categories(targets.categories)
    return Inputs(targets, sources, sources.categories)


def open_set(
    options: Mapping[str, Any],
    name: str,
    images: Path | None,
    kind: str | None,
    split: str | None,
    **others: Any,
) -> AnnotatedImages:
    """Open the set at the place that the option `name` gives, read as the options say, but for `others`."""
    path: Path = options[name]
    given = {each: options[each] for each in ("boxes", "crowds", "max_pixels", "dtype")}
    if options["apply_exif"] is not None:  # else as the format does
        given["apply_exif"] = options["apply_exif"]
    given["columns"] = options["columns"] or None
    given["cache_dir"] = False if options["no_cache"] else options["cache_dir"]
    found = kind or _format(path, split)
    if options["divisor"] is not None:
        names = [found] if found else [each.name for each in recognised(path, split)]
        if names == [LABEL_MAPS]:
            given["divisor"] = options["divisor"]
    return open_dataset(path, images, format=found, split=split, **{**given, **others})


def open_without_images(
    options: Mapping[str, Any], name: str, images: Path | None, kind: str | None, split: str | None
) -> AnnotatedImages:
    """Open the set at the place that the option `name` gives, of which no image is read: there may be none."""
    try:
        return open_set(options, name, images, kind, split)
    except NoImagesError:
        path: Path = options[name]
        return open_set(options, name, path if path.is_dir() else path.parent, kind, split)


def check_divisor(options: Mapping[str, Any], *sets: AnnotatedImages | None) -> None:
    """Refuse a divisor of values where no set has label images."""
    if options["divisor"] is not None and not any(isinstance(each, LabelMapDataset) for each in sets):
        raise click.UsageError(f"--divisor: expected label images, of the format {LABEL_MAPS}, whose values it divides")


def _format(path: Path, split: str | None) -> str | None:
    """Name of the format that is seen; COCO of a file in which none is, whose reader says what is wrong with it."""
    if path.is_dir():
        return None
    # What comes through a pipe can be read once.
    fitting = recognised(path, split) if path.is_file() else []
    return None if fitting else format_named("coco").name

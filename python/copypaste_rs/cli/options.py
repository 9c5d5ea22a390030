"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.cli.option_types import ClassWeight, Fill, Missing, Numbers, Select, Size
from copypaste_rs.cli.outputs import real_path
from copypaste_rs.column_kinds import DERIVED, PROVENANCE, absent_value
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.boxes import BOXES, BoxAloneError
from copypaste_rs.datasets.categories import joined_categories, label_weights, moved_ids
from copypaste_rs.datasets.coco import CocoDataset
from copypaste_rs.datasets.copy_paste import MAX_SOURCES, CopyPasteDataset
from copypaste_rs.datasets.fields import is_text
from copypaste_rs.datasets.images import DTYPES, MAX_JPEG_SIDE, MAX_PIXELS
from copypaste_rs.datasets.json_values import check_text
from copypaste_rs.datasets.options import CROWDS
from copypaste_rs.plan_options import SELECTIONS
from copypaste_rs.transforms import SimpleCopyPaste

if TYPE_CHECKING:
    from copypaste_rs.sample import Sample

with extra("cli"):
    import click

MAX_COPIES = 10**9
"""Results for each image, at most: with any number of images they can be counted in 64 bits."""

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)

_INPUTS = [
    click.option("--annotations", type=_PATH, required=True, help="COCO annotation file of the images pasted on."),
    click.option("--images", type=_PATH, required=True, help="Folder of these images."),
    click.option("--source-annotations", type=_PATH, help="COCO file of the objects pasted; else the same file."),
    click.option("--source-images", type=_PATH, help="Folder of their images."),
    click.option("--boxes", type=click.Choice(BOXES), default="error", show_default=True,
                 help="Annotations with a box and no outline: refuse the file, keep them as rectangles, drop them."),
    click.option("--crowds", type=click.Choice(CROWDS), default="keep", show_default=True,
                 help="Annotations with iscrowd 1: keep them as crowds, take them as objects, drop them."),
    click.option("--column", "columns", multiple=True,
                 help="Further field of annotations that is kept; may be repeated; else all are."),
    click.option("--apply-exif", is_flag=True, help="Turn images as their EXIF orientation says."),
    click.option("--dtype", type=click.Choice(DTYPES), default="uint8", show_default=True,
                 help="Pixels of images: 8-bit RGB, or kept as they are stored, with 16 bits and any channels too."),
    click.option("--validation-annotations", type=_PATH,
                 help="COCO file of a validation set: a warning says which of its photographs are used here too."),
    click.option("--validation-images", type=_PATH, help="Folder of its images; else the same as --images."),
    click.option("--max-pixels", type=click.IntRange(1, _checks.MAX_PIXELS), default=MAX_PIXELS, show_default=True,
                 help="Height times width of the largest image that is decoded."),
]  # fmt: skip

_TRANSFORM = [
    click.option("--size", type=Size(), default="1024", show_default=True, help="Canvas: a side, or HEIGHTxWIDTH."),
    click.option("--target-scale", type=float, nargs=2, default=(0.1, 2.0), show_default=True, metavar="LO HI",
                 help="Range of the scale of what is pasted on; the paper's standard jitter is 0.8 1.25."),
    click.option("--source-scale", type=float, nargs=2, default=(0.1, 2.0), show_default=True, metavar="LO HI",
                 help="Range of the scale of what is pasted."),
    click.option("--scale-reference", type=click.Choice(["fit", "input"]), default="fit", show_default=True,
                 help="Scale 1 just fits the canvas, or keeps the image's size."),
    click.option("--flip", type=float, default=0.5, show_default=True, help="Probability of mirroring an image."),
    click.option("--select", type=Select(), default="subset", show_default=True,
                 help=f"Objects of a source: {', '.join(SELECTIONS)}, a number, or a fraction."),
    click.option("--class-weight", type=ClassWeight(), multiple=True,
                 help="Draw objects of this category so many times as often as others, 0 never; may be repeated."),
    click.option("--num-sources", type=int, default=1, show_default=True, help="Sources for each image."),
    click.option("--placement", type=click.Choice(["jitter", "uniform"]), default="jitter", show_default=True,
                 help="Objects stay where the jittered source has them, or each goes anywhere."),
    click.option("--blend-sigma", type=Numbers((1, 2), "a number or LO,HI"), metavar="SIGMA|LO,HI",
                 help="Soft edges of this many pixels, or of a number drawn from a range; else hard."),
    click.option("--paste-boxes", is_flag=True, help="Paste objects that have a box and no outline too: rectangles."),
    click.option("--paste-pseudo", is_flag=True, help="Paste objects too whose field pseudo is true."),
    click.option("--p", type=float, default=1.0, show_default=True, help="Probability of pasting at all."),
    click.option("--pad", type=click.Choice(["top_left", "random"]), default="top_left", show_default=True,
                 help="Where an image smaller than the canvas lies."),
    click.option("--fill", type=Fill((1, 3), "a number or RED,GREEN,BLUE, edge or min"),
                 metavar="VALUE|R,G,B|edge|min",
                 help="Colour, 0 to 255 for 8 bits, of the canvas where no image lies; or edge, its outermost pixels; "
                      "or min, its smallest values; else grey."),
    click.option("--interpolation", type=click.Choice(["bilinear", "nearest"]), default="bilinear", show_default=True,
                 help="How pixels are resampled."),
    click.option("--antialias/--no-antialias", default=True, show_default=True, help="Average when shrinking."),
    click.option("--min-area", type=int, default=0, show_default=True, help="Drop objects of fewer pixels."),
    click.option("--min-visibility", type=float, default=0.0, show_default=True,
                 help="Drop objects of which a smaller part is visible."),
    click.option("--on-hidden", type=click.Choice(["drop", "crowd"]), default="drop", show_default=True,
                 help="What becomes of objects below these limits."),
    click.option("--missing", type=Missing(), multiple=True,
                 help="Value of a field that only one of the two files has; may be repeated."),
    click.option("--seed", type=int, default=0, show_default=True, help="Decides every random choice."),
    click.option("--backend", type=click.Choice(["rust", "numpy"]), default="rust", show_default=True,
                 help="Which of the two equal implementations runs."),
]  # fmt: skip


def inputs_and_transform(command: F) -> F:
    """Give a command the options of what goes in and what is done to it."""
    for option in reversed([*_INPUTS, *_TRANSFORM]):
        command = option(command)
    return command


class Inputs(NamedTuple):
    """Data sets that a command reads, opened."""

    targets: CocoDataset
    sources: CocoDataset | None
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


EPILOG = "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated."


def build_transform(options: Mapping[str, Any]) -> SimpleCopyPaste:
    """The transform that the options describe; a value out of range is wrong usage."""
    names = (
        *("size", "target_scale", "source_scale", "scale_reference", "flip", "select", "placement", "blend_sigma", "p"),
        *("fill", "pad", "interpolation", "antialias", "min_area", "min_visibility", "on_hidden", "backend"),
        *("paste_boxes", "paste_pseudo"),
    )
    arguments = {name: options[name] for name in names} | {"flip_pairs": options.get("flip_pairs")}
    try:
        if options["dtype"] == "uint8":
            _checks.fill_values(arguments["fill"], np.dtype(np.uint8), 3, grey_image=False)
        missing, class_weights = dict(options["missing"]) or None, options.get("class_weights")
        with warnings.catch_warnings():
            # All weights that were given may be 0: others are not, as was seen when their names were looked up.
            warnings.filterwarnings("ignore", message="class_weights: all are 0")
            return SimpleCopyPaste(**arguments, missing=missing, class_weights=class_weights)
    except (ValueError, TypeError) as error:
        raise click.UsageError(_as_option(error)) from None


def _as_option(error: Exception) -> str:
    """The sentence about an argument as one about the option: ``blend_sigma[0]: ...`` is ``--blend-sigma: ...``."""
    name, colon, rest = str(error).partition(":")
    return f"--{name.partition('[')[0].replace('_', '-')}{colon}{rest}"


def one_set(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without sources that are the very set of the targets: then it is one set, as if not given."""
    if (options["source_annotations"] is None) != (options["source_images"] is None):
        raise click.UsageError("--source-annotations and --source-images go together")
    pairs = [(options[name], options[f"source_{name}"]) for name in ("annotations", "images")]
    if all(given is not None and real_path(ours) == real_path(given) for ours, given in pairs):
        return {**options, "source_annotations": None, "source_images": None}
    return dict(options)


def check_numbers(options: Mapping[str, Any]) -> None:
    """Refuse numbers that only a data set or a file would refuse, before any is opened."""
    try:
        _checks.integer("num_sources", options["num_sources"], 1, MAX_SOURCES)
        _checks.integer("seed", options["seed"], 0, 2**64 - 1)
    except ValueError as error:
        raise click.UsageError(_as_option(error)) from None
    if options.get("format") == "jpg" and max(options["size"]) > MAX_JPEG_SIDE:
        raise click.UsageError(
            f"--size: expected sides of at most {MAX_JPEG_SIDE} pixels for JPEG, "
            f"got {'x'.join(map(str, options['size']))}; --format png has no such limit"
        )


def open_inputs(options: Mapping[str, Any]) -> Inputs:
    """Open the annotation files."""
    try:
        return _opened(options)
    except BoxAloneError as error:
        raise ValueError(f"{error.args[0]}; --boxes keep reads it as a rectangle, --boxes drop leaves it out") from None


def _opened(options: Mapping[str, Any]) -> Inputs:
    given = {name: options[name] for name in ("boxes", "crowds", "apply_exif", "max_pixels", "dtype")}
    given["columns"] = options["columns"] or None
    targets = CocoDataset(options["annotations"], options["images"], **given)
    if options["source_annotations"] is None:
        return Inputs(targets, None, targets.categories)
    sources = CocoDataset(options["source_annotations"], options["source_images"], **given)
    path = options["source_annotations"]
    ours, theirs = targets.keypoint_names, sources.keypoint_names
    if ours and theirs and ours != theirs:
        raise ValueError(f"{path}: categories: expected the keypoints of the other file, {ours}, got {theirs}")
    _, ids = joined_categories(str(path), targets.categories, sources.categories)
    if moved := moved_ids(sources.categories, ids):
        warnings.warn(f"{path}: categories are joined by name: {moved}", UserWarning, stacklevel=2)
    sources = sources.with_categories(targets.categories)
    return Inputs(targets, sources, sources.categories)


def pairing(inputs: Inputs, transform: SimpleCopyPaste, options: Mapping[str, Any]) -> CopyPasteDataset[Sample]:
    """The augmented images as a data set; the copies are its epochs."""
    try:
        return CopyPasteDataset(
            inputs.targets, transform, sources=inputs.sources, num_sources=options["num_sources"], seed=options["seed"]
        )
    except (ValueError, TypeError) as error:
        raise click.UsageError(_as_option(error)) from None


def fitted(options: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    """The options once the files are known, whose fields and names they have to fit."""
    files = [inputs.targets] if inputs.sources is None else [inputs.targets, inputs.sources]
    if inputs.flip_pairs is None and options["flip"] > 0 and any("keypoints" in file.fields for file in files):
        raise click.UsageError(
            f"--flip: expected 0, since the categories have no names of keypoints, by which those that a mirror image "
            f"exchanges are found, got {options['flip']:g}"
        )
    return {**_with_class_weights(_with_missing(options, inputs), inputs), "flip_pairs": inputs.flip_pairs}


def _with_missing(options: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    """The options once ``--missing`` is found to fit the files: all that only one of two has needs a value."""
    targets, sources = inputs.targets, inputs.sources
    given = dict(options["missing"])
    files = [(options["annotations"], targets.fields)]
    if sources is not None:
        files.append((options["source_annotations"], sources.fields))
    for name, value in given.items():
        _check_value(name, value, files)
    if sources is None or not (targets.has_instances and sources.has_instances):
        return dict(options)  # a side without rows conflicts with nothing
    (ours, mine), (theirs, yours) = files
    lacking = []
    for name in sorted((mine.keys() | yours.keys()) - DERIVED):
        if name in mine and name in yours:
            if is_text(mine[name]) != is_text(yours[name]):
                raise click.UsageError(
                    f"{theirs}: expected the same kind of values in the field {name!r} as in {ours}, got text in one "
                    "and numbers in the other"
                )
        elif name in given or absent_value(name, [mine if name in mine else yours]) is not None:
            pass
        elif name in PROVENANCE:  # of an earlier round, and replaced when it is written
            given[name] = "" if is_text((mine | yours)[name]) else 0
        else:
            there, not_there = (ours, theirs) if name in mine else (theirs, ours)
            lacking.append(
                f"--missing {name}=VALUE is needed, for {there} has the field {name!r} and {not_there} has not"
            )
    if lacking:
        raise click.UsageError("; ".join(lacking))
    return {**options, "missing": tuple(given.items())}


def _with_class_weights(options: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    """The options with the weights of ``--class-weight`` by id of the category; wrong names are wrong usage."""
    if not options["class_weight"]:
        return dict(options)
    names = [name for name, _ in options["class_weight"]]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.UsageError(
            f"--class-weight {twice}: expected each category once, got it {names.count(twice)} times"
        )
    try:
        weights = label_weights("class_weight", inputs.categories, dict(options["class_weight"]))
    except ValueError as error:
        raise click.UsageError(_as_option(error)) from None
    if all(weights.get(category["id"], 1) == 0 for category in inputs.categories):
        raise click.UsageError("--class-weight: expected a category whose weight is not 0, or nothing would be pasted")
    return {**options, "class_weights": weights}


def _check_value(name: str, value: Any, files: list[tuple[Path, dict[str, np.dtype[Any]]]]) -> None:
    found = [fields[name] for _, fields in files if name in fields]
    kinds: set[str] = {"U" if is_text(dtype) else dtype.kind for dtype in found}
    if not kinds:
        raise click.UsageError(f"--missing {name}: expected a field of an annotation file, which {name!r} is not")
    if isinstance(value, str) and kinds - {"U"}:
        raise click.UsageError(f"--missing {name}={value}: expected a number, as the field {name!r} holds numbers")
    if not isinstance(value, str) and "U" in kinds:
        raise click.UsageError(f"--missing {name}={value}: expected text in quotes ('{name}=\"{value}\"'), "
                               f"as the field {name!r} holds text")  # fmt: skip
    if isinstance(value, str):
        try:
            check_text(f"--missing {name}", value)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    elif isinstance(value, int) and not _is_held(value, kinds):
        raise click.UsageError(f"--missing {name}={value}: expected a number of 64 bits, as the field {name!r} has")


def _is_held(value: int, kinds: set[str]) -> bool:
    if kinds != {"f"}:
        return -(2**63) <= value < 2**63
    try:
        float(value)
    except OverflowError:
        return False
    return True

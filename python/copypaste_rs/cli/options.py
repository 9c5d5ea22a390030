"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.cli.inputs import INPUT_OPTIONS, READING_OPTIONS, SOURCE_OPTIONS
from copypaste_rs.cli.option_types import ClassWeight, Fill, Missing, Numbers, Select, Size
from copypaste_rs.cli.words import as_option
from copypaste_rs.column_kinds import DERIVED, PROVENANCE, absent_value
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.categories import label_weights
from copypaste_rs.datasets.copy_paste import MAX_SOURCES, CopyPasteDataset
from copypaste_rs.datasets.fields import is_text
from copypaste_rs.datasets.images import MAX_JPEG_SIDE
from copypaste_rs.datasets.json_values import check_text
from copypaste_rs.plan_options import SELECTIONS
from copypaste_rs.transforms import SimpleCopyPaste

if TYPE_CHECKING:
    from pathlib import Path

    from copypaste_rs.cli.inputs import Inputs
    from copypaste_rs.sample import Sample

with extra("cli"):
    import click

MAX_COPIES = 10**9
"""Results for each image, at most: with any number of images they can be counted in 64 bits."""

F = TypeVar("F", bound=Callable[..., Any])

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


def with_options(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    """Decorator that gives a command several options."""

    def decorated(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def copies_option(least: int, words: str) -> Callable[[F], F]:
    """The option that says how many results there are for each image."""
    return click.option("--copies", type=click.IntRange(least, MAX_COPIES), default=1, show_default=True, help=words)


inputs_and_transform = with_options([*INPUT_OPTIONS, *SOURCE_OPTIONS, *READING_OPTIONS, *_TRANSFORM])
"""Decorator that gives a command the options of what goes in and what is done to it."""


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
        raise click.UsageError(as_option(error)) from None


def check_numbers(options: Mapping[str, Any]) -> None:
    """Refuse numbers that only a data set or a file would refuse, before any is opened."""
    try:
        _checks.integer("num_sources", options["num_sources"], 1, MAX_SOURCES)
        _checks.integer("seed", options["seed"], 0, 2**64 - 1)
    except ValueError as error:
        raise click.UsageError(as_option(error)) from None
    if options.get("format") == "jpg" and max(options["size"]) > MAX_JPEG_SIDE:
        raise click.UsageError(
            f"--size: expected sides of at most {MAX_JPEG_SIDE} pixels for JPEG, "
            f"got {'x'.join(map(str, options['size']))}; --image-format png has no such limit"
        )


def pairing(inputs: Inputs, transform: SimpleCopyPaste, options: Mapping[str, Any]) -> CopyPasteDataset[Sample]:
    """The augmented images as a data set; the copies are its epochs."""
    try:
        return CopyPasteDataset(
            inputs.targets, transform, sources=inputs.sources, num_sources=options["num_sources"], seed=options["seed"]
        )
    except (ValueError, TypeError) as error:
        raise click.UsageError(as_option(error)) from None


def fitted_pairs(
    inputs: Inputs, options: Mapping[str, Any]
) -> tuple[dict[str, Any], SimpleCopyPaste, CopyPasteDataset[Sample]]:
    """Options that fit the inputs, the transform that they say, and the items to be made."""
    fitting = fitted(options, inputs)
    transform = build_transform(fitting)
    return fitting, transform, pairing(inputs, transform, fitting)


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
        raise click.UsageError(as_option(error)) from None
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

"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.coco import CocoDataset
from copypaste_rs.datasets.copy_paste import CopyPasteDataset
from copypaste_rs.transform import SimpleCopyPaste

with extra("cli"):
    import click

F = TypeVar("F", bound=Callable[..., Any])


class _Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic since click 8.5
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            sides = [int(side) for side in value.lower().split("x")]
        except ValueError:
            sides = []
        if len(sides) not in (1, 2):
            self.fail(f"expected one number or HEIGHTxWIDTH, got {value!r}", param, ctx)
        return sides[0], sides[-1]


class _Select(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "rule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in ("subset", "one", "all") or not isinstance(value, str):
            return value
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                pass
        return self.fail(f"expected subset, one, all, a number or a fraction, got {value!r}", param, ctx)


class _Missing(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        name, equals, text = value.partition("=")
        if not (name and equals):
            self.fail(f"expected NAME=VALUE, got {value!r}", param, ctx)
        try:
            number = json.loads(text)
        except ValueError:
            number = None
        return name, number if isinstance(number, bool | int | float | str) else text


_PATH = click.Path(path_type=Path)

_INPUTS = [
    click.option("--annotations", type=_PATH, required=True, help="COCO annotation file of the images pasted on."),
    click.option("--images", type=_PATH, required=True, help="Folder of these images."),
    click.option("--source-annotations", type=_PATH, help="COCO file of the objects pasted; else the same file."),
    click.option("--source-images", type=_PATH, help="Folder of their images."),
]

_TRANSFORM = [
    click.option("--size", type=_Size(), default="1024", show_default=True, help="Canvas: a side, or HEIGHTxWIDTH."),
    click.option("--target-scale", type=float, nargs=2, default=(0.1, 2.0), show_default=True, metavar="LO HI",
                 help="Range of the scale of what is pasted on; the paper's standard jitter is 0.8 1.25."),
    click.option("--source-scale", type=float, nargs=2, default=(0.1, 2.0), show_default=True, metavar="LO HI",
                 help="Range of the scale of what is pasted."),
    click.option("--scale-reference", type=click.Choice(["fit", "input"]), default="fit", show_default=True,
                 help="Scale 1 just fits the canvas, or keeps the image's size."),
    click.option("--flip", type=float, default=0.5, show_default=True, help="Probability of mirroring an image."),
    click.option("--select", type=_Select(), default="subset", show_default=True,
                 help="Objects of a source: subset, one, all, a number, or a fraction."),
    click.option("--num-sources", type=int, default=1, show_default=True, help="Sources for each image."),
    click.option("--placement", type=click.Choice(["jitter", "uniform"]), default="jitter", show_default=True,
                 help="Objects stay where the jittered source has them, or each goes anywhere."),
    click.option("--blend-sigma", type=float, help="Soft edges of this many pixels; else hard."),
    click.option("--p", type=float, default=1.0, show_default=True, help="Probability of pasting at all."),
    click.option("--pad", type=click.Choice(["top_left", "random"]), default="top_left", show_default=True,
                 help="Where an image smaller than the canvas lies."),
    click.option("--interpolation", type=click.Choice(["bilinear", "nearest"]), default="bilinear", show_default=True,
                 help="How pixels are resampled."),
    click.option("--antialias/--no-antialias", default=True, show_default=True, help="Average when shrinking."),
    click.option("--min-area", type=int, default=0, show_default=True, help="Drop objects of fewer pixels."),
    click.option("--min-visibility", type=float, default=0.0, show_default=True,
                 help="Drop objects of which a smaller part is visible."),
    click.option("--on-hidden", type=click.Choice(["drop", "crowd"]), default="drop", show_default=True,
                 help="What becomes of objects below these limits."),
    click.option("--missing", type=_Missing(), multiple=True,
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
    """What goes in, opened."""

    targets: CocoDataset
    sources: CocoDataset | None
    categories: list[dict[str, Any]]
    """Those of both files."""


def build_transform(options: Mapping[str, Any]) -> SimpleCopyPaste:
    """The transform that the options describe; a value out of range is wrong usage."""
    names = (
        *("size", "target_scale", "source_scale", "scale_reference", "flip", "select", "placement", "blend_sigma", "p"),
        *("pad", "interpolation", "antialias", "min_area", "min_visibility", "on_hidden", "backend"),
    )
    arguments = {name: options[name] for name in names}
    try:
        return SimpleCopyPaste(**arguments, missing=dict(options["missing"]) or None)
    except (ValueError, TypeError) as error:
        raise click.UsageError(f"--{str(error).replace('_', '-', 1)}") from None


def open_inputs(options: Mapping[str, Any]) -> Inputs:
    """Open the annotation files."""
    if (options["source_annotations"] is None) != (options["source_images"] is None):
        raise click.UsageError("--source-annotations and --source-images go together")
    targets = CocoDataset(options["annotations"], options["images"])
    if options["source_annotations"] is None:
        return Inputs(targets, None, targets.categories)
    sources = CocoDataset(options["source_annotations"], options["source_images"])
    return Inputs(targets, sources, _joined(targets.categories, sources.categories, options["source_annotations"]))


def _joined(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    names = {category["id"]: category.get("name") for category in ours}
    for category in theirs:
        known = names.get(category["id"], category.get("name"))
        if known != category.get("name"):
            raise ValueError(
                f"{path}: category {category['id']} is {category.get('name')!r}, but {known!r} in the other file; "
                "both files need the same categories"
            )
    return ours + [category for category in theirs if category["id"] not in names]


def pairing(inputs: Inputs, transform: SimpleCopyPaste, options: Mapping[str, Any]) -> CopyPasteDataset:
    """The augmented images as a data set; the copies are its epochs."""
    sources = inputs.sources
    if sources is None and len(inputs.targets) == 1:
        # The only image there is gives its objects to itself: another object, so that it is not left out.
        sources = CocoDataset(options["annotations"], options["images"])
    try:
        return CopyPasteDataset(
            inputs.targets, transform, sources=sources, num_sources=options["num_sources"], seed=options["seed"]
        )
    except (ValueError, TypeError) as error:
        raise click.UsageError(f"--{str(error).replace('_', '-', 1)}") from None

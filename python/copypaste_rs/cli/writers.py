"""Writers of the output: options that say what is written, and the writer of that format."""

from __future__ import annotations

import reprlib
import warnings
from typing import TYPE_CHECKING, Any, cast

from copypaste_rs.cli.option_types import LocalPath
from copypaste_rs.cli.outputs import wrong_output
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.coco_file_writer import CocoFileWriter
from copypaste_rs.datasets.formats import NAMES, WRITTEN_ALONE, format_named
from copypaste_rs.datasets.formats.webdataset.writer import TAR_SAMPLES, WebdatasetWriter
from copypaste_rs.datasets.images import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from copypaste_rs.datasets.sample_writer import SampleWriter
    from copypaste_rs.datasets.shards import Shard

with extra("cli"):
    import click

WRITTEN = (*(name for name in NAMES if name != "backgrounds"), *WRITTEN_ALONE)
"""Formats that are written, by name."""


def workers_option(images: int) -> Callable[[Any], Any]:
    """The option that says how many processes work, each of which needs so many images to be worth its start."""
    words = f"Processes; the result is the same.  [default: processors, but {images} images for each]"
    return click.option("--workers", type=click.IntRange(1), help=words)


IMAGES_FOR_A_WORKER = 64
"""Images, decoded and encoded, that a worker process needs to be worth its start."""

OUTPUT_OPTION = click.option("--output", type=LocalPath(), required=True, help="Folder to write to.")
OVERWRITE_OPTION = click.option("--overwrite", is_flag=True, help="Replace what an earlier run has written there.")

PLACE_OPTIONS = [
    click.option("--output-split", help="Part of the set that is written, where the format has parts, as train."),
    click.option("--output-divisor", type=click.IntRange(2),
                 help="Of label images that are written: values are label * divisor + number of the object."),
    click.option("--tar-samples", type=click.IntRange(1, 10**6),
                 help=f"Images of each tar file of webdataset, at most.  [default: {TAR_SAMPLES}]"),
    click.option("--quality", type=click.IntRange(1, 100), default=95, show_default=True, help="Of JPEG."),
    workers_option(IMAGES_FOR_A_WORKER),
    click.option("--resume", is_flag=True, help="Go on with an output that is not finished. An image file that has "
                                                "changed since is not noticed."),
    OVERWRITE_OPTION,
]  # fmt: skip


def output_format(*, default: str | None) -> Callable[[Any], Any]:
    """The option that says which format is written; required where there is no default."""
    shown: dict[str, Any] = {"required": True} if default is None else {"default": default, "show_default": True}
    return click.option("--output-format", type=click.Choice(WRITTEN), help="Format that is written.", **shown)


def image_format(*more: str, default: str) -> Callable[[Any], Any]:
    """The option that says how images are written, in `FORMATS` or another way."""
    words = "; keep copies the files as they are" if more else ""
    return click.option(
        "--image-format",
        "--format",
        "format",
        type=click.Choice([*more, *FORMATS]),
        default=default,
        show_default=True,
        help=f"Of the images; png holds 16 bits too, tif also floats and any number of channels{words}.",
    )


def writer_class(name: str) -> type[SampleWriter]:
    """The writer of a format, by its name."""
    return cast("type[SampleWriter]", format_named(name).writer)


def open_writer(
    output: Path,
    categories: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    settings: Mapping[str, Any],
    integers: frozenset[str],
    *,
    info: object,
    licenses: object,
    shard: Shard | None = None,
) -> SampleWriter:
    """The writer that the options ask for; `info` and `licenses` are for formats that have such."""
    kind = writer_class(options["output_format"])
    more: dict[str, Any] = {}
    if issubclass(kind, CocoFileWriter):
        # Of two kinds that the writers take, and readers expect; whatever else stands there is told of.
        more = {"info": _held("info", info, dict), "licenses": _held("licenses", licenses, list)}
    if (split := options["output_split"]) is not None:
        if not takes(kind, "split"):
            raise click.UsageError(f"--output-split: expected none, as {options['output_format']} has no parts")
        more["split"] = split
    if (divisor := options["output_divisor"]) is not None:
        if not takes(kind, "divisor"):
            raise click.UsageError(
                f"--output-divisor: expected none, as {options['output_format']} has no label images"
            )
        more["divisor"] = divisor
    if issubclass(kind, WebdatasetWriter):
        more["tar_samples"] = images_of_a_file(options)
    with wrong_output(output):
        return kind(
            output,
            categories,
            format="jpg" if options["format"] == "keep" else options["format"],
            quality=options["quality"],
            overwrite=options["overwrite"],
            resume=options["resume"],
            settings=settings,
            integers=integers,
            shard=shard,
            **more,
        )


def check_tar_samples(options: Mapping[str, Any]) -> None:
    """Refuse a number of images in a tar file where there are none."""
    if options["tar_samples"] is not None and options["output_format"] not in WRITTEN_ALONE:
        raise click.UsageError(f"--tar-samples: expected none, as {options['output_format']} has no tar files")


def images_of_a_file(options: Mapping[str, Any]) -> int:
    """Images that lie in one file of the output, at most."""
    return (options["tar_samples"] or TAR_SAMPLES) if options["output_format"] in WRITTEN_ALONE else 1


def _held(name: str, value: Any, kind: type) -> Any:
    """A value of the input for the head of the output, if it is of this kind; else it is left out, and that is said."""
    if value is None or isinstance(value, kind):
        return value
    expected = "an object" if kind is dict else "a list"
    warnings.warn(f"left out {name} of the input: expected {expected}, got {reprlib.repr(value)}", UserWarning,
                  stacklevel=2)  # fmt: skip
    return None


def takes(kind: type[SampleWriter], argument: str) -> bool:
    """Whether a writer has an argument of its own, such as the part of a set that is written."""
    return argument in kind.__init__.__code__.co_varnames

"""Places of outputs: what stands in their way is wrong usage, found before anything is opened."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.output import OtherSettingsError
from copypaste_rs.datasets.places import COCO, NotEmptyError, OutputLayout, check_link, check_place
from copypaste_rs.datasets.remote import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from copypaste_rs.datasets.annotated import AnnotatedImages

with extra("cli"):
    import click


@contextmanager
def wrong_output(output: Path | Url) -> Iterator[None]:
    """Turn what an output folder is refused for in this block into wrong usage."""
    try:
        yield
    except OtherSettingsError as error:
        raise click.UsageError(f"--output: {output}: {_what_changed(error.names)}; --overwrite starts anew") from None
    except NotEmptyError:
        raise click.UsageError(
            f"--output: {output} is not empty; --resume goes on with it, --overwrite replaces it"
        ) from None
    except FileExistsError as error:
        raise click.UsageError(f"--output: {error}") from None


def check_output(output: Path, *, resume: bool, overwrite: bool, layout: OutputLayout = COCO) -> None:
    """Refuse a folder that cannot be written to, before anything is opened."""
    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other")
    with wrong_output(output):
        check_place(output, resume=resume, overwrite=overwrite, layout=layout)


def check_file(path: Path, overwrite: bool, kind: str = "PNG", option: str = "--output") -> None:
    """Refuse a place for a file of a kind, named as its suffix, before any work is done."""
    suffix = f".{kind.lower()}"
    try:
        check_link(path, f"a {kind} file")
    except FileExistsError as error:
        raise click.UsageError(f"{option}: {error}") from None
    if path.is_dir():
        raise click.UsageError(f"{option}: expected the name of a {kind} file, got the folder {path}")
    if path.exists() and not path.is_file():
        raise click.UsageError(f"{option}: expected the name of a {kind} file, got a device or a pipe, {path}")
    if path.suffix.lower() != suffix:
        raise click.UsageError(f"{option}: expected a name that ends in {suffix}, got {path}")
    if not path.parent.is_dir():
        raise click.UsageError(f"{option}: the folder {path.parent} is not there")
    if path.exists() and not overwrite:
        raise click.UsageError(f"{option}: {path} exists already; --overwrite replaces it")


def check_apart(output: Path | Url, options: Mapping[str, Any], option: str = "--output", kind: str = "folder") -> None:
    """Refuse an output that holds one of the inputs: overwriting it would delete them."""
    if isinstance(output, Url):
        return
    place = real_path(output)
    inputs = ["input", *(f"{of}{what}" for of in ("", "source_", "validation_") for what in ("annotations", "images"))]
    for name in inputs:
        if isinstance(options.get(name), Url):
            continue
        if options.get(name) is not None and (given := real_path(options[name])).is_relative_to(place):
            where = "lies in it" if kind == "folder" else "is it"
            raise click.UsageError(
                f"{option}: expected a {kind} apart from the inputs, but --{name.replace('_', '-')} ({given}) {where}"
            )


def check_images_apart(output: Path | Url, sets: Sequence[AnnotatedImages]) -> None:
    """Refuse an output that holds a folder of images that was found beside annotations."""
    for each in () if isinstance(output, Url) else sets:
        if real_path(each.image_folder).is_relative_to(real_path(output)):
            raise click.UsageError(
                f"--output: expected a folder apart from the inputs, but their images ({each.image_folder}) lie in it"
            )


def real_path(path: Path | Url) -> Path:
    """The path without links, as far as they lead somewhere: `Path.resolve` fails in a circle of them."""
    return Path(os.path.realpath(path))


def _what_changed(names: Sequence[str]) -> str:
    if "annotations" in names or "source_annotations" in names:
        names = [name for name in names if name != "categories"]  # which follow from these
    if not names:
        return "the settings of the run there cannot be read"
    said = {
        "version": "the version of copypaste_rs",
        "categories": "the categories",
        "class_weights": "--class-weight",
        "divisor": "--output-divisor",
        "input_divisor": "--divisor",
        "format": "--image-format",
    }
    listed = [said.get(name, f"--{name.replace('_', '-')}") for name in names]
    return f"{', '.join(listed)} {'has' if len(listed) == 1 else 'have'} changed since"

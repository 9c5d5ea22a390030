"""The commands of ``copypaste-rs``."""

from __future__ import annotations

import sys
import warnings
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from copypaste_rs import __version__
from copypaste_rs.cli import TerminatedError
from copypaste_rs.cli.augmenting import augment as run_augment
from copypaste_rs.cli.augmenting import settings_of
from copypaste_rs.cli.options import (
    EPILOG,
    MAX_COPIES,
    build_transform,
    check_numbers,
    fitted,
    inputs_and_transform,
    one_set,
    open_inputs,
    pairing,
)
from copypaste_rs.cli.outputs import check_apart, check_output, check_sheet
from copypaste_rs.cli.parallel import available_processors
from copypaste_rs.cli.validation import check_validation, warn_of_shared
from copypaste_rs.cli.words import complain, say, sentence
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.images import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

with extra("cli"):
    import click

FAILED, INTERRUPTED, TERMINATED = 1, 130, 143

IMAGES_FOR_A_WORKER = 64
"""Images that a worker process needs to be worth its start."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its status."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning  # type: ignore[assignment]  # the rest of the arguments is not used
        try:
            commands.main(arguments, prog_name="copypaste-rs", standalone_mode=False)
        except click.ClickException as error:
            if sys.stderr is not None:
                with suppress(OSError):
                    error.show()
            return error.exit_code
        except (click.Abort, KeyboardInterrupt, TerminatedError) as error:
            cause = error.__cause__ if isinstance(error, click.Abort) else error
            words = cause.args if isinstance(cause, KeyboardInterrupt | TerminatedError) else ()
            complain("; ".join(["interrupted", *map(str, words)]), start="\n")
            return TERMINATED if isinstance(error, TerminatedError) else INTERRUPTED
        except (OSError, ValueError, TypeError, ImportError, MemoryError) as error:
            complain(sentence(error))
            return FAILED
    return 0


def _show_warning(message: Warning | str, *_: object) -> None:
    complain(f"warning: {message}")


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def commands() -> None:
    """Simple Copy-Paste augmentation for instance segmentation."""


@commands.command(epilog=EPILOG)
@inputs_and_transform
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option(
    "--copies", type=click.IntRange(1, MAX_COPIES), default=1, show_default=True, help="Results for each image."
)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="jpg",
    show_default=True,
    help="Of the images; png holds 16 bits too, tif also floats and any number of channels.",
)
@click.option("--quality", type=click.IntRange(1, 100), default=95, show_default=True, help="Of JPEG.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    help=f"Processes; the result is the same.  [default: processors, but {IMAGES_FOR_A_WORKER} images for each]",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with an output that is not finished. An image file that has changed since is not noticed.",
)
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run has written there.")
def augment(output: Path, **options: Any) -> None:
    """Augment a COCO data set: write images/ and annotations.json, which pycocotools loads.

    Objects are taken from other images of the same set, or from --source-annotations. Each annotation says
    which image and annotation it is from and how much of it is visible. The result depends on the options and
    the files given, and on nothing else.
    """
    # Wrong usage is found before large files are read.
    options = one_set(options)
    build_transform(options)
    check_numbers(options)
    check_validation(options)
    check_apart(output, options)
    check_output(output, resume=options["resume"], overwrite=options["overwrite"])
    inputs = open_inputs(options)
    warn_of_shared(inputs, options)
    options = fitted(options, inputs)
    transform = build_transform(options)
    data = pairing(inputs, transform, options)
    total = len(data) * options["copies"]
    options["workers"] = options["workers"] or min(available_processors(), max(1, total // IMAGES_FOR_A_WORKER))
    start = perf_counter()
    made = run_augment(output, inputs, data, settings_of(transform, options, inputs), options)
    seconds = perf_counter() - start
    rate = f", {made / seconds:.1f} images/s" if made else ""
    say(f"{output}: {images_in_words(total)}, {made} of them made now{rate}")


def images_in_words(n: int) -> str:
    """A number of images."""
    return "1 image" if n == 1 else f"{n} images"


@commands.command(epilog=EPILOG)
@inputs_and_transform
@click.option(
    "--output", type=click.Path(path_type=Path), default="preview.png", show_default=True, help="PNG to write."
)
@click.option("--count", type=click.IntRange(1), default=4, show_default=True, help="Images to show.")
@click.option("--item", "items", type=int, multiple=True, help="Show this image, counted from 0; may be repeated.")
@click.option("--side", type=click.IntRange(64, 4096), default=420, show_default=True, help="Pixels of each picture.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def preview(output: Path, **options: Any) -> None:
    """Draw what augment would do: target, source and result of some images on one sheet."""
    from copypaste_rs.cli.sheets import preview_items, write_sheet

    check_sheet(output, options["overwrite"])
    options = one_set(options)
    build_transform(options)
    check_numbers(options)
    check_validation(options)
    inputs = open_inputs(options)
    warn_of_shared(inputs, options)
    options = fitted(options, inputs)
    transform = build_transform(options)
    data = pairing(inputs, transform, options)
    items = preview_items(len(data), options["count"], options["items"])
    write_sheet(output, data, items, inputs.categories, options["side"])
    say(f"{output}: {images_in_words(len(items))}")


@commands.command(epilog=EPILOG)
@click.option("--output", type=click.Path(path_type=Path), default="copypaste-rs-demo", show_default=True,
              help="Folder to write to.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an output that is not finished.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run has written there.")
def demo(output: Path, *, resume: bool, overwrite: bool) -> None:
    """Augment five photographs that come with the package, and show the result, the speed, and that it is right."""
    from copypaste_rs.cli.showing import show

    check_output(output, resume=resume, overwrite=overwrite)
    show(output, resume=resume, overwrite=overwrite)

"""The commands of ``copypaste-rs``."""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any

from copypaste_rs import __version__
from copypaste_rs.cli import TerminatedError
from copypaste_rs.cli.augmenting import augment as run_augment
from copypaste_rs.cli.augmenting import settings_of
from copypaste_rs.cli.engines import ENGINE_OPTIONS, RAY, check_engine
from copypaste_rs.cli.inputs import READING_OPTIONS, check_cache, check_divisor, one_set, open_inputs, open_set
from copypaste_rs.cli.option_types import LocalPath, Place, ShardOfAll
from copypaste_rs.cli.options import (
    EPILOG,
    build_transform,
    check_numbers,
    copies_option,
    fitted_pairs,
    inputs_and_transform,
    with_options,
)
from copypaste_rs.cli.outputs import check_apart, check_file, check_images_apart, check_output
from copypaste_rs.cli.parallel import available_processors
from copypaste_rs.cli.pseudo_labelling import PSEUDO_LABEL_OPTIONS, check_pseudo_labels, pseudo_labels
from copypaste_rs.cli.remote_images import brought_here
from copypaste_rs.cli.validation import check_validation, warn_of_shared
from copypaste_rs.cli.words import complain, in_options, say, sentence
from copypaste_rs.cli.writers import (
    IMAGES_FOR_A_WORKER,
    OUTPUT_OPTION,
    OVERWRITE_OPTION,
    PLACE_OPTIONS,
    check_tar_samples,
    image_format,
    images_of_a_file,
    output_format,
    workers_option,
    writer_class,
)
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.assembly import counted
from copypaste_rs.datasets.formats import NAMES
from copypaste_rs.datasets.places import COCO
from copypaste_rs.datasets.remote import Url
from copypaste_rs.datasets.shards import Shard
from copypaste_rs.datasets.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from copypaste_rs.cli.inputs import Inputs
    from copypaste_rs.datasets import CopyPasteDataset
    from copypaste_rs.sample import Sample
    from copypaste_rs.transforms import SimpleCopyPaste

with extra("cli"):
    import click

FAILED, INTERRUPTED, TERMINATED = 1, 130, 143

READ_FOR_A_WORKER = 8192
"""Images of which annotations alone are read, that a worker process needs to be worth its start."""

place_of_output = with_options(PLACE_OPTIONS)
reading_options = with_options(READING_OPTIONS)
engine_options = with_options(ENGINE_OPTIONS)
pseudo_label_options = with_options(PSEUDO_LABEL_OPTIONS)


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
    complain(f"warning: {in_options(str(message))}")


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def commands() -> None:
    """Simple Copy-Paste augmentation for instance segmentation."""


@commands.command(epilog=EPILOG)
@inputs_and_transform
@copies_option(1, "Results for each image.")
@output_format(default="coco")
@image_format(default="jpg")
@click.option("--output", type=Place(), required=True, help="Folder, or URL of an object store, to write to.")
@place_of_output
@click.option("--shard", type=ShardOfAll(), metavar="I/N",
              help="Make part I of N, from 1, which merge makes one with the others.")  # fmt: skip
@engine_options
def augment(output: Path | Url, shard: tuple[int, int] | None, **options: Any) -> None:
    """Augment a data set: write images and annotations, by default images/ and annotations.json of COCO.

    Objects are taken from other images of the same set, or from --source-annotations. In COCO's format each
    annotation says which image and annotation it is from and how much of it is visible. The result depends on
    the options and the files given, and on nothing else.
    """
    # Wrong usage is found before large files are read.
    options = checked(options, may_be_urls=True)
    check_apart(output, options)
    check_written(output, options)
    check_copies(options)
    check_engine(output, options, shard)
    unfetched = options
    with brought_here(options) as (given, images):
        inputs = open_inputs(given)
        check_images_apart(output, [each for each in (inputs.targets, inputs.sources) if each is not None])
        options, transform, data = paired(inputs, given)
        settings = settings_of(transform, options, inputs)
        total = len(data) * options["copies"]
        part = None if shard is None else Shard(*shard, total, images_of_a_file(options))
        start = perf_counter()
        if options["engine"] == RAY:
            from copypaste_rs.cli.ray_engine import augment as run_on_ray

            made = run_on_ray(output, inputs, data, settings, options, unfetched, images)
        else:
            total = total if part is None else part.stop - part.first
            options["workers"] = options["workers"] or workers_for(total)
            if isinstance(output, Url):
                from copypaste_rs.cli.remote_writing import augment as run_remote

                total, made = run_remote(output, inputs, data, settings, options, shard, images)
            else:
                made = run_augment(output, inputs, data, settings, options, part, images)
        say_what_was_made(output, total, made, perf_counter() - start, "" if part is None else f"shard {part}, ")


@commands.command(epilog=EPILOG)
@click.argument("shards", metavar="DIR...", type=LocalPath(), nargs=-1, required=True)
@OUTPUT_OPTION
@click.option("--copy", "copies", is_flag=True, help="Copy files even where hard links are possible.")
@click.option("--resume", is_flag=True, help="Go on with a merge that is not finished.")
@OVERWRITE_OPTION
def merge(shards: tuple[Path, ...], output: Path, **options: bool) -> None:
    """Make of all shards of an output, DIR..., the files that augment without --shard would have written.

    The shards stay as they are. Files are hard links to theirs, and copies where the file system has no such links.
    """
    from copypaste_rs.cli.merging import merge as run_merge

    check_output(output, resume=options["resume"], overwrite=options["overwrite"])
    merged = run_merge(shards, output, **options)
    ways = (("hard links", merged.made - merged.copied), ("copies", merged.copied))
    words = " and ".join(f"{number} as {way}" for way, number in ways if number)
    say(f"{output}: {images_in_words(merged.images)} of {counted(len(shards), 'shard', 'shards')}, {merged.made} of "
        f"them now{f', {words}' if words else ''}")  # fmt: skip


@commands.command(epilog=EPILOG)
@click.option("--input", type=LocalPath(), required=True, help="Annotation file, or folder of a set.")
@click.option("--images", type=LocalPath(), help="Folder of its images; else looked for.")
@click.option("--input-format", type=click.Choice(NAMES), help="Format of the input; else found out.")
@click.option("--split", help="Part of a set with several, such as train.")
@reading_options
@output_format(default=None)
@image_format("keep", default="keep")
@OUTPUT_OPTION
@place_of_output
def convert(output: Path, **options: Any) -> None:
    """Write a data set in another format. What the format cannot hold is counted in one warning.

    Images are copied as they are, unless --image-format or --apply-exif asks for others.
    """
    from copypaste_rs.cli.converting import convert as run_convert

    check_cache(options)
    check_apart(output, options)
    check_written(output, options)
    photos = open_set(options, "input", options["images"], options["input_format"], options["split"])
    check_divisor(options, photos)
    check_images_apart(output, [photos])
    options["workers"] = options["workers"] or workers_for(len(photos))
    start = perf_counter()
    made = run_convert(output, photos, options)
    say_what_was_made(output, len(photos), made, perf_counter() - start)


def checked(options: Mapping[str, Any], *, may_be_urls: bool = False) -> dict[str, Any]:
    """Options, once all was checked that can be told without opening a set."""
    for name in ("annotations", "images", "source_annotations", "source_images"):
        if isinstance(options[name], Url) and not may_be_urls:
            raise click.UsageError(
                f"--{name.replace('_', '-')}: expected a path, got the URL {options[name]}, which augment alone reads"
            )
    options = one_set(options)
    build_transform(options)
    check_numbers(options)
    check_validation(options)
    return options


def paired(inputs: Inputs, options: dict[str, Any]) -> tuple[dict[str, Any], SimpleCopyPaste, CopyPasteDataset[Sample]]:
    """Options that fit the inputs, the transform that they say, and the items to be made."""
    warn_of_shared(inputs, options)
    return fitted_pairs(inputs, options)


def workers_for(total: int, images: int = IMAGES_FOR_A_WORKER) -> int:
    """Number of processes for so many images, of which each needs some to be worth its start."""
    return min(available_processors(), max(1, total // images))


def check_written(output: Path | Url, options: Mapping[str, Any]) -> None:
    """Refuse a place that the format cannot be written to, before anything is opened."""
    check_tar_samples(options)
    if isinstance(output, Url):
        if options["resume"] and options["overwrite"]:
            raise click.UsageError("--resume and --overwrite exclude each other")
        return
    layout = getattr(writer_class(options["output_format"]), "layout", COCO)
    check_output(output, resume=options["resume"], overwrite=options["overwrite"], layout=layout)


def check_copies(options: Mapping[str, Any]) -> None:
    """Refuse several results for each image where the format names each by the id of its image."""
    if options["copies"] > 1 and not writer_class(options["output_format"]).holds_copies:
        raise click.UsageError(
            f"--copies: expected 1, since {options['output_format']} names each result by the id of its image, "
            f"got {options['copies']}"
        )


def say_what_was_made(output: Path | Url, total: int, made: int, seconds: float, part: str = "") -> None:
    """Say how many images there are now, and how fast they came."""
    rate = f", {made / seconds:.1f} images/s" if made else ""
    say(f"{output}: {part}{images_in_words(total)}, {made} of them made now{rate}")


def images_in_words(n: int) -> str:
    """A number of images."""
    return "1 image" if n == 1 else f"{n} images"


@commands.command(epilog=EPILOG)
@inputs_and_transform
@click.option("--output", type=LocalPath(), default="preview.png", show_default=True, help="PNG to write.")
@click.option("--count", type=click.IntRange(1), default=4, show_default=True, help="Images to show.")
@click.option("--item", "items", type=int, multiple=True, help="Show this image, counted from 0; may be repeated.")
@click.option("--side", type=click.IntRange(64, 4096), default=420, show_default=True, help="Pixels of each picture.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def preview(output: Path, **options: Any) -> None:
    """Draw what augment would do: target, source and result of some images on one sheet."""
    from copypaste_rs.cli.sheets import preview_items, write_sheet

    check_file(output, options["overwrite"])
    options = checked(options)
    inputs = open_inputs(options)
    options, _, data = paired(inputs, options)
    items = preview_items(len(data), options["count"], options["items"])
    write_sheet(output, data, items, inputs.categories, options["side"])
    say(f"{output}: {images_in_words(len(items))}")


@commands.command(epilog=EPILOG)
@inputs_and_transform
@copies_option(0, "Results that are counted for each image, those that augment makes; 0: only what there is before.")
@click.option("--output", type=LocalPath(), help="JSON file to write: all of it, each class too.")
@click.option("--plot", type=LocalPath(), help="PNG to draw it in.")
@workers_option(READ_FOR_A_WORKER)
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
def stats(output: Path | None, plot: Path | None, **options: Any) -> None:
    """Say what a data set has before and after augmentation: classes, areas, overlaps, instances an image.

    What augment would do with these options, and the same seed, is counted from annotations alone, exactly: no image
    is read, and of COCO and LVIS files none has to be there. The first copy of each image is what the first epoch of a
    training with these options sees, and so on; of a schedule, each transform is asked for by itself.
    """
    from copypaste_rs.cli.report import report
    from copypaste_rs.cli.set_statistics import statistics

    if plot is not None:  # what it needs is asked for before the work
        from copypaste_rs.cli.statistics_plot import plot as drawn
    for path, kind, option in ((output, "JSON", "--output"), (plot, "PNG", "--plot")):
        if path is not None:
            check_file(path, options["overwrite"], kind, option)
            check_apart(path, options, option, "file")
    options = checked(options)
    inputs = open_inputs(options, images=False)
    options, transform, data = paired(inputs, options)
    workers = options["workers"] or workers_for(len(data) * options["copies"], READ_FOR_A_WORKER)
    found = statistics(data, inputs.targets, options["copies"], workers)
    if output is not None:
        settings = settings_of(transform, options, inputs)
        text = json.dumps({"settings": settings, **found.to_dict()}, indent=1)
        write_whole(output, [text.encode()], overwrite=options["overwrite"])
    if plot is not None:
        write_whole(plot, [drawn(found, str(options["annotations"]))], overwrite=options["overwrite"])
    say(report(found))


@commands.command(epilog=EPILOG)
@pseudo_label_options
def pseudo_label(output: Path, **options: Any) -> None:
    """Make a training set of a model's results: COCO annotations of images that nobody has labelled.

    The results are a list as COCO's evaluation takes it. Options are applied in the order in which they stand here. The
    table says what became of each result.
    """
    check_file(output, options["overwrite"], "JSON")
    check_pseudo_labels(output, options)
    labels = pseudo_labels(options)
    labels.save(output, overwrite=options["overwrite"])
    say(labels.table())
    kept, ignored = (sum(numbers.values()) for numbers in (labels.kept, labels.ignored))
    objects = counted(kept, "object", "objects")
    say(f"{output}: {images_in_words(labels.num_images)}, {objects}, {ignored} ignored")


@commands.command(epilog=EPILOG)
@click.option("--output", type=LocalPath(), default="copypaste-rs-demo", show_default=True,
              help="Folder to write to.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with an output that is not finished.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run has written there.")
def demo(output: Path, *, resume: bool, overwrite: bool) -> None:
    """Augment five photographs that come with the package, and show the result, the speed, and that it is right."""
    from copypaste_rs.cli.showing import show

    check_output(output, resume=resume, overwrite=overwrite)
    show(output, resume=resume, overwrite=overwrite)

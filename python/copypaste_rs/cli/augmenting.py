"""The offline main job: a COCO data set in, an augmented one out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli.parallel import ordered
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.coco_writer import CocoWriter
from copypaste_rs.datasets.encoding import EncodedSample, encode_sample
from copypaste_rs.datasets.output import OtherSettingsError
from copypaste_rs.datasets.places import NotEmptyError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from copypaste_rs.cli.options import Inputs
    from copypaste_rs.datasets.coco import CocoDataset
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.sample import Sample
    from copypaste_rs.transforms import SimpleCopyPaste

with extra("cli"):
    import click
    from tqdm import tqdm


@dataclass(frozen=True, slots=True)
class EncodeItem:
    """The work for one image of the output, number 0 up: copy after copy, each through all images."""

    data: CopyPasteDataset[Sample]
    format: str
    quality: int
    integers: frozenset[str]

    def __call__(self, number: int) -> EncodedSample:
        """Augment and encode it."""
        copy, i = divmod(number, len(self.data))
        target, sources = self.data.inputs(i, copy)
        try:
            result = self.data.transform(target, sources, self.data.key(i, copy))
        except (ValueError, TypeError) as error:
            raise type(error)(f"{target.info['file_name']}: {error}") from None
        return encode_sample(result, sources, format=self.format, quality=self.quality, integers=self.integers)


def augment(
    output: Path,
    inputs: Inputs,
    data: CopyPasteDataset[Sample],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
) -> int:
    """Write the augmented set and return how many images were made now, beside those that were there."""
    from copypaste_rs import __version__

    check_files(options["annotations"], inputs.targets, inputs.categories)
    if inputs.sources is not None:
        check_files(options["source_annotations"], inputs.sources, inputs.categories)
    work = EncodeItem(data, options["format"], options["quality"], inputs.integers)
    total: int = len(data) * options["copies"]
    info = {
        "description": "Simple Copy-Paste augmentation by copypaste_rs",
        "version": __version__,
        "settings": settings,
    }
    try:
        writer = CocoWriter(
            output,
            inputs.categories,
            format=work.format,
            quality=work.quality,
            info=info,
            licenses=inputs.targets.licenses if isinstance(inputs.targets.licenses, list) else None,
            overwrite=options["overwrite"],
            resume=options["resume"],
            settings=settings,
            integers=work.integers,
        )
    except OtherSettingsError as error:
        raise click.UsageError(f"--output: {output}: {_what_changed(error.names)}; --overwrite starts anew") from None
    except NotEmptyError:
        raise click.UsageError(
            f"--output: {output} is not empty; --resume goes on with it, --overwrite replaces it"
        ) from None
    except FileExistsError as error:
        raise click.UsageError(f"--output: {error}") from None
    with writer:
        done = len(writer)
        results: Generator[EncodedSample, None, None] = ordered(work, range(done, total), options["workers"])
        bar = tqdm(total=total, initial=done, unit=" images", dynamic_ncols=True, disable=None)
        try:
            for encoded in results:
                writer.write_encoded(encoded)
                bar.update()
        except (OSError, ValueError, TypeError) as error:
            raise OSError(f"{sentence(error)}; what is done is kept, and --resume goes on") from None
        finally:
            results.close()  # ends the processes
            bar.close()
    return total - done


def sentence(error: BaseException) -> str:
    """What is said of an error."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def check_files(path: Path, file: CocoDataset, categories: Sequence[Mapping[str, Any]]) -> None:
    """Find out at the start, not after hours, that image files are missing, or categories of annotations."""
    if labels := file.unknown_labels(categories):
        raise ValueError(f"{path}: expected annotations of categories that are there, got category {labels[0]}")
    if missing := [image for i in range(len(file)) if not (image := file.path(i)).is_file()]:
        others = f" ({len(missing)} of {len(file)} images are missing)" if len(missing) > 1 else ""
        raise FileNotFoundError(f"{missing[0]}: No such file or directory{others}")


def _what_changed(names: Sequence[str]) -> str:
    if "annotations" in names or "source_annotations" in names:
        names = [name for name in names if name != "categories"]  # which follow from these
    if not names:
        return "the settings of the run there cannot be read"
    said = {"version": "the version of copypaste_rs", "categories": "the categories"}
    listed = [said.get(name, f"--{name.replace('_', '-')}") for name in names]
    return f"{', '.join(listed)} {'has' if len(listed) == 1 else 'have'} changed since"


def settings_of(transform: SimpleCopyPaste, options: Mapping[str, Any]) -> dict[str, Any]:
    """All that the output depends on, and nothing else: no path, no worker count, no backend."""
    from copypaste_rs import __version__

    arguments = {name: value for name, value in transform._arguments.items() if name != "backend"}
    inputs = {
        name: f"sha256:{hashlib.sha256(Path(options[name]).read_bytes()).hexdigest()}"
        for name in ("annotations", "source_annotations")
        if options[name] is not None
    }
    return {
        "version": __version__.rpartition(".")[0],
        **arguments,
        "seed": options["seed"],
        "copies": options["copies"],
        "num_sources": options["num_sources"],
        **inputs,
    }


def check_apart(output: Path, options: Mapping[str, Any]) -> None:
    """Refuse an output that holds one of the inputs: overwriting it would delete them."""
    place = output.resolve()
    for name in ("annotations", "images", "source_annotations", "source_images"):
        if options[name] is not None and (given := Path(options[name]).resolve()).is_relative_to(place):
            raise ValueError(f"--output: expected a folder apart from the inputs, but --{name.replace('_', '-')} "
                             f"({given}) lies in it")  # fmt: skip

"""The offline main job: a COCO data set in, an augmented one out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli.parallel import ordered
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.coco_writer import CocoWriter, EncodedSample, encode_sample

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from copypaste_rs.cli.options import Inputs
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.transform import SimpleCopyPaste

with extra("cli"):
    import click
    from tqdm import tqdm


@dataclass(frozen=True, slots=True)
class EncodeItem:
    """The work for one image of the output, number 0 up: copy after copy, each through all images."""

    data: CopyPasteDataset
    format: str
    quality: int

    def __call__(self, number: int) -> EncodedSample:
        """Augment and encode it."""
        copy, i = divmod(number, len(self.data))
        target, sources = self.data.inputs(i, copy)
        try:
            result = self.data.transform(target, sources, self.data.key(i, copy))
        except (ValueError, TypeError) as error:
            raise type(error)(f"{target.info['file_name']}: {error}") from None
        return encode_sample(result, sources, format=self.format, quality=self.quality)


def augment(
    output: Path,
    inputs: Inputs,
    data: CopyPasteDataset,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
) -> int:
    """Write the augmented set and return how many images were made now, beside those that were there."""
    from copypaste_rs import __version__

    work = EncodeItem(data, options["format"], options["quality"])
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
        )
    except (FileExistsError, ValueError) as error:  # something is there that the options do not allow for
        raise click.UsageError(str(error)) from None
    with writer:
        done = len(writer)
        results: Generator[EncodedSample, None, None] = ordered(work, range(done, total), options["workers"])
        bar = tqdm(total=total, initial=done, unit=" images", dynamic_ncols=True, disable=None)
        try:
            for encoded in results:
                writer.write_encoded(encoded)
                bar.update()
        finally:
            results.close()  # ends the processes
            bar.close()
    return total - done


def settings_of(transform: SimpleCopyPaste, options: Mapping[str, Any]) -> dict[str, Any]:
    """All that the output depends on, and nothing else: no path, no worker count, no backend."""
    from copypaste_rs import __version__

    arguments = {name: value for name, value in transform._arguments.items() if name != "backend"}
    inputs = {
        name: hashlib.sha256(Path(options[name]).read_bytes()).hexdigest()
        for name in ("annotations", "source_annotations")
        if options[name] is not None
    }
    return {
        "version": __version__.rpartition(".")[0],
        **arguments,
        "seed": options["seed"],
        "copies": options["copies"],
        "num_sources": options["num_sources"],
        "sha256": inputs,
    }


def check_apart(output: Path, options: Mapping[str, Any]) -> None:
    """Refuse an output that holds one of the inputs: overwriting it would delete them."""
    place = output.resolve()
    for name in ("annotations", "images", "source_annotations", "source_images"):
        if options[name] is not None and (given := Path(options[name]).resolve()).is_relative_to(place):
            raise ValueError(f"--output: expected a folder apart from the inputs, but --{name.replace('_', '-')} "
                             f"({given}) lies in it")  # fmt: skip

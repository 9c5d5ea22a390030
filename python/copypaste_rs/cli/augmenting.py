"""The offline main job: a COCO data set in, an augmented one out."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli import TerminatedError
from copypaste_rs.cli.outputs import wrong_output
from copypaste_rs.cli.parallel import ordered
from copypaste_rs.cli.words import sentence
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.coco_writer import CocoWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from copypaste_rs.cli.options import Inputs
    from copypaste_rs.datasets.coco import CocoDataset
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.datasets.encoding import EncodedSample, Encoder
    from copypaste_rs.datasets.sample_writer import SampleWriter
    from copypaste_rs.sample import Sample
    from copypaste_rs.transforms import SimpleCopyPaste

with extra("cli"):
    from tqdm import tqdm


LATER = frozenset({"flip_pairs", "class_weights", "paste_boxes", "paste_pseudo"})
"""Arguments of the transform that came later: not noted where they are not set, so that older outputs go on."""

KEPT = "what is done is kept, and --resume goes on"


@dataclass(frozen=True, slots=True)
class EncodeItem:
    """The work for one image of the output, number 0 up: copy after copy, each through all images."""

    data: CopyPasteDataset[Sample]
    encode: Encoder

    def __call__(self, number: int) -> EncodedSample:
        """Augment and encode it."""
        copy, i = divmod(number, len(self.data))
        target, sources = self.data.inputs(i, copy)
        try:
            result = self.data.transform(target, sources, self.data.key(i, copy))
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError  # whatever their own ones are made from
            raise kind(f"{target.info['file_name']}: {error}") from None
        return self.encode(result, sources)


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
    total: int = len(data) * options["copies"]
    info = {
        "description": "Simple Copy-Paste augmentation by copypaste_rs",
        "version": __version__,
        "settings": settings,
    }
    with wrong_output(output):
        writer = CocoWriter(
            output,
            inputs.categories,
            format=options["format"],
            quality=options["quality"],
            info=info,
            licenses=inputs.targets.licenses if isinstance(inputs.targets.licenses, list) else None,
            overwrite=options["overwrite"],
            resume=options["resume"],
            settings=settings,
            integers=inputs.integers,
        )
    work = EncodeItem(data, writer.encoder())
    done = len(writer)
    try:
        with writer:
            _write(writer, ordered(work, range(done, total), options["workers"]), total)
    except (OSError, ValueError, TypeError, MemoryError) as error:
        raise OSError(f"{sentence(error)}; {KEPT}") from None
    except (KeyboardInterrupt, TerminatedError) as error:
        raise type(error)(KEPT) from None
    return total - done


def _write(writer: SampleWriter, results: Generator[EncodedSample, None, None], total: int) -> None:
    bar = _bar(len(writer), total)
    try:
        for encoded in results:
            writer.write_encoded(encoded)
            with suppress(OSError):  # the work goes on when the terminal is gone
                bar.update()
    finally:
        results.close()  # ends the processes
        with suppress(OSError):
            bar.close()


def _bar(done: int, total: int) -> tqdm[Any]:
    try:
        return tqdm(total=total, initial=done, unit=" images", dynamic_ncols=True, disable=None if sys.stderr else True)
    except OSError:
        return tqdm(disable=True)


def check_files(path: Path, file: CocoDataset, categories: Sequence[Mapping[str, Any]]) -> None:
    """Find out at the start, not after hours, that image files are missing, or categories of annotations."""
    if labels := file.unknown_labels(categories):
        raise ValueError(f"{path}: expected annotations of categories that are there, got category {labels[0]}")
    if missing := [image for i in range(len(file)) if not (image := file.path(i)).is_file()]:
        others = f" ({len(missing)} of {len(file)} images are missing)" if len(missing) > 1 else ""
        raise FileNotFoundError(f"{missing[0]}: No such file or directory{others}")


def settings_of(transform: SimpleCopyPaste, options: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    """Settings that the output depends on: no path, no worker count, no backend."""
    from copypaste_rs import __version__

    arguments = {
        name: value
        for name, value in transform._arguments.items()
        if name != "backend" and not (name in LATER and value in (None, False))
    }
    # Of the bytes that were read, not of the file: it may be a pipe, or change meanwhile.
    files = {"annotations": inputs.targets, "source_annotations": inputs.sources}
    digests = {name: f"sha256:{file.digest}" for name, file in files.items() if file is not None}
    return {
        "version": __version__.rpartition(".")[0],
        **arguments,
        "seed": options["seed"],
        "copies": options["copies"],
        "num_sources": options["num_sources"],
        **({} if options["boxes"] == "error" else {"boxes": options["boxes"]}),
        **({} if options["crowds"] == "keep" else {"crowds": options["crowds"]}),
        **({"columns": sorted(options["columns"])} if options["columns"] else {}),
        **({"apply_exif": True} if options["apply_exif"] else {}),
        **({} if options["dtype"] == "uint8" else {"dtype": options["dtype"]}),
        **digests,
    }

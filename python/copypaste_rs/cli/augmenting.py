"""The offline main job: a data set in, an augmented one out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli.words import of_image
from copypaste_rs.cli.writers import open_writer
from copypaste_rs.cli.writing import write_all
from copypaste_rs.datasets.needed_images import needed_images

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from copypaste_rs.cli.inputs import Inputs
    from copypaste_rs.cli.remote_images import RemoteImages
    from copypaste_rs.datasets.annotated import AnnotatedImages
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.datasets.encoding import EncodedSample, Encoder
    from copypaste_rs.datasets.sample_writer import SampleWriter
    from copypaste_rs.datasets.shards import Shard
    from copypaste_rs.sample import Sample
    from copypaste_rs.transforms import SimpleCopyPaste

LATER = frozenset({"flip_pairs", "class_weights", "paste_boxes", "paste_pseudo"})
"""Arguments of the transform that came later: not noted where they are not set, so that older outputs go on."""


@dataclass(frozen=True, slots=True)
class EncodeItem:
    """The work for one image of the output, number 0 up: copy after copy, each through all images."""

    data: CopyPasteDataset[Sample]
    encode: Encoder

    def __call__(self, number: int) -> EncodedSample:
        """Augment and encode it."""
        copy, i = divmod(number, len(self.data))
        target, sources = self.data.inputs(i, copy)
        with of_image(target.info["file_name"]):
            result = self.data.transform(target, sources, self.data.key(i, copy))
        return self.encode(result, sources)

    def name(self, number: int) -> str | None:
        """No name of its own: the output counts its images."""


def augment(
    output: Path,
    inputs: Inputs,
    data: CopyPasteDataset[Sample],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    shard: Shard | None = None,
    images: RemoteImages | None = None,
) -> int:
    """Write the augmented set, or a shard of it, and return how many images were made now, beside those there."""
    items = range(len(data) * options["copies"]) if shard is None else range(shard.first, shard.stop)
    check_images(inputs, data, options, None if shard is None else items, images)
    writer = open_output(output, inputs, settings, options, shard)
    missing: Sequence[int] = items[len(writer) :]
    if images is not None:
        missing = images.numbers(missing, data, inputs, options["workers"])
    return write_all(writer, EncodeItem(data, writer.encoder()), missing, options["workers"])


def check_images(
    inputs: Inputs,
    data: CopyPasteDataset[Sample],
    options: Mapping[str, Any],
    items: Sequence[int] | None = None,
    images: RemoteImages | None = None,
) -> None:
    """Find out at the start that images of the inputs are missing: those that the items need, or all.

    Remote images are not looked for: they are fetched some ahead.
    """
    targets, partners = (None, None) if items is None else needed_images(data, items)
    if images is not None:
        targets = set() if images.has_targets else targets
        partners = set() if images.has_sources else partners
    check_files(options["annotations"], inputs.targets, inputs.categories, targets)
    if inputs.sources is not None:
        check_files(options["source_annotations"], inputs.sources, inputs.categories, partners)


def open_output(
    output: Path,
    inputs: Inputs,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    shard: Shard | None = None,
) -> SampleWriter:
    """Open the writer of the augmented set, or of a shard of it."""
    from copypaste_rs import __version__

    info = {
        "description": "Simple Copy-Paste augmentation by copypaste_rs",
        "version": __version__,
        "settings": settings,
    }
    return open_writer(output, inputs.categories, options, settings, inputs.integers, info=info,
                       licenses=inputs.targets.licenses, shard=shard)  # fmt: skip


def check_files(
    path: Path, file: AnnotatedImages, categories: Sequence[Mapping[str, Any]], numbers: Collection[int] | None = None
) -> None:
    """Find out at the start, not after hours, that image files are missing, or categories of annotations.

    Of images, those of these numbers are looked for; of all, where it is None.
    """
    numbers = range(len(file)) if numbers is None else sorted(numbers)
    if labels := file.unknown_labels(categories):
        raise ValueError(f"{path}: expected annotations of categories that are there, got category {labels[0]}")
    if missing := [image for i in numbers if not (image := file.path(i)).is_file()]:
        others = f" ({len(missing)} of {len(numbers)} images are missing)" if len(missing) > 1 else ""
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
        **({} if options["apply_exif"] is None else {"apply_exif": options["apply_exif"]}),
        **({} if options["dtype"] == "uint8" else {"dtype": options["dtype"]}),
        **({} if options["divisor"] is None else {"input_divisor": options["divisor"]}),
        **digests,
    }

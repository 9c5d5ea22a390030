"""An output in an object store: made part by part, in a local folder each, which is sent and deleted."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli.augmenting import EncodeItem, check_images, open_output
from copypaste_rs.cli.engines import SHARD_IMAGES
from copypaste_rs.cli.outputs import wrong_output
from copypaste_rs.cli.parallel import ordered
from copypaste_rs.cli.progress import progress_bar
from copypaste_rs.cli.words import name_as
from copypaste_rs.cli.writers import images_of_a_file
from copypaste_rs.cli.writing import keeping
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.json_values import json_text
from copypaste_rs.datasets.places import STATE
from copypaste_rs.datasets.remote import RemoteFolder
from copypaste_rs.datasets.remote_output import RemoteOutput, noted_settings, send_part
from copypaste_rs.datasets.shards import Shard

with extra("coco"):
    import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from copypaste_rs.cli.inputs import Inputs
    from copypaste_rs.cli.remote_images import RemoteImages
    from copypaste_rs.datasets.copy_paste import CopyPasteDataset
    from copypaste_rs.datasets.encoding import EncodedSample
    from copypaste_rs.datasets.remote import Url
    from copypaste_rs.sample import Sample

    MakeParts = Callable[[RemoteOutput, Sequence[Shard]], None]


def augment(
    url: Url,
    inputs: Inputs,
    data: CopyPasteDataset[Sample],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    shard: tuple[int, int] | None,
    images: RemoteImages | None,
    make: MakeParts | None = None,
) -> tuple[int, int]:
    """Write the augmented set, or the parts of a shard of it; numbers of all images, and of those made now.

    Parts that are missing are made by `make`, or else by processes of this machine.
    """
    total: int = len(data) * options["copies"]
    folder = RemoteFolder(url)
    if options["shard_images"] is None and options["resume"]:
        options = {**options, "shard_images": noted_settings(folder).get("shard_images")}
    parts = parts_of(total, options)
    count, size = len(parts), images_of_a_part(options)
    if shard is not None:
        mine = Shard(*shard, count)
        parts = parts[mine.first : mine.stop]
        if not parts:
            few = f"in all there {'is 1 part' if count == 1 else f'are {count} parts'} of up to {size} images"
            warnings.warn(
                f"{url}: shard {mine} has nothing to make: {few}; a smaller --shard-images makes more", stacklevel=2
            )
    here = {**options, "resume": False, "overwrite": False}
    with tempfile.TemporaryDirectory(prefix="copypaste-rs-") as name:
        name_as(Path(name, "whole"), url)
        whole = open_output(Path(name, "whole"), inputs, settings, here)
        try:
            noted = json_text("settings", {**_settings(Path(name, "whole")), "shard_images": size})
            with wrong_output(url):
                output = RemoteOutput(folder, noted, whole.layout.ends, resume=options["resume"],
                                      overwrite=options["overwrite"])  # fmt: skip
            missing = [part for part in parts if not output.has(int(part.number))]
            items = [number for part in missing for number in range(part.first, part.stop)]
            check_images(inputs, data, options, items, images)
            with keeping():
                if missing:
                    output.begin()
                if make is not None:
                    make(output, missing)
                else:
                    work = EncodeItem(data, whole.encoder())
                    numbers = items if images is None else images.numbers(items, data, inputs, options["workers"])
                    results = ordered(work, numbers, options["workers"])
                    try:
                        _write(output, missing, results, Path(name, "part"), (inputs, settings, here), len(items))
                    finally:
                        results.close()  # ends the processes
                if shard is None and not (output.is_finished and not missing):
                    output.finish(whole, Path(name, "whole"), count)
        finally:
            with suppress(OSError, ValueError):
                whole._let_go()
    return sum(part.stop - part.first for part in parts), len(items)


def images_of_a_part(options: Mapping[str, Any]) -> int:
    """Images of a shard of an engine's, or of a part in an object store: those of whole files."""
    unit = images_of_a_file(options)
    return int(-(-(options["shard_images"] or SHARD_IMAGES) // unit) * unit)


def parts_of(total: int, options: Mapping[str, Any]) -> list[Shard]:
    """Shards of an output, made by somebody who has chosen none."""
    count = -(-total // images_of_a_part(options))
    return [Shard(number, max(1, count), total, images_of_a_file(options)) for number in range(1, count + 1)]


def _settings(root: Path) -> dict[str, Any]:
    """Settings that are noted in a folder."""
    return msgspec.json.decode((root / STATE / "settings").read_bytes(), type=dict[str, Any])


def _write(
    output: RemoteOutput,
    parts: Sequence[Shard],
    results: Iterator[EncodedSample],
    root: Path,
    opening: tuple[Inputs, Mapping[str, Any], Mapping[str, Any]],
    total: int,
) -> None:
    """Make the parts and send each."""
    bar = progress_bar(0, total)
    try:
        for part in parts:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what the format does not hold is told of the whole
                with open_output(root, *opening, part) as writer:
                    for _ in range(part.first, part.stop):
                        writer.write_encoded(next(results))
                        with suppress(OSError):  # the work goes on when the terminal is gone
                            bar.update()
            send_part(output.folder, int(part.number), root)
            shutil.rmtree(root)
    finally:
        with suppress(OSError):
            bar.close()

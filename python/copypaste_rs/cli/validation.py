"""Warning of photographs that a model would be trained on and validated with."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli.inputs import open_set
from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.shared import shared_images

with extra("cli"):
    import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from copypaste_rs.cli.inputs import Inputs


def check_validation(options: Mapping[str, Any]) -> None:
    """Refuse a folder of validation images without a file of their annotations."""
    if options["validation_images"] is not None and options["validation_annotations"] is None:
        raise click.UsageError("--validation-images goes with --validation-annotations")


def warn_of_shared(inputs: Inputs, options: Mapping[str, Any]) -> None:
    """Warn, once, of images of the validation set, where there is one, that are among the targets or the sources."""
    path = options["validation_annotations"]
    if path is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its annotations are like does not matter
        images = options["validation_images"] or options["images"]
        validation = open_set(options, "validation_annotations", images, None, None, boxes="drop", columns=())
    shared: set[int] = set()
    places, first = [], ""
    for name, photos in (("annotations", inputs.targets), ("source_annotations", inputs.sources)):
        pairs = [] if photos is None else shared_images(photos, validation)
        if photos is not None and pairs:
            first = first or str(photos.info(pairs[0][0])["file_name"])
            places.append(str(options[name]))
            shared |= {j for _, j in pairs}
    if shared:
        photographs = "photograph is" if len(shared) == 1 else "photographs are"
        warnings.warn(
            f"{path}: {len(shared)} of {len(validation)} {photographs} in {' and in '.join(places)} too, by name or "
            f"content, the first as {first}; a model would be validated on what it was trained on",
            UserWarning,
            stacklevel=2,
        )

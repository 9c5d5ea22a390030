"""The demonstration: the sample set augmented, drawn, timed, and checked against the NumPy reference."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from copypaste_rs.cli.augmenting import augment, settings_of
from copypaste_rs.cli.inputs import Inputs
from copypaste_rs.cli.sheets import write_sheet
from copypaste_rs.cli.words import say
from copypaste_rs.datasets.coco import CocoDataset
from copypaste_rs.datasets.copy_paste import CopyPasteDataset
from copypaste_rs.datasets.embedded import sample_paths
from copypaste_rs.transforms import SimpleCopyPaste

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: dict[str, Any] = {
    "size": (480, 640),
    "target_scale": (0.7, 1.25),
    "source_scale": (0.4, 1.1),
    "blend_sigma": 1.0,
    "min_area": 64,
}
SEED = 633
COPIES = 4
SECONDS = 1.0
"""How long the fast side is timed, at least."""


def show(output: Path, *, resume: bool, overwrite: bool) -> None:
    """Write the augmented sample set and a sheet to `output`, and say what was found."""
    annotations, images = sample_paths()
    photos = CocoDataset(annotations, images)
    transform = SimpleCopyPaste(**SETTINGS)
    data = CopyPasteDataset(photos, transform, seed=SEED)
    options = {
        "annotations": annotations, "source_annotations": None, "seed": SEED, "copies": COPIES, "num_sources": 1,
        "boxes": "error", "crowds": "keep", "columns": (),
        "apply_exif": None, "dtype": "uint8",
        "divisor": None, "output_format": "coco", "output_split": None, "output_divisor": None,
        "format": "jpg", "quality": 92, "workers": 1, "resume": resume, "overwrite": overwrite,
    }  # fmt: skip
    inputs = Inputs(photos, None, photos.categories)
    augment(output, inputs, data, settings_of(transform, options, inputs), options)
    write_sheet(output / "preview.png", data, range(len(photos)), photos.categories, 480)
    say(f"Pictures: {output / 'preview.png'} (target, source, result) and {output / 'images'}")

    reference = SimpleCopyPaste(**SETTINGS, backend="numpy")
    items = [(data.key(i), *data.inputs(i)) for i in range(len(photos))]
    for key, target, sources in items:
        if transform(target, sources, key) != reference(target, sources, key):
            raise ValueError(f"Rust and NumPy differ for the key {key}")
    fast, slow = (_rate(backend, items, seconds) for backend, seconds in ((transform, SECONDS), (reference, 0.0)))
    say(f"Rust:     {fast:8.1f} images/s in one thread, {SETTINGS['size'][1]}x{SETTINGS['size'][0]}")
    say(f"NumPy:    {slow:8.1f} images/s, the same bytes on all {len(items)} images: masks, boxes and pixels agree")


def _rate(transform: SimpleCopyPaste, items: list[Any], seconds: float) -> float:
    done, start = 0, perf_counter()
    while done == 0 or perf_counter() - start < seconds:
        for key, target, sources in items:
            transform(target, sources, key)
        done += len(items)
    return done / (perf_counter() - start)

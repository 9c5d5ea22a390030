"""Milliseconds of an item of a data set, and how many of these are beyond two whole decodes and the transform."""

from __future__ import annotations

import functools
import gc
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import simplejpeg

from benches.annotation_file import ANNOTATIONS, IMAGES, write_annotations
from benches.measure import machine
from benches.scenes import photograph
from copypaste_rs import Sample, SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

SIZE = 640
"""Side of the canvas, in pixels."""

PHOTOGRAPHS = 16
"""Different photographs of a set that is made; its files are copies of these."""

QUALITY = 97
"""Quality of JPEG at which photographs that are made take as many bytes as COCO's: 160 kB."""

PARTS = ("item", "whole", "decodes", "transform", "rest")

MOST_OF_REST = 0.25
"""Promised milliseconds of an item beyond its decodes and the transform."""


def measure(images: int = 500, items: int = 300) -> dict[str, Any]:
    """Milliseconds of an item, as `parts` has them, of a set with the statistics of COCO's train2017; and where."""
    with tempfile.TemporaryDirectory() as folder:
        found = parts(pairs(made_set(Path(folder), images)), items)
    return {**found, "machine": machine(["copypaste_rs", "numpy", "simplejpeg"])}


def missed(figures: dict[str, Any]) -> list[str]:
    """Promises that figures do not hold."""
    most = max(figures["rest"], figures["median"])
    if most <= MOST_OF_REST:
        return []
    return [f"an item: {most:.2f} ms beyond its decodes and the transform, not {MOST_OF_REST}"]


def made_set(folder: Path, images: int) -> CocoDataset:
    """A set of so many JPEG files, written to an empty folder."""
    write_annotations(folder / "annotations.json", images, round(images * ANNOTATIONS / IMAGES))
    rng = np.random.default_rng(0)
    files = [_jpeg(photograph(rng)) for _ in range(min(images, PHOTOGRAPHS))]
    for number in range(1, images + 1):
        (folder / f"{number:012d}.jpg").write_bytes(files[number % len(files)])
    return CocoDataset(folder / "annotations.json", folder)


def pairs(photos: CocoDataset) -> CopyPasteDataset[Sample]:
    """Copy-paste among the photographs of a set."""
    return CopyPasteDataset(photos, SimpleCopyPaste(size=SIZE))


def parts(data: CopyPasteDataset[Sample], items: int, repeats: int = 5) -> dict[str, float]:
    """Milliseconds of the processor for an item of a set of JPEG files; means over its first items.

    Each part of an item is the quickest of several turns. ``whole`` is the item where all rows of its files are
    decoded, as `inputs` does; ``decodes`` are these files, in memory and whole, through the decoder alone;
    ``transform`` is of samples in memory; ``rest`` is the item without both: files found and read, annotations made
    instances, a partner drawn, less the rows left out. These differ much from item to item, and only means add up;
    ``median`` is that of the rest.
    """
    taken: dict[str, list[float]] = {name: [] for name in PARTS}
    for i in range(min(items, len(data))):
        target, sources = data.inputs(i)
        contents = [_content(data, sample) for sample in (target, *sources)]
        for sample, content in zip((target, *sources), contents, strict=True):
            assert np.array_equal(sample.image, _decode(content))
        of_memory = functools.partial(data.transform, target, sources, data.key(i))
        assert data[i] == of_memory()
        item, whole, decodes, transform = quickest(
            [
                functools.partial(data.__getitem__, i),
                functools.partial(_of_whole_images, data, i),
                functools.partial(_decode_all, contents),
                of_memory,
            ],
            repeats,
        )
        for name, seconds in zip(PARTS, (item, whole, decodes, transform, item - decodes - transform), strict=True):
            taken[name].append(seconds * 1e3)
    return {
        **{name: statistics.fmean(values) for name, values in taken.items()},
        "median": statistics.median(taken["rest"]),
    }


def _of_whole_images(data: CopyPasteDataset[Sample], i: int) -> None:
    data.transform(*data.inputs(i), data.key(i))


def quickest(calls: Sequence[Callable[[], Any]], repeats: int) -> list[float]:
    """Seconds of the processor for each call, the quickest of several, all of them by turns."""
    best = [float("inf")] * len(calls)
    gc.disable()
    try:
        for _ in range(repeats):
            for number, call in enumerate(calls):
                start = time.process_time()
                call()
                best[number] = min(best[number], time.process_time() - start)
    finally:
        gc.enable()
    return best


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    """File as a camera writes it, of about as many bytes as those of COCO have."""
    encoded: bytes = simplejpeg.encode_jpeg(image, quality=QUALITY, colorsubsampling="420")
    return encoded


def _content(data: CopyPasteDataset[Sample], sample: Sample) -> bytes:
    photos = data._dataset
    assert isinstance(photos, CocoDataset)
    content: bytes = (photos.image_folder / sample.info["file_name"]).read_bytes()
    return content


def _decode_all(contents: Sequence[bytes]) -> None:
    for content in contents:
        _decode(content)


def _decode(content: bytes) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(content, "RGB", fastdct=False, fastupsample=False)
    return pixels

"""Pillow, and Pillow-SIMD, which takes the same names and lies apart from it."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benches.peers.peer import Job, Peer

if TYPE_CHECKING:
    from types import ModuleType

    from benches.peers.resampling import Resize

SIMD = Path(sys.prefix) / "apart" / "pillow-simd"


def jobs(image: ModuleType, given: Resize) -> dict[str, Job]:
    whole = image.fromarray(given.image)
    whole.load()
    h, w = given.size
    return {"antialias": Job(lambda: whole.resize((w, h), image.Resampling.BILINEAR), np.asarray)}


def pillow(given: Resize) -> dict[str, Job]:
    from PIL import Image

    return jobs(Image, given)


def simd(given: Resize) -> dict[str, Job]:
    return jobs(beside(), given)


@cache
def beside() -> ModuleType:
    """`PIL.Image` of Pillow-SIMD, while `PIL` stays what it is."""
    if not SIMD.is_dir():
        raise ModuleNotFoundError("Pillow-SIMD is not installed")
    kept = taken()
    sys.path.insert(0, str(SIMD))
    try:
        return importlib.import_module("PIL.Image")
    finally:
        sys.path.remove(str(SIMD))
        taken()
        sys.modules.update(kept)


def taken() -> dict[str, Any]:
    """The modules of PIL, no longer imported."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name == "PIL" or name.startswith("PIL.")}


PEER = Peer(
    name="Pillow",
    requirements="pillow",
    distributions=("Pillow",),
    licence="MIT-CMU",
    runs="`Image.resize` with `BILINEAR`",
    differs="Always antialiased. Keeps four bytes for each pixel; turning arrays into images and back is not timed.",
    resampling=pillow,
)
PILLOW_SIMD = Peer(
    name="Pillow-SIMD",
    requirements="pillow-simd",
    distributions=("pillow-simd",),
    licence="MIT-CMU",
    runs="the same, compiled for AVX2",
    differs="As Pillow.",
    resampling=simd,
)

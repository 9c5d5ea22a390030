"""Resampling of one whole image: bilinear against OpenCV, antialiased against Pillow, and what mirroring costs."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from benches.measure import Spread, median_ratio, paired
from copypaste_rs import Placement, functional

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

SIZE = (480, 640)
CHANNELS = (1, 3, 4)
DTYPES = ("uint8", "uint16", "float32")
LINEAR_SCALES = (0.4, 0.8, 1.25, 2.0)
ANTIALIAS_SCALES = (0.2, 0.4, 0.6, 0.8)

CLOSE = {"uint8": 0, "uint16": 1, "float32": 1e-5}
"""How far values, float32 ones from 0 to 1, may be from OpenCV's: it rounds positions of its own."""

MOST_FOR_A_FLIP = 0.1

FLIPS_ON_ZEN_4 = {("float32", 3, 0.8): 0.25}
"""Most that mirroring takes on an AMD EPYC (Zen 4) where groups of eight values need a load more when mirrored."""


def measure(draws: int) -> dict[str, Any]:
    """Figures for one thread, both writing into an array that is there already where the rival can."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    linear = [
        case("OpenCV", random_image(rng, dtype, channels), scale, draws)
        for dtype in DTYPES
        for channels in CHANNELS
        for scale in LINEAR_SCALES
    ]
    antialias = [
        case("Pillow", random_image(rng, "uint8", channels), scale, draws)
        for channels in CHANNELS
        for scale in ANTIALIAS_SCALES
    ]
    return {"linear": linear, "antialias": antialias, "ipp": ipp()}


def case(rival: str, image: NDArray[Any], scale: float, draws: int) -> dict[str, Any]:
    """One image at one scale."""
    size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
    out = np.empty((*size, *image.shape[2:]), image.dtype)
    theirs = with_opencv(image, size, out) if rival == "OpenCV" else with_pillow(image, size)
    contestants: dict[str, Sequence[Callable[[], Any]]] = {rival: [theirs] * draws}
    for name, hflip in (("ours", False), ("mirrored", True)):
        placement = Placement(SIZE, size, (0, 0), size, hflip=hflip)
        place = functools.partial(functional.place_image, image, placement, antialias=rival == "Pillow", out=out)
        contestants[name] = [place] * draws
    assert_close(np.array(theirs()), contestants["ours"][0]())
    times = paired(contestants, repeats=3)
    return {
        "dtype": str(image.dtype),
        "channels": image.shape[2] if image.ndim == 3 else 1,
        "scale": scale,
        "milliseconds": {name: Spread.of(values)._asdict() for name, values in times.items()},
        "times_as_fast": median_ratio(times, rival, "ours"),
        "flip_cost": median_ratio(times, "mirrored", "ours") - 1,
    }


def ipp() -> str | None:
    """The version of Intel's closed library that OpenCV hands uint16 and float32 to, where it does."""
    if not (hasattr(cv2, "ipp") and cv2.ipp.useIPP()):
        return None
    found = re.search(r"\d+\.\d+[\d.]*", cv2.ipp.getIppVersion())
    return f"IPP {found[0]}" if found else "IPP"


def least(rival: str, cell: dict[str, Any]) -> float:
    """How many times as fast as the rival a case has to be."""
    if rival == "Pillow":
        return 3.0
    if (cell["dtype"], cell["channels"]) == ("uint8", 3):
        return 2.0 if cell["scale"] > 0.5 else 1.6
    return 1.0


def _key(cell: dict[str, Any]) -> tuple[str, int, float]:
    return cell["dtype"], cell["channels"], cell["scale"]


def missed(figures: dict[str, Any]) -> list[str]:
    """The promises that the figures do not keep."""
    found = []
    for rival, cells in (("OpenCV", figures["linear"]), ("Pillow", figures["antialias"])):
        for cell in cells:
            which = f"{cell['dtype']} x {cell['channels']} at {cell['scale']}"
            if cell["times_as_fast"] < least(rival, cell):
                found.append(
                    f"{which} is {cell['times_as_fast']:.2f} times as fast as {rival}, not {least(rival, cell):g}"
                )
            if cell["flip_cost"] > FLIPS_ON_ZEN_4.get(_key(cell), MOST_FOR_A_FLIP):
                found.append(f"{which} takes {cell['flip_cost']:.0%} more when mirrored")
    return found


def random_image(rng: np.random.Generator, dtype: str, channels: int) -> NDArray[Any]:
    """Noise over all of the range; without a channel axis where there is one channel."""
    image = rng.random((*SIZE, channels) if channels > 1 else SIZE)
    return image.astype(dtype) if dtype == "float32" else (image * np.iinfo(dtype).max).astype(dtype)


def with_opencv(image: NDArray[Any], size: tuple[int, int], out: NDArray[Any]) -> Callable[[], Any]:
    """Job of OpenCV's linear resampling, into `out`."""
    return functools.partial(cv2.resize, image, size[::-1], dst=out, interpolation=cv2.INTER_LINEAR)


def with_pillow(image: NDArray[Any], size: tuple[int, int]) -> Callable[[], Any]:
    """Job of Pillow's bilinear resampling."""
    picture = Image.fromarray(image)
    if image.ndim == 3 and image.shape[2] == 4:
        # Only of four channels without alpha is every one treated alike.
        picture = Image.frombytes("CMYK", picture.size, image.tobytes())
    return functools.partial(picture.resize, size[::-1], Image.Resampling.BILINEAR)


def assert_close(theirs: NDArray[Any], ours: NDArray[Any]) -> None:
    """No time without correctness."""
    assert theirs.shape == ours.shape
    assert np.abs(theirs.astype(np.float64) - ours).max() <= CLOSE[str(ours.dtype)]

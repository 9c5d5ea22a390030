"""Pixels as image files store them: 8 or 16 bits or floats, in as many channels as there are."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs.datasets._extras import extra

with extra("coco"):
    from PIL.PngImagePlugin import PngImageFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from PIL import Image

_CONVERTED = {"1": "L", "La": "LA", "RGBa": "RGBA"}
"""Modes of Pillow that hold the pixels of another one in another way."""

_AS_THEY_ARE = ("L", "LA", "RGB", "RGBA", "F")

_PNG_LAYERS = {"RGB;16B": ("RGB;16B", "RGB;16L"), "LA;16B": ("RGBA",), "RGBA;16B": ("RGBA;16B", "RGBA;16L")}
"""Ways to unpack a PNG of 16 bits, by how Pillow would: the upper bytes of values and the lower ones, or both."""


def kept_pixels(image: Image.Image, data: bytes) -> NDArray[Any]:
    """Pixels of an image that Pillow has opened out of `data`, which is no TIFF.

    Grey is (H, W), grey with alpha (H, W, 2), RGB (H, W, 3), RGBA (H, W, 4); palettes and other models of colour are
    spread to RGB, and one, two and four bits of grey to eight.

    Raises
    ------
    ValueError
        When the file has values that Pillow would cut, or integers of 32 bits.
    """
    if isinstance(image, PngImageFile) and image.tile and image.tile[0][3] in _PNG_LAYERS:
        return _deep_png(data, _PNG_LAYERS[image.tile[0][3]])
    if _CUT.get(image.format or "", _never)(image, data):
        raise ValueError(
            f"of {image.format} files with more than 8 bits a channel only 8 can be read; dtype='uint8' takes these, "
            "and PNG and TIFF files keep all"
        )
    image.load()
    image.info.pop("transparency", None)  # it is left out, and Pillow would warn of some kinds of it
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
            raise ValueError("expected integers of 8 or 16 bits as pixels, got some of 32")
        return values.astype(np.uint16)
    mode = _CONVERTED.get(image.mode, image.mode)
    if mode not in _AS_THEY_ARE or image.format == "GIF":  # whose grey is a palette
        mode = "RGB"
    return np.array(image if mode == image.mode else image.convert(mode))


def _deep_png(data: bytes, ways: Sequence[str]) -> NDArray[np.uint16]:
    """Colours of a PNG of 16 bits, unpacked in these ways, as Pillow unpacks one byte of each alone."""
    layers = []
    for unpacked in ways:
        with PngImageFile(io.BytesIO(data)) as image:
            codec, extents, offset, _ = image.tile[0]
            image.tile = [(codec, extents, offset, unpacked)]  # type: ignore[list-item,unused-ignore]  # as Pillow's own
            layers.append(np.array(image))
    if len(layers) == 1:  # both bytes of grey, then both of alpha
        return layers[0].view(">u2").astype(np.uint16)
    return np.stack(layers, axis=-1).view(">u2")[..., 0].astype(np.uint16)


def _never(_image: Image.Image, _data: bytes) -> bool:
    return False


def _deep_ppm(image: Image.Image, _data: bytes) -> bool:
    codec, _, _, arguments = image.tile[0]  # type: ignore[attr-defined,unused-ignore]
    return codec.startswith("ppm") and isinstance(arguments, tuple) and arguments[-1] > 255


def _deep_jpeg2000(image: Image.Image, data: bytes) -> bool:
    sizes = data.find(b"\xff\x4f\xff\x51")
    return image.mode != "I;16" and sizes >= 0 and any(1 + (depth & 0x7F) > 8 for depth in data[sizes + 42 :][:1])


def _deep_avif(_image: Image.Image, data: bytes) -> bool:
    settings = data.find(b"av1C")
    return settings >= 0 and any(flags & 0x40 for flags in data[settings + 6 :][:1])


def _deep_dds(_image: Image.Image, data: bytes) -> bool:
    return data[84:88] == b"DX10" and int.from_bytes(data[128:132], "little") in (94, 95, 96)  # BC6H: floats


def _deep_sgi(_image: Image.Image, data: bytes) -> bool:
    return data[3:4] == b"\x02"


_CUT: dict[str, Callable[[Image.Image, bytes], bool]] = {
    "AVIF": _deep_avif,
    "DDS": _deep_dds,
    "JPEG2000": _deep_jpeg2000,
    "PPM": _deep_ppm,
    "SGI": _deep_sgi,
}
"""Whether Pillow would cut the values of a file, by its format."""

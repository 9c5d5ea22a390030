"""Label images: rasters whose values say what each pixel belongs to, read exactly."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from copypaste_rs.datasets._extras import extra
from copypaste_rs.datasets.image_headers import opened, orientation
from copypaste_rs.datasets.tiff import is_tiff, only_image, opened_tiff, stored_values

with extra("coco"):
    from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from copypaste_rs.datasets.image_checks import ImageOptions

_NUMPY = b"\x93NUMPY"
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
"""Tags of TIFF."""


class LabelImage(NamedTuple):
    """Values of a label image as they are stored."""

    numbers: NDArray[np.integer]
    """Shape (h, w): numbers, of a palette image its indices; of an image of colours, uint32: R + 256 G + 256^2 B."""
    has_colours: bool = False
    """Whether the numbers are colours."""
    palette: NDArray[np.uint8] | None = None
    """Colours of the indices, shape (n, 3), of a palette image."""


class LabelImageSizeError(ValueError):
    """A label image is not as large as its image."""


def read_label_image(path: Path, data: bytes, image: Path, size: tuple[int, int], options: ImageOptions) -> LabelImage:
    """Decode a label image: PNG, TIFF, BMP, GIF or PPM of one page, or an array of NumPy.

    Numbers of 8, 16 and 32 bits come as they are stored; grey of fewer than 8 bits is spread to 8, as everywhere;
    floats are read where all are whole. Transparency is left out.

    Parameters
    ----------
    path : Path
        The file, for errors.
    data : bytes
        What it holds.
    image : Path
        The image that it belongs to, for errors.
    size : (int, int)
        Height and width of the image, which the raster must have.
    options : ImageOptions
        The largest number of pixels.

    Raises
    ------
    OSError
        When the file is truncated, or no label image; the message names it.
    ValueError
        When it has another size than its image, or its values are no labels.
    """
    try:
        if data.startswith(_NUMPY):
            return LabelImage(_read_array(path, data, image, size))
        try:
            return _read_raster(path, data, image, size, options)
        except UnidentifiedImageError:
            if not is_tiff(data):
                raise
            return LabelImage(_read_tiff(path, data, image, size, options))
    except UnidentifiedImageError:
        known = "PNG, TIFF, BMP, GIF, PPM, array of NumPy"
        raise OSError(f"{path}: expected a label image ({known}), got none of these") from None
    except (MemoryError, ImportError, LabelImageSizeError):
        raise
    except Exception as error:  # readers raise whatever damaged files lead them to
        raise OSError(f"{path}: cannot be read as a label image: {str(error) or type(error).__name__}") from None


def _check_size(path: Path, found: tuple[int, int], image: Path, size: tuple[int, int], options: ImageOptions) -> None:
    if found == size:
        if found[0] * found[1] > options.max_pixels:
            raise LabelImageSizeError(
                f"{path}: expected at most {options.max_pixels} pixels (max_pixels), got width {found[1]} and height "
                f"{found[0]}"
            )
        return
    hint = ""
    if found[::-1] == size and (turn := orientation(image.read_bytes())) >= 5:
        hint = f"; the EXIF orientation of the image is {turn}, which apply_exif={not options.apply_exif} would"
        hint += " leave out" if options.apply_exif else " apply"
    raise LabelImageSizeError(
        f"{path}: expected width {size[1]} and height {size[0]}, as its image {image.name} has, got width {found[1]} "
        f"and height {found[0]}{hint}"
    )


def _read_raster(path: Path, data: bytes, image: Path, size: tuple[int, int], options: ImageOptions) -> LabelImage:
    with opened(data) as raster:
        if raster.format in ("JPEG", "MPO"):
            raise ValueError(f"expected labels, got a {raster.format} file, which keeps no exact values")
        _check_size(path, (raster.height, raster.width), image, size, options)
        _check_pages(getattr(raster, "n_frames", 1))
        _check_bits(raster, data)
        raster.load()
        return _values(raster)


def _check_pages(n: int) -> None:
    if n != 1:
        raise ValueError(f"expected one page, got {n}")


def _check_bits(raster: Image.Image, data: bytes) -> None:
    """Raise for colours of 16 bits, of which Pillow would keep the upper 8."""
    deep = False
    if raster.format == "PNG":
        deep = data[24] > 8 and data[25] != 0
    elif raster.format == "TIFF" and raster.mode in ("RGB", "RGBA", "RGBX", "LA"):
        deep = max(raster.tag_v2.get(_BITS, (8,))) > 8  # type: ignore[attr-defined]
    if deep:
        raise ValueError("expected numbers, or colours of 8 bits, got channels of 16 bits")


def _values(raster: Image.Image) -> LabelImage:
    mode = raster.mode
    if mode in ("P", "PA"):
        colours = np.array(raster.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
        return LabelImage(np.asarray(raster.getchannel(0) if mode == "PA" else raster), palette=colours)
    if mode in ("1", "L"):
        grey = np.asarray(raster.convert("L"))
        is_inverted = raster.format == "TIFF" and raster.tag_v2.get(_PHOTOMETRIC) == 0  # type: ignore[attr-defined]
        return LabelImage(255 - grey if is_inverted else grey)  # white is 0 there, and numbers are no brightness
    if mode == "LA":
        return LabelImage(np.asarray(raster.getchannel(0)))
    if mode in ("RGB", "RGBA", "RGBX"):
        pixels = np.frombuffer(raster.convert("RGB").tobytes("raw", "RGBX"), "<u4")
        return LabelImage((pixels & 0xFFFFFF).astype(np.uint32).reshape(raster.height, raster.width), has_colours=True)
    if mode == "F":
        return LabelImage(_whole(np.asarray(raster)))
    if mode != "I" and not mode.startswith("I;16"):
        raise ValueError(f"expected numbers or RGB colours, got pixels of mode {mode}")
    numbers = np.asarray(raster)
    numbers = numbers.astype(numbers.dtype.newbyteorder("="))
    if raster.format == "TIFF" and numbers.dtype == np.int32:
        tags = raster.tag_v2  # type: ignore[attr-defined]
        if tags.get(_BITS, (1,))[0] == 32 and tags.get(_SAMPLE_FORMAT, (1,))[0] == 1:  # which Pillow reads as signed
            numbers = numbers.view(np.uint32)
    return LabelImage(numbers)


def _whole(numbers: NDArray[Any]) -> NDArray[np.integer]:
    """Floats as integers, where all are whole."""
    if not (np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all() and (abs(numbers) < 2**53).all()):
        raise ValueError("expected whole numbers as pixels, got floating-point ones")
    return numbers.astype(np.int64)


def _as_labels(array: NDArray[Any]) -> NDArray[np.integer]:
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype.kind == "f":
        return _whole(array)
    if array.dtype.kind not in "iu":
        raise ValueError(f"expected integers, got dtype {array.dtype}")
    return array.astype(array.dtype.newbyteorder("="))


def _read_array(path: Path, data: bytes, image: Path, size: tuple[int, int]) -> NDArray[np.integer]:
    """An array as `np.save` writes it."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("expected an array of integers, got pickled objects, as in a _seg.npy of Cellpose; its masks "
                         "alone, as PNG or TIFF, can be read")  # fmt: skip
    if len(shape) != 2:
        raise ValueError(f"expected an array of shape (height, width), got {shape}")
    if shape != size:
        raise LabelImageSizeError(
            f"{path}: expected an array of shape {size}, as its image {image.name} has, got {shape}"
        )
    return _as_labels(np.load(io.BytesIO(data), allow_pickle=False))


def _read_tiff(
    path: Path, data: bytes, image: Path, size: tuple[int, int], options: ImageOptions
) -> NDArray[np.integer]:
    """A TIFF that Pillow has no mode for, of 64 bits say."""
    with opened_tiff(io.BytesIO(data)) as file:
        series, page, _ = only_image(file)
        if len(page.shape) != 2 or len(series.shape) != 2:
            raise ValueError(f"expected one number a pixel, got an array of shape {series.shape}")
        _check_size(path, page.shape, image, size, options)
        return _as_labels(stored_values(series, len(data)))

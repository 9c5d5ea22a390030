"""TIFF files with pixels as they are stored, any number of channels, through tifffile."""

from __future__ import annotations

import io
import math
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from copypaste_rs.datasets._extras import extra

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_DTYPES = ("uint8", "uint16", "float32")

_ORIENTATION = 274

_WHITE_IS_ZERO, _PALETTE = 0, 3
"""Photometric interpretations whose values are no brightness."""


def is_tiff(data: bytes) -> bool:
    """Whether a file begins as a TIFF does."""
    return data[:4] in _MARKS


def read_tiff(data: bytes, check: Callable[[int, tuple[int, int]], None]) -> tuple[NDArray[Any], int]:
    """Pixels of the one image of a TIFF file, (H, W) or (H, W, C), and its orientation, 1 to 8.

    Channels may be samples of a page, side by side or plane by plane, or pages that tifffile takes for channels of one
    image, by what ImageJ, OME or tifffile itself has noted of their axes. `check` is given orientation and stored size
    before anything is decoded. Palettes are spread to RGB, bits to 0 and 255, and white is the largest value.

    Raises
    ------
    ImportError
        When tifffile is missing.
    ValueError
        When the file has several images, pixels of another dtype, or a compression that tifffile alone does not read.
    """
    with opened_tiff(io.BytesIO(data)) as file:
        series, page, orientation = only_image(file)
        check(orientation, (page.imagelength, page.imagewidth))
        dtype = np.dtype(series.dtype)
        if dtype.name not in ("bool", *_DTYPES):
            expected = f"{', '.join(_DTYPES[:-1])} or {_DTYPES[-1]}"
            raise ValueError(f"expected pixels of dtype {expected}, got {dtype.name}; convert them, to float32 say")
        pixels = stored_values(series, len(data))
        colours = page.colormap if page.photometric == _PALETTE else None
        inverted = page.photometric == _WHITE_IS_ZERO
    channels = next((axis for axis, name in enumerate(series.axes) if name not in "YX"), None)
    if channels is not None:
        pixels = np.moveaxis(pixels, channels, -1)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if colours is not None:
        pixels = (np.moveaxis(np.asarray(colours)[:, pixels], 0, -1) >> 8).astype(np.uint8)
    elif inverted and pixels.dtype.kind == "u":
        pixels = np.iinfo(pixels.dtype).max - pixels
    return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("=")), orientation


def tiff_size(file: IO[bytes]) -> tuple[int, int]:
    """Height and width of the one image of an open TIFF file, turned as its orientation says, without decoding it.

    Raises
    ------
    ImportError, ValueError
        As from `read_tiff`.
    """
    with opened_tiff(file) as opened:
        _, page, orientation = only_image(opened)
        size = page.imagelength, page.imagewidth
    return size[::-1] if orientation >= 5 else size


def opened_tiff(file: IO[bytes]) -> Any:
    """A TIFF file, opened by tifffile."""
    with extra("tiff"):
        import tifffile
    return tifffile.TiffFile(file, _multifile=False)  # of a set of files that an OME file names, only this one is read


def only_image(file: Any) -> tuple[Any, Any, int]:
    """Series and first page of the one image of a file, and its orientation."""
    series, page = file.series[0], file.series[0].keyframe
    _check_axes(series.axes, len(file.series), len(file.pages))
    turned = page.tags.get(_ORIENTATION)
    return series, page, int(turned.value) if turned is not None and turned.value in range(1, 9) else 1


def _check_axes(axes: str, series: int, pages: int) -> None:
    """Check that a file has one image: rows, columns, and perhaps an axis of samples or channels."""
    if series > 1 or sorted(axes.replace("S", "C")) not in (["X", "Y"], ["C", "X", "Y"]):
        raise ValueError(
            f"expected one image, got {pages} page{'s' * (pages != 1)} with axes {axes}{' and others' * (series > 1)}, "
            "which are not noted as channels of one image (axes CYX)"
        )


def stored_values(series: Any, length: int) -> NDArray[Any]:
    """Values of a series as they are stored, in a file of `length` bytes.

    Raises
    ------
    ValueError
        When strips or tiles are not there, or their compression is one that tifffile alone does not read.
    """
    page = series.keyframe
    if series.dataoffset is None:  # else all of it lies in one piece, as long as it has to be
        for each in series.pages:
            _check_segments(each or page, length)
    try:
        values: NDArray[Any] = series.asarray()
    except (ValueError, ImportError) as error:
        if "imagecodecs" not in str(error):
            raise
        name = getattr(page.compression, "name", page.compression)
        raise ValueError(
            f"its compression, {name}, is read by tifffile with the package imagecodecs: pip install imagecodecs"
        ) from None
    return values


def _check_segments(page: Any, length: int) -> None:
    """Check that the strips or tiles of a page are all within a file of this length: tifffile takes 0 for others."""
    expected = math.prod(page.chunked)
    segments = zip(page.dataoffsets, page.databytecounts, strict=False)
    found = sum(start > 0 and size > 0 and start + size <= length for start, size in segments)
    if found < expected:
        raise ValueError(f"expected {expected} strips or tiles of the image in the file, got {found}")


def tiff_bytes(image: NDArray[Any]) -> bytes:
    """An image (H, W) or (H, W, C) as a TIFF file: plain, so that the same pixels give the same bytes everywhere."""
    with extra("tiff"):
        import tifffile
    pixels = image[:, :, 0] if image.shape[2:] == (1,) else image
    colours = pixels.shape[2:] in ((3,), (4,))
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        np.ascontiguousarray(pixels),
        photometric="rgb" if colours else "minisblack",
        planarconfig="contig" if pixels.ndim == 3 else None,
        extrasamples=["unspecified"] if pixels.shape[2:] == (4,) else None,
        metadata=None,
        software=False,
        byteorder="<",
    )
    return buffer.getvalue()

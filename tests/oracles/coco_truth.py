"""Masks as pycocotools makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco


def coco_encode(pixels: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """Run-length encodings of dense masks (n, h, w)."""
    result: list[dict[str, Any]] = coco.encode(np.asfortranarray(pixels.transpose(1, 2, 0)))
    return result


def coco_mask(polygon: list[Any], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The dense mask (h, w) of the parts of one instance."""
    objects = coco.frPyObjects([[float(each) for each in part] for part in polygon], *size)
    result: NDArray[np.uint8] = coco.decode(coco.merge(objects))
    return result

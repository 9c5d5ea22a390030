"""Weights of the blur that makes soft edges."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs import _checks
from copypaste_rs.plan import MAX_SIGMA, MIN_SIGMA

if TYPE_CHECKING:
    from numpy.typing import NDArray


def gaussian_weights(sigma: float) -> NDArray[np.uint16]:
    """Weights of a Gaussian of `sigma` pixels, in units of 1/4096.

    Shape (2 * ceil(3 * sigma) + 1,), uint16, adding up to 4096 exactly: the centre takes what rounding
    leaves. Made here for both backends, since the last bit of ``exp`` differs between mathematical libraries.

    Examples
    --------
    >>> gaussian_weights(0.5)
    array([  1, 436, 3222, 436,   1], dtype=uint16)
    """
    return weights_of(_checks.real("sigma", sigma, MIN_SIGMA, MAX_SIGMA)).copy()


@functools.lru_cache(64)
def weights_of(sigma: float) -> NDArray[np.uint16]:
    """`gaussian_weights` of a checked sigma, read-only: most transforms have one."""
    radius = math.ceil(3 * sigma)
    raw = [math.exp(-(d * d) / (2 * sigma * sigma)) for d in range(-radius, radius + 1)]
    total = math.fsum(raw)
    weights = [math.floor(4096 * (w / total) + 0.5) for w in raw]
    weights[radius] += 4096 - sum(weights)
    made = np.array(weights, np.uint16)
    made.flags.writeable = False
    return made

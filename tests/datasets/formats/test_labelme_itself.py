"""LabelMe's own code as the truth, where that package is installed."""

from __future__ import annotations

import numpy as np
import pytest

from copypaste_rs.datasets.formats.labelme.shapes import Shape, mask_of

pytest.importorskip("labelme.utils.shape", reason="labelme, whose own drawing is the truth here, is not installed")


@pytest.mark.parametrize("kind", ["polygon", "rectangle", "circle", "oriented_rectangle"])
def test_shape_to_mask(kind: str) -> None:
    from labelme.utils.shape import shape_to_mask

    rng = np.random.default_rng(8)
    for k in range(500):
        size = (int(rng.integers(1, 90)), int(rng.integers(1, 90)))
        n = {"rectangle": 2, "circle": 2, "oriented_rectangle": 4}.get(kind, int(rng.integers(3, 12)))
        points = (rng.random((n, 2)) * 2 - 0.5) * size[::-1]
        points = (points, np.round(points), np.round(points * 2) / 2)[k % 3]
        expected = shape_to_mask(size, points.tolist(), kind)
        found = mask_of(Shape("nut", [(float(x), float(y)) for x, y in points], kind), size)
        np.testing.assert_array_equal(found.to_dense()[0], expected)

"""Results of a model whose fields are tensors yet: refused with their place, and with what makes them results."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.pseudo_labels import SIZE, made, one
from tests.fixtures.tensors import REASON

torch = pytest.importorskip("torch", reason=REASON)


@pytest.mark.parametrize("name", ["score", "mask_score"])
def test_scores(name: str) -> None:
    score = torch.tensor(0.9)
    with pytest.raises(TypeError) as info:
        made([one(), one() | {name: score}])
    assert str(info.value) == f"results[1]['{name}']: expected a number, got Tensor; float({name}) makes one"
    assert made([one() | {name: float(score)}]).kept == {1: 1}


@pytest.mark.parametrize("shape", [SIZE, (1, *SIZE)])
@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float32])
def test_masks(shape: tuple[int, ...], dtype: Any) -> None:
    with pytest.raises(ValueError) as info:
        made([one() | {"segmentation": torch.ones(shape, dtype=dtype)}])
    assert str(info.value) == (
        f"results[0]['segmentation']: expected run lengths or polygons, got Tensor of shape {shape}; "
        "RleMasks.from_dense(masks).to_coco() makes them"
    )

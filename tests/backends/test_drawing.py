"""Plans drawn in Rust are the plans drawn in Python, whatever the options, sources and key."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import Instances, RleMasks, Sample, ScaleJitter, SimpleCopyPaste

sides = st.integers(1, 40)
scales = st.sampled_from(["large", "standard", (1.0, 1.0), (0.01, 30.0), (1e-6, 1e-6)])
keys = st.tuples(*[st.integers(0, 2**64 - 1)] * 3)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    h, w, n = draw(sides), draw(sides), draw(st.integers(0, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dense = np.zeros((n, h, w), np.uint8)
    for mask in dense:  # boxes of any size, some empty
        y, x = np.sort(rng.integers(0, h + 1, 2)), np.sort(rng.integers(0, w + 1, 2))
        mask[y[0] : y[1], x[0] : x[1]] = 1
    crowd = rng.random(n) < 0.3 if draw(st.booleans()) else None
    masks = RleMasks.from_dense(dense) if n or draw(st.booleans()) else None
    if masks is None:
        crowd = None
    return Sample(np.zeros((h, w), np.uint8), Instances(masks=masks, iscrowd=crowd))


options = st.fixed_dictionaries(
    {
        "size": st.tuples(sides, sides),
        "flip": st.sampled_from([0.0, 0.5, 1.0]),
        "pad": st.sampled_from(["top_left", "random"]),
        "scale_reference": st.sampled_from(["fit", "input"]),
    }
)
pasting = st.fixed_dictionaries(
    {
        "target_scale": scales,
        "source_scale": scales,
        "select": st.sampled_from(["subset", "one", "all"]) | st.integers(1, 8) | st.floats(0.001, 1.0),
        "placement": st.sampled_from(["jitter", "uniform"]),
        "blend_sigma": st.none() | st.just(1.5) | st.just((0.1, 20.0)),
        "p": st.sampled_from([0.3, 1.0]),
    }
)


@given(samples(), st.lists(samples(), max_size=3), options, pasting, keys)
def test_copy_paste_plans(
    target: Sample, sources: list[Sample], common: dict[str, Any], more: dict[str, Any], key: Any
) -> None:
    plans = [
        SimpleCopyPaste(**common, **more, backend=backend).sample_plan(target, sources, key)
        for backend in ("rust", "numpy")
    ]
    assert plans[0] == plans[1]
    assert plans[0].to_json() == plans[1].to_json()
    assert hash(plans[0]) == hash(plans[1])
    assert all(type(row) is int for paste in plans[0].pastes for row in paste.instances)


@given(samples(), options, scales, keys)
def test_jitter_plans(sample: Sample, common: dict[str, Any], scale: Any, key: Any) -> None:
    rust, numpy = (
        ScaleJitter(**common, scale=scale, backend=backend).sample_plan(sample, key) for backend in ("rust", "numpy")
    )
    assert rust == numpy

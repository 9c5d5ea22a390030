"""Plans drawn in Rust are the plans drawn in Python, whatever the options, sources and key."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import Sample, ScaleJitter, SimpleCopyPaste
from tests.fixtures.both_backends import BACKENDS
from tests.fixtures.strategies import draw_keys, jitter_options, paste_options, samples, scales


@given(samples(40), st.lists(samples(40), max_size=3), jitter_options, paste_options, draw_keys)
def test_copy_paste_plans(
    target: Sample, sources: list[Sample], common: dict[str, Any], more: dict[str, Any], key: Any
) -> None:
    plans = [
        SimpleCopyPaste(**common, **more, backend=backend).sample_plan(target, sources, key) for backend in BACKENDS
    ]
    assert plans[0] == plans[1]
    assert plans[0].to_json() == plans[1].to_json()
    assert hash(plans[0]) == hash(plans[1])
    assert all(type(row) is int for paste in plans[0].pastes for row in paste.instances)


@given(samples(40), jitter_options, scales, draw_keys)
def test_jitter_plans(sample: Sample, common: dict[str, Any], scale: Any, key: Any) -> None:
    rust, numpy = (ScaleJitter(**common, scale=scale, backend=backend).sample_plan(sample, key) for backend in BACKENDS)
    assert rust == numpy

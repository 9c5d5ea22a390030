"""Maps in both backends: the same bytes, whatever dtype, channels, layout, placement and edges."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import Instances, PixelMap, Placement, Plan, Sample
from tests.fixtures.both_backends import agree
from tests.fixtures.strategies import mapped_plans


@given(mapped_plans(), st.booleans(), st.sampled_from([0, 6]), st.sampled_from(["bilinear", "nearest"]))
def test_copy_paste(call: Any, antialias: bool, min_area: int, interpolation: str) -> None:
    agree(
        "copy_paste", *call, antialias=antialias, min_area=min_area, interpolation=interpolation, fill=1, flip_pairs=()
    )


@given(mapped_plans(), st.data())
def test_copy_paste_with_missing_maps(call: Any, data: Any) -> None:
    plan, target, sources = call
    sides = [target, *sources]
    for i, side in enumerate(sides):
        lacking = data.draw(st.sets(st.sampled_from(list(side.maps))))
        kept = {name: each for name, each in side.pixel_maps.items() if name not in lacking}
        sides[i] = Sample(side.image, side.instances, side.info, kept)
    values = {name: data.draw(st.integers(0, 99)) for name in target.maps if data.draw(st.integers(0, 3))}
    made = agree("copy_paste", plan, sides[0], sides[1:], missing=values, fill=1, flip_pairs=())
    named = {name for side in sides for name in side.maps}
    complete = all(name in side.maps or name in values for side in sides for name in named)
    assert isinstance(made, Sample) is complete
    if complete:
        assert set(made.maps) == named


def test_nothing_is_left_of_what_was_in_memory() -> None:
    """Every value of a map is written: where no image lands, the fill."""
    sample = Sample(np.zeros((2, 3), np.uint8), Instances(), maps={"a": PixelMap(np.ones((2, 3, 2)), (5, np.nan))})
    plan = Plan(Placement((2, 3), (2, 3), (40, 40), (30, 31)))
    made = agree("copy_paste", plan, sample, []).maps["a"]
    assert (made[..., 0] == 5).all()
    assert np.isnan(made[..., 1]).all()

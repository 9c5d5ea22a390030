"""The page on where the time goes shows the kept figures, and its stages add up."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benches import parts, plots, stages, where
from benches.scenes import stratified

from copypaste_rs import Placement, functional


def test_page_shows_the_kept_figures() -> None:
    figures = json.loads(where.KEPT.read_text())
    text = where.PAGE.read_text()
    for name, table in where.tables(figures).items():
        assert f"<!-- {name}: begin -->\n{table}\n<!-- {name}: end -->" in text


def test_kept_figures_can_be_drawn(tmp_path: Path) -> None:
    figures = json.loads(where.KEPT.read_text())
    drawn = plots.draw(figures, tmp_path)
    before = [path.read_bytes() for path in drawn]
    assert [path.read_bytes() for path in plots.draw(figures, tmp_path)] == before
    for path in drawn:
        assert path.name in where.PAGE.read_text()
        assert (where.PAGE.parent / path.name).exists()


def test_stages_add_up_to_the_call() -> None:
    rng = np.random.default_rng(0)
    names = ["all", "unseen", "one mask", "one mask, unseen", "one mask, no target", "target", "blank", "nothing"]
    times = {name: rng.random(3).tolist() for name in [*names, *stages.Clock.PARTS]}
    found = stages.stages(times)
    assert list(found) == list(stages.STAGES)
    whole = np.sum([times[name] for name in stages.Clock.PARTS], 0)
    np.testing.assert_allclose(np.sum(list(found.values()), 0), whole)


@pytest.mark.parametrize("sigma", [None, 2.0])
def test_one_mask_gives_the_same_pixels(sigma: float | None) -> None:
    for scene in stratified(96, 5, 3, sigma=sigma):
        some = scene._replace(plan=replace(scene.plan, pastes=(replace(scene.plan.pastes[0], instances=(3, 1)),)))
        whole, one = functional.copy_paste(*some), functional.copy_paste(*parts.one_mask(some))
        assert np.array_equal(whole.image, one.image)
        assert len(one.instances) <= 1


def test_parts_take_away_what_they_say() -> None:
    scene = stratified(96, 5, 3)[1]
    alone = functional.copy_paste(*parts.without_masks(scene))
    assert np.array_equal(alone.image, functional.place_image(scene.target.image, scene.plan.target))
    blank = functional.copy_paste(*parts.without_target(parts.without_masks(scene)))
    assert (blank.image == 128).all()
    assert functional.copy_paste(*parts.nothing(scene)).image.shape == (1, 1, 3)


def test_grown_placement() -> None:
    placement = Placement((480, 640), (300, 400), (-44, 0), (256, 256), hflip=True)
    assert parts.grown(placement, 512) == Placement((480, 640), (600, 800), (-88, 0), (512, 512), hflip=True)


def test_kernels_and_clocks_give_the_result_of_the_call() -> None:
    scene = stratified(96, 5, 3)[0]
    expected = functional.copy_paste(*scene, antialias=False)
    out = np.zeros((96, 96, 3), np.uint8)
    made = stages.kernel(scene, out, antialias=False)()
    assert np.array_equal(out, expected.image)
    assert made.masks == expected.instances.masks
    clock = stages.Clock(scene, antialias=False)
    assert clock() == expected
    assert all(0 < least < 60 for least in clock.least.values())

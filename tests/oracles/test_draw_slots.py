"""Draws by slot: each from the word of NumPy's Philox that the rules name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.philox import below, uniform
from tests.oracles.draw_scene import CANDIDATES, CANVAS, KEYS, SOURCES, drawn, draws
from tests.oracles.planner import spans

# -- the target --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0625, 0.5, 0.9, 1.0])
def test_target_p(backend: str, p: float) -> None:
    pasted = [bool(made.pastes) for _, made in draws(backend, p=p)]
    assert pasted == [uniform(drawn(key).target["p"]) < p for key in KEYS]
    assert any(pasted)
    assert all(pasted) == (p == 1.0)


@pytest.mark.parametrize("scale", [(0.4, 0.9), (0.5, 3.0), (1.0, 1.0)])
def test_target_scale(backend: str, scale: tuple[float, float]) -> None:
    fit = min(50 / 30, 60 / 44)
    for drawn_words, made in draws(backend, target_scale=scale):
        s = scale[0] + (scale[1] - scale[0]) * uniform(drawn_words.target["scale"])
        assert made.target.resized_size == (int(30 * fit * s + 0.5), int(44 * fit * s + 0.5))


@pytest.mark.parametrize("flip", [0.0, 0.25, 0.5, 1.0])
def test_target_flip(backend: str, flip: float) -> None:
    flipped = [made.target.hflip for _, made in draws(backend, flip=flip)]
    assert flipped == [uniform(drawn(key).target["flip"]) < flip for key in KEYS]
    assert len(set(flipped)) == (1 if flip in (0.0, 1.0) else 2)


@pytest.mark.parametrize(("name", "axis"), [("offset_y", 0), ("offset_x", 1)])
@pytest.mark.parametrize(("pad", "scale"), [("random", (0.4, 0.9)), ("top_left", (0.4, 0.9)), ("random", (1.8, 2.5))])
def test_target_offset(backend: str, name: str, axis: int, pad: str, scale: tuple[float, float]) -> None:
    """Both axes, where the image is smaller than the canvas and where it is larger."""
    found = set()
    for drawn_words, made in draws(backend, target_scale=scale, pad=pad):
        room = CANVAS[axis] - made.target.resized_size[axis]
        word = drawn_words.target[name]
        if room < 0:
            assert made.target.offset[axis] == -below(word, -room + 1)
        else:
            assert made.target.offset[axis] == (below(word, room + 1) if pad == "random" else 0)
        found.add(made.target.offset[axis])
    assert (len(found) == 1) == (pad == "top_left")


# -- a source ----------------------------------------------------------------------------------------------------

EACH_SOURCE = pytest.mark.parametrize("number", range(3))


@EACH_SOURCE
@pytest.mark.parametrize("scale", [(0.5, 1.0), (1.5, 1.75)])
def test_source_scale(backend: str, number: int, scale: tuple[float, float]) -> None:
    h, w = SOURCES[number].size
    fit = min(50 / h, 60 / w)
    for drawn_words, made in draws(backend, 15, source_scale=scale, select="all", placement="uniform"):
        s = scale[0] + (scale[1] - scale[0]) * uniform(drawn_words.sources[number]["scale"])
        expected = int(h * fit * s + 0.5), int(w * fit * s + 0.5)
        found = [paste.placement.resized_size for paste in made.pastes if paste.source == number]
        assert found == [expected] * len(CANDIDATES[number])


@EACH_SOURCE
@pytest.mark.parametrize("flip", [0.0, 0.25, 0.5, 1.0])
def test_source_flip(backend: str, number: int, flip: float) -> None:
    flipped = [made.pastes[number].placement.hflip for _, made in draws(backend, flip=flip)]
    assert flipped == [uniform(drawn(key).sources[number]["flip"]) < flip for key in KEYS]


@EACH_SOURCE
@pytest.mark.parametrize(("name", "axis"), [("offset_y", 0), ("offset_x", 1)])
@pytest.mark.parametrize("pad", ["random", "top_left"])
def test_source_offset(backend: str, number: int, name: str, axis: int, pad: str) -> None:
    found = set()
    for drawn_words, made in draws(backend, pad=pad):
        placement = made.pastes[number].placement
        room = CANVAS[axis] - placement.resized_size[axis]
        expected = below(drawn_words.sources[number][name], room + 1) if pad == "random" else 0
        assert placement.offset[axis] == expected
        found.add(expected)
    assert (len(found) == 1) == (pad == "top_left")


@EACH_SOURCE
@pytest.mark.parametrize(("name", "axis"), [("offset_y", 0), ("offset_x", 1)])
def test_source_offset_of_a_crop(backend: str, number: int, name: str, axis: int) -> None:
    """Counted down from zero; a source of which no row is left on the canvas has no paste."""
    seen = 0
    for drawn_words, made in draws(backend, source_scale=(2.0, 2.5), select="all"):
        for paste in made.pastes:
            if paste.source == number:
                room = paste.placement.resized_size[axis] - CANVAS[axis]
                if room > 0:
                    assert paste.placement.offset[axis] == -below(drawn_words.sources[number][name], room + 1)
                    seen += 1
    assert seen > 10


@EACH_SOURCE
def test_source_m(backend: str, number: int) -> None:
    n = len(CANDIDATES[number])
    sizes = [len(made.pastes[number].instances) for _, made in draws(backend)]
    assert sizes == [1 + below(drawn(key).sources[number]["m"], n) for key in KEYS]
    assert set(sizes) == set(range(1, n + 1))


@EACH_SOURCE
@pytest.mark.parametrize("sigma", [(0.5, 3.0), (0.1, 20.0), (2.0, 2.0), 1.5, None])
def test_source_sigma(backend: str, number: int, sigma: Any) -> None:
    for drawn_words, made in draws(backend, blend_sigma=sigma):
        if isinstance(sigma, tuple):
            expected = sigma[0] + (sigma[1] - sigma[0]) * uniform(drawn_words.sources[number]["sigma"])
        else:
            expected = sigma
        assert made.pastes[number].sigma == expected


# -- a row -------------------------------------------------------------------------------------------------------


@EACH_SOURCE
@pytest.mark.parametrize("select", ["one", 2, 3, 9, 0.5, 1.0])
def test_row_order(backend: str, number: int, select: Any) -> None:
    """The rows with the smallest words, in ascending order; crowds have words too, and are never among them."""
    rows = CANDIDATES[number]
    m = {"one": 1, 2: 2, 3: 3, 9: len(rows), 0.5: 2, 1.0: len(rows)}[select]
    for drawn_words, made in draws(backend, select=select):
        order = [each["order"] for each in drawn_words.rows[number]]
        smallest = sorted(rows, key=order.__getitem__)[:m]
        assert made.pastes[number].instances == tuple(sorted(smallest))


@EACH_SOURCE
@pytest.mark.parametrize(("name", "axis"), [("place_y", 0), ("place_x", 1)])
@pytest.mark.parametrize("scale", [(0.5, 1.0), (7.0, 8.0)])
def test_row_place(backend: str, number: int, name: str, axis: int, scale: tuple[float, float]) -> None:
    """Objects that fit the canvas lie wholly in it, larger ones cover it."""
    fits = set()
    for drawn_words, made in draws(backend, 15, source_scale=scale, select="all", placement="uniform"):
        pastes = [paste for paste in made.pastes if paste.source == number]
        assert [paste.instances for paste in pastes] == [(row,) for row in CANDIDATES[number]]
        for paste in pastes:
            (row,) = paste.instances
            place = spans(SOURCES[number], paste.placement)[row][axis]
            first, side = place[0] + paste.placement.offset[axis], len(place)
            word = drawn_words.rows[number][row][name]
            room = CANVAS[axis] - side
            assert first == (below(word, room + 1) if room >= 0 else -below(word, -room + 1))
            fits.add(room >= 0)
    assert fits == {scale[0] < 1}

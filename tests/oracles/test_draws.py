"""Words by key and place: equal in both backends and to NumPy's own Philox."""

from __future__ import annotations

from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copypaste_rs import draws, functional, reference
from tests.fixtures.philox import bit_generator

words64 = st.integers(0, 2**64 - 1)


@given(st.tuples(words64, words64), st.tuples(words64, words64, words64, words64), st.integers(0, 41))
def test_words_are_those_of_numpy(key: tuple[int, int], counter: tuple[int, int, int, int], n: int) -> None:
    numpys = bit_generator(key, counter)
    expected = [int(numpys.random_raw()) for _ in range(n)]
    for kernels in (functional, reference):
        found = kernels.philox_words(key, counter, n)
        assert found.dtype == np.uint64
        assert found.tolist() == expected


def test_known_answer(kernels: ModuleType) -> None:
    """The authors' published answer for the counter of all ones, one step before it."""
    top = 2**64 - 1
    found = kernels.philox_words((top, top), (top - 1, top, top, top), 4)
    assert [hex(word) for word in found.tolist()] == [
        "0x87b092c3013fe90b", "0x438c3c67be8d0224", "0x9cc7d7c69cd777b6", "0xa09caebf594f0ba0",
    ]  # fmt: skip


def test_keys() -> None:
    assert draws.resolve(5) == draws.resolve((5,)) == draws.resolve([5, 0, 0]) == draws.Key((5, 0), 0)
    assert draws.resolve(np.array([1, 2])) == draws.resolve((1, 2)) == draws.Key((1, 2), 0)
    assert draws.resolve((1, 2, 3)).counter(2) == (0, 0, 3, 2)
    assert draws.resolve(2**64 - 1).key == (2**64 - 1, 0)
    assert draws.resolve(None) != draws.resolve(None)


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.PCG64DXSM, np.random.SFC64, np.random.Philox])
def test_a_generator_gives_four_words(kind: Any) -> None:
    raw = kind(7).random_raw(8).tolist()
    rng = np.random.Generator(kind(7))
    key = draws.resolve(rng)
    assert (*key.key, key.index, key.stream) == tuple(raw[:4])
    assert key.counter(1) == (0, 0, raw[2], (raw[3] + 1) % 2**64)
    assert draws.resolve(rng).key == tuple(raw[4:6])


@pytest.mark.parametrize(
    ("rng", "error", "message"),
    [
        (-1, ValueError, "rng: expected an integer from 0 to 18446744073709551615, got -1"),
        (2**64, ValueError, "rng: expected an integer from 0 to 18446744073709551615, got 18446744073709551616"),
        ((1, -2), ValueError, "rng[1]: expected an integer from 0 to 18446744073709551615, got -2"),
        ((), ValueError, "rng: expected one to three integers, got 0"),
        ((1, 2, 3, 4), ValueError, "rng: expected one to three integers, got 4"),
        (1.0, TypeError, "rng: expected None, integers or a numpy.random.Generator, got 1.0"),
        (True, TypeError, "rng: expected None, integers or a numpy.random.Generator, got True"),
        ("1", TypeError, "rng: expected None, integers or a numpy.random.Generator, got '1'"),
        ((1, 0.5), TypeError, "rng[1]: expected an integer, got 0.5"),
        (np.random.Generator(np.random.MT19937(1)), ValueError, "rng: expected a generator of 64-bit words, such as numpy.random.default_rng() makes, got MT19937"),
        (np.random.RandomState(1), TypeError, "rng: expected None, integers or a numpy.random.Generator, got RandomState(MT19937)"),
    ],
)  # fmt: skip
def test_bad_keys(rng: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        draws.resolve(rng)
    assert str(caught.value).startswith(message)


@given(words64, st.integers(1, 2**32))
def test_below_is_exact(word: int, n: int) -> None:
    assert draws.below(word, n) == Fraction(word, 2**64) * n // 1
    assert 0 <= draws.below(word, n) < n


@given(words64)
def test_uniform_lies_on_the_grid(word: int) -> None:
    assert draws.uniform(word) == Fraction(word >> 11, 2**53)
    assert 0 <= draws.uniform(word) < 1


@given(st.floats(0.1, 20))
def test_gaussian_weights(sigma: float) -> None:
    weights = draws.gaussian_weights(sigma)
    radius = len(weights) // 2
    assert radius == -int(-3 * sigma // 1)
    assert weights.dtype == np.uint16
    assert int(weights.sum()) == 4096
    np.testing.assert_array_equal(weights, weights[::-1])
    exact = np.exp(-np.square(np.arange(-radius, radius + 1.0)) / (2 * sigma**2))
    away_from_centre = np.delete(np.arange(2 * radius + 1), radius)
    np.testing.assert_allclose(weights[away_from_centre], (4096 * exact / exact.sum())[away_from_centre], atol=0.51)


@pytest.mark.parametrize("sigma", [0, 0.09, 20.1, float("nan")])
def test_bad_sigma(sigma: float) -> None:
    with pytest.raises(ValueError, match=r"^sigma: expected a number from 0.1 to 20, got "):
        draws.gaussian_weights(sigma)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((2**64, 0), (0, 0, 0, 0), 1), ValueError, "key[0]: expected an integer from 0 to 18446744073709551615, got"),
        (((0, 0, 0), (0, 0, 0, 0), 1), ValueError, "key: expected 2 integers, got 3"),
        (
            ((0, 0), (0, 0, 0, -1), 1),
            ValueError,
            "counter[3]: expected an integer from 0 to 18446744073709551615, got -1",
        ),
        ((5, (0, 0, 0, 0), 1), TypeError, "key: expected a sequence, got int"),
        (((0, 0), (0, 0, 0, 0), -1), ValueError, "n: expected an integer from 0 to 4294967295, got -1"),
        (((0, 0), (0, 0, 0, 0), 2**63), ValueError, "n: expected an integer from 0 to 4294967295, got"),
        (((0, 0), (0, 0, 0, 0), True), TypeError, "n: expected an integer, got True"),
    ],
)
def test_bad_words(kernels: ModuleType, arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        kernels.philox_words(*arguments)
    assert str(caught.value).startswith(message)

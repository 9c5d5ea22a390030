"""Memory that results lie in: never used again while anything sees it, never more than the bound."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import random
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from copypaste_rs import _result_memory
from copypaste_rs._core import ResultMemory
from tests.fixtures.processes import python, wait_until

KIBI = 1 << 10


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> ResultMemory:
    """Memory of a mebibyte, in which results of any size lie."""
    fresh = ResultMemory(1 << 20, 60.0)
    monkeypatch.setattr(_result_memory, "memory", lambda: fresh)
    monkeypatch.setattr(_result_memory, "LEAST", 1)
    return fresh


def address(array: np.ndarray[Any, Any]) -> int:
    found: int = array.ctypes.data
    return found


class Interface:
    """What only tells where its memory is."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array
        self.__array_interface__ = array.__array_interface__


def of_torch(array: np.ndarray[Any, Any]) -> Any:
    return pytest.importorskip("torch").from_numpy(array)[1:].view(-1)


def circle(array: np.ndarray[Any, Any]) -> list[Any]:
    found: list[Any] = [array]
    found.append(found)
    return found


HOLDERS: dict[str, Callable[[np.ndarray[Any, Any]], Any]] = {
    "the array": lambda array: array,
    "a slice": lambda array: array[3:5],
    "a slice of a slice": lambda array: array[::-1][3:5, ::2],
    "one pixel": lambda array: array[-1, -1:],
    "a transposed view": lambda array: array.T,
    "another shape": lambda array: array.reshape(-1),
    "another dtype": lambda array: array.view(np.float32),
    "another class": lambda array: array.view(np.recarray),
    "a field": lambda array: array.view([("a", "u1"), ("b", "u1")])["b"],
    "a masked array": np.ma.masked_array,
    "an iterator": lambda array: array.flat,
    "several arrays at once": lambda array: np.broadcast(array, array),
    "broadcast": lambda array: np.broadcast_to(array, (2, *array.shape)),
    "strides": lambda array: np.lib.stride_tricks.sliding_window_view(array, (2, 2)),
    "a memoryview": memoryview,
    "a slice of a memoryview": lambda array: memoryview(array)[5:],
    "an array of a memoryview": lambda array: np.asarray(memoryview(array)),
    "an array of a buffer": lambda array: np.frombuffer(array, np.uint16),
    "an array interface": lambda array: np.asarray(Interface(array)),
    "DLPack": lambda array: array.__dlpack__(),
    "an array of DLPack": np.from_dlpack,
    "a buffer to pickle": pickle.PickleBuffer,
    "an array of C": (ctypes.c_uint8 * 9).from_buffer,
    "an address with its array": lambda array: array.ctypes,
    "its base": lambda array: array.base,
    "a closure": lambda array: lambda: array,
    "a circle": circle,
    "a tensor": of_torch,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_memory_that_anything_sees_is_not_used_again(memory: ResultMemory, holder: str) -> None:
    array = _result_memory.empty((20, 40))
    array[:] = 7
    before = address(array)
    held = HOLDERS[holder](array)
    del array
    others = [_result_memory.empty((20, 40)) for _ in range(5)]
    for other in others:
        other[:] = 1
    assert before not in {address(other) for other in others}
    assert memory.kept[0] == 6
    seen: Any = (ctypes.c_uint8 * 800).from_address(before)
    assert bytes(seen) == b"\7" * 800
    del held, others, other
    gc.collect()  # of circles
    assert before in {address(each) for each in [_result_memory.empty((20, 40)) for _ in range(6)]}
    assert memory.kept[0] == 6


def test_a_weak_reference_to_a_base_gives_nothing_of_the_next_result(memory: ResultMemory) -> None:
    """Nothing counts a weak reference, which yet can be made a full one."""
    array = _result_memory.empty((20, 40))
    before = address(array)
    seen = []
    base = array.base
    while base is not None:
        seen.append(weakref.ref(base))
        base = getattr(base, "base", None)
    assert seen
    del array
    array = _result_memory.empty((20, 40))
    assert address(array) == before
    assert [alive() for alive in seen] == [None] * len(seen)


def test_a_base_made_read_only_does_not_change_the_next_result(memory: ResultMemory) -> None:
    """As those do who want nobody to write to an array by another name."""
    array = _result_memory.empty((20, 40))
    before = address(array)
    base: Any = array
    while isinstance(base, np.ndarray):
        base.flags.writeable = False
        base = base.base
    del array, base
    array = _result_memory.empty((20, 40))
    assert address(array) == before
    array[:] = 1
    assert memory.kept[0] == 1


def test_what_is_let_go_is_used_again(memory: ResultMemory) -> None:
    found = {address(_result_memory.empty((100, 30, 3), np.dtype(np.float32))) for _ in range(20)}
    assert len(found) == 1
    assert memory.kept == (1, 36_000 + 63)


@pytest.mark.parametrize("dtype", [*map(np.dtype, ["uint8", "float16", "float32", "int64", "bool"])], ids=str)
@pytest.mark.parametrize("shape", [(7, 5), (3, 11, 4), (1,), (), (0, 4)])
def test_arrays_are_as_those_of_numpy(memory: ResultMemory, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    array, expected = _result_memory.empty(shape, dtype), np.empty(shape, dtype)
    assert (array.shape, array.dtype, array.strides) == (expected.shape, expected.dtype, expected.strides)
    flags, wanted = str(array.flags).splitlines(), str(expected.flags).splitlines()
    assert [each for each in flags if "OWNDATA" not in each] == [each for each in wanted if "OWNDATA" not in each]
    assert array.size == 0 or address(array) % 64 == 0
    array[...] = 1
    assert pickle.loads(pickle.dumps(array)).tobytes() == array.tobytes()
    assert len(pickle.dumps(array)) == len(pickle.dumps(np.ones(shape, dtype)))
    assert memory.kept[0] == (array.size > 0)


@pytest.mark.parametrize("shape", [(-1, 3), (1 << 62, 8), (1 << 33, 1 << 33)])
def test_impossible_shapes_are_errors_of_numpy(shape: tuple[int, int]) -> None:
    with pytest.raises((ValueError, MemoryError)) as expected:
        np.empty(shape, np.uint8)
    with pytest.raises(expected.type) as caught:
        _result_memory.empty(shape)
    assert str(caught.value) == str(expected.value)


def test_small_results_lie_elsewhere() -> None:
    assert _result_memory.empty((_result_memory.LEAST - 1,)).base is None
    assert _result_memory.empty((_result_memory.LEAST,)).base is not None


def test_a_piece_is_lent_for_what_is_at_least_half_as_large() -> None:
    memory = ResultMemory(1 << 20, 60.0)
    memory.lend(1000)
    assert memory.kept == (1, 1063)
    for size, pieces in ((1000, 1), (500, 1), (499, 2), (1001, 3), (700, 3), (400, 3), (2002, 4)):
        memory.lend(size)
        assert memory.kept[0] == pieces, size


def test_the_smallest_piece_that_will_do_is_lent() -> None:
    memory = ResultMemory(1 << 20, 60.0)
    together = [memory.lend(size) for size in (1500, 1000, 1200)]
    sizes = {id(lent[0]): len(lent[0]) - 63 for lent in together if lent is not None}
    owners = [lent[0] for lent in together if lent is not None]  # held by the test alone from here on
    del together
    ids = [id(owner) for owner in owners]
    del owners
    for size, expected in ((900, 1000), (1001, 1200), (1300, 1500), (1500, 1500)):
        lent = memory.lend(size)
        assert lent is not None
        assert id(lent[0]) in ids
        assert sizes[id(lent[0])] == expected
        del lent


def test_never_more_than_the_bound() -> None:
    memory = ResultMemory(10_000, 60.0)
    held = [memory.lend(3000 - 63) for _ in range(5)]
    assert [each is None for each in held] == [False] * 3 + [True] * 2
    assert memory.kept == (3, 9000)
    assert memory.lend(10_000 - 62) is None
    assert memory.kept == (3, 9000)
    held[1] = None
    assert memory.lend(4001 - 63) is None  # with what is in use it is too much
    assert memory.kept == (2, 6000)
    assert memory.lend(4000 - 63) is not None
    assert memory.kept == (3, 10_000)
    held.clear()
    assert memory.lend(10_000 - 63) is not None
    assert memory.kept == (1, 10_000)


def test_nothing_is_lent_where_nothing_may_be_kept() -> None:
    memory = ResultMemory(0, 60.0)
    assert memory.lend(1) is None
    assert memory.lend(0) is None
    assert memory.kept == (0, 0)


def test_what_was_not_used_for_the_longest_time_makes_room() -> None:
    memory = ResultMemory(10_000, 60.0)
    for size in (1000, 2001, 4003):
        memory.lend(size)
    memory.lend(900)  # the first one, which now is the youngest
    memory.lend(4500)
    assert memory.kept == (3, 1063 + 4066 + 4563)
    for size in (1000, 4003):
        memory.lend(size)
    assert memory.kept == (3, 1063 + 4066 + 4563)


def test_only_so_many_pieces_are_kept() -> None:
    memory = ResultMemory(1 << 30, 60.0)
    held = [memory.lend(100) for _ in range(300)]
    assert sum(each is not None for each in held) == memory.kept[0] == 256
    held.clear()
    memory.lend(50_000)
    assert memory.kept[0] == 256


def test_what_was_not_lent_for_long_is_let_go() -> None:
    memory = ResultMemory(1 << 20, 0.5)
    held = memory.lend(1000)
    memory.lend(3000)
    # Also what is in use goes: it does not come back soon.
    assert wait_until(lambda: memory.lend(9000) is not None and memory.kept == (1, 9063))
    assert held is not None
    gone = weakref.ref(held[0])
    del held
    assert gone() is None


def test_a_bad_time_is_an_error() -> None:
    for idle in (-1.0, float("nan")):
        with pytest.raises(ValueError):
            ResultMemory(1 << 20, idle)


def test_letting_go_may_run_code_that_asks_for_memory(memory: ResultMemory) -> None:
    """Weak references to the owner of a piece call back from within."""
    asked = []
    lent = memory.lend(600 * KIBI)
    assert lent is not None
    alive = weakref.ref(lent[0], lambda _: asked.append(_result_memory.empty((900,))))
    del lent
    _result_memory.empty((700 * KIBI,))[:] = 1
    assert alive() is None
    assert len(asked) == 1
    asked[0][:] = 1
    assert memory.kept[1] <= 1 << 20


class Held:
    """What a test holds of an array: something that sees it, and what the array holds."""

    def __init__(self, rng: random.Random, number: int) -> None:
        h, w = rng.randint(1, 60), rng.randint(1, 60)
        array = _result_memory.empty((h, w, 4))
        self.expected = np.random.default_rng(number).integers(0, 256, array.shape, np.uint8)
        array[:] = self.expected
        kind = rng.randrange(5)
        if kind == 1:
            array, self.expected = array[h // 2 :, ::-1], self.expected[h // 2 :, ::-1]
        elif kind == 2:
            array, self.expected = array.view(np.float32), self.expected.view(np.float32)
        self.sees: Any = memoryview(array) if kind == 3 else np.from_dlpack(array) if kind == 4 else array

    def check(self) -> None:
        assert np.asarray(self.sees).tobytes() == self.expected.tobytes()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_held_stays_as_it_was(memory: ResultMemory, seed: int) -> None:
    """Hundreds of arrays, held and let go in any order."""
    rng, held = random.Random(seed), list[Held]()
    for number in range(400):
        held.append(Held(rng, number))
        rng.shuffle(held)
        for one in held[:3]:
            one.check()
        del held[rng.choice((5, 20, 80)) :]
        assert memory.kept[1] <= 1 << 20
    for one in held:
        one.check()


def test_threads_do_not_share_what_they_hold(memory: ResultMemory) -> None:
    wrong: list[int] = []

    def often(number: int) -> None:
        rng, held = random.Random(number), list[Held]()
        for turn in range(150):
            held.append(Held(rng, 1000 * number + turn))
            try:
                for one in held[-4:]:
                    one.check()
            except AssertionError:
                wrong.append(number)
            del held[: rng.randrange(3)]

    threads = [threading.Thread(target=often, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert memory.kept[1] <= 1 << 20


FORKED = """
import os
import numpy as np
from copypaste_rs import _result_memory
from copypaste_rs._result_memory import empty, memory
held, free = empty((300, 400)), empty((300, 400))
held[:] = 3
before = free.ctypes.data
del free
assert memory().kept[0] == 2
child = os.fork()
if not child:
    own = empty((300, 400))
    assert memory().kept[0] == 1, memory().kept  # none of its parent's
    own[:] = 5
    assert (held == 3).all()
    again = empty((300, 400))
    assert not np.may_share_memory(again, own)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert empty((300, 400)).ctypes.data == before
assert (held == 3).all()
assert memory().kept[0] == 2
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_process_starts_with_none() -> None:
    python(FORKED)


ALONE = """
import sys; sys.modules["copypaste_rs._core"] = None
import numpy as np
from copypaste_rs import Placement, reference
still = Placement((300, 400), (300, 400), (0, 0), (300, 400))
assert reference.place_image(np.full((300, 400, 3), 7, np.uint8), still).min() == 7
"""


def test_the_reference_does_without() -> None:
    """Its large results too."""
    python(ALONE)


SAID = """
import numpy as np
from copypaste_rs import RleMasks
dense = RleMasks.from_dense(np.ones((1, 600, 700), np.uint8)).to_dense()
print(dense.base is None)
"""


@pytest.mark.parametrize(
    ("said", "owned"), [("0", True), ("00", True), ("420062", True), ("420063", False), ("", False), ("9" * 30, False)]
)
def test_the_environment_bounds_it(said: str, owned: bool) -> None:
    assert python(SAID, environment={"COPYPASTE_RS_POOL": said}).stdout.split() == [str(owned)]


@pytest.mark.parametrize("said", ["many", "-1", "+5", "1.5", "256M", "²"])
def test_a_bad_bound_is_named(said: str) -> None:
    done = python("import copypaste_rs.functional", environment={"COPYPASTE_RS_POOL": said}, check=False)
    assert done.returncode == 1
    expected = f"ValueError: COPYPASTE_RS_POOL: expected a number of bytes, 0 or more, got {said!r}"
    assert done.stderr.splitlines()[-1] == expected

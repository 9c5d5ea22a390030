"""Work in several processes: results in order, whatever is grouped, and the error of the first item that fails."""

from __future__ import annotations

import pytest

from copypaste_rs.cli import parallel
from copypaste_rs.cli.parallel import ordered


def double(number: int) -> int:
    return 2 * number


def fails_at_40(number: int) -> int:
    if number >= 40:
        raise ValueError(f"{number}: fails")
    return number


@pytest.mark.parametrize("numbers", [range(7, 307), range(3), range(0), [5, 1, 5, 9, 2, 2] * 20])
def test_results_are_in_order(numbers: range | list[int]) -> None:
    assert list(ordered(double, numbers, 2)) == [2 * number for number in numbers]


def test_what_was_made_before_an_error_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are grouped by then: so many small ones take no time."""
    results = ordered(fails_at_40, range(1000), 2)
    assert [next(results) for _ in range(40)] == list(range(40))
    with pytest.raises(ValueError, match="40: fails"):
        next(results)
    assert list(results) == []


def test_groups_grow_with_small_work_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    submit = parallel._Groups.submit

    def noted(self: parallel._Groups) -> None:
        sizes.append(self._size)
        submit(self)

    monkeypatch.setattr(parallel._Groups, "submit", noted)
    assert len(list(ordered(double, range(2000), 2))) == 2000
    assert sizes[0] == 1
    assert max(sizes) == parallel.MOST_IN_GROUP
    sizes.clear()
    monkeypatch.setattr(parallel, "GROUP_SECONDS", 0.0)
    assert len(list(ordered(double, range(50), 2))) == 50
    assert set(sizes) == {1}


def test_a_process_that_dies_is_named() -> None:
    with pytest.raises(OSError, match="a worker process died, perhaps for lack of memory; try fewer workers"):
        list(ordered(dies, range(20), 2))


def dies(number: int) -> int:
    import os

    if number == 9:
        os._exit(3)
    return number

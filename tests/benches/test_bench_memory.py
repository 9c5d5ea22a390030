"""What the benchmark of memory measures."""

from __future__ import annotations

import numpy as np
import pytest
from benches import memory, tables

from copypaste_rs import RleMasks


def test_all_ways_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "TURNS", 2)
    monkeypatch.setattr(memory, "CANVAS", 256)
    monkeypatch.setattr(memory, "MASKS", 3)
    found = memory.measure(draws=2)
    assert {*found["tasks"]} == {*memory.MOST_OF_GIVEN}
    for task in found["tasks"].values():
        assert [*task] == [*memory.BETWEEN]
        for each in task.values():
            assert each["of_given"][memory.GIVEN] == 1
            assert all(value["median"] > 0 for value in each["milliseconds"].values())
    table = tables.memory_table(found)
    assert table.count("\n| transform |") == table.count("\n| dense masks |") == 2


def test_promises() -> None:
    figures = {
        "tasks": {name: {memory.BETWEEN[1]: {"of_given": {memory.AGAIN: 1.25}}} for name in memory.MOST_OF_GIVEN}
    }
    assert memory.missed(figures) == ["transform in memory that was used before: 1.25 times as long as given, not 1.2"]


def test_memory_of_its_own() -> None:
    masks = RleMasks.from_dense(np.ones((1, 300, 301), np.uint8))
    assert masks.to_dense().base is not None
    with memory.own_memory():
        assert masks.to_dense().base is None
    assert masks.to_dense().base is not None

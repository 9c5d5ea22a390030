"""What the benchmark of items measures."""

import pytest
from benches import items, tables
from benches.measure import machine


def test_parts_of_an_item() -> None:
    found = items.measure(images=3, items=2)
    assert [*found] == [*items.PARTS, "median", "machine"]
    assert all(found[name] > 0 for name in items.PARTS if name != "rest")
    assert found["item"] > found["decodes"] > 0


def test_what_is_promised() -> None:
    figures = {
        "item": 9.0,
        "whole": 9.5,
        "decodes": 5.0,
        "transform": 3.9,
        "rest": 0.1,
        "median": 0.2,
        "machine": machine(["numpy"]),
    }
    assert not items.missed(figures)
    assert items.missed(figures | {"rest": 0.3}) == ["an item: 0.30 ms beyond its decodes and the transform, not 0.25"]
    assert items.missed(figures | {"median": 0.3})
    assert "| 9.00 |" in tables.items_table(figures)


def test_results_are_compared_first(monkeypatch: pytest.MonkeyPatch) -> None:
    decode = items._decode
    monkeypatch.setattr(items, "_decode", lambda content: decode(content)[::-1])
    with pytest.raises(AssertionError):
        items.measure(images=3, items=1)

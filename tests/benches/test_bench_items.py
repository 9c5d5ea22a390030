"""What the benchmark of items measures."""

import pytest
from benches import items


def test_parts_of_an_item() -> None:
    found = items.measure(images=3, items=2)
    assert [*found] == [*items.PARTS]
    assert all(value > 0 for name, value in found.items() if name != "rest")
    assert found["item"] > found["decodes"] > 0


def test_results_are_compared_first(monkeypatch: pytest.MonkeyPatch) -> None:
    decode = items._decode
    monkeypatch.setattr(items, "_decode", lambda content: decode(content)[::-1])
    with pytest.raises(AssertionError):
        items.measure(images=3, items=1)

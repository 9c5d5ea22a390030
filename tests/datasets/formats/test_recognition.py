"""What each writer writes is recognised as its own format, and read by no other."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from copypaste_rs.datasets import open_dataset
from copypaste_rs.datasets.formats import all_formats
from copypaste_rs.datasets.formats.kind import Clue
from copypaste_rs.datasets.opening import find_format
from tests.fixtures.masks_of_all_kinds import photo

CATEGORIES: list[dict[str, Any]] = [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 2, "name": "owl"}]
MASKS = np.zeros((2, 12, 15), np.uint8)
MASKS[0, 2:5, 3:9] = MASKS[1, 6:11, 4:12] = 1

SELF_CONTAINED = [each for each in all_formats() if each.writer is not None and each.name != "coco-results"]
"""Formats that are written with their images."""


def written(folder: Path, writer: Any) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with writer(folder, [{**each, "id": each["id"] + 1} for each in CATEGORIES]) as opened:
            opened.write(photo(MASKS, labels=[1, 3]))
    return folder


@pytest.mark.parametrize("given", SELF_CONTAINED, ids=lambda given: given.name)
def test_each_is_recognised_as_itself(tmp_path: Path, given: Any) -> None:
    folder = written(tmp_path / "set", given.writer)
    assert find_format(folder).name == given.name
    fitting = [each.name for each in all_formats() if each.recognises(Clue.of(folder))]
    assert fitting == [given.name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = open_dataset(folder)
    np.testing.assert_array_equal(found.instances(0).masks.to_dense(), MASKS)  # type: ignore[union-attr]
    assert found[0].size == (12, 15)

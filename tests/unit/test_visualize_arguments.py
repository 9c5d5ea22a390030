"""Overlays and sheets with wrong arguments: each is named; columns of another origin are no trouble."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, RleMasks, Sample, SimpleCopyPaste
from copypaste_rs.visualize import LOOKS, contact_sheet, overlay
from tests.fixtures.argument_errors import raised

SQUARES = [[[4.0, 6.0, 24.0, 6.0, 24.0, 30.0, 4.0, 30.0]], [[30.0, 6.0, 50.0, 6.0, 50.0, 30.0, 30.0, 30.0]]]


def sample(**fields: Any) -> Sample:
    masks = RleMasks.from_polygons(SQUARES, (40, 60))
    return Sample(np.zeros((40, 60, 3), np.uint8), Instances(masks=masks, **fields))


PLAIN = sample(labels=[1, 2])
NOTHING = Sample(np.zeros((40, 60, 3), np.uint8), Instances())
RESULT = SimpleCopyPaste(size=(40, 60), target_scale=(1, 1), source_scale=(1, 1))(PLAIN, PLAIN, 0)

OVERLAYS: list[tuple[dict[str, Any], str]] = [
    ({"sample": PLAIN.image}, r"TypeError: sample: expected a Sample, got ndarray"),
    ({"sample": None}, r"TypeError: sample: expected a Sample, got NoneType"),
    ({"side": -5}, r"ValueError: side: expected an integer from 1 to 65535, got -5"),
    ({"side": 0}, r"ValueError: side: expected an integer from 1 to 65535, got 0"),
    ({"side": 10**40}, r"ValueError: side: expected an integer from 1 to 65535, got 1000"),
    ({"side": 12.5}, r"TypeError: side: expected an integer, got 12\.5"),
    ({"side": True}, r"TypeError: side: expected an integer, got True"),
    ({"categories": 3}, r"TypeError: categories: expected a sequence, got int"),
    ({"categories": None}, r"TypeError: categories: expected a sequence, got NoneType"),
    ({"categories": ["cat"]}, r"TypeError: categories\[0\]: expected a dict, got str"),
    ({"categories": {1: "cat"}}, r"TypeError: categories\[0\]: expected a dict, got int"),
    ({"categories": [{"id": 1}, {"id": [2]}]}, r"TypeError: categories\[1\]: expected a number or a string as id, got"),
    ({"looks": "kept"}, r"TypeError: looks: expected a sequence, got str"),
    ({"looks": ["kept"]}, r"ValueError: looks: expected 2 of them, one for each instance, got 1"),
    ({"looks": ["kept"] * 3}, r"ValueError: looks: expected 2 of them, one for each instance, got 3"),
    ({"looks": ["kept", "good"]}, r"ValueError: looks\[1\]: expected one of 'kept', .*, got 'good'"),
    ({"looks": ["kept", 1]}, r"TypeError: looks\[1\]: expected one of 'kept', .*, got 1"),
    ({"sample": NOTHING, "looks": ["kept"]}, r"ValueError: looks: expected 0 of them, one for each instance, got 1"),
]

SHEETS: list[tuple[dict[str, Any], str]] = [
    ({"rows": 3}, r"TypeError: rows: expected \(target, sources, result\) for each line, got int"),
    ({"rows": "abc"}, r"TypeError: rows: expected \(target, sources, result\) for each line, got str"),
    ({"rows": np.zeros(())}, r"TypeError: rows: expected \(target, sources, result\) for each line, got ndarray"),
    ({"rows": [3]}, r"TypeError: rows\[0\]: expected a sequence, got int"),
    ({"rows": [RESULT]}, r"TypeError: rows\[0\]: expected a sequence, got Sample"),
    ({"rows": [(PLAIN, RESULT)]}, r"ValueError: rows\[0\]: expected \(target, sources, result\), got 2 values"),
    ({"rows": [(PLAIN, PLAIN, RESULT)]}, r"TypeError: rows\[0\]\[1\]: expected a sequence, got Sample"),
    ({"rows": [(PLAIN, [PLAIN, 3], RESULT)]}, r"TypeError: rows\[0\]\[1\]\[1\]: expected a Sample, got int"),
    ({"rows": [(None, [PLAIN], RESULT)]}, r"TypeError: rows\[0\]\[0\]: expected a Sample, got NoneType"),
    ({"rows": [(PLAIN, [PLAIN], None)]}, r"TypeError: rows\[0\]\[2\]: expected a Sample, got NoneType"),
    (
        {"rows": [(PLAIN, [PLAIN], PLAIN)]},
        r"ValueError: rows\[0\]\[2\]: expected a result of SimpleCopyPaste, got one without a column 'source'",
    ),
    (
        {"rows": [(PLAIN, [PLAIN], sample(source=[0, 1], visibility=[1, 1]))]},
        r"ValueError: rows\[0\]\[2\]: expected a result of SimpleCopyPaste, got one without a column 'source_row'",
    ),
    (
        {"rows": [(PLAIN, [PLAIN], sample(source=["a", "b"], source_row=[0, 1], visibility=[1, 1]))]},
        r"TypeError: rows\[0\]\[2\]: expected numbers in column 'source', .*, got shape \(2,\) and dtype <U1",
    ),
    (
        {"rows": [(PLAIN, [PLAIN], sample(source=[0, 0], source_row=[0.5, np.nan], visibility=[1, 1]))]},
        r"TypeError: rows\[0\]\[2\]: expected numbers in column 'source_row', .*, got shape \(2,\) and dtype float64",
    ),
    ({"side": -5}, r"ValueError: side: expected an integer from 1 to 65535, got -5"),
    ({"side": "420"}, r"TypeError: side: expected an integer, got '420'"),
    ({"categories": [None]}, r"TypeError: categories\[0\]: expected a dict, got NoneType"),
    ({"rows": []}, r"ValueError: rows: expected at least one line to draw, got none"),
]


@pytest.mark.parametrize(("changes", "message"), OVERLAYS, ids=lambda value: str(value)[:50])
def test_an_argument_of_overlay_is_named(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"sample": PLAIN, **changes}
    with raised(message, overlay):
        overlay(arguments.pop("sample"), **arguments)


@pytest.mark.parametrize(("changes", "message"), SHEETS, ids=lambda value: str(value)[:50])
def test_an_argument_of_contact_sheet_is_named(changes: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"rows": [(PLAIN, [PLAIN], RESULT)], "side": 64, **changes}
    with raised(message, contact_sheet):
        contact_sheet(arguments.pop("rows"), **arguments)


COLUMNS: list[dict[str, Any]] = [
    {"source": ["flickr", "web"], "visibility": ["full", "none"]},
    {"source": [[0, 1], [1, 0]], "visibility": np.zeros((2, 3))},
    {"source": [np.nan, np.nan], "visibility": [np.nan, np.inf]},
    {"source": np.array(["2026", "2027"], "M8[Y]"), "visibility": np.array([1, 2], "m8[s]")},
    {"source": np.array([None, 3]), "visibility": np.array([None, 3])},
]


@pytest.mark.parametrize("columns", COLUMNS, ids=lambda value: str(value)[:50])
def test_columns_of_another_origin_say_nothing(columns: dict[str, Any]) -> None:
    """They are drawn as if they were not there: a COCO file may have fields of any name and kind."""
    for side in (None, 240):
        expected = np.asarray(overlay(PLAIN, side=side))
        np.testing.assert_array_equal(np.asarray(overlay(sample(labels=[1, 2], **columns), side=side)), expected)
    sheet = contact_sheet([(sample(labels=[1, 2], **columns), [sample(labels=[1, 2], **columns)], RESULT)], side=64)
    assert sheet.width == 10 + 4 * 74


def test_visibility_beyond_its_range_is_drawn_as_its_end() -> None:
    for beyond, end in ((-3.0, 0.0), (-np.inf, 0.0), (7.0, 1.0), (0.999, 0.99)):
        pictures = [overlay(sample(labels=[1, 2], visibility=[v, v]), side=240) for v in (beyond, end)]
        assert pictures[0] == pictures[1]


@pytest.mark.parametrize(
    "labels",
    [[[1, 2], [3, 4]], np.array([[], []]), np.array([[1], {}], object), ["\ud800", "x" * 2_000_000], ["a\nb", ""]],
    ids=["pairs", "empty", "objects", "odd text", "lines"],
)
def test_labels_of_any_kind_are_drawn(labels: Any) -> None:
    assert overlay(sample(labels=labels), side=240).size == (240, 160)


def test_categories_may_come_from_numpy() -> None:
    named = overlay(PLAIN, categories=[{"id": np.int64(1), "name": "cat"}, {"name": "none"}], side=240)
    assert named == overlay(PLAIN, categories=({"id": 1, "name": "cat"},), side=240)
    assert named != overlay(PLAIN, side=240)
    assert set(LOOKS) == {"kept", "cut", "gone", "pasted", "left", "crowd"}

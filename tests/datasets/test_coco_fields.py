"""Fields of annotations as columns: what CocoDataset takes over, leaves out and names."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.cli.commands import run
from copypaste_rs.datasets import CocoDataset, CocoWriter, open_dataset
from tests.fixtures.coco_files import annotation, box_polygon, write

FIELDS = [
    # values of a field in four annotations (... is absent), dtype, values of the column
    ([1, 2, 3, 4], "int64", [1, 2, 3, 4]),
    ([1, 2, 3, ...], "float64", [1, 2, 3, np.nan]),
    ([1, 2.5, None, 4], "float64", [1, 2.5, np.nan, 4]),
    ([2**80, 1, 1, 1], "float64", [2.0**80, 1, 1, 1]),
    ([True, False, True, True], "bool", [True, False, True, True]),
    ([True, ..., ..., False], "bool", [True, False, False, False]),
    ([True, 3, 2, 1], "int64", [1, 3, 2, 1]),
    (["a", "bcd", "", "a"], "<U3", ["a", "bcd", "", "a"]),
    ([..., ..., "ab", ...], "<U2", ["", "", "ab", ""]),
    (["a", 3, True, 0.5], "<U4", ["a", "3", "true", "0.5"]),
]


@pytest.mark.parametrize(("values", "dtype", "column"), FIELDS)
def test_further_fields_become_columns_of_one_dtype(
    tmp_path: Path, values: list[Any], dtype: str, column: list[Any]
) -> None:
    annotations = [
        annotation(i, [box_polygon(2, 2, 9, 9)], 10 + i % 2, **({} if value is ... else {"field": value}))
        for i, value in enumerate(values)
    ]
    dataset = CocoDataset(*write(tmp_path, annotations, [(20, 30), (30, 20)]))
    found: list[NDArray[Any]] = [dataset.instances(i).field for i in (0, 1)]
    assert [part.dtype for part in found] == [np.dtype(dtype)] * 2
    np.testing.assert_array_equal(np.concatenate(found), np.array([*column[::2], *column[1::2]], dtype))


def test_a_field_that_is_no_scalar_everywhere_is_left_out(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    annotations = [
        annotation(1, square, attributes={"a": 1}, mixed=1, nothing=None, area="?", bbox=["1", "2", "3", "4"]),
        annotation(2, square, num_keypoints=1, mixed=[2], **{"with space": 3}),
    ]
    files = write(tmp_path, annotations)
    with pytest.warns(UserWarning, match="left out") as caught:
        columns = CocoDataset(*files).instances(0).columns
    assert [str(w.message) for w in caught] == [
        f"{files.annotations}: left out the field 'attributes' of 1 annotation, which is a list or an object, "
        "the field 'mixed' of 2 annotations, which is a list or an object, "
        "the field 'num_keypoints' of 1 annotation, without keypoints"
    ]
    assert list(columns) == ["masks", "labels", "boxes", "iscrowd", "id", "with space"]


@pytest.mark.parametrize("values", [[2**53 + 1, ...], [2**53 + 1, 0.5], [10**400, 1]])
def test_a_field_whose_integers_float64_cannot_hold_is_left_out(tmp_path: Path, values: list[Any]) -> None:
    annotations = [
        annotation(i, [box_polygon(2, 2, 9, 9)], **({} if value is ... else {"track": value}))
        for i, value in enumerate(values)
    ]
    have = len([value for value in values if value is not ...])
    told = rf"left out the field 'track' of {have} annotations?, whose integers float64 does not hold exactly$"
    with pytest.warns(UserWarning, match=told):
        photos = CocoDataset(*write(tmp_path, annotations))
    assert "track" not in photos.fields
    assert photos.instances(0).id.tolist() == list(range(len(values)))


def test_of_very_many_fields_the_rare_ones_are_left_out(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    n = 500
    annotations = [
        annotation(i, square, **{f"only {i}": i, "some": i} if i % 3 else {"every third": str(i), "list": [i]})
        for i in range(n)
    ]
    rare = n - len(range(0, n, 3))
    told = (
        rf"left out the field 'list' of 167 annotations, which is a list .*, {rare} fields \('only 1', ...\) that fewer"
    )
    with pytest.warns(UserWarning, match=told):
        photos = CocoDataset(*write(tmp_path, annotations))
    assert set(photos.fields) == {"some", "every third"}
    columns = photos.instances(0).columns
    assert columns["every third"].tolist() == [("" if i % 3 else str(i)) for i in range(n)]
    np.testing.assert_array_equal(columns["some"], [(i if i % 3 else np.nan) for i in range(n)])


def test_a_few_fields_are_kept_however_rare(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    photos = CocoDataset(
        *write(tmp_path, [annotation(i, square, **({"one": 7} if i == 99 else {})) for i in range(100)])
    )
    assert photos.instances(0).columns["one"][99] == 7


def test_which_fields_are_integers_in_the_file(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    annotations = [
        annotation(1, square, all=1, some=2, real=1.0, text="a", big=2**53 + 1),
        annotation(2, square, all=3, real=2, text="b", big=1),
    ]
    dataset = CocoDataset(*write(tmp_path, annotations))
    assert dataset.integers == {"all", "some", "big"}
    assert {name: dtype.str for name, dtype in dataset.fields.items()} == {
        "all": "<i8", "some": "<f8", "real": "<f8", "text": "<U1", "big": "<i8"
    }  # fmt: skip


def test_fields_that_copy_paste_overwrites_are_named_unless_they_are_its_own(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    theirs = write(
        tmp_path / "a", [annotation(1, square, source="web", visibility=1), annotation(2, square, source="")]
    )
    with pytest.warns(UserWarning, match="overwritten") as caught:
        dataset = CocoDataset(*theirs)
    assert [str(w.message) for w in caught] == [
        f"{theirs.annotations}: the field 'source' of 2 annotations is overwritten by copy-paste; "
        "the field 'visibility' of 1 annotation is overwritten by copy-paste"
    ]
    source: NDArray[Any] = dataset.instances(0).source
    assert source.tolist() == ["web", ""]
    own = [annotation(1, square, source=-1, source_row=0, visibility=1.0, source_image_id=3)]
    CocoDataset(*write(tmp_path / "b", own))


def test_strange_categories_and_repeated_ids_are_counted(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    annotations = [annotation(7, square, category_id=category) for category in (1, 9, 2, 9, 5)]
    files = write(tmp_path, [*annotations, annotation(8, [])])
    with pytest.warns(UserWarning, match="left out") as caught:
        dataset = CocoDataset(*files)
    assert [str(w.message) for w in caught] == [
        f"{files.annotations}: left out 1 annotation that covers no pixel; "
        "3 annotations have a category that is not among the categories (5, 9); "
        "4 annotations have the id of another one"
    ]
    labels = dataset.instances(0).labels
    assert labels is not None
    assert labels.tolist() == [1, 9, 2, 9, 5]
    assert dataset.unknown_labels(dataset.categories) == [5, 9]


@pytest.mark.parametrize("ids", [[3, 2, 3, 3, -1, 2], [5, 2**62, -(2**62), 5, 2**62], [2**63 - 1, -(2**63)] * 2])
def test_repeated_ids_however_far_apart(tmp_path: Path, ids: list[int]) -> None:
    files = write(tmp_path, [annotation(number, [box_polygon(2, 2, 9, 9)]) for number in ids])
    with pytest.warns(UserWarning, match=f"{len(ids) - len(set(ids))} annotations have the id of another one"):
        CocoDataset(*files)


def test_malformed_counts_name_their_annotation(tmp_path: Path) -> None:
    good = {"size": [40, 60], "counts": coco_mask.encode(np.ones((40, 60), np.uint8, "F"))["counts"].decode()}
    annotations = [annotation(1, [box_polygon(2, 2, 9, 9)], 77), annotation(2, good), annotation(3, [])]
    files = write(tmp_path, [*annotations, annotation(4, {"size": [40, 60], "counts": "P"}), annotation(5, good)])
    with pytest.raises(
        ValueError, match=r"annotations\.json: annotations\[3\]: segmentation: counts: expected whole counts, got a"
    ):
        CocoDataset(*files)


def test_a_field_with_a_taken_name_is_named_in_the_warning(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)], labels=3, concat=1)])
    with pytest.warns(UserWarning, match="'labels', whose name has a meaning of its own here, the field 'concat'"):
        dataset = CocoDataset(*files)
    assert dataset.instances(0).labels == [1]


def test_info_has_the_scalars_of_the_image(tmp_path: Path) -> None:
    files = write(tmp_path, [])
    image = files.json["images"][0] | {"license": 3, "ok": True, "tags": ["a"], "none": None}
    info = CocoDataset(*files.edit(images=[image])).info(0)
    assert info == {"image_id": 10, "file_name": "0.jpg", "width": 60, "height": 40, "license": 3, "ok": True}


@pytest.mark.parametrize("values", [[True, ...], [1, ..., None], [False, 1]])
def test_pseudo_labels_are_flags(tmp_path: Path, values: list[Any]) -> None:
    annotations = [
        annotation(i, [box_polygon(2, 2, 9, 9)], **({} if value is ... else {"pseudo": value}))
        for i, value in enumerate(values)
    ]
    flags = CocoDataset(*write(tmp_path, annotations)).instances(0).pseudo
    assert flags.dtype == np.bool_
    assert flags.tolist() == [value in (True, 1) for value in values]


@pytest.mark.parametrize("value", [2, "yes", 0.5])
def test_what_is_no_flag_is_found_when_the_file_is_opened(tmp_path: Path, value: Any) -> None:
    files = write(tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)], pseudo=value)])
    with pytest.raises(ValueError, match=rf"json: annotations: field 'pseudo': expected true or false, got {value!r}$"):
        CocoDataset(*files)


def test_pseudo_labels_of_one_file_need_no_values_for_the_other(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    pseudo = write(tmp_path / "pseudo", [annotation(1, square, pseudo=True, score=0.5)])
    truth = write(tmp_path / "truth", [annotation(1, square)])
    arguments = ["augment", "--workers", "1", "--size", "64", "--target-scale", "1", "1", "--source-scale", "1", "1",
                 "--annotations", str(pseudo.annotations), "--images", str(pseudo.images), "--source-annotations",
                 str(truth.annotations), "--source-images", str(truth.images), "--output", str(tmp_path / "out")]  # fmt: skip
    assert run(arguments) == 0
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())["annotations"]
    assert {(each["source"], each["pseudo"], each["score"]) for each in written} <= {(-1, True, 0.5), (0, False, 1.0)}
    assert written


@pytest.mark.parametrize(
    "texts",
    [
        ["ok"] * 3000 + ["x" * 20_000],
        [f"note number {i}" for i in range(3000)] + ["\u00e4" * 2_000],
        [str(i) * 90 for i in range(300)],
    ],
)
def test_text_takes_room_in_proportion_to_the_file(tmp_path: Path, texts: list[str]) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    given: list[str | None] = [*texts, None]
    files = write(tmp_path, [annotation(i, square, note=text) for i, text in enumerate(given)])
    size = files.annotations.stat().st_size
    tracemalloc.start()
    photos = CocoDataset(*files)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * size + 2**20
    assert len(pickle.dumps(photos)) < 2 * size
    notes = photos.instances(0).note
    assert notes.tolist() == [*texts, ""]
    assert notes.dtype == photos.fields["note"]
    assert notes.dtype.kind == "O"


def test_long_texts_go_through_the_transform_and_back(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    long = write(tmp_path / "long", [annotation(1, square, note="y" * 500), annotation(2, square, note="short")])
    short = write(tmp_path / "short", [annotation(1, square, note="z")])
    transform = SimpleCopyPaste(
        size=64, target_scale=(1, 1), source_scale=(1, 1), select="all", scale_reference="input"
    )
    for target, source in ((long, short), (short, long), (long, long)):
        pair = CocoDataset(*target)[0], CocoDataset(*source)[0]
        results = [
            SimpleCopyPaste(**transform._arguments | {"backend": backend})(*pair, 3) for backend in ("rust", "numpy")
        ]
        assert results[0] == results[1]
        notes = {text for sample in pair for text in sample.instances.note}
        assert set(results[0].instances.note) <= notes
        with CocoWriter(tmp_path / f"out{len(list(tmp_path.iterdir()))}", CocoDataset(*long).categories) as writer:
            writer.write(results[0])
    again = CocoDataset(tmp_path / "out4" / "annotations.json", tmp_path / "out4" / "images")
    assert again.fields["note"].kind == "O"
    for name in ("a", "b"):  # on the command line text is text, however long
        inputs = ["--annotations", str(long.annotations), "--images", str(long.images), "--source-annotations",
                  str(short.annotations), "--source-images", str(short.images), "--workers", "1"]  # fmt: skip
        assert run(["augment", *inputs, "--size", "64", "--output", str(tmp_path / name)]) == 0


FURTHER: dict[str, Any] = {
    "score": 0.5,
    "note": "x" * 300,
    "list": [1],
    "keypoints": [1, 2, 2],
    "num_keypoints": 1,
    "area": 4,
}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (None, {"score", "note", "keypoints", "num_keypoints"}),
        ((), set()),
        (["score"], {"score"}),
        ({"keypoints", "area"}, {"keypoints", "num_keypoints"}),
        (("note", "score"), {"note", "score"}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*'list'")
def test_the_fields_that_are_read_can_be_chosen(tmp_path: Path, columns: Any, expected: set[str]) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    files = write(tmp_path, [annotation(1, square, **FURTHER), annotation(2, square, **FURTHER)])
    photos = CocoDataset(*files, columns=columns)
    assert set(photos.fields) == expected
    everything = CocoDataset(*files).instances(0).columns
    for name, column in photos.instances(0).columns.items():
        assert np.array_equal(column, everything[name]) if name != "masks" else column == everything[name]


def test_a_chosen_field_that_is_not_there_is_said(tmp_path: Path) -> None:
    files = write(tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)], score=1.0)])
    told = "no annotation has the fields that columns asks for: 'keypoints', 'scores'$"
    with pytest.warns(UserWarning, match=told):
        photos = CocoDataset(*files, columns=["score", "scores", "keypoints"])
    assert set(photos.fields) == {"score"}
    with pytest.raises(TypeError, match="columns: expected a collection of column names, got 'score'"):
        CocoDataset(*files, columns="score")


def test_very_many_fields_can_be_chosen_from(tmp_path: Path) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    rows = [annotation(i, square, **{f"only {i}": i, "some": i}) for i in range(300)]
    files = write(tmp_path, rows)
    assert set(CocoDataset(*files, columns=["only 7"]).fields) == {"only 7"}
    wanted = [f"only {i}" for i in range(100)] + ["some"]
    with pytest.warns(UserWarning, match="100 fields"):
        assert set(CocoDataset(*files, columns=wanted).fields) == {"some"}


def test_the_command_line_keeps_the_fields_that_are_named(tmp_path: Path) -> None:
    files = write(tmp_path / "in", [annotation(1, [box_polygon(2, 2, 9, 9)], score=1.0, other="x")])
    inputs = ["augment", "--annotations", str(files.annotations), "--images", str(files.images), "--size", "64"]
    assert run([*inputs, "--target-scale", "1", "1", "--output", str(tmp_path / "out"), "--column", "score"]) == 0
    written = json.loads((tmp_path / "out" / "annotations.json").read_text())["annotations"]
    assert all("score" in each and "other" not in each for each in written)
    assert written


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "\x01", "é", ""])
def test_a_field_of_any_name_is_read(tmp_path: Path, name: str) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    rows = [annotation(1, square, score=0.5), annotation(2, square, **{name: 3}), annotation(3, square, score=1.5)]
    columns = CocoDataset(*write(tmp_path, rows)).instances(0).columns
    np.testing.assert_array_equal(columns[name], [np.nan, 3, np.nan])
    np.testing.assert_array_equal(columns["score"], [0.5, np.nan, 1.5])


@pytest.mark.parametrize("name", ["plain", 'a"b'])
def test_a_number_out_of_range_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    files = write(tmp_path, [annotation(1, [box_polygon(2, 2, 9, 9)], **{name: 12345})])
    files.annotations.write_text(files.annotations.read_text().replace("12345", "1e999"))
    with pytest.raises(ValueError, match=r"annotations\.json: annotations\[0\]: Number out of range"):
        CocoDataset(*files)


def readers(folder: Path, annotations: list[dict[str, Any]]) -> list[Any]:
    """Openers of sets with these annotations: read by the extension, in Python, as LVIS and as LabelMe files."""
    plain = write(folder / "plain", annotations)
    odd = write(folder / "odd", [{**each, "iscrowd": 0.0} for each in annotations])
    command = ["convert", "--input", str(plain.annotations), "--images", str(plain.images), "--workers", "1"]
    places = [plain.annotations, odd.annotations]
    for name in ("lvis", "labelme"):
        places.append(folder / name)
        assert run([*command, "--output", str(places[-1]), "--output-format", name]) == 0
    return [partial(open_dataset, place) for place in places]


@pytest.mark.parametrize("columns", [(), ["note"], ["note", "pseudo"]])
def test_pseudo_labels_stay_marked_whatever_is_read(tmp_path: Path, columns: Any) -> None:
    square = [box_polygon(2, 2, 9, 9)]
    rows = [annotation(i, square, pseudo=i > 1, note=True, other=i) for i in (1, 2, 3)]
    for opened in readers(tmp_path, rows):
        photos = opened(columns=columns)
        assert set(photos.fields) == {"pseudo", *columns}
        assert photos.instances(0).pseudo.tolist() == [False, True, True]
        target = photos[0].replace(instances=photos[0].instances[:0])
        pasting = SimpleCopyPaste(size=64, select="all", source_scale=(1, 1))
        assert pasting(target, photos[0], 0).instances.source_row.tolist() == [0]


def test_true_labels_need_no_flag(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    rows = [annotation(i, [box_polygon(2, 2, 9, 9)], note="a") for i in (1, 2)]
    for opened in readers(tmp_path, rows):
        assert set(opened(columns=[]).fields) == set()
    assert not recwarn.list
    with pytest.warns(UserWarning, match="no annotation has the fields that columns asks for: 'pseudo'$"):
        readers(tmp_path / "again", rows)[0](columns=["pseudo"])

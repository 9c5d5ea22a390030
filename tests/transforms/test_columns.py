"""Columns of the result: carried row by row, of one dtype whatever is pasted, refused where they would be stale."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, Paste, Placement, Plan, RleMasks, Sample, functional
from copypaste_rs.errors import ArgumentError

SIZE = (4, 6)
STILL = Placement(SIZE, SIZE, (0, 0), SIZE)
IMAGE = np.zeros((*SIZE, 3), np.uint8)


def sample(count: int, /, at: int = 0, **columns: Any) -> Sample:
    """Instances of one pixel each, in row `at`."""
    dense = np.zeros((count, *SIZE), np.uint8)
    dense[np.arange(count), at, np.arange(count)] = 1
    return Sample(IMAGE, Instances(masks=RleMasks.from_dense(dense), **columns))


def run(kernels: ModuleType, target: Sample, *sources: Sample, rows: Any = ((0,),), **options: Any) -> Any:
    pastes = tuple(Paste(i, tuple(r), STILL) for i, r in enumerate(rows) if i < len(sources))
    return kernels.copy_paste(Plan(STILL, pastes), target, sources, **options).instances


def test_columns_follow_their_rows(kernels: ModuleType) -> None:
    target = sample(3, labels=[1, 2, 3], score=[0.1, 0.2, 0.3], vector=[[1, 2], [3, 4], [5, 6]], name=["a", "b", "c"])
    source = sample(3, labels=[7, 8, 9], score=[0.7, 0.8, 0.9], vector=[[7, 7], [8, 8], [9, 9]], name=["x", "yy", "z"])
    # The source's row 1 covers the target's row 1.
    result = run(kernels, target, source, rows=((1,),))
    assert result.labels.tolist() == [1, 3, 8]
    assert result.score.tolist() == [0.1, 0.3, 0.8]
    assert result.vector.tolist() == [[1, 2], [5, 6], [8, 8]]
    assert result.name.tolist() == ["a", "c", "yy"]
    assert list(result.columns) == [
        "masks", "labels", "boxes", "score", "vector", "name", "source", "source_row", "visibility",
    ]  # fmt: skip


def test_a_column_that_one_side_lacks(kernels: ModuleType) -> None:
    target, source = sample(2, score=[0.5, 0.5]), sample(2, at=1)
    for sides, lacking, holding in (
        ((target, source), "sources[0]", "target"),
        ((source, target), "target", "sources[0]"),
    ):
        with pytest.raises(ValueError) as error:
            run(kernels, *sides)
        sentence = f"{lacking}: expected the column 'score', which {holding} has, got none; missing={{'score': ...}} "
        assert str(error.value).startswith(sentence)
    # The check looks at all sources, whatever is pasted.
    with pytest.raises(ValueError, match=r"^sources\[0\]: expected the column 'score'"):
        run(kernels, target, source, rows=())
    result = run(kernels, target, source, missing={"score": 1})
    assert result.score.tolist() == [0.5, 0.5, 1.0]


def test_a_side_without_rows_never_conflicts(kernels: ModuleType) -> None:
    background = Sample(IMAGE, Instances(masks=RleMasks.empty(SIZE), labels=np.zeros(0, np.int16), other=np.zeros(0)))
    source = sample(2, labels=np.array([3, 4], np.uint8), score=[0.5, 0.25])
    result = run(kernels, background, source)
    assert result.labels.tolist() == [3]
    assert result.labels.dtype == np.uint8
    assert "other" not in result.columns
    result = run(kernels, source, background, rows=())
    assert result.score.tolist() == [0.5, 0.25]
    # Where no side has rows, the columns are the target's.
    result = run(kernels, background, background, rows=())
    assert list(result.columns) == ["masks", "labels", "boxes", "other", "source", "source_row", "visibility"]
    assert result.labels.dtype == np.int16


def test_dtypes_do_not_depend_on_what_is_pasted(kernels: ModuleType) -> None:
    target = sample(1, score=np.array([0.5], np.float32), n=np.array([1], np.uint8), name=["abc"])
    source = sample(1, at=1, score=np.array([0.5], np.float64), n=np.array([1], np.int8), name=["abcdef"])
    for rows in ((), ((0,),)):
        result = run(kernels, target, source, rows=rows)
        assert result.score.dtype == np.float64
        assert result.n.dtype == np.int16
        assert result.name.dtype == np.dtype("<U6")


@pytest.mark.parametrize(
    ("column", "value", "dtype"),
    [
        (np.array([1], np.float32), 0.5, np.float32),
        (np.array([1], np.float32), np.float64(0.5), np.float32),
        (np.array([1], np.uint8), 7, np.uint8),
        (np.array([1], np.uint8), 0.5, np.float64),
        (np.array(["ab"]), "abcd", np.dtype("<U4")),
        (np.array([True]), False, np.bool_),
    ],
)
def test_a_missing_number_counts_as_a_python_number(kernels: ModuleType, column: Any, value: Any, dtype: Any) -> None:
    result = run(kernels, sample(1, extra=column), sample(1, at=1), missing={"extra": value})
    assert result.extra.dtype == dtype
    assert result.extra.tolist() == [column.tolist()[0], value]


def test_missing_values_that_do_not_fit(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^missing: expected a value for column 'extra' of dtype uint8 .*, got 300$"):
        run(kernels, sample(1, extra=np.array([1], np.uint8)), sample(1), missing={"extra": 300})
    with pytest.raises(
        ValueError, match=r"^missing: expected names of maps, or of columns .* from a value, got 'masks'$"
    ):
        run(kernels, sample(1), sample(1), missing={"masks": 1})
    with pytest.raises(TypeError, match=r"^missing: expected a mapping of column names to values, got list$"):
        run(kernels, sample(1), sample(1), missing=["score"])


def test_labels_keep_the_targets_dtype(kernels: ModuleType) -> None:
    target, source = sample(1, labels=np.array([1], np.uint8)), sample(1, at=1, labels=np.array([200], np.int64))
    assert run(kernels, target, source).labels.dtype == np.uint8
    assert run(kernels, source, target).labels.dtype == np.int64
    # All values given must fit, also those that are not pasted.
    wide = sample(2, at=1, labels=np.array([1, 256], np.int64))
    with pytest.raises(
        TypeError, match=r"^sources\[0\]: expected labels that fit dtype uint8 of target, got values of dtype int64"
    ):
        run(kernels, target, wide, rows=((0,),))
    with pytest.raises(TypeError, match=r"^sources\[0\]: expected labels that fit dtype uint8"):
        run(kernels, target, sample(1, labels=np.array([0.5])))
    with pytest.raises(TypeError, match=r"^missing: expected labels that fit dtype uint8 of target, got"):
        run(kernels, target, sample(1), missing={"labels": 300})
    names = run(kernels, sample(1, labels=["cat"]), sample(1, at=1, labels=["dog"]))
    assert names.labels.tolist() == ["cat", "dog"]
    with pytest.raises(TypeError, match=r"^sources\[0\]: expected labels that fit dtype <U3"):
        run(kernels, sample(1, labels=["cat"]), sample(1, at=1, labels=["horse"]))


def test_columns_that_do_not_combine(kernels: ModuleType) -> None:
    with pytest.raises(
        ValueError, match=r"^sources\[0\]: expected rows of shape \(2,\) in column 'v' as in target, got \(3,\)$"
    ):
        run(kernels, sample(1, v=[[1, 2]]), sample(1, v=[[1, 2, 3]]))


def test_derived_columns_are_written_afresh(kernels: ModuleType) -> None:
    target = sample(2, area=[1e9, -1.0], source=[5, 5], source_row=["a", "b"], visibility=[0.1, 0.1])
    result = run(kernels, target, sample(1, at=1))
    assert result.area.tolist() == [1, 1, 1]
    assert result.area.dtype == np.int64
    assert result.source.tolist() == [-1, -1, 0]
    assert result.source_row.tolist() == [0, 1, 0]
    assert result.visibility.tolist() == [1, 1, 1]
    assert "area" not in run(kernels, sample(1), sample(1, at=1)).columns
    assert "area" in run(kernels, sample(1), sample(1, at=1, area=[4])).columns


def test_crowd_is_there_when_a_side_with_rows_has_it(kernels: ModuleType) -> None:
    assert run(kernels, sample(1), sample(1, at=1)).iscrowd is None
    result = run(kernels, sample(2, iscrowd=[True, False]), sample(1, at=1))
    assert result.iscrowd is not None
    assert result.iscrowd.tolist() == [True, False, False]
    assert result.iscrowd.dtype == np.bool_


@pytest.mark.parametrize("column", ["num_keypoints", "segmentation", "bbox"])
def test_geometry_that_cannot_be_moved_is_refused(kernels: ModuleType, column: str) -> None:
    stale = Sample(IMAGE, Instances(masks=sample(1).instances.masks, **{column: np.zeros(1)}))
    for target, source in ((stale, sample(1)), (sample(1), stale)):
        with pytest.raises(ArgumentError) as error:
            run(kernels, target, source, rows=())
        at_fault = ("target", None) if target is stale else ("sources", 0)
        assert (error.value.argument, error.value.index) == at_fault
        assert error.value.expected == "no column that this operation cannot move"
        without = " without 'keypoints'" if column == "num_keypoints" else ""
        assert error.value.got == f"'{column}'{without}; leave it out"


def test_instances_without_masks_and_boxes_are_refused(kernels: ModuleType) -> None:
    bare = Sample(IMAGE, Instances(labels=[7]))
    with pytest.raises(ValueError, match=r"^target: expected masks or boxes for its 1 instances, got none"):
        run(kernels, bare, sample(1))
    with pytest.raises(ValueError, match=r"^sources\[0\]: expected masks or boxes for its 1 instances, got none"):
        run(kernels, sample(1), bare, rows=())


BAD_CALLS = {
    "dtype": (sample(1), Sample(IMAGE.astype(np.uint16), Instances()), "sources[0]: expected an image of dtype uint8 as the target's, got uint16"),
    "channels": (sample(1), Sample(IMAGE[..., :2], Instances()), "sources[0]: expected an image with 3 channels as the target's, got 2 channels"),
    "axis": (Sample(IMAGE[..., 0], Instances()), Sample(IMAGE[..., :1], Instances()), "sources[0]: expected an image with no channel axis as the target's, got 1 channel"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CALLS)
def test_images_that_do_not_fit_each_other(kernels: ModuleType, case: str) -> None:
    target, source, message = BAD_CALLS[case]
    with pytest.raises(ValueError) as error:
        run(kernels, target, source, rows=())
    assert str(error.value) == message


def plan(*pastes: Paste, target: Placement = STILL) -> Plan:
    return Plan(target, pastes)


OTHER = Placement((3, 6), (3, 6), (0, 0), SIZE)
BAD_PLANS = {
    "target size": (plan(target=OTHER), "a plan for a target of size (4, 6), got (3, 6)"),
    "source size": (plan(Paste(0, (0,), OTHER)), "pastes[0] for sources[0] of size (4, 6), got (3, 6)"),
    "no such source": (plan(Paste(2, (0,), STILL)), "pastes[0] to take one of 1 sources, got sources[2]"),
    "no such row": (
        plan(Paste(0, (0, 5), STILL)), "pastes[0] to take rows of the 2 instances of sources[0], got row 5",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_PLANS)
def test_plans_that_do_not_fit(kernels: ModuleType, case: str) -> None:
    bad, message = BAD_PLANS[case]
    with pytest.raises(ValueError) as error:
        kernels.copy_paste(bad, sample(2), [sample(2)])
    assert str(error.value) == f"plan: expected {message}"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"interpolation": "cubic"}, ValueError, "interpolation: expected one of 'bilinear', 'nearest', got 'cubic'"),
        ({"antialias": 1}, TypeError, "antialias: expected True or False, got 1"),
        ({"min_area": -1}, ValueError, "min_area: expected an integer from 0 to 4294967295, got -1"),
        ({"min_area": 1.5}, TypeError, "min_area: expected an integer, got 1.5"),
        ({"min_visibility": 1.1}, ValueError, "min_visibility: expected a number from 0 to 1, got 1.1"),
        ({"min_visibility": float("nan")}, ValueError, "min_visibility: expected a number from 0 to 1, got nan"),
        ({"on_hidden": "keep"}, ValueError, "on_hidden: expected one of 'drop', 'crowd', got 'keep'"),
        ({"fill": (1, 2)}, ValueError, "fill: expected a number or 3 of them for an image of 3 channels, got 2"),
        ({"fill": 256}, ValueError, "fill: expected whole numbers from 0 to 255 for dtype uint8, got 256"),
        ({"fill": 0.5}, ValueError, "fill: expected whole numbers from 0 to 255 for dtype uint8, got 0.5"),
        ({"fill": float("inf")}, ValueError, "fill: expected a finite number, got inf"),
        ({"fill": "grey"}, TypeError, "fill: expected a number, 'edge' or 'min', got 'grey'"),
    ],
)
def test_bad_options(kernels: ModuleType, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        kernels.copy_paste(Plan(STILL), sample(1), [], **options)
    assert str(caught.value) == message


def test_fill_takes_what_the_dtype_holds(kernels: ModuleType) -> None:
    away = Plan(Placement(SIZE, SIZE, (9, 9), (1, 1)))
    grey = {np.uint8: 128, np.uint16: 32768, np.float32: 0.5}
    for dtype, value in grey.items():
        image = Sample(IMAGE.astype(dtype), Instances())
        assert (kernels.copy_paste(away, image, []).image == value).all()
    assert kernels.copy_paste(away, sample(1), [], fill=(1, 2.0, np.uint8(3))).image.tolist() == [[[1, 2, 3]]]
    flat = Sample(IMAGE[..., 0], Instances())
    assert kernels.copy_paste(away, flat, [], fill=[7]).image.tolist() == [[7]]
    float_image = Sample(IMAGE.astype(np.float32), Instances())
    assert kernels.copy_paste(away, float_image, [], fill=0.1).image[0, 0, 0] == np.float32(0.1)


def test_out_takes_the_image(kernels: ModuleType) -> None:
    target = Sample(np.arange(72, dtype=np.uint8).reshape(*SIZE, 3), Instances())
    out = np.full_like(IMAGE, 77)
    result = kernels.copy_paste(Plan(STILL), target, [], out=out)
    assert result.image is out
    np.testing.assert_array_equal(out, target.image)


def test_bad_out_is_refused_before_anything_is_written(kernels: ModuleType) -> None:
    whole = np.zeros((*SIZE, 6), np.uint8)
    target = Sample(whole[..., :3], Instances())
    read_only = IMAGE.copy()
    read_only.flags.writeable = False
    bad: dict[str, Any] = {
        "expected shape (4, 6, 3) and dtype uint8": np.zeros((4, 6, 4), np.uint8),
        "and dtype uint8, got (4, 6, 3) and '<f4'": np.zeros((4, 6, 3), np.float32),
        "expected a C-contiguous, writable array": np.zeros((4, 3, 6), np.uint8).transpose(0, 2, 1),
        "expected memory of its own": whole.reshape(-1)[:72].reshape(4, 6, 3),
    }
    for message, out in bad.items():
        before = out.copy()
        with pytest.raises(ValueError) as error:
            kernels.copy_paste(Plan(STILL), target, [], out=out)
        assert message in str(error.value)
        assert str(error.value).startswith("out: ")
        np.testing.assert_array_equal(out, before)
    with pytest.raises(ValueError, match=r"^out: expected a C-contiguous, writable array"):
        kernels.copy_paste(Plan(STILL), target, [], out=read_only)
    with pytest.raises(TypeError, match=r"^out: expected a NumPy array, got list$"):
        kernels.copy_paste(Plan(STILL), target, [], out=[])


def test_inputs_are_untouched_and_outputs_are_new(kernels: ModuleType) -> None:
    target, source = sample(2, labels=[1, 2], score=[0.5, 0.6]), sample(2, labels=[3, 4], score=[0.1, 0.2], at=1)
    copies = [
        (s.image.copy(), {k: v for k, v in s.instances.columns.items() if k != "masks"}) for s in (target, source)
    ]
    before = [{k: v.copy() for k, v in columns.items()} for _, columns in copies]
    result = kernels.copy_paste(Plan(STILL, (Paste(0, (0,), STILL),)), target, source)
    for s, (image, _), columns in zip((target, source), copies, before, strict=True):
        np.testing.assert_array_equal(s.image, image)
        for name, values in columns.items():
            np.testing.assert_array_equal(s.instances.columns[name], values)
    inputs = [target.image, source.image, *copies[0][1].values(), *copies[1][1].values()]
    outputs = [result.image, *(v for k, v in result.instances.columns.items() if k != "masks")]
    assert not any(np.may_share_memory(a, b) for a in inputs for b in outputs)
    assert result.info is not target.info


def test_read_only_strided_and_fortran_inputs_give_the_same_bytes(kernels: ModuleType) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    place = Placement(SIZE, (7, 9), (-1, 1), (8, 8), hflip=True)
    wide = np.zeros((8, 12, 6), np.uint8)
    wide[::2, ::2, ::2] = pixels
    crop = np.zeros((6, 9, 3), np.uint8)
    crop[1:5, 2:8] = pixels
    read_only = pixels.copy()
    read_only.flags.writeable = False
    variants = [
        np.asfortranarray(pixels), wide[::2, ::2, ::2], crop[1:5, 2:8], read_only,
        pixels[::-1].copy()[::-1], pixels[:, ::-1].copy()[:, ::-1], pixels[..., ::-1].copy()[..., ::-1],
        np.frombuffer(b"x" + pixels.tobytes(), np.uint8)[1:].reshape(pixels.shape),
    ]  # fmt: skip
    expected = kernels.copy_paste(Plan(place), Sample(pixels, Instances()), []).image
    for image in variants:
        np.testing.assert_array_equal(kernels.copy_paste(Plan(place), Sample(image, Instances()), []).image, expected)


def test_a_sample_changed_behind_its_back_is_refused() -> None:
    """Nobody should; whoever does gets an error and no crash."""
    changed = sample(2)
    object.__setattr__(changed, "instances", Instances(masks=RleMasks.empty((3, 3))[[]]))
    with pytest.raises(ValueError) as error:
        functional.copy_paste(Plan(STILL), changed, [])
    assert str(error.value) == "masks: expected size (4, 6) as the placement has, got (3, 3)"


def test_a_missing_date_keeps_the_column_a_date(kernels: ModuleType) -> None:
    days = np.array(["2020-01-01"], "datetime64[D]")
    result = run(kernels, sample(1, day=days), sample(1, at=1), missing={"day": np.datetime64("2021-02-03")})
    assert result.day.dtype == days.dtype
    assert result.day.tolist()[1] == np.datetime64("2021-02-03").item()


def test_a_missing_number_must_stay_finite(kernels: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^missing: expected a value for column 'v' of dtype float32 .* got 1e\+300$"):
        run(kernels, sample(1, v=np.ones(1, np.float32)), sample(1), missing={"v": 1e300})


def test_a_column_that_does_not_convert_is_refused_before_anything_is_written(kernels: ModuleType) -> None:
    out = np.full_like(IMAGE, 77)
    with pytest.raises(
        TypeError,
        match=r"^sources\[0\]: expected column 'v' of dtype <U1, got values of dtype \|S1 that do not convert: ",
    ):
        run(kernels, sample(1, v=np.array(["a"])), sample(1, v=np.array([b"\xff"])), out=out)
    assert (out == 77).all()


def test_labels_that_are_nan_fit_a_narrower_float(kernels: ModuleType) -> None:
    result = run(kernels, sample(1, labels=np.ones(1, np.float32)), sample(1, at=1, labels=np.array([np.nan])))
    assert np.isnan(result.labels[1])
    assert result.labels.dtype == np.float32


def test_a_missing_span_of_time_keeps_its_unit(kernels: ModuleType) -> None:
    for column, value, expected in (
        ("m8[s]", np.timedelta64(5, "s"), np.timedelta64(5, "s")),
        ("m8[s]", np.timedelta64(5, "ms"), np.timedelta64(5, "ms")),
        ("m8[M]", np.timedelta64(1, "Y"), np.timedelta64(12, "M")),
    ):
        result = run(kernels, sample(1, t=np.array([1], column)), sample(1, at=1), missing={"t": value})
        assert result.t.dtype.kind == "m"
        assert result.t[1] == expected


@pytest.mark.parametrize(("column", "value"), [("f2", 100_000), ("f4", 10**39), ("c8", 1e39)])
def test_whole_and_complex_numbers_must_stay_finite_too(kernels: ModuleType, column: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^missing: expected a value for column 'v' of dtype "):
        run(kernels, sample(1, v=np.ones(1, column)), sample(1), missing={"v": value})


@pytest.mark.parametrize("labels", [np.array([2**53 + 1]), np.array([2.0**63]), np.array([-1.5])])
def test_labels_that_lose_something_are_refused(kernels: ModuleType, labels: Any) -> None:
    dtype = np.float32 if labels.dtype.kind == "i" else np.int64
    with pytest.raises(TypeError, match=r"^sources\[0\]: expected labels that fit dtype "):
        run(kernels, sample(1, labels=np.ones(1, dtype)), sample(1, labels=labels))

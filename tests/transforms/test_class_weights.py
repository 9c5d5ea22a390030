"""`class_weights` of a transform: what is refused and by which name, warnings, and that it is a value."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

from copypaste_rs import Instances, PlanOptions, PlanSource, Sample, SimpleCopyPaste, functional, reference
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.both_backends import agree
from tests.fixtures.samples import SOURCE, TARGET

BACKGROUND = Sample(TARGET.image, Instances())
BARE = Sample(SOURCE.image, Instances(masks=SOURCE.instances.masks))
NAMED = Sample(SOURCE.image, Instances(masks=SOURCE.instances.masks, labels=list("abcdef")))
DEEP = Sample(SOURCE.image, Instances(masks=SOURCE.instances.masks, labels=np.zeros((6, 2), int)))


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (2.0, ArgumentTypeError, "class_weights: expected a mapping of labels to weights, a callable or None, got float"),
        ((1.0, 2.0), ArgumentTypeError, "class_weights: expected a mapping of labels to weights, a callable or None, got tuple"),
        ("car", ArgumentTypeError, "class_weights: expected a mapping of labels to weights, a callable or None, got str"),
        ({3: -1}, ArgumentError, "class_weights[3]: expected a finite number of at least 0, got -1"),
        ({"car": float("nan")}, ArgumentError, "class_weights['car']: expected a finite number of at least 0, got nan"),
        ({np.int64(3): float("inf")}, ArgumentError, "class_weights[3]: expected a finite number of at least 0, got inf"),
        ({3: 1.0, 4: "2"}, ArgumentTypeError, "class_weights[4]: expected a number, got '2'"),
        ({3: True}, ArgumentTypeError, "class_weights[3]: expected a number, got True"),
        ({3: None}, ArgumentTypeError, "class_weights[3]: expected a number, got None"),
    ],
)  # fmt: skip
def test_weights_that_are_refused(weights: Any, error: type[Exception], message: str) -> None:
    for make in (SimpleCopyPaste, PlanOptions.check):
        with pytest.raises(error) as caught:
            make(size=8, class_weights=weights)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("returned", "error", "expected", "got"),
    [
        ([1.0] * 5, ArgumentError, "shape (6,) from the callable for sources[1]", "(5,)"),
        (np.ones((6, 1)), ArgumentError, "shape (6,) from the callable for sources[1]", "(6, 1)"),
        ([[1], [2, 3]], ArgumentError, "6 numbers from the callable for sources[1]", "nested lists"),
        (1.0, ArgumentError, "shape (6,) from the callable for sources[1]", "()"),
        (None, ArgumentTypeError, "6 numbers from the callable for sources[1]", "NoneType"),
        (["1"] * 6, ArgumentTypeError, "6 numbers from the callable for sources[1]", "dtype <U1"),
        ([True] * 6, ArgumentTypeError, "6 numbers from the callable for sources[1]", "dtype bool"),
        ([1, 1, -2, 1, 1, -3], ArgumentError, "finite numbers of at least 0 from the callable for sources[1]", "-2 at index 2"),
        ([0, 0, 0, np.nan, 1, 1], ArgumentError, "finite numbers of at least 0 from the callable for sources[1]", "nan at index 3"),
        ([np.inf] * 6, ArgumentError, "finite numbers of at least 0 from the callable for sources[1]", "inf at index 0"),
    ],
)  # fmt: skip
def test_what_a_callable_must_not_return(
    backend: str, returned: Any, error: type[Exception], expected: str, got: str
) -> None:
    transform = SimpleCopyPaste(size=8, class_weights=lambda _: returned, backend=backend)
    with pytest.raises(error) as caught:
        transform.sample_plan(TARGET, [BACKGROUND, SOURCE], 0)
    assert caught.value.args == ("class_weights", expected, got, None, None)
    assert isinstance(SOURCE.instances.boxes, np.ndarray)
    sources = [PlanSource((30, 44)), PlanSource((37, 25), SOURCE.instances.boxes)]
    options = PlanOptions.check(size=8, class_weights=lambda _: returned)
    found = agree("draw_plan", options, (30, 44), sources, 0)
    assert found[0] is error
    assert found[2][:3] == ("options.class_weights", expected, got)


@pytest.mark.parametrize(
    ("source", "weights", "error", "message"),
    [
        (BARE, {}, ArgumentError, "sources[1]: expected labels of its 6 rows, as class_weights are by label, got none"),
        (BARE, {1: 2}, ArgumentError, "sources[1]: expected labels of its 6 rows, as class_weights are by label, got none"),
        (DEEP, {1: 2}, ArgumentError, "sources[1].labels: expected shape (6,), a label for each box, got (6, 2)"),
        (NAMED, {1: 2}, ArgumentTypeError, "class_weights: expected text as labels, which sources[1] has, got 1"),
        (SOURCE, {"a": 2}, ArgumentTypeError, "class_weights: expected numbers as labels, which sources[1] has, got 'a'"),
    ],
)  # fmt: skip
def test_labels_are_needed_and_of_the_kind_of_the_names(
    backend: str, source: Sample, weights: Any, error: type[Exception], message: str
) -> None:
    transform = SimpleCopyPaste(size=8, class_weights=weights, backend=backend)
    with pytest.raises(error) as caught:
        transform.sample_plan(BARE, [BACKGROUND, source], 0)
    assert str(caught.value) == message


def test_a_callable_needs_no_labels_and_sees_instances_with_rows(backend: str) -> None:
    asked: list[Instances] = []

    def weigh(instances: Instances) -> Any:
        asked.append(instances)
        return np.arange(6, dtype=np.uint16)

    transform = SimpleCopyPaste(
        size=(37, 25), source_scale=(1, 1), flip=0, select="all", class_weights=weigh, backend=backend
    )
    made = transform.sample_plan(TARGET, [BARE, BACKGROUND, SOURCE], 0)
    assert [paste.instances for paste in made.pastes] == [(1, 2, 3, 4, 5), (2, 3, 5)]  # rows 1 and 4 are crowds there
    assert [each is source.instances for each, source in zip(asked, (BARE, SOURCE), strict=True)] == [True, True]


def test_weights_that_are_all_zero_warn_once() -> None:
    message = "class_weights: all are 0, so that nothing will be pasted but objects of labels that are not named"
    with pytest.warns(UserWarning, match=f"^{message}$") as caught:
        transform = SimpleCopyPaste(size=64, class_weights={1: 0.0, 2: 0})
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(transform))(TARGET, SOURCE)
        SimpleCopyPaste(size=64, class_weights={})
        SimpleCopyPaste(size=64, class_weights={1: 0.0, 2: 0.5})


def test_a_transform_with_weights_is_a_value() -> None:
    weights: dict[Any, Any] = {1: 0.5, np.int64(2): np.float32(4)}
    transform = SimpleCopyPaste(size=(40, 50), class_weights=weights)
    before = transform(TARGET, SOURCE, 5)
    weights[1] = 0.0
    transform.class_weights[1] = 0.0
    assert transform.class_weights == {1: 0.5, 2: 4.0}
    assert transform(TARGET, SOURCE, 5) == before == pickle.loads(pickle.dumps(transform))(TARGET, SOURCE, 5)
    assert transform == SimpleCopyPaste(size=(40, 50), class_weights={2: 4.0, 1: 0.5})
    assert transform != SimpleCopyPaste(size=(40, 50), class_weights={1: 0.5})
    assert transform != SimpleCopyPaste(size=(40, 50))
    assert "class_weights={1: 0.5, " in repr(transform)
    assert SimpleCopyPaste(size=8).class_weights is None


def test_plan_options_hold_what_was_checked() -> None:
    weights: dict[str, Any] = {np.str_("car"): np.float32(0.5), "cat": 2}
    options = PlanOptions.check(size=8, class_weights=weights)
    weights["cat"] = 3
    assert options.class_weights == {"car": 0.5, "cat": 2.0}
    assert pickle.loads(pickle.dumps(options)) == options
    assert PlanOptions.check(size=8).class_weights is None


@pytest.mark.parametrize(
    ("labels", "weights", "kind"),
    [
        ([1.0, 2.0], {"a": 0.0, "z": 1}, "numbers"),
        ([True, False], {"a": 0.0}, "numbers"),
        ([b"a", b"b"], {1: 0.0}, "bytes"),
        (["a", "b"], {1: 0.0}, "text"),
    ],
)
def test_weights_of_another_kind_than_the_labels(labels: Any, weights: Any, kind: str) -> None:
    boxes = np.array([[0, 0, 3, 2]] * 2, np.float32)
    source = PlanSource((2, 3), boxes, labels=np.array(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = PlanOptions.check(size=4, class_weights=weights)
    for kernels in (functional, reference):
        with pytest.raises(
            TypeError, match=rf"^options\.class_weights: expected {kind} as labels, which sources\[0\] has"
        ):
            kernels.draw_plan(options, (2, 3), [source], 0)


def test_labels_that_are_no_keys() -> None:
    labels = np.empty(1, object)
    labels[0] = []
    source = PlanSource((2, 3), np.array([[0, 0, 3, 2]], np.float32), labels=labels)
    for kernels in (functional, reference):
        with pytest.raises(
            TypeError, match=r"^sources\[0\]\.labels: expected numbers or text, as class_weights are by"
        ):
            kernels.draw_plan(PlanOptions.check(size=4, class_weights={1: 2.0}), (2, 3), [source], 0)

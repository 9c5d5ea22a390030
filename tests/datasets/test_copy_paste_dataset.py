"""CopyPasteDataset: items are a function of seed, epoch and index, in this process and in any other."""

from __future__ import annotations

import multiprocessing
import pickle
import warnings
from typing import Any

import pytest

from copypaste_rs import Sample, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from tests.fixtures.philox import below, words
from tests.fixtures.photos import Asked, photo
from tests.fixtures.processes import python
from tests.fixtures.samples import digest
from tests.fixtures.workers import serve

TRANSFORM = SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), source_scale=(0.5, 1.5))


PHOTOS = [photo(number) for number in range(7)]


def expected_partners(key: tuple[int, int, int], has_objects: list[bool], num_sources: int, itself: bool) -> list[int]:
    """The rule, read from its description."""
    stream, partners = words(key, 2, 8 * num_sources), []
    for k in range(num_sources):
        for word in stream[8 * k : 8 * k + 8]:
            j = below(word, len(has_objects) - itself)
            j += itself and j >= key[2]
            if has_objects[j]:
                partners.append(j)
                break
    return partners


@pytest.mark.parametrize("objects", [[2] * 7, [0, 2, 0, 0, 0, 0, 3], [0, 0, 1, 0, 0, 0, 0]])
@pytest.mark.parametrize("num_sources", [1, 3])
@pytest.mark.parametrize("other", [False, True])
def test_partners_follow_the_rule(objects: list[int], num_sources: int, other: bool) -> None:
    photos = [photo(i, n) for i, n in enumerate(objects)]
    data = CopyPasteDataset(photos, TRANSFORM, sources=list(photos) if other else None, num_sources=num_sources, seed=5)
    for epoch in (0, 3):
        data.set_epoch(epoch)
        for i in range(7):
            target, sources = data.inputs(i)
            expected = expected_partners((5, epoch, i), [n > 0 for n in objects], num_sources, not other)
            assert target is photos[i]
            assert [source.info["image_id"] for source in sources] == expected
            assert other or i not in expected


def test_the_same_data_set_given_twice_is_one() -> None:
    once, twice = CopyPasteDataset(PHOTOS, TRANSFORM), CopyPasteDataset(PHOTOS, TRANSFORM, sources=PHOTOS)
    assert [once[i] for i in range(7)] == [twice[i] for i in range(7)]


def test_an_item_is_the_transform_of_its_inputs() -> None:
    data = CopyPasteDataset(PHOTOS, TRANSFORM, seed=2**64 - 1)
    data.set_epoch(9)
    assert data.key(-1) == (2**64 - 1, 9, 6)
    assert data.key(2, 4) == (2**64 - 1, 4, 2)
    for i in range(7):
        target, sources = data.inputs(i)
        assert data[i] == TRANSFORM(target, sources, (2**64 - 1, 9, i))
        assert data.inputs(i, 1)[1] == data.inputs(i, epoch=1)[1]


def test_backends_give_the_same_items() -> None:
    rust, numpy = (
        CopyPasteDataset(PHOTOS, SimpleCopyPaste(size=(24, 32), source_scale=(0.5, 1.5), backend=backend))
        for backend in ("rust", "numpy")
    )
    assert [rust[i] for i in range(7)] == [numpy[i] for i in range(7)]


def test_asking_first_changes_the_cost_alone() -> None:
    samples = [photo(0), photo(1, 0), photo(2, 2, crowd=True), photo(3, 1, crowd=False), photo(4, 0), photo(5, 0)]
    asked = Asked(samples)
    with pytest.warns(UserWarning, match="only 2 of 6 images"):
        with_asking = CopyPasteDataset(asked, TRANSFORM, seed=1)
    without = CopyPasteDataset(samples, TRANSFORM, seed=1)
    for epoch in range(5):
        for i in range(6):
            with_asking.set_epoch(epoch)
            without.set_epoch(epoch)
            asked.decoded.clear()
            _, sources = with_asking.inputs(i)
            assert sources == without.inputs(i)[1]
            assert {source.info["image_id"] for source in sources} <= {0, 3}
            assert asked.decoded == [i, *(source.info["image_id"] for source in sources)]


def test_order_does_not_matter() -> None:
    data = CopyPasteDataset(PHOTOS, TRANSFORM)
    forward = [digest(data[i]) for i in range(7)]
    assert [digest(data[i]) for i in reversed(range(7))] == forward[::-1]
    assert [digest(data[i]) for i in range(-7, 0)] == forward
    data.set_epoch(1)
    assert [digest(data[i]) for i in range(7)] != forward
    data.set_epoch(0)
    assert [digest(data[i]) for i in range(7)] == forward


def test_seeds_differ() -> None:
    assert len({digest(CopyPasteDataset(PHOTOS, TRANSFORM, seed=seed)[0]) for seed in range(8)}) == 8


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers_give_the_same_items_and_see_the_epoch(method: str) -> None:
    context: Any = multiprocessing.get_context(method)  # each has a Process of its own
    data = CopyPasteDataset(PHOTOS, TRANSFORM, seed=4)
    requests, answers = context.Queue(), context.Queue()
    processes = [context.Process(target=serve, args=(data, requests, answers), daemon=True) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork in a process that has threads, from Python 3.12 on
        for process in processes:
            process.start()
    try:
        for epoch in (0, 2**40, 3):  # the processes stay
            data.set_epoch(epoch)
            for i in range(7):
                requests.put(i)
            got = sorted(answers.get(timeout=60) for _ in range(7))
            assert got == [(i, epoch, digest(data[i])) for i in range(7)]
    finally:
        for _ in processes:
            requests.put(None)
        for process in processes:
            process.join(30)
    assert [process.exitcode for process in processes] == [0, 0]


def test_a_pickle_is_a_copy_with_an_epoch_of_its_own() -> None:
    data = CopyPasteDataset(PHOTOS, TRANSFORM, seed=4)
    data.set_epoch(6)
    copy = pickle.loads(pickle.dumps(data))
    assert copy.epoch == 6
    assert copy[3] == data[3]
    copy.set_epoch(7)
    assert data.epoch == 6


def test_needs_numpy_alone() -> None:
    code = (
        "import sys\n"
        "for name in ('PIL', 'msgspec', 'simplejpeg', 'click', 'tqdm', 'torch', 'matplotlib'): sys.modules[name] = None\n"
        "from copypaste_rs.datasets import CopyPasteDataset\n"
    )
    python(code)


@pytest.mark.parametrize(
    ("samples", "sources"),
    [
        ([photo(0)], None),
        (Asked([photo(0), photo(1)]), Asked([])),
        (Asked([photo(0, 0), photo(1, 0)]), None),
        (Asked([photo(0, crowd=True), photo(1, crowd=True)]), None),
    ],
)
def test_no_partner_at_all_warns_once(samples: list[Sample], sources: list[Sample] | None) -> None:
    with pytest.warns(UserWarning, match=r"^sources: no image with an object .* nothing will be pasted$") as caught:
        data = CopyPasteDataset(samples, TRANSFORM, sources=sources)
    assert len(caught) == 1
    assert len(pickle.loads(pickle.dumps(data))) == len(samples)
    for i in range(len(samples)):
        assert data.inputs(i) == (samples[i], [])
        assert (data[i].instances.columns["source"] == -1).all()


def test_partners_that_are_hard_to_find_are_warned_of_once() -> None:
    rare = Asked([photo(i, int(i == 3)) for i in range(10)])
    with pytest.warns(UserWarning, match=r"^sources: ") as caught:
        CopyPasteDataset(PHOTOS, TRANSFORM, sources=rare)
    assert [str(w.message) for w in caught] == [
        "sources: only 1 of 10 images has an object that is not a crowd, so that 8 draws find none for 43% of the "
        "partners; leave images without objects out of `sources`"
    ]
    CopyPasteDataset(PHOTOS, TRANSFORM, sources=Asked([photo(i, i % 2) for i in range(10)]))
    CopyPasteDataset(PHOTOS, TRANSFORM, sources=list(rare))  # it cannot be told without decoding


def test_an_empty_data_set_is_empty() -> None:
    data = CopyPasteDataset([], TRANSFORM, sources=PHOTOS)
    assert len(data) == 0
    with pytest.raises(IndexError, match="index 0 is out of range for 0 items"):
        data[0]


def test_errors_say_what_was_expected() -> None:
    nothing: Any = 3
    with pytest.raises(
        ArgumentTypeError, match=r"^transform: expected a SimpleCopyPaste, a ScaleJitter or a .*, got int$"
    ):
        CopyPasteDataset(PHOTOS, nothing)
    with pytest.raises(ArgumentTypeError, match=r"^dataset: expected a sequence of Sample, got int$"):
        CopyPasteDataset(nothing, TRANSFORM)
    with pytest.raises(ArgumentTypeError, match=r"^sources: expected a sequence of Sample, got int$"):
        CopyPasteDataset(PHOTOS, TRANSFORM, sources=nothing)
    with pytest.raises(ArgumentError, match=r"^num_sources: expected an integer from 1"):
        CopyPasteDataset(PHOTOS, TRANSFORM, num_sources=0)
    with pytest.raises(ArgumentError, match=r"^num_sources: expected an integer from 1 to 1024, got 1025$"):
        CopyPasteDataset(PHOTOS, TRANSFORM, num_sources=1025)
    with pytest.raises(ArgumentError, match=r"^seed: expected an integer from 0 to 18446744073709551615, got -1$"):
        CopyPasteDataset(PHOTOS, TRANSFORM, seed=-1)
    data = CopyPasteDataset(PHOTOS, TRANSFORM)
    with pytest.raises(ArgumentError, match=r"^epoch: expected an integer from 0"):
        data.set_epoch(-1)
    with pytest.raises(ArgumentTypeError, match=r"^epoch: expected an integer, got 1.5$"):
        data.set_epoch(1.5)  # type: ignore[arg-type]
    for index in (7, -8):
        with pytest.raises(IndexError, match=f"^index {index} is out of range for 7 items$"):
            data[index]
    text: Any = "0"
    with pytest.raises(ArgumentTypeError, match=r"^index: expected an integer, or a pair of epoch and index, got '0'$"):
        data[text]
    dicts: Any = [{"image": 1}, {"image": 2}]
    with pytest.raises(ArgumentTypeError, match=r"^dataset\[0\]: expected a Sample, got dict$"):
        CopyPasteDataset(dicts, TRANSFORM)[0]
    pairs: Any = [(PHOTOS[0].image, {"masks": []})] * 2  # as data sets of torch have them
    sentence = (
        r"^dataset\[0\]: expected a Sample, which Sample\(image, Instances\(masks=RleMasks\.from_dense\(.*, got tuple$"
    )
    with pytest.raises(ArgumentTypeError, match=sentence):
        CopyPasteDataset(pairs, TRANSFORM)[0]
    with pytest.raises(ArgumentTypeError, match=r"^sources\[[01]\]: expected a Sample, got dict$"):
        CopyPasteDataset(PHOTOS, TRANSFORM, sources=dicts)[0]

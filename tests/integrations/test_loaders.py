"""Real data loaders of torch: no setting of them changes a byte of any item."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import pytest

from copypaste_rs import ForTraining, Instances, SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset
from copypaste_rs.errors import ArgumentError
from tests.fixtures.photos import photo
from tests.fixtures.processes import python
from tests.fixtures.tensors import REASON, fingerprint

torch = pytest.importorskip("torch", reason=REASON)

from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, RandomSampler, SubsetRandomSampler  # noqa: E402

from copypaste_rs.integrations.torch import EpochSampler, collate  # noqa: E402

AUGMENT = ForTraining(SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), source_scale=(0.5, 1.5)))
PHOTOS = [photo(1 + number, number % 3) for number in range(7)]
MAKE = collate("torchvision")


pytestmark = pytest.mark.usefixtures("crowded_loaders")


def dataset() -> CopyPasteDataset[Any]:
    return CopyPasteDataset(PHOTOS, AUGMENT, seed=3)


def loader(train: Any, sampler: Any, kind: Any = DataLoader, **options: Any) -> Any:
    return kind(train, **{"batch_size": 2, "sampler": sampler, "collate_fn": MAKE, **options})


def items(batches: Any) -> list[tuple[int, str]]:
    """Image ids and fingerprints, in the order in which they come."""
    return [
        (target["image_id"], fingerprint([image, target]))
        for images, targets in batches
        for image, target in zip(images, targets, strict=True)
    ]


def expected(epoch: int) -> dict[int, str]:
    """Each item of an epoch, made in this process by an epoch that was set."""
    train = dataset()
    train.set_epoch(epoch)
    return dict(items(MAKE([train[i]]) for i in range(len(train))))


EPOCHS = [expected(epoch) for epoch in range(4)]


def test_epochs_differ() -> None:
    assert len({value for each in EPOCHS for value in each.values()}) == 4 * len(PHOTOS)


@pytest.mark.parametrize(
    ("workers", "method", "persistent"),
    [
        (0, None, False),
        (1, "fork", False),
        (2, "fork", True),
        (4, "fork", False),
        (4, "fork", True),
        (2, "spawn", True),
        (1, "spawn", False),
    ],
)
def test_workers_change_no_byte(workers: int, method: str | None, persistent: bool) -> None:
    train = dataset()
    sampler = EpochSampler(dataset=train, seed=5)
    order = EpochSampler(dataset=train, seed=5)
    options: dict[str, Any] = {"num_workers": workers, "persistent_workers": persistent}
    given = loader(train, sampler, multiprocessing_context=method, **options)
    assert len(given) == 4
    for epoch in range(2):
        got = items(given)
        assert dict(got) == EPOCHS[epoch]
        assert [number for number, _ in got] == [1 + index for _, index in order]


@pytest.mark.parametrize("batch_size", [1, 3, 7, None])
def test_batch_size_and_order_change_no_byte(batch_size: int | None) -> None:
    train = dataset()
    for sampler in (EpochSampler(dataset=train, shuffle=False), EpochSampler(RandomSampler(train))):
        make = MAKE if batch_size else MAKE_ONE
        got = [items(loader(train, sampler, batch_size=batch_size, collate_fn=make, num_workers=2)) for _ in range(2)]
        assert [dict(each) for each in got] == EPOCHS[:2]


def test_batch_samplers_and_parts() -> None:
    train = dataset()
    batches = BatchSampler(EpochSampler(SubsetRandomSampler([1, 4, 6])), 2, drop_last=False)
    for epoch in range(2):
        got = items(DataLoader(train, batch_sampler=batches, num_workers=2, collate_fn=MAKE))
        assert dict(got) == {number: EPOCHS[epoch][number] for number in (2, 5, 7)}


def test_workers_warn_once_of_another_epoch() -> None:
    code = (
        "from torch.utils.data import DataLoader\n"
        "from copypaste_rs import SimpleCopyPaste\n"
        "from copypaste_rs.datasets import CopyPasteDataset\n"
        "from copypaste_rs.integrations.torch import EpochSampler, collate\n"
        "from tests.fixtures.photos import photo\n"
        "train = CopyPasteDataset([photo(1 + number) for number in range(8)], SimpleCopyPaste(size=24))\n"
        "train.set_epoch(3)\n"
        "make, sampler = collate('torchvision'), EpochSampler(dataset=train)\n"
        "loader = DataLoader(train, 1, sampler=sampler, num_workers=2, multiprocessing_context='fork', collate_fn=make)\n"
        "print(sum(len(images) for _ in range(2) for images, _ in loader))\n"
    )
    done = python(code)
    assert done.stdout == "16\n"
    assert done.stderr.count("its epoch 0 is taken, where set_epoch of the data set said 3") == 1


def MAKE_ONE(sample: Any) -> Any:
    return MAKE([sample])


@pytest.mark.parametrize("n", [7, 8])
def test_ranks_share_an_epoch(n: int) -> None:
    """Two processes that train together: together all items, and the sampler's padding is all that comes twice."""
    train = CopyPasteDataset([photo(1 + number, number % 3) for number in range(n)], AUGMENT, seed=3)
    truth = CopyPasteDataset([photo(1 + number, number % 3) for number in range(n)], AUGMENT, seed=3)
    samplers = [EpochSampler(DistributedSampler(train, num_replicas=2, rank=rank, seed=1)) for rank in range(2)]
    orders = []
    for epoch in range(3):
        got = [items(loader(train, sampler, num_workers=rank)) for rank, sampler in enumerate(samplers)]
        truth.set_epoch(epoch)
        assert dict(itertools.chain(*got)) == dict(items(MAKE([truth[i]]) for i in range(n)))
        assert [len(each) for each in got] == [4, 4]
        assert len({number for each in got for number, _ in each}) == n
        orders.append([number for each in got for number, _ in each])
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loop_that_calls_set_epoch_of_the_data_set_too(workers: int) -> None:
    """As accelerate does, which calls it of sampler and data set."""
    train = dataset()
    sampler = EpochSampler(dataset=train)
    given = loader(train, sampler, num_workers=workers, persistent_workers=workers > 0)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "index: its epoch")
        for epoch in (0, 1, 3):
            train.set_epoch(epoch)
            sampler.set_epoch(epoch)
            assert dict(items(given)) == EPOCHS[epoch]


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, False), (2, True)])
@pytest.mark.parametrize("seen", [0, 1, 3, 4])
@pytest.mark.parametrize("ranked", [False, True])
def test_a_stateful_loader_goes_on_in_the_middle(workers: int, persistent: bool, seen: int, ranked: bool) -> None:
    kind = pytest.importorskip("torchdata.stateful_dataloader", reason="torchdata is not installed").StatefulDataLoader

    def make() -> Any:
        train = dataset()
        inner = DistributedSampler(train, num_replicas=1, rank=0, seed=2)
        sampler = EpochSampler(inner) if ranked else EpochSampler(dataset=train, seed=2)
        return loader(train, sampler, kind, num_workers=workers, persistent_workers=persistent)

    whole = make()
    epochs = [items(whole) for _ in range(3)]
    assert [dict(each) for each in epochs] == EPOCHS[:3]
    first = make()
    items(first)
    batches = iter(first)
    got = [number for _ in range(seen) for number, _ in items([next(batches)])]
    again = make()
    again.load_state_dict(first.state_dict())
    rest = items(again)
    assert [*got, *(number for number, _ in rest)] == [number for number, _ in epochs[1]]
    assert rest == epochs[1][2 * seen :]
    assert items(again) == epochs[2]
    # After the end of an epoch the next one comes, whole.
    assert list(batches) or seen == 4
    once_more = make()
    once_more.load_state_dict(first.state_dict())
    assert items(once_more) == epochs[2]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_plain_loader_goes_on_by_hand(workers: int) -> None:
    train = dataset()
    whole = EpochSampler(dataset=train, seed=2)
    epochs = [items(loader(train, whole)) for _ in range(3)]
    sampler = EpochSampler(dataset=train, seed=2)
    sampler.load_state_dict({"epoch": 1, "position": 2 * 2})
    given = loader(train, sampler, num_workers=workers)
    assert [items(given), items(given)] == [epochs[1][4:], epochs[2]]


def test_an_error_of_a_worker_is_the_error_that_it_raised() -> None:
    without_labels = [PHOTOS[1].replace(instances=Instances(masks=PHOTOS[1].instances.masks))]
    with pytest.raises(ArgumentError, match=r"samples\[0\]: expected labels of its \d objects, got none"):
        list(DataLoader(without_labels, 1, num_workers=1, collate_fn=MAKE))

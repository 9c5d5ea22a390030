"""Self-training in real data loaders of torch: pseudo-labels of results, true objects pasted, mixed batches."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from copypaste_rs import ForTraining, SimpleCopyPaste
from copypaste_rs.datasets import CocoDataset, CopyPasteDataset, MixedBatchSampler, MixedDataset, PseudoLabels
from tests.fixtures.coco_files import box_polygon, small_set
from tests.fixtures.processes import ROOT
from tests.fixtures.tensors import REASON, fingerprint

torch = pytest.importorskip("torch", reason=REASON)

from torch.utils.data import DataLoader  # noqa: E402

from copypaste_rs.integrations.torch import collate  # noqa: E402

AUGMENT = ForTraining(SimpleCopyPaste(size=(24, 32), target_scale=(0.5, 1.5), source_scale=(0.5, 1.5)))
MAKE = collate("torchvision", num_classes=3)


pytestmark = pytest.mark.usefixtures("crowded_loaders")


class Places(NamedTuple):
    """Files of both sets."""

    labelled: Any
    unlabelled: Any
    pseudo: Path


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("sets")
    labelled, unlabelled = small_set(folder / "labelled", 3), small_set(folder / "unlabelled", 5)
    results = [
        {
            "image_id": 10 + i,
            "category_id": 1 + i % 2,
            "segmentation": [box_polygon(4 + 9 * k, 6, 8, 12)],
            "score": score,
        }
        for i in range(4)
        for k, score in enumerate((0.9, 0.5, 0.1))
    ]
    labels = PseudoLabels.from_results(results, unlabelled.annotations, ignore_below=0.4)
    assert (labels.kept, labels.ignored) == ({1: 2, 2: 2}, {1: 2, 2: 2})
    labels.save(folder / "pseudo.json")
    return Places(labelled, unlabelled, folder / "pseudo.json")


def mixed(places: Places) -> MixedDataset:
    true = CocoDataset(*places.labelled, columns=[])
    pseudo = CocoDataset(places.pseudo, places.unlabelled.images)
    return MixedDataset(
        CopyPasteDataset(true, AUGMENT, seed=3), CopyPasteDataset(pseudo, AUGMENT, sources=true, seed=4)
    )


def loader(both: MixedDataset, kind: Any = DataLoader, **options: Any) -> Any:
    sampler = MixedBatchSampler(both.labelled, both.pseudo, 4, share=0.25, seed=5)
    return kind(both, batch_sampler=sampler, collate_fn=MAKE, **options)


def prints(batches: Any) -> list[str]:
    return [fingerprint([list(images), list(targets)]) for images, targets in batches]


@pytest.fixture(scope="module")
def epochs(places: Places) -> list[list[str]]:
    """Fingerprints of the batches of three epochs, made in this process without a loader."""
    both = mixed(places)
    sampler = MixedBatchSampler(both.labelled, both.pseudo, 4, share=0.25, seed=5)
    found = [prints([MAKE([both[pair] for pair in batch]) for batch in sampler]) for _ in range(3)]
    assert len({each for epoch in found for each in epoch}) == sum(map(len, found)) == 9
    return found


def test_items_are_what_the_paper_has(places: Places) -> None:
    """True objects go into both kinds; pseudo-labels are not pasted, and doubtful ones are no targets."""
    both = mixed(places)
    pasted = {"labelled": 0, "pseudo": 0}
    for epoch, i in itertools.product(range(4), range(len(both))):
        rows = both[epoch, i].instances
        kind = "labelled" if i < len(both.labelled) else "pseudo"
        pasted[kind] += int((rows.source >= 0).sum())
        if kind == "labelled":
            assert "pseudo" not in rows.columns
        elif "pseudo" in rows.columns:  # else the image itself has no row
            assert rows.pseudo.tolist() == (rows.source < 0).tolist()
        _, (target,) = MAKE([both[epoch, i]])
        assert len(target["labels"]) == int((~rows.iscrowd).sum())
        assert target["iscrowd"].sum() == 0
    assert min(pasted.values()) > 0


@pytest.mark.parametrize(
    ("workers", "method", "persistent"),
    [(0, None, False), (1, "fork", True), (2, "fork", False), (4, "fork", False), (2, "spawn", True), (2, "forkserver", False)],
)  # fmt: skip
def test_workers_change_no_byte(
    places: Places, epochs: list[list[str]], workers: int, method: str | None, persistent: bool
) -> None:
    given = loader(mixed(places), num_workers=workers, multiprocessing_context=method, persistent_workers=persistent)
    assert len(given) == 3
    assert [prints(given) for _ in range(2)] == epochs[:2]


def test_each_batch_has_its_share(places: Places) -> None:
    both = mixed(places)
    ids = [[int(target["image_id"]) for target in targets] for _, targets in loader(both, num_workers=2)]
    assert all(len(batch) == 4 for batch in ids)
    # Both sets number their images from 10 on; the order within a batch tells them apart.
    assert {number for batch in ids for number in batch[1:]} == {10, 11, 12, 13, 14}
    assert {batch[0] for batch in ids} == {10, 11, 12}


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("seen", [1, 2])
def test_a_stateful_loader_goes_on_in_the_middle(
    places: Places, epochs: list[list[str]], workers: int, seen: int
) -> None:
    kind = pytest.importorskip("torchdata.stateful_dataloader", reason="torchdata is not installed").StatefulDataLoader
    first = loader(mixed(places), kind, num_workers=workers)
    batches = iter(first)
    got = prints(itertools.islice(batches, seen))
    again = loader(mixed(places), kind, num_workers=workers)
    again.load_state_dict(first.state_dict())
    assert got + prints(again) == epochs[0]
    assert prints(again) == epochs[1]


def test_a_plain_loader_goes_on_by_hand(places: Places, epochs: list[list[str]]) -> None:
    given = loader(mixed(places), num_workers=2)
    given.batch_sampler.load_state_dict({"epoch": 1, "position": 2})
    assert [prints(given), prints(given)] == [epochs[1][2:], epochs[2]]


def test_ranks_of_a_process_group(tmp_path: Path) -> None:
    code = (
        "import sys, torch.distributed as distributed\n"
        "from copypaste_rs.datasets import MixedBatchSampler\n"
        "print(MixedBatchSampler(range(4), range(8), 2))\n"
        "distributed.init_process_group('gloo', init_method='file://' + sys.argv[1], rank=int(sys.argv[2]), world_size=2)\n"
        "sampler = MixedBatchSampler(range(4), range(8), 2)\n"
        "print(sampler, sorted(index for batch in sampler for _, index, *_ in batch))\n"
        # A rank that left now could hang up on the other one, which may still be joining.
        "distributed.barrier()\n"
        "distributed.destroy_process_group()\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "store"), str(rank)],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    lines = [process.communicate(timeout=300)[0].splitlines() for process in started]
    indices: list[int] = []
    for rank, (alone, together) in enumerate(lines):
        assert alone == "MixedBatchSampler(8 batches of 1 of 4 and 1 of 8, seed=0)"
        start, _, rest = together.partition(" [")
        assert start == f"MixedBatchSampler(4 batches of 1 of 4 and 1 of 8, seed=0, rank {rank} of 2)"
        indices += map(int, rest.removesuffix("]").split(", "))
    assert sorted(indices) == sorted([*range(4), *range(4), *range(4, 12)])

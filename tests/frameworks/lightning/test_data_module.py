"""CopyPasteDataModule: epochs, processes, and runs that go on, by the bytes of what arrives in real trainers."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REASON = "lightning is not installed: make test-frameworks installs it"
torch = pytest.importorskip("torch", reason=REASON)
L = pytest.importorskip("lightning", reason=REASON)

from copypaste_rs import ForTraining, ScaleJitter, SimpleCopyPaste  # noqa: E402
from copypaste_rs.datasets import CopyPasteDataset, MixedDataset, sample_data  # noqa: E402
from copypaste_rs.errors import ArgumentError, ArgumentTypeError  # noqa: E402
from copypaste_rs.integrations.lightning import CopyPasteDataModule  # noqa: E402
from copypaste_rs.integrations.torch import EpochSampler, collate  # noqa: E402
from copypaste_rs.schedules import off_for_last  # noqa: E402
from examples.small_maskrcnn import small_maskrcnn  # noqa: E402
from tests.fixtures.processes import python  # noqa: E402
from tests.fixtures.tensors import fingerprint  # noqa: E402
from tests.frameworks.lightning.runs import run as runs_here  # noqa: E402

pytestmark = [pytest.mark.filterwarnings("ignore")]  # what trainers have to say

START = "import subprocess, sys\nsys.exit(subprocess.run([sys.executable, '-m', *sys.argv[1:]]).returncode)"

Batches = list[list[tuple[int, ...]]]


def runs(folder: Path, **options: Any) -> dict[int, Batches]:
    """What each process of a run was given."""
    done = python(START, "tests.frameworks.lightning.runs", str(folder), json.dumps(options))
    lines = [line[line.index("SEEN") :].split(" ", 2) for line in done.stdout.splitlines() if "SEEN" in line]
    return {int(rank): eval(seen) for _, rank, seen in lines}


def run(folder: Path, **options: Any) -> Batches:
    """What this process was given."""
    return runs_here(str(folder), **options)[1]


def epochs(number: int, batch_size: int = 2, **options: Any) -> Batches:
    """What a run of one process is to be given."""
    sampler = EpochSampler(dataset=range(5), **options)
    passes: list[Any] = [list(sampler) for _ in range(number)]
    return [each[i : i + batch_size] for each in passes for i in range(0, 5, batch_size)]


@pytest.mark.parametrize("workers", [0, 2])
def test_each_epoch_has_other_images(tmp_path: Path, workers: int) -> None:
    assert run(tmp_path, workers=workers) == epochs(3)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("after", [[0, 0], [1, 0], [1, 1], [1, 2]])
def test_a_run_goes_on_in_the_middle(tmp_path: Path, workers: int, after: list[int]) -> None:
    run(tmp_path, workers=workers, save_after=after)
    rest = run(tmp_path, workers=workers, resume=str(tmp_path / "middle.ckpt"))
    assert rest == epochs(3)[3 * after[0] + after[1] + 1 :]


@pytest.mark.parametrize("val", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_goes_on_after_an_epoch(tmp_path: Path, workers: int, val: bool) -> None:
    run(tmp_path, workers=workers, val=val, trainer={"max_epochs": 2})
    rest = run(tmp_path, workers=workers, val=val, resume=str(tmp_path / "epoch=1.ckpt"), trainer={"max_epochs": 4})
    assert rest == epochs(4)[6:]


def test_two_processes_have_each_item_once(tmp_path: Path) -> None:
    two = {"devices": 2, "strategy": "ddp"}
    given = runs(tmp_path, trainer=two, save_after=[1, 0], workers=1)
    assert sorted(given) == [0, 1]
    order = EpochSampler(dataset=range(5))
    for epoch in range(3):
        whole = list(order)
        parts = [[pair for batch in given[rank][2 * epoch : 2 * epoch + 2] for pair in batch] for rank in (0, 1)]
        together = [pair for step in zip(*parts, strict=True) for pair in step]
        assert together == [*whole, (*whole[0], 1)]
    rest = runs(tmp_path, trainer=two, resume=str(tmp_path / "middle.ckpt"))
    assert rest == {rank: given[rank][3:] for rank in (0, 1)}
    alone = run(tmp_path, resume=str(tmp_path / "middle.ckpt"))  # on one process, which has no item again
    assert sorted(alone[0]) == sorted(pair for rank in (0, 1) for pair in given[rank][3] if len(pair) == 2)


def test_other_settings_of_trainers(tmp_path: Path) -> None:
    whole = epochs(3)
    limited = run(tmp_path, trainer={"limit_train_batches": 2})
    assert limited == [batch for i, batch in enumerate(whole) if i % 3 < 2]
    assert run(tmp_path, trainer={"reload_dataloaders_every_n_epochs": 1}) == whole
    assert run(tmp_path, trainer={"accumulate_grad_batches": 2, "val_check_interval": 1}, val=True) == whole
    assert run(tmp_path, trainer={"max_epochs": -1, "max_steps": 5}) == whole[:5]
    again = run(tmp_path, trainer={"overfit_batches": 2})  # which turns shuffling off, and the epoch is 0
    assert again == [[(0, 0), (0, 1)], [(0, 2), (0, 3)]] * 3


@pytest.mark.parametrize("workers", [0, 2])
def test_the_other_package(tmp_path: Path, workers: int) -> None:
    pytest.importorskip("pytorch_lightning")
    assert runs(tmp_path, package="pytorch_lightning", workers=workers) == {0: epochs(3)}


def test_why_the_data_module_is_there(tmp_path: Path) -> None:
    """If this fails, loaders of one's own go on as they should, and the page need not warn of them."""
    whole = run(tmp_path, plain=True, workers=2, save_after=[1, 0])
    assert whole == epochs(3)
    rest = run(tmp_path, plain=True, workers=2, resume=str(tmp_path / "middle.ckpt"))
    assert rest[0][0][0] == 0, "the epoch of the first batch is not the one that goes on"


class Detector(L.LightningModule):  # type: ignore[misc, name-defined]
    """Mask R-CNN that notes its losses."""

    def __init__(self, classes: int, size: int) -> None:
        super().__init__()
        self.model = small_maskrcnn(classes, size)
        self.losses: list[float] = []
        self.validated = 0

    def training_step(self, batch: Any, number: int) -> Any:
        loss = sum(self.model(*batch).values())
        self.losses.append(float(loss.detach()))
        return loss

    def validation_step(self, batch: Any, number: int) -> None:
        assert all("boxes" in each for each in self.model(batch[0]))
        self.validated += len(batch[0])

    def configure_optimizers(self) -> Any:
        return torch.optim.AdamW(self.parameters(), 1e-3)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small models are faster on one thread than on many that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_detector_trains(tmp_path: Path) -> None:
    """The targets are those of `collate`, whose meaning its own tests hold; here they reach the model."""
    L.seed_everything(0, verbose=False)
    photos, size, epochs = sample_data(), 64, 2
    augment = ForTraining(SimpleCopyPaste(size=size, target_scale=(0.9, 1.1), source_scale=(0.6, 1.0), min_area=64))
    train = CopyPasteDataset(photos, schedule=off_for_last(1, epochs, augment), seed=3)
    plain = CopyPasteDataset(photos, ForTraining(ScaleJitter(size=size, scale=(1, 1), flip=0)))
    data = CopyPasteDataModule(train, 2, collate_fn=collate("torchvision", num_classes=8), val=plain)
    model = Detector(8, size)
    trainer = L.Trainer(
        max_epochs=epochs, accelerator="cpu", default_root_dir=tmp_path, logger=False, enable_progress_bar=False,
        enable_checkpointing=False, num_sanity_val_steps=0,
    )  # fmt: skip
    trainer.fit(model, data)
    assert len(model.losses) == 3 * epochs
    assert np.isfinite(model.losses).all()
    assert model.validated == 5 * epochs


def test_the_validation_is_as_it_lies() -> None:
    photos = sample_data()
    train = CopyPasteDataset(photos, SimpleCopyPaste(size=32))
    data = CopyPasteDataModule(train, 2, collate_fn=collate("torchvision"), val=photos, drop_last=True)
    batches = list(data.val_dataloader())
    assert [target["image_id"] for _, targets in batches for target in targets] == [1, 2, 3, 4, 5]
    assert [tuple(image.shape[1:]) for images, _ in batches for image in images] == [photo.size for photo in photos]
    assert len(list(data.train_dataloader())) == 2
    silent = CopyPasteDataModule(train, collate_fn=collate("torchvision"))
    assert "val_dataloader" not in vars(silent) | vars(CopyPasteDataModule)
    mixed = MixedDataset(train, CopyPasteDataset(photos, SimpleCopyPaste(size=32), seed=1))
    assert (
        sum(
            len(images)
            for images, _ in CopyPasteDataModule(mixed, 4, collate_fn=collate("torchvision")).train_dataloader()
        )
        == 10
    )


def test_a_loader_of_ones_own_validates(tmp_path: Path) -> None:
    """With another form of batches than the training has."""
    train, loader = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=32)), torch.utils.data.DataLoader(range(3))
    data = CopyPasteDataModule(train, 2, collate_fn=collate("torchvision"), val=loader, drop_last=True)
    seen: list[Any] = []

    class Noting(L.LightningModule):  # type: ignore[misc, name-defined]
        def validation_step(self, batch: Any, number: int) -> None:
            seen.append(batch.tolist())

    trainer = L.Trainer(accelerator="cpu", default_root_dir=tmp_path, logger=False, enable_progress_bar=False)
    trainer.validate(Noting(), data, verbose=False)
    assert seen == [[0], [1], [2]]


def test_it_pickles() -> None:
    """As strategies that spawn processes do."""
    train = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=32), seed=1)
    data = CopyPasteDataModule(train, 2, collate_fn=collate("torchvision"), val=sample_data())
    copied = pickle.loads(pickle.dumps(data))
    for loader in ("train_dataloader", "val_dataloader"):
        for ours, theirs in zip(getattr(data, loader)(), getattr(copied, loader)(), strict=True):
            assert fingerprint(ours) == fingerprint(theirs)


def test_errors_name_what_is_wrong() -> None:
    train: Any = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=32))
    given: Any = collate("torchvision")
    with pytest.raises(
        ArgumentTypeError, match=r"^train: expected a CopyPasteDataset or a MixedDataset, got CocoDataset$"
    ):
        CopyPasteDataModule(sample_data(), collate_fn=given)  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match=r"^train: .*, got Subset$"):
        CopyPasteDataModule(torch.utils.data.Subset(train, [1]), collate_fn=given)
    with pytest.raises(ArgumentTypeError, match=r"^collate_fn: expected a function from items to a batch, got str$"):
        CopyPasteDataModule(train, collate_fn="detr")  # type: ignore[arg-type]
    for val in ("val.json", 3):
        with pytest.raises(
            ArgumentTypeError, match=rf"^val: expected a sequence, or a data loader, got {type(val).__name__}$"
        ):
            CopyPasteDataModule(train, collate_fn=given, val=val)
    with pytest.raises(ArgumentError, match=r"^batch_size: expected an integer from 1"):
        CopyPasteDataModule(train, 0, collate_fn=given)
    for name in ("sampler", "batch_sampler", "dataset"):
        options: dict[str, Any] = {name: None}
        with pytest.raises(ArgumentError, match=rf"^{name}: expected further arguments of data loaders, got one that"):
            CopyPasteDataModule(train, collate_fn=given, **options)
    with pytest.raises(ArgumentError, match=r"^samples\[\d\]: expected labels from 1 to 1, for num_classes=2, got \d$"):
        list(CopyPasteDataModule(train, 5, collate_fn=collate("torchvision", num_classes=2)).train_dataloader())


def test_a_missing_framework_is_named() -> None:
    code = (
        "import sys\nsys.modules['lightning'] = sys.modules['pytorch_lightning'] = None\nimport copypaste_rs\n"
        "try: copypaste_rs.integrations.lightning\nexcept ImportError as error: print(error)"
    )
    assert python(code).stdout.splitlines()[-1] == (
        "lightning is not installed; pip install lightning brings what copypaste_rs.integrations.lightning needs"
    )

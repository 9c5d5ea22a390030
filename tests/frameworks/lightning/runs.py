"""Runs of Lightning that tell which items arrive; ``python -m tests.frameworks.lightning.runs FOLDER OPTIONS``."""

from __future__ import annotations

import importlib
import json
import logging
import sys
import warnings
import zlib
from typing import Any

import torch
from torch.utils.data import DataLoader

from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_data


def fingerprints(items: Any) -> Any:
    """A batch of the fingerprints of its images."""
    return torch.tensor([zlib.crc32(item.image.tobytes()) for item in items])


def known(train: CopyPasteDataset[Any], epochs: int) -> dict[int, tuple[int, ...]]:
    """Epoch and index of each fingerprint; with how often an item came before, where it did."""
    pairs: list[tuple[int, ...]] = [(epoch, index) for epoch in range(epochs) for index in range(len(train))]
    pairs += [(*pair, 1) for pair in pairs]
    return {int(fingerprints([train[pair]])): pair for pair in pairs}


def run(folder: str, **given: Any) -> tuple[int, list[list[tuple[int, ...]]]]:
    """Train a model of nothing; rank of the process, and what it was given by batches."""
    pl: Any = importlib.import_module(given.get("package", "lightning.pytorch"))
    logging.getLogger(pl.__name__).setLevel(logging.ERROR)

    from copypaste_rs.integrations.lightning import CopyPasteDataModule
    from copypaste_rs.integrations.torch import EpochSampler

    class Model(pl.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))
            self.seen: list[Any] = []

        def training_step(self, batch: Any, _number: int) -> Any:
            self.seen.append(batch.tolist())
            return (self.weight * 0).sum()

        def validation_step(self, batch: Any, number: int) -> None:
            """Nothing is measured."""

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.0)

    class SaveInTheMiddle(pl.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, number: int) -> None:
            if [trainer.current_epoch, number] == given.get("save_after"):
                trainer.save_checkpoint(f"{folder}/middle.ckpt")

    train = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=32), seed=1)
    workers = given.get("workers", 0)
    options = {"num_workers": workers, "persistent_workers": workers > 0}
    data = CopyPasteDataModule(train, 2, collate_fn=fingerprints, val=train if given.get("val") else None, **options)
    loader = DataLoader(train, 2, sampler=EpochSampler(dataset=train), collate_fn=fingerprints, **options)
    trainer = pl.Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[SaveInTheMiddle(), pl.callbacks.ModelCheckpoint(folder, "{epoch}", save_top_k=-1)],
        **{"max_epochs": 3, "devices": 1, **given.get("trainer", {})},
    )
    model = Model()
    trainer.fit(model, loader if given.get("plain") else data, ckpt_path=given.get("resume"))
    names = known(train, 4)
    return trainer.global_rank, [[names[each] for each in batch] for batch in model.seen]


def main() -> None:
    """Print what a run was given."""
    warnings.simplefilter("ignore")
    rank, seen = run(sys.argv[1], **json.loads(sys.argv[2]))
    sys.stdout.write(f"SEEN {rank} {seen}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

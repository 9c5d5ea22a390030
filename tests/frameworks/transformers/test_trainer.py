"""Trainer and accelerate with copy-paste: targets as processors make them, epochs everywhere, losses that are finite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REASON = "transformers is not installed: make test-frameworks installs it"
torch = pytest.importorskip("torch", reason=REASON)
transformers = pytest.importorskip("transformers", reason=REASON)
pytest.importorskip("datasets", reason=REASON)
pytest.importorskip("accelerate", reason=REASON)

from transformers import DetrImageProcessor, Mask2FormerImageProcessor, Trainer, TrainingArguments  # noqa: E402

from copypaste_rs import ForTraining, ScaleJitter, SimpleCopyPaste  # noqa: E402
from copypaste_rs.datasets import CopyPasteDataset  # noqa: E402
from copypaste_rs.errors import ArgumentError, ArgumentTypeError  # noqa: E402
from copypaste_rs.integrations.torch import collate  # noqa: E402
from copypaste_rs.integrations.transformers import EpochCallback, TableSamples  # noqa: E402
from copypaste_rs.schedules import off_for_last  # noqa: E402
from tests.fixtures.processes import python  # noqa: E402
from tests.frameworks.transformers.small_models import small_mask2former, small_rf_detr  # noqa: E402
from tests.frameworks.transformers.tables import table  # noqa: E402

CLASSES = range(1, 8)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small models are faster on one thread than on many that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def photographs() -> TableSamples:
    return TableSamples(table("polygons"), category_ids=CLASSES)


def arguments(folder: Path, **options: Any) -> Any:
    given = {"per_device_train_batch_size": 2, "num_train_epochs": 2, "report_to": [], "disable_tqdm": True}
    return TrainingArguments(str(folder), use_cpu=True, save_strategy="no", **{**given, **options})


def test_targets_are_those_of_the_processor_of_detr() -> None:
    """Polygons of results, drawn by the processor, and tensors made directly."""
    augment = ForTraining(SimpleCopyPaste(size=(96, 128), min_area=16), mean=MEAN, std=STD)
    train = CopyPasteDataset(photographs(), augment, seed=1)
    uint8 = CopyPasteDataset(photographs(), SimpleCopyPaste(size=(96, 128), min_area=16), seed=1)
    processor = DetrImageProcessor(do_resize=False, do_pad=False)
    for i in range(5):
        sample = uint8[i]
        assert sample.instances.masks is not None
        annotations = []
        for k, outline in enumerate(sample.instances.masks.to_polygons()):
            x0, y0, x1, y1 = (float(each) for each in sample.instances.boxes[k])  # type: ignore[index]
            annotations.append(
                {
                    "category_id": int(sample.instances.labels[k]),  # type: ignore[index]
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": float(sample.instances.masks.area[k]),
                    "iscrowd": 0,
                    "segmentation": [part.tolist() for part in outline],
                }
            )
        image_id = sample.info["image_id"]
        truth = processor(
            images=sample.image,
            annotations={"image_id": image_id, "annotations": annotations},
            return_segmentation_masks=True,
            return_tensors="pt",
        )
        made = collate("detr", masks=True, num_classes=7)([train[i]])
        (expected,), (target,) = truth["labels"], made["labels"]
        assert torch.allclose(made["pixel_values"], truth["pixel_values"], atol=1e-5)
        assert torch.equal(made["pixel_mask"], torch.ones((1, 96, 128), dtype=torch.int64))
        assert torch.equal(target["masks"], expected["masks"].bool())
        assert torch.equal(target["class_labels"], expected["class_labels"])
        assert torch.allclose(target["boxes"], expected["boxes"], atol=1e-6)
        assert target["image_id"].tolist() == [image_id]


def test_targets_are_those_of_the_processor_of_mask2former() -> None:
    """Where objects do not overlap: results of copy-paste with all that was covered cut."""
    train = CopyPasteDataset(photographs(), SimpleCopyPaste(size=(96, 128), min_area=16), seed=2)
    processor = Mask2FormerImageProcessor(do_resize=False, ignore_index=0, image_mean=[0, 0, 0], image_std=[1, 1, 1])
    compared = 0
    for i in range(5):
        sample = train[i]
        assert sample.instances.masks is not None
        assert sample.instances.labels is not None
        if (sample.instances.masks.to_dense().sum(axis=0) > 1).any():
            continue  # a map cannot hold these
        numbers = dict(enumerate(sample.instances.labels.tolist(), 1))
        truth = processor(
            [sample.image],
            segmentation_maps=[sample.instances.masks.to_label_map()],
            instance_id_to_semantic_id=[{0: 0, **numbers}],
            return_tensors="pt",
        )
        made = collate("mask2former")([sample])
        assert torch.allclose(made["pixel_values"], truth["pixel_values"], atol=1e-5)
        assert torch.equal(made["mask_labels"][0], truth["mask_labels"][0])
        assert torch.equal(made["class_labels"][0], truth["class_labels"][0])
        compared += 1
    assert compared >= 3


@pytest.mark.parametrize("workers", [0, 2])
def test_mask2former_learns(tmp_path: Path, workers: int) -> None:
    transformers.set_seed(0)
    augment = SimpleCopyPaste(size=64, target_scale=(0.9, 1.1), source_scale=(0.6, 1.0), min_area=32)
    epochs = 3
    train = CopyPasteDataset(
        photographs(), schedule=off_for_last(1, epochs, ForTraining(augment, mean=MEAN, std=STD)), seed=0
    )
    trainer = Trainer(
        small_mask2former(7, queries=20),
        arguments(
            tmp_path,
            num_train_epochs=epochs,
            learning_rate=1e-3,
            logging_steps=1,
            dataloader_num_workers=workers,
        ),
        train_dataset=train,
        eval_dataset=CopyPasteDataset(photographs(), ForTraining(ScaleJitter(size=64, scale=(1, 1), flip=0))),
        data_collator=collate("mask2former", num_classes=7),
        callbacks=[EpochCallback()],
    )
    trainer.train()
    losses = [each["loss"] for each in trainer.state.log_history if "loss" in each]
    assert np.isfinite(losses).all()
    assert len(losses) == 3 * epochs
    assert losses[-1] < losses[0]
    assert np.isfinite(trainer.evaluate()["eval_loss"])


def test_rf_detr_trains(tmp_path: Path) -> None:
    transformers.set_seed(0)
    augment = ForTraining(SimpleCopyPaste(size=128, min_area=16), mean=MEAN, std=STD)
    trainer = Trainer(
        small_rf_detr(7, 128),
        arguments(tmp_path, learning_rate=1e-3, logging_steps=1),
        train_dataset=CopyPasteDataset(photographs(), augment, seed=0),
        data_collator=collate("detr", num_classes=7, masks=True),
        callbacks=[EpochCallback()],
    )
    trainer.train()
    losses = [each["loss"] for each in trainer.state.log_history if "loss" in each]
    assert len(losses) == 6
    assert np.isfinite(losses).all()


def test_four_images_are_learnt() -> None:
    """A model that is given targets learns what they say: where objects are, and of which class."""
    torch.manual_seed(0)
    size, steps = 96, 240
    augment = SimpleCopyPaste(
        size=size, target_scale=(0.9, 1.1), source_scale=(0.6, 1.0), min_area=64, min_visibility=0.3
    )
    train = CopyPasteDataset(photographs(), augment, seed=3)
    items: list[Any] = [train[0, i] for i in range(4)]
    assert any((item.instances.source >= 0).any() for item in items)
    batch = collate("mask2former", num_classes=7)(items)
    model = small_mask2former(7)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.0)
    for _ in range(steps):
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        found = model.eval()(pixel_values=batch["pixel_values"])
    hits, objects = 0, 0
    for k, item in enumerate(items):
        labels = found.class_queries_logits[k].softmax(-1)[:, :-1].argmax(-1)
        masks = torch.nn.functional.interpolate(found.masks_queries_logits[k][None], size=(size, size), mode="bilinear")
        drawn = masks[0].numpy() > 0
        truth = item.instances.masks.to_dense().astype(bool)
        for mask, label in zip(truth, item.instances.labels, strict=True):
            overlap = (drawn & mask).sum((1, 2)) / np.maximum(1, (drawn | mask).sum((1, 2)))
            hits += bool((overlap[labels.numpy() == label] >= 0.5).any())
            objects += 1
    assert objects > 15
    assert hits >= 0.8 * objects, f"{hits} of {objects}"


PASSES = """
import sys, torch
from transformers import Trainer, TrainingArguments
from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_data
from copypaste_rs.integrations.transformers import EpochCallback


class Keys:
    '''Keys of the items in the place of these.'''

    def __init__(self):
        self.data = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=32))

    def __len__(self):
        return len(self.data)

    def set_epoch(self, epoch):
        self.data.set_epoch(epoch)

    def __getitem__(self, index):
        return self.data.key(index)


class Nothing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, keys):
        seen.append([tuple(key[1:]) for key in keys.tolist()])
        return {"loss": (self.weight * 0).sum()}


def collate(keys):
    return {"keys": torch.tensor(keys)}


seen = []
folder, workers, resume, told = sys.argv[1], int(sys.argv[2]), sys.argv[3] or None, sys.argv[4] == "told"
arguments = TrainingArguments(
    folder, num_train_epochs=3, per_device_train_batch_size=2, report_to=[], use_cpu=True, disable_tqdm=True,
    save_steps=1, dataloader_num_workers=workers, dataloader_persistent_workers=workers > 0, logging_steps=1000,
)
callbacks = [EpochCallback()] if told else []
trainer = Trainer(Nothing(), arguments, train_dataset=Keys(), data_collator=collate, callbacks=callbacks)
trainer.train(resume_from_checkpoint=resume)
sys.stdout.write(f"\\nSEEN {trainer.args.process_index} {seen}\\n")  # whole, as the other process writes there too
trainer.accelerator.end_training()  # a process that ends with threads of its group is aborted now and then
"""


def passes(folder: Path, workers: int = 0, resume: str = "", told: bool = True) -> Any:
    """What arrives in a run, by batches."""
    out = python(PASSES, str(folder), str(workers), resume, "told" if told else "")
    line = next(line for line in out.stdout.splitlines() if line.startswith("SEEN"))
    return eval(line.split(" ", 2)[2])


@pytest.mark.parametrize("workers", [0, 2])
def test_each_epoch_is_told_and_a_run_goes_on_with_it(tmp_path: Path, workers: int) -> None:
    whole = passes(tmp_path, workers)
    assert [sorted(key for batch in whole[i : i + 3] for key in batch) for i in (0, 3, 6)] == [
        [(epoch, index) for index in range(5)] for epoch in range(3)
    ]
    rest = passes(tmp_path, workers, resume=str(tmp_path / "checkpoint-4"))
    assert rest == whole[4:]


def test_why_the_callback_is_there(tmp_path: Path) -> None:
    """If this fails, the framework tells the epoch by itself, and the callback is needed no more."""
    whole = passes(tmp_path, told=False)
    rest = passes(tmp_path, resume=str(tmp_path / "checkpoint-4"), told=False)
    assert [key[0] for batch in whole[4:6] for key in batch] == [1, 1, 1]
    assert [key[0] for batch in rest[:2] for key in batch] == [0, 0, 0]


TWO = "import sys\nfrom torch.distributed.run import main\nmain(sys.argv[1:])\n"


def on_two_processes(script: Path, *arguments: str) -> dict[int, Any]:
    """What each of two processes saw."""
    given = ("--nproc-per-node=2", "--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", str(script), *arguments)
    out = python(TWO, *given).stdout
    lines = [line[line.index("SEEN") :].split(" ", 2) for line in out.splitlines() if "SEEN" in line]
    return {int(rank): eval(seen) for _, rank, seen in lines}


def test_two_processes_see_each_item_once_in_each_epoch(tmp_path: Path) -> None:
    script = tmp_path / "passes.py"
    script.write_text(PASSES)
    seen = on_two_processes(script, str(tmp_path / "run"), "0", "", "told")
    batches = len(seen[0]) // 3
    for epoch in range(3):
        keys = [key for rank in (0, 1) for batch in seen[rank][epoch * batches :][:batches] for key in batch]
        assert {key[0] for key in keys} == {epoch}
        assert {key[1] for key in keys} == set(range(5))


PREPARED = """
import sys
import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader
from copypaste_rs import SimpleCopyPaste
from copypaste_rs.datasets import CopyPasteDataset, sample_data
from copypaste_rs.integrations.torch import EpochSampler

train = CopyPasteDataset(sample_data(), SimpleCopyPaste(size=32))


class Keys:
    def __len__(self):
        return len(train)

    def __getitem__(self, index):
        return torch.tensor(train.key(index)[1:])


accelerator = Accelerator(cpu=True)
workers = int(sys.argv[1])
loader = DataLoader(Keys(), 1, sampler=EpochSampler(dataset=train), num_workers=workers, persistent_workers=workers > 0)
loader = accelerator.prepare(loader)
seen = [[tuple(key) for batch in loader for key in batch.tolist()] for _ in range(3)]
sys.stdout.write(f"\\nSEEN {accelerator.process_index} {seen}\\n")
accelerator.end_training()
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_accelerate_with_an_epoch_sampler(tmp_path: Path, workers: str) -> None:
    script = tmp_path / "prepared.py"
    script.write_text(PREPARED)
    seen = on_two_processes(script, workers)
    for epoch in range(3):
        keys = [key for rank in (0, 1) for key in seen[rank][epoch]]
        assert len(keys) == 6  # one comes twice, so that both have as many
        assert set(keys) == {(epoch, index) for index in range(5)}


def test_errors_name_what_is_wrong(tmp_path: Path) -> None:
    train = CopyPasteDataset(photographs(), SimpleCopyPaste(size=32), seed=0)
    few = Trainer(
        small_mask2former(3, queries=5),
        arguments(tmp_path),
        train_dataset=train,
        data_collator=collate("mask2former", num_classes=3),
    )
    with pytest.raises(ArgumentError, match=r"^samples\[\d\]: expected labels from 0 to 2, for num_classes=3, got \d$"):
        few.train()
    items: Any = [train[i] for i in range(5)]
    silent = Trainer(
        small_mask2former(7, queries=5),
        arguments(tmp_path),
        train_dataset=items,
        data_collator=collate("mask2former"),
        callbacks=[EpochCallback()],
    )
    with pytest.raises(ArgumentTypeError, match=r"^train_dataset: expected a data set with set_epoch, .*, got list$"):
        silent.train()


def test_a_missing_framework_is_named() -> None:
    for module in ("transformers", "datasets"):
        code = (
            f"import sys\nsys.modules[{module!r}] = None\nimport copypaste_rs\n"
            "try: copypaste_rs.integrations.transformers\nexcept ImportError as error: print(error)"
        )
        assert python(code).stdout.splitlines()[-1] == (
            f"{module} is not installed; pip install transformers datasets accelerate brings what "
            "copypaste_rs.integrations.transformers needs"
        )

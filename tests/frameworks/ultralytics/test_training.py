"""Trainings by Ultralytics with the callback: what stays through closed mosaic, loaders built anew, and workers."""

from __future__ import annotations

import logging
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ultralytics", reason="ultralytics is not installed: make test-frameworks installs it")
torch = pytest.importorskip("torch")

from copypaste_rs.integrations.ultralytics import copy_paste  # noqa: E402
from tests.frameworks.ultralytics.loops import EVENT, STILL, a_trainer, boxes_alone, folder_of_samples, two_photographs  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


PASTE = "PasteStep"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> str:
    return folder_of_samples(tmp_path_factory.mktemp("set") / "samples", empty=True)


def train(model: str, data: str, folder: Path, event: str = EVENT, **settings: Any) -> tuple[Any, list[dict[str, Any]]]:
    """A training on the processor, and what was seen in each batch."""
    from ultralytics import YOLO

    seen: list[dict[str, Any]] = []

    def note(trainer: Any) -> None:
        chain = [type(step).__name__ for step in trainer.train_loader.dataset.transforms.transforms]
        mosaic = trainer.train_loader.dataset.transforms.transforms[0].transforms[0].p
        loss = float(trainer.loss.detach())
        seen.append({"epoch": trainer.epoch, "loss": loss, "chain": chain, "mosaic": mosaic})

    yolo = YOLO(model, verbose=False)
    yolo.add_callback(event, copy_paste(min_area=16, **settings.pop("options", {})))
    for name, call in settings.pop("callbacks", {}).items():
        yolo.add_callback(name, call)
    yolo.add_callback("on_train_batch_end", note)
    given = {"imgsz": 96, "epochs": 2, "batch": 3, "plots": False, "val": False, "device": "cpu", "verbose": False}
    yolo.train(data=data, project=str(folder), **(given | settings))
    return yolo.trainer, seen


@pytest.mark.parametrize("model", ["yolo11n-seg.yaml", "yolo26n-seg.yaml"])
def test_a_training(model: str, samples: str, tmp_path: Path) -> None:
    """Losses are finite, pasting goes on when mosaic is closed, and validation has no part in it."""
    trainer, seen = train(model, samples, tmp_path, epochs=3, close_mosaic=1)
    assert all(np.isfinite(each["loss"]) and each["loss"] > 0 for each in seen)
    assert [each["mosaic"] for each in seen if each["epoch"] == 1] == [1.0, 1.0]
    assert [each["mosaic"] for each in seen if each["epoch"] == 2] == [0.0, 0.0]
    assert all(each["chain"].count(PASTE) == 1 and each["chain"][-1] == "DrawStep" for each in seen)
    val = [type(step).__name__ for step in trainer.test_loader.dataset.transforms.transforms]
    assert val == ["LetterBox", "Format"]
    assert sum("copy_paste(" in repr(each) for each in trainer.callbacks[EVENT]) == 1


@pytest.mark.parametrize("event", ["on_pretrain_routine_end", EVENT])
def test_a_loader_built_anew(event: str, samples: str, tmp_path: Path) -> None:
    """After a lack of memory the trainer builds loaders of half the batch: these paste too, whatever the event."""
    given: list[Any] = []

    def fail_once(trainer: Any) -> None:
        preprocess = trainer.preprocess_batch
        given.append(trainer.train_loader)

        def preprocess_batch(batch: Any) -> Any:
            trainer.preprocess_batch = preprocess
            raise RuntimeError("CUDA out of memory")

        trainer.preprocess_batch = preprocess_batch

    callbacks = {"on_train_start": fail_once}
    trainer, seen = train("yolo11n-seg.yaml", samples, tmp_path, event, batch=4, epochs=1, callbacks=callbacks)
    assert trainer.batch_size == 2
    assert trainer.train_loader is not given[0]
    assert len(seen) == 3
    assert all(each["chain"].count(PASTE) == 1 for each in seen)


def test_a_detector(tmp_path: Path) -> None:
    data = boxes_alone(two_photographs(tmp_path / "set"))
    _, seen = train("yolo11n.yaml", data, tmp_path, options={"paste_boxes": True}, batch=2)
    assert all(np.isfinite(each["loss"]) for each in seen)


def test_two_photographs_are_learnt(tmp_path: Path) -> None:
    """In half a minute of one core, with an object pasted into each image: it finds both, with their masks."""
    losses: list[float] = []
    callbacks = {"on_train_epoch_end": lambda trainer: losses.append(sum(map(float, trainer.tloss.values())))}
    settings: dict[str, Any] = {"optimizer": "AdamW", "lr0": 0.005, "mosaic": 0.0, "warmup_epochs": 0, "seed": 1}
    settings |= {"imgsz": 64, "epochs": 100, "batch": 2, "nbs": 2, "callbacks": callbacks}
    trainer, seen = train("yolo11n-seg.yaml", two_photographs(tmp_path / "set"), tmp_path, **settings)
    assert len(seen) == 100
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:2])
    assert trainer.metrics["metrics/mAP50(M)"] > 0.4  # of photographs as they are, by its own validation


def with_workers(data: str, seed: int, workers: int, **options: Any) -> tuple[Any, Any]:
    """A trainer whose loader has workers, before the first batch."""
    from ultralytics.data.build import build_dataloader

    trainer = a_trainer(data, imgsz=96)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (what Ultralytics draws from)
    torch.manual_seed(seed)
    loader = build_dataloader(trainer.train_loader.dataset, batch=2, workers=workers, shuffle=True)
    assert loader.num_workers == min(workers, 2)
    trainer.train_loader = loader
    callback = copy_paste(**options)
    callback(trainer)
    return trainer, callback


def batches(trainer: Any) -> list[Any]:
    return [{"img": batch["img"], "cls": batch["cls"], "masks": batch["masks"]} for batch in trainer.train_loader]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_seed_gives_the_same_again(samples: str, workers: int) -> None:
    """Two trainings of one seed and number of workers see the same batches, those of another seed others."""
    first, again, other = (batches(with_workers(samples, seed, workers)[0]) for seed in (3, 3, 4))
    for one, two in zip(first, again, strict=True):
        assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one["img"], two["img"]) for one, two in zip(first, other, strict=True))


@pytest.mark.parametrize("workers", [0, 2])
def test_off_for_the_last_epochs(tmp_path: Path, workers: int) -> None:
    """Workers that had the old transforms are let go of: the first batch of the epoch has nothing pasted."""
    data = folder_of_samples(tmp_path / "set")
    options: dict[str, Any] = {"off_for_last": 2, "select": "all", "source_scale": (1, 1), "workers": workers}
    trainer, callback = with_workers(data, 0, **options)
    for key, value in STILL.items():
        setattr(trainer.args, key, value)
    dataset = trainer.train_loader.dataset
    dataset.transforms = dataset.build_transforms(trainer.args)
    trainer.train_loader.reset()
    trainer.epochs = 4
    own = sum(len(label["cls"]) for label in dataset.labels)
    counts = []
    for trainer.epoch in range(4):
        callback(trainer)
        counts.append(sum(len(batch["cls"]) for batch in batches(trainer)))
    assert counts[0] > own
    assert counts[1] > own
    assert counts[2:] == [own, own]


def test_the_log_says_when_it_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64, epochs=3)
    callback = copy_paste(off_for_last=1)
    monitored = logging.getLogger("ultralytics")
    said = []
    monitored.addHandler(caplog.handler)
    for trainer.epoch in range(3):
        caplog.clear()
        callback(trainer)
        said.append([message for message in caplog.messages if message.startswith("copypaste_rs")])
    monitored.removeHandler(caplog.handler)
    first = ["copypaste_rs: objects of 2 photographs are pasted"]
    assert said == [first, [], ["copypaste_rs: nothing is pasted from this epoch on"]]


def test_a_data_set_is_pickled(samples: str) -> None:
    """As where workers are started by spawn."""
    trainer, _ = with_workers(samples, 0, 0)
    dataset = trainer.train_loader.dataset
    copy = pickle.loads(pickle.dumps(dataset))
    made = []
    for each in (dataset, copy):
        random.seed(5)
        np.random.seed(5)  # noqa: NPY002  (what Ultralytics draws from)
        made.append(each[0])
    assert torch.equal(made[0]["img"], made[1]["img"])
    assert torch.equal(made[0]["masks"], made[1]["masks"])
    copy.close_mosaic(trainer.args)
    assert PASTE in [type(step).__name__ for step in copy.transforms.transforms]


def test_a_photograph_is_not_its_own_source(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"imgsz": 64, **STILL}
    trainer = a_trainer(two_photographs(tmp_path / "set"), **settings)
    copy_paste(num_sources=3)(trainer)
    dataset = trainer.train_loader.dataset
    step = next(step for step in dataset.transforms.transforms if type(step).__name__ == PASTE)
    for index in (0, 1):
        assert {source for _ in range(20) for source in step._draw(dataset.im_files[index])} == {1 - index}


@pytest.mark.filterwarnings("error")
class TestBadInput:
    """Errors and warnings of a training that does not fit."""

    def test_boxes_without_outlines(self, tmp_path: Path) -> None:
        trainer = a_trainer(boxes_alone(two_photographs(tmp_path / "set")), task="detect", imgsz=64)
        sentence = (
            r"labels: expected an outline of each object \(paste_boxes=True pastes rectangles, .*\), "
            "got 2 boxes and 0 outlines"
        )
        with pytest.raises(ValueError, match=sentence):
            copy_paste()(trainer)

    def test_labels_that_the_model_has_not(self, tmp_path: Path) -> None:
        trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64)
        trainer.train_loader.dataset.labels[1]["cls"][:] = 2
        with pytest.raises(ValueError, match=r"labels: expected classes from 0 to 1, .* got 2 to 2 in .*1\.png"):
            copy_paste()(trainer)

    @pytest.mark.parametrize("task", ["pose", "obb", "classify", "semantic"])
    def test_another_task(self, tmp_path: Path, task: str) -> None:
        trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64)
        trainer.args.task = task
        with pytest.raises(ValueError, match=f"task: expected one of 'segment', 'detect', got '{task}'"):
            copy_paste()(trainer)

    def test_a_chain_that_is_not_known(self, tmp_path: Path) -> None:
        trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64)
        trainer.train_loader.dataset.transforms.transforms.pop()
        sentence = r"train_loader\.dataset: expected transforms that end in Format, .* got YOLODataset with Compose, "
        with pytest.raises(ValueError, match=sentence):
            copy_paste()(trainer)

    def test_no_trainer(self) -> None:
        sentence = f"trainer: expected a trainer of ultralytics .* as the event {EVENT} has it, got dict"
        with pytest.raises(TypeError, match=sentence):
            copy_paste()({})

    def test_options(self) -> None:
        with pytest.raises(ValueError, match="size: expected no size: the canvas is imgsz of the training, got 640"):
            copy_paste(size=640)
        with pytest.raises(ValueError, match=r"seed: expected no seed: train\(seed=\.\.\.\) determines .*, got 3"):
            copy_paste(seed=3)
        with pytest.raises(ValueError, match=r"min_visibility: expected .* got 2"):
            copy_paste(min_visibility=2)
        with pytest.raises(TypeError, match="min_ara"):
            copy_paste(min_ara=4)
        with pytest.raises(ValueError, match="num_sources: expected an integer from 1 to 1000, got 0"):
            copy_paste(num_sources=0)

    def test_off_for_all_epochs(self, tmp_path: Path) -> None:
        trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64, epochs=3)
        with pytest.raises(ValueError, match=r"off_for_last: expected fewer than all epochs \(3\), got 3"):
            copy_paste(off_for_last=3)(trainer)

    def test_a_name_that_no_class_has(self, tmp_path: Path) -> None:
        trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64)
        with pytest.raises(ValueError, match=r"class_weights.*gren"):
            copy_paste(class_weights={"gren": 2})(trainer)

    def test_a_number_that_no_class_has(self, tmp_path: Path) -> None:
        trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64)
        sentence = "class_weights: expected names of classes, or their numbers from 0 to 1, got 2"
        with pytest.raises(ValueError, match=sentence):
            copy_paste(class_weights={1: 1, 2: 2})(trainer)
        copy_paste(class_weights={1: 1, 0: 2})(trainer)

    @pytest.mark.parametrize(
        "event", ["on_train_batch_start", "on_train_epoch_end", "on_fit_epoch_end", "on_train_end"]
    )
    def test_an_event_that_is_too_late(self, tmp_path: Path, event: str) -> None:
        """What is added there would break the epoch that runs, or come after it, and the log would say that it pastes."""
        trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64)
        callback = copy_paste()
        trainer.callbacks[event] = [callback]
        with pytest.raises(ValueError, match=f"event: expected {EVENT} for the callback copy_paste, got {event}"):
            callback(trainer)
        assert PASTE not in [type(step).__name__ for step in trainer.train_loader.dataset.transforms.transforms]

    def test_a_second_callback(self, tmp_path: Path) -> None:
        """As where a cell of a notebook runs again: with other options it is an error, with these it changes nothing."""
        trainer = a_trainer(two_photographs(tmp_path / "set"), imgsz=64)
        copy_paste(min_area=4)(trainer)
        copy_paste(min_area=4)(trainer)
        names = [type(step).__name__ for step in trainer.train_loader.dataset.transforms.transforms]
        assert names.count(PASTE) == 1
        sentence = rf"callbacks: expected one copy_paste .*clear_callback\('{EVENT}'\).*, got .*min_area=4\) and .*=9\)"
        with pytest.raises(ValueError, match=sentence):
            copy_paste(min_area=9)(trainer)

    def test_one_image_with_objects(self, tmp_path: Path) -> None:
        data = Path(two_photographs(tmp_path / "set"))
        (data.parent / "labels/train/1.txt").write_text("")
        trainer = a_trainer(str(data), imgsz=64)
        with pytest.warns(UserWarning, match="1 images of the training set have objects"):
            copy_paste()(trainer)
        assert trainer.train_loader.dataset[0]["img"].shape == (3, 64, 64)

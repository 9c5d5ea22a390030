"""RF-DETR with copy-paste: items against its own, training by its own trainer, and by ``model.train``."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REASON = "rfdetr is not installed: make test-frameworks installs it"
torch = pytest.importorskip("torch", reason=REASON)
rfdetr = pytest.importorskip("rfdetr", reason=REASON)

from rfdetr.datasets.coco import CocoDetection  # noqa: E402
from rfdetr.training import RFDETRDataModule, RFDETRModelModule, build_trainer  # noqa: E402

from copypaste_rs.datasets import YoloDataset, sample_data, sample_paths  # noqa: E402
from copypaste_rs.errors import ArgumentError, ArgumentTypeError  # noqa: E402
from copypaste_rs.integrations.rfdetr import CopyPasteDataModule, SplitSamples, copy_paste  # noqa: E402
from tests.fixtures.processes import python  # noqa: E402
from tests.fixtures.tensors import fingerprint  # noqa: E402
from tests.frameworks.rfdetr.folders import SIZE, configs, image_of, roboflow_folder, yolo_folder  # noqa: E402

pytestmark = [pytest.mark.filterwarnings("ignore")]  # of models without weights

AS_IT_IS: dict[str, Any] = {"target_scale": (1.0, 1.0), "flip": 0.0, "p": 0.0}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small models are faster on one thread than on many that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def prepared(folder: Path, *, masks: bool = True, settings: dict[str, Any] | None = None, **options: Any) -> Any:
    data = CopyPasteDataModule(*configs(folder, masks, **(settings or {})), **options)
    data.setup("fit")
    return data


@pytest.mark.parametrize("masks", [True, False])
def test_items_are_those_of_rf_detr(tmp_path: Path, masks: bool) -> None:
    """Where nothing is pasted or moved: its own item of the validation, which is resized to the size it has."""
    folder = roboflow_folder(tmp_path / "set")
    own = RFDETRDataModule(*configs(folder, masks))
    own.setup("fit")
    ours = prepared(folder, masks=masks, **AS_IT_IS)._pasted
    assert len(ours) == len(own._dataset_val) == 5
    for i in range(5):
        (image, target), (expected, truth) = ours[i], own._dataset_val[i]
        assert image.dtype == expected.dtype
        assert torch.allclose(image, expected, atol=1e-5)
        assert sorted(target) == sorted(truth)
        for name, value in truth.items():
            assert target[name].dtype == value.dtype, name
            assert target[name].shape == value.shape, name
            assert torch.allclose(target[name].float(), value.float(), atol=1e-6), name
    assert sorted({int(label) for i in range(5) for label in ours[i][1]["labels"]}) == list(range(7))


def test_images_are_stretched_as_in_validation(tmp_path: Path) -> None:
    """A photograph that is no square fills the canvas, with its objects, or keeps its sides where validation does."""
    folder = tmp_path / "set"
    annotations, images = sample_paths()
    for split in ("train", "valid"):
        shutil.copytree(images, folder / split)
        shutil.copy(annotations, folder / split / "_annotations.coco.json")
    own = RFDETRDataModule(*configs(folder))
    own.setup("fit")
    ours = prepared(folder, **AS_IT_IS)._pasted
    for i in range(5):
        (image, target), (expected, truth) = ours[i], own._dataset_val[i]
        assert np.abs(image_of(image).astype(int) - image_of(expected)).mean() < 6  # resampled by other rules
        overlap = (target["masks"] & truth["masks"]).sum((1, 2)) / (target["masks"] | truth["masks"]).sum((1, 2))
        assert (overlap > 0.75).all()  # of a thin one, a rocket, by nearest pixels
        assert torch.allclose(target["boxes"], truth["boxes"], atol=1.5 / SIZE)
        assert torch.equal(target["labels"], truth["labels"])
    whole = prepared(folder, settings={"square_resize_div_64": False}, **AS_IT_IS)._pasted
    image = image_of(whole[1][0])  # 300 x 451: the lowest third is grey
    assert (image[64:] == image[-1, -1]).all()
    assert not (image[63] == image[-1, -1]).all()


def test_weights_of_classes_by_name(tmp_path: Path) -> None:
    folder = roboflow_folder(tmp_path / "set")
    names = ["cup", "cat", "coin", "person", "helmet", "rocket", "shuttle model"]
    numbers = [category["id"] for category in sample_data().categories]
    assert numbers == list(range(1, 8))  # RF-DETR's labels are from 0
    weights = dict.fromkeys(names, 0.0) | {"cat": 1.0}
    data = prepared(folder, class_weights=weights, select=1, seed=1)
    assert data.transform.class_weights == {i: float(i == 1) for i in range(7)}
    sets = {"coco": (folder, {}), "yolo": (yolo_folder(tmp_path / "yolo"), {"dataset_file": "yolo"})}
    for each, settings in sets.values():
        made = prepared(each, settings=settings, class_weights={"rocket": 2.0}).transform
        assert made.class_weights == {5: 2.0}
        with pytest.raises(
            ArgumentError, match=r"^class_weights: expected names of categories, got 'rokcet' \(is 'rocket'"
        ):
            prepared(each, settings=settings, class_weights={"rokcet": 2.0})
        sentence = "^class_weights: expected names of classes, or their numbers from 0 to 6, got 7$"
        with pytest.raises(ArgumentError, match=sentence):
            prepared(each, settings=settings, class_weights={7: 2.0})


def test_the_log_says_that_it_pastes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("rf-detr")
    logger.addHandler(caplog.handler)
    prepared(roboflow_folder(tmp_path / "set"))
    logger.removeHandler(caplog.handler)
    assert "copypaste_rs: objects of 5 photographs are pasted" in caplog.messages


def test_batches_are_those_of_rf_detr(tmp_path: Path) -> None:
    folder = roboflow_folder(tmp_path / "set")
    own = RFDETRDataModule(*configs(folder))
    own.setup("fit")
    data = prepared(folder, min_area=4)
    (samples, targets), (theirs, theirs_targets) = (
        next(iter(data.train_dataloader())),
        next(iter(own.train_dataloader())),
    )
    assert type(samples) is type(theirs)
    assert type(targets) is type(theirs_targets)
    assert samples.tensors.shape == theirs.tensors.shape == (2, 3, SIZE, SIZE)
    assert not samples.mask.any()
    one, other = targets.as_list()[0], theirs_targets.as_list()[0]
    assert {name: value.dtype for name, value in one.items()} == {name: value.dtype for name, value in other.items()}
    assert len(data.train_dataloader()) == len(own.train_dataloader())
    assert fingerprint(next(iter(data.val_dataloader()))[0].tensors) == fingerprint(
        next(iter(own.val_dataloader()))[0].tensors
    )


def test_what_is_covered_is_cut_and_boxes_are_tight(tmp_path: Path) -> None:
    folder = roboflow_folder(tmp_path / "set")
    data = prepared(folder, seed=3, target_scale=(1.0, 1.0), source_scale=(0.8, 1.25), flip=0.0)
    alone = prepared(folder, seed=3, **AS_IT_IS)
    covered = pasted = 0
    for i in range(5):
        (image, target), (before, plain) = data._pasted[i], alone._pasted[i]
        masks = target["masks"]
        for mask, (x, y, w, h) in zip(masks, (target["boxes"] * SIZE).tolist(), strict=True):
            ys, xs = torch.nonzero(mask, as_tuple=True)
            corners = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            assert [x - w / 2, y - h / 2, x + w / 2, y + h / 2] == pytest.approx(
                [float(each) for each in corners], abs=1e-3
            )
        assert torch.equal(target["area"], masks.sum((1, 2), dtype=torch.float32))
        # Where the picture is another one, an object lies over it: that is cut from the masks that were there, alone.
        changed = torch.from_numpy((image_of(image) != image_of(before)).any(2))
        left = [own & ~changed for own in plain["masks"]]
        for own, rest in zip(plain["masks"], left, strict=True):
            overlaps = [float((rest & mask).sum() / (rest | mask).sum()) for mask in masks if rest.any()]
            assert rest.sum() < 10 or max(overlaps) > 0.95
            covered += int((own & changed).any())
        pasted += len(masks) - sum(int(rest.any()) for rest in left)
    assert pasted > 0
    assert covered > 0


def test_crowds_are_left_out(tmp_path: Path) -> None:
    data = prepared(roboflow_folder(tmp_path / "set", iscrowd=1), settings={"num_classes": 7})
    assert all(len(data._pasted[i][1]["labels"]) == 0 for i in range(5))
    assert tuple(data._pasted[0][1]["masks"].shape) == (0, SIZE, SIZE)


def test_yolo_sets(tmp_path: Path) -> None:
    folder = yolo_folder(tmp_path / "set")
    (folder / "data.yaml").write_text((folder / "data.yaml").read_text() + "\nval: images/train\n")
    photos = YoloDataset(folder / "data.yaml")
    own = RFDETRDataModule(*configs(folder, dataset_file="yolo"))
    own.setup("fit")
    samples = SplitSamples(own._dataset_train)
    for i in range(5):
        assert sorted(np.asarray(samples[i].instances.labels)) == sorted(np.asarray(photos[i].instances.labels))
        assert np.array_equal(samples[i].image, photos[i].image)
        truth, masks = photos[i].instances.masks, samples[i].instances.masks
        assert truth is not None
        assert masks is not None
        assert (truth.iou(masks).max(axis=1) > 0.9).all()  # borders are filled by another rule there
    data = prepared(folder, settings={"dataset_file": "yolo"}, min_area=16)
    image, target = data._pasted[0]
    assert tuple(image.shape) == (3, SIZE, SIZE)
    assert len(target["masks"]) == len(target["labels"])


@pytest.mark.parametrize("workers", [0, 2])
def test_epochs_have_other_images_and_go_on(tmp_path: Path, workers: int) -> None:
    folder = roboflow_folder(tmp_path / "set")

    def batches(epochs: int, state: Any = None) -> list[str]:
        loader = prepared(folder, settings={"num_workers": workers}, seed=1, min_area=4).train_dataloader()
        if state:
            loader.load_state_dict(state)
        return [fingerprint([batch[0].tensors, batch[1].as_list()]) for _ in range(epochs) for batch in loader]

    two = batches(2)
    assert len(two) == len(set(two)) == 10
    assert batches(1, {"epoch": 0, "items": 6}) == two[3:5]
    assert batches(1, {"epoch": 1, "items": 0}) == two[5:]


def test_real_photographs_are_read_as_rf_detr_reads_them(test_data: Path) -> None:
    own = CocoDetection(
        str(test_data / "coco_free56" / "images"),
        str(test_data / "coco_free56" / "annotations.json"),
        transforms=None,
        include_masks=True,
        remap_category_ids=True,
    )
    samples, objects = SplitSamples(own), 0
    for i in range(len(own)):
        picture, truth = own[i]
        rows = samples[i].instances.without_crowds()
        assert np.array_equal(samples[i].image, np.asarray(picture))
        assert samples.has_objects(i) == (len(rows) > 0)
        if not len(rows):
            assert len(truth["labels"]) == 0
            continue
        assert rows.masks is not None
        assert np.array_equal(rows.masks.to_dense(), truth["masks"].numpy())
        assert np.array_equal(np.asarray(rows.labels), truth["labels"].numpy())
        objects += len(rows)
    assert objects > 600


def test_nothing_is_pasted_at_the_end(tmp_path: Path) -> None:
    folder = roboflow_folder(tmp_path / "set")
    data = prepared(folder, settings={"epochs": 5}, off_for_last=2, target_scale=(1.0, 1.0), flip=0.0)
    plain = prepared(folder, **AS_IT_IS)
    same = [torch.equal(data._pasted[epoch, 2][0], plain._pasted[0, 2][0]) for epoch in range(5)]
    assert same == [False, False, False, True, True]


@pytest.mark.parametrize("masks", [True, False])
def test_it_trains(tmp_path: Path, masks: bool) -> None:
    model, settings = configs(roboflow_folder(tmp_path / "set"), masks)
    trainer = build_trainer(settings, model, accelerator="cpu", enable_progress_bar=False)
    trainer.fit(RFDETRModelModule(model, settings), CopyPasteDataModule(model, settings, min_area=4))
    losses = {name: float(value) for name, value in trainer.callback_metrics.items() if "loss" in name}
    assert "train/loss" in losses
    assert ("train/loss_mask_dice" in losses) == masks
    assert np.isfinite(list(losses.values())).all()


def test_in_train_of_the_model(tmp_path: Path) -> None:
    folder = roboflow_folder(tmp_path / "set")
    given, settings = configs(folder)
    model = rfdetr.RFDETRSegNano(
        **given.model_dump(
            include={
                "pretrain_weights",
                "num_classes",
                "resolution",
                "device",
                "positional_encoding_size",
                "num_queries",
                "group_detr",
                "num_select",
            }
        )
    )
    made: list[Any] = []

    class Noted(CopyPasteDataModule):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("copypaste_rs.integrations.rfdetr.CopyPasteDataModule", Noted)
        with copy_paste(min_area=4, seed=5):
            model.train(
                **settings.model_dump(
                    include={
                        "dataset_dir",
                        "output_dir",
                        "epochs",
                        "batch_size",
                        "grad_accum_steps",
                        "num_workers",
                        "use_ema",
                        "tensorboard",
                    }
                ),
                multi_scale=False,
                device="cpu",
            )
    (data,) = made
    assert data.transform.size == SIZE
    assert rfdetr.training.RFDETRDataModule is RFDETRDataModule
    assert model.class_names == ["cup", "cat", "coin", "person", "helmet", "rocket", "shuttle model"]
    assert (folder / "out" / "checkpoint_best_total.pth").exists()


def test_errors_name_what_is_wrong(tmp_path: Path) -> None:
    folder = roboflow_folder(tmp_path / "set")
    few = prepared(folder, settings={"num_classes": 2})
    with pytest.raises(ArgumentError, match=r"/\d\.png: expected labels from 0 to 1, for num_classes=2, got \d$"):
        [few._pasted[i] for i in range(5)]
    with pytest.raises(ArgumentError, match=r"^size: expected none, as it is the resolution of the model, got 640$"):
        CopyPasteDataModule(*configs(folder), size=640)
    with pytest.raises(ArgumentError, match=r"^train_config: expected no aug_config, .*, got one$"):
        CopyPasteDataModule(*configs(folder, aug_config={"HorizontalFlip": {"p": 0.5}}))
    with pytest.raises(ArgumentError, match=r"^off_for_last: expected fewer than all epochs \(1\), got 1$"):
        CopyPasteDataModule(*configs(folder), off_for_last=1)
    with pytest.raises(ArgumentError, match=r"^box_only: expected one of"):
        CopyPasteDataModule(*configs(folder), box_only="rectangle")
    boxes = prepared(roboflow_folder(tmp_path / "boxes", segmentation=[]))
    with pytest.raises(
        ArgumentError, match=r"/\d\.png: expected outlines of all objects .*, got \d+ that have only a box$"
    ):
        [boxes._pasted[i] for i in range(5)]
    left = prepared(folder.parent / "boxes", box_only="drop")
    assert sum(len(left._pasted[i][1]["labels"]) for i in range(5)) == 0
    broken = prepared(roboflow_folder(tmp_path / "broken", segmentation=[[1.0, 2.0, 3.0, float("inf"), 5.0, 6.0]]))
    with pytest.raises(ArgumentError, match=r"0\.png: annotations\[0\]\['segmentation'\]"):
        broken._pasted[0]
    with pytest.raises(
        ArgumentTypeError, match=r"^dataset_dir: expected a COCO or YOLO data set, got one that is read by list$"
    ):
        SplitSamples([])


def test_a_missing_framework_is_named() -> None:
    code = (
        "import sys\nsys.modules['rfdetr'] = None\nimport copypaste_rs\n"
        "try: copypaste_rs.integrations.rfdetr\nexcept ImportError as error: print(error)"
    )
    assert python(code).stdout.splitlines()[-1] == (
        "rfdetr is not installed; pip install 'rfdetr[train]' brings what copypaste_rs.integrations.rfdetr needs"
    )

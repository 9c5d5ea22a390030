"""Seeds, worker processes, pipelines written to dicts, and what is refused."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed: make test-frameworks installs it")
torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch torchvision")

from torch.utils.data import DataLoader, Dataset  # noqa: E402

from copypaste_rs import Instances, Sample  # noqa: E402
from copypaste_rs.integrations.albumentations import IS_X, CopyPaste  # noqa: E402
from tests.frameworks.albumentations.pipelines import arguments, discs, donor, pipeline  # noqa: E402

TARGET, DONORS = discs(1), [discs(2, (48, 50)), discs(3, (40, 56), 4)]
METADATA = [donor(each) for each in DONORS]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Forks, more workers than processors, and processors without work are not what is tried."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create", UserWarning)
        warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
        warnings.filterwarnings("ignore", "Got processor for keypoints", UserWarning)
        yield


def images(transform: Any, n: int = 6) -> list[bytes]:
    return [transform(**arguments(TARGET))["image"].tobytes() for _ in range(n)]


def test_a_seed_makes_a_pipeline_reproducible() -> None:
    def made(seed: int | None) -> list[bytes]:
        return images(pipeline([A.HorizontalFlip(p=0.5), CopyPaste(48, donors=DONORS)], seed=seed))

    assert made(7) == made(7) != made(8)
    assert len(set(made(7))) == 6
    assert made(None) != made(None)


def test_pickled_and_spawned_pipelines() -> None:
    transform = pipeline([CopyPaste(48, donors=DONORS, min_area=4)], seed=7)
    again = pickle.loads(pickle.dumps(transform))
    assert images(again) == images(transform)


class Photos(Dataset):  # type: ignore[misc]
    """A data set of one image, as often as is wanted."""

    def __init__(self, transform: Any, n: int) -> None:
        self.transform, self.n = transform, n
        self.names = [*arguments(TARGET)] if "bboxes" in transform.processors else ["image"]

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Any:
        return self.transform(**{name: arguments(TARGET)[name] for name in self.names})["image"]


@pytest.mark.parametrize(("method", "persistent"), [("fork", False), ("fork", True), ("spawn", False)])
def test_workers_and_epochs_draw_apart(method: str, persistent: bool) -> None:
    """Even where Albumentations copies its random state into each worker."""

    def epochs(seed: int) -> list[list[bytes]]:
        torch.manual_seed(seed)
        photos = Photos(pipeline([CopyPaste(48, donors=DONORS)], seed=7), 6)
        options = {"multiprocessing_context": method, "persistent_workers": persistent}
        loader = DataLoader(photos, batch_size=None, num_workers=2, **options)
        return [[np.asarray(image).tobytes() for image in loader] for _ in range(2)]

    found = epochs(1)
    assert len({image for each in found for image in each}) == 12
    if method == "fork":  # what spawns takes long
        assert epochs(1) == found
        assert epochs(2) != found


@pytest.mark.skipif(IS_X, reason="AlbumentationsX takes the seeds of workers into account")
def test_what_albumentations_itself_repeats() -> None:
    """The trap that the page names: a transform of its own, in two workers and two epochs."""
    photos = Photos(A.Compose([A.RandomBrightnessContrast(p=1)], seed=7), 6)
    loader = DataLoader(photos, batch_size=None, num_workers=2, multiprocessing_context="fork")
    found = [[np.asarray(image).tobytes() for image in loader] for _ in range(2)]
    assert found[0] == found[1]
    assert found[0][0::2] == found[0][1::2]


def test_pipelines_written_to_dicts() -> None:
    inner = CopyPaste((48, 64), min_area=4, target_scale=(0.5, 1.0), p=0.75, num_sources=2, fill_mask=255)
    written = A.to_dict(pipeline([inner], seed=3))
    again = A.from_dict(written)
    assert again.transforms[0].transform == inner.transform
    assert again.transforms[0].num_sources == 2
    assert again.transforms[0].fill_mask == 255
    again.set_random_seed(3)
    results = [each(**arguments(TARGET), copy_paste_metadata=METADATA) for each in (again, pipeline([inner], seed=3))]
    assert results[0]["image"].shape == (48, 64, 3)
    assert np.array_equal(results[0]["image"], results[1]["image"])
    with pytest.raises(NotImplementedError, match="donors cannot be written to a dict"):
        A.to_dict(pipeline([CopyPaste(48, donors=DONORS)]))
    assert "CopyPaste(SimpleCopyPaste(size=(48, 64)" in repr(A.Compose([inner]))


def test_replaying_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="CopyPaste cannot be replayed"):
        A.ReplayCompose([CopyPaste(48, donors=DONORS)])


def test_among_others() -> None:
    """One of several, and within a sequence."""
    transform = A.Compose([A.OneOf([CopyPaste((48, 48), donors=DONORS), A.Resize(48, 48)], p=1.0)], seed=3)
    given = {name: arguments(TARGET)[name] for name in ("image", "masks")}
    counts = {len(transform(**given)["masks"]) > 3 for _ in range(20)}
    assert counts == {False, True}
    nested = A.Compose([A.Sequential([CopyPaste((48, 48), donors=DONORS)], p=1.0)], seed=3)
    assert nested(**given)["image"].shape == (48, 48, 3)


def test_masks_without_boxes_and_grey_images() -> None:
    transform = A.Compose([CopyPaste((48, 48))], seed=3)
    grey = [{"image": each["image"][..., 0].copy(), "masks": each["masks"]} for each in (arguments(TARGET), *METADATA)]
    result = transform(**grey[0], copy_paste_metadata=grey[1:])
    assert result["image"].shape == (48, 48)
    assert result["masks"].shape[1:] == (48, 48)
    assert sorted(result) == ["copy_paste_metadata", "image", "masks"] or sorted(result) == ["image", "masks"]


def test_floats() -> None:
    given = arguments(TARGET)
    given["image"] = given["image"].astype(np.float32) / 255
    floats = [{**each, "image": each["image"].astype(np.float32) / 255} for each in METADATA]
    result = pipeline([CopyPaste((48, 48))], seed=3)(**given, copy_paste_metadata=floats)
    assert result["image"].dtype == np.float32
    with pytest.raises(ValueError, match="dtype"):
        pipeline([CopyPaste((48, 48))], seed=3)(**given, copy_paste_metadata=METADATA)


WITHOUT_MASKS = {name: value for name, value in METADATA[0].items() if name != "masks"}


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"copy_paste_metadata": None}, (ValueError, TypeError), "copy_paste_metadata"),
        ({"copy_paste_metadata": [3]}, TypeError, r"copy_paste_metadata\[0\]: expected a Sample, or a dict .*got int"),
        ({"copy_paste_metadata": [METADATA[0], WITHOUT_MASKS]}, ValueError, r"copy_paste_metadata\[1\]\['masks'\]: expected an array, got none"),
        ({"copy_paste_metadata": [{**WITHOUT_MASKS, "mask": METADATA[0]["masks"][0]}]}, ValueError, "not a mask of one object"),
        ({"copy_paste_metadata": [{**METADATA[0], "labels": [1, 2]}]}, ValueError, r"\['labels'\]: expected a value for each of its 3 objects, got 2"),
        ({"copy_paste_metadata": [{**METADATA[0], "labels": ["a", "b", "c"]}]}, ValueError, r"\['labels'\]: expected numbers, as the image has them, got texts"),
        ({"copy_paste_metadata": [{name: METADATA[0][name] for name in ("image", "masks")}]}, ValueError, r"\['labels'\]: expected the label field of its 3 objects, got none"),
        ({"copy_paste_metadata": [{**METADATA[0], "masks": METADATA[1]["masks"]}]}, ValueError, r"\['masks'\]: expected masks of the image's size \(48, 50\)"),
        ({"masks": None}, ValueError, "masks: expected one for each of the 3 boxes, got none"),
        ({"masks": arguments(TARGET)["masks"][:2]}, ValueError, "masks: expected one for each of the 3 boxes, got 2"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(change: dict[str, Any], kind: Any, message: str) -> None:
    given = {**arguments(TARGET), "copy_paste_metadata": METADATA, **change}
    with pytest.raises(kind, match=message):
        pipeline([CopyPaste(48)])(**{name: value for name, value in given.items() if value is not None})


def test_labels_behind_boxes_are_refused() -> None:
    given = arguments(TARGET)
    given["bboxes"] = np.hstack([given["bboxes"], given.pop("labels")[:, None].astype(np.float32)])
    with pytest.raises(ValueError, match="bboxes: expected four numbers a box, and labels in label_fields, got 5"):
        pipeline([CopyPaste(48, donors=DONORS)], fields=())(**given)


def test_wrong_options_are_named() -> None:
    with pytest.raises(ValueError, match="num_sources: expected"):
        CopyPaste(48, num_sources=0)
    with pytest.raises(TypeError, match="donors: expected a sequence of Sample, got int"):
        CopyPaste(48, donors=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="scale"):
        CopyPaste(48, scale=3)
    boxes = Sample(TARGET.image, Instances(labels=[3]))
    with pytest.raises(ValueError, match=r"donors\[0\]: expected masks of its 1 objects, got none"):
        pipeline([CopyPaste(48, donors=[boxes])])(**arguments(TARGET))


def test_other_targets_are_refused() -> None:
    given = {name: arguments(TARGET)[name] for name in ("image", "masks")}
    second = A.Compose([CopyPaste(48, donors=DONORS)], additional_targets={"second": "image"})
    with pytest.raises(ValueError, match="second: expected no additional targets"):
        second(**given, second=TARGET.image)
    points = A.KeypointParams(**{"coord_format" if IS_X else "format": "xy"})
    with pytest.raises(ValueError, match="keypoints: expected none"):
        A.Compose([CopyPaste(48, donors=DONORS)], keypoint_params=points)(
            **given, keypoints=np.array([[3, 4]], np.float32)
        )

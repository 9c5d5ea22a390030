"""Results of a torchvision detector in COCO's form, and its AP by pycocotools."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from copypaste_rs import RleMasks, ScaleJitter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from torchvision.models.detection import MaskRCNN

    from copypaste_rs import Sample

MASK_THRESHOLD = 0.5


@torch.inference_mode()  # type: ignore[untyped-decorator]
def detections(
    model: MaskRCNN, image: NDArray[np.uint8], device: str
) -> tuple[RleMasks, NDArray[np.int64], NDArray[np.float32]]:
    """Masks, labels and scores of what the model finds in an image (H, W, 3), best first."""
    model.eval()
    pixels = torch.from_numpy(image).to(device).permute(2, 0, 1).float() / 255
    found = model([pixels])[0]
    dense = (found["masks"][:, 0] > MASK_THRESHOLD).cpu().numpy()
    return RleMasks.from_dense(dense), found["labels"].cpu().numpy(), found["scores"].float().cpu().numpy()


def coco_results(
    image_id: int, masks: RleMasks, category_ids: Iterable[int], scores: Iterable[float]
) -> list[dict[str, Any]]:
    """Entries of a COCO results list for one image; masks without a pixel are left out."""
    rows = zip(masks.to_coco(), category_ids, scores, masks.area, strict=True)
    return [
        {
            "image_id": image_id,
            "category_id": int(category),
            "segmentation": {"size": mask["size"], "counts": mask["counts"].decode()},
            "score": round(float(score), 6),
        }
        for mask, category, score, area in rows
        if area
    ]


def predict(
    model: MaskRCNN, samples: Sequence[Sample], category_ids: Mapping[int, int], canvas: int | None, device: str
) -> list[dict[str, Any]]:
    """COCO results of whole images, with ids of images and categories as files have them.

    Parameters
    ----------
    category_ids : mapping of int to int
        Category ids of the file by label.
    canvas : int, optional
        Side of the canvas that each image is fitted into; None takes images in their own size.
    """
    resize = model.transform
    kept = resize.min_size, resize.max_size
    found = []
    for sample in samples:
        image, placement = sample.image, None
        if canvas is None:
            resize.min_size, resize.max_size = (min(sample.size),), max(sample.size)  # the model resizes by itself
        else:
            fit = ScaleJitter(size=canvas, scale=(1.0, 1.0), flip=0.0)
            plan = fit.sample_plan(sample, 0)
            image, placement = fit.apply(plan, sample).image, plan.target
        masks, labels, scores = detections(model, image, device)
        masks = masks if placement is None else placement.to_input(masks)
        found += coco_results(sample.info["image_id"], masks, [category_ids[each] for each in labels.tolist()], scores)
    resize.min_size, resize.max_size = kept
    return found


def average_precision(
    model: MaskRCNN, samples: Iterable[Sample], labels: Sequence[int], device: str, max_detections: int
) -> dict[str, float]:
    """Mask AP of COCO: the mean over IoU 0.5 to 0.95, at 0.5 and at 0.75; with so many detections an image."""
    images: list[dict[str, Any]] = []
    objects: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, sample in enumerate(samples, 1):
        h, w = sample.size
        images.append({"id": number, "height": h, "width": w})
        instances = sample.instances
        assert instances.masks is not None
        assert instances.labels is not None
        crowds = np.zeros(len(instances), bool) if instances.iscrowd is None else instances.iscrowd
        rows = zip(instances.masks.to_coco(), instances.labels, instances.masks.area, crowds, strict=True)
        for mask, label, area, crowd in rows:
            objects.append({"id": len(objects) + 1, "image_id": number, "category_id": int(label), "area": int(area),
                            "segmentation": mask, "iscrowd": int(crowd)})  # fmt: skip
        found += coco_results(number, *detections(model, sample.image, device))
    if not found:
        return {"AP": 0.0, "AP50": 0.0, "AP75": 0.0}
    truth = COCO()
    truth.dataset = {"images": images, "annotations": objects, "categories": [{"id": each} for each in labels]}
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints as it goes
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "segm")
        evaluation.params.maxDets = [1, 10, max_detections]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # by IoU, recall and category; all sizes, most detections
    return {"AP": _mean(precision), "AP50": _mean(precision[0]), "AP75": _mean(precision[5])}


def _mean(precision: NDArray[np.float64]) -> float:
    known = precision[precision > -1]  # -1 stands where a category has no object
    return float(known.mean()) if known.size else 0.0

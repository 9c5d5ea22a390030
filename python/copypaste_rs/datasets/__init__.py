"""Files and data sets: data sets of many formats in and out, and copy-paste as a map-style data set.

`CopyPasteDataset`, and `MixedDataset` with `MixedBatchSampler` for two of them, need NumPy alone. What reads and
writes files needs msgspec, simplejpeg and Pillow, which ``pip install 'copypaste_rs[coco]'`` brings, and is imported
when it is asked for; `open_dataset` finds out which format a file or a folder has.
`sample_data` opens the small sample set that comes with the package, whose files `sample_paths` names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from copypaste_rs.datasets.copy_paste import CopyPasteDataset
from copypaste_rs.datasets.embedded import sample_data, sample_paths
from copypaste_rs.datasets.mixed_batches import MixedBatchSampler
from copypaste_rs.datasets.mixed_dataset import MixedDataset
from copypaste_rs.datasets.paste_counts import PasteCounts
from copypaste_rs.datasets.shared import shared_images

if TYPE_CHECKING:
    from copypaste_rs.datasets.annotated import AnnotatedImages
    from copypaste_rs.datasets.coco import CocoDataset
    from copypaste_rs.datasets.coco_writer import CocoWriter
    from copypaste_rs.datasets.formats.backgrounds import BackgroundDataset
    from copypaste_rs.datasets.formats.coco_results.dataset import ResultsDataset
    from copypaste_rs.datasets.formats.coco_results.writer import ResultsWriter
    from copypaste_rs.datasets.formats.csv.dataset import CsvDataset
    from copypaste_rs.datasets.formats.csv.writer import CsvWriter
    from copypaste_rs.datasets.formats.label_maps.dataset import LabelMapDataset
    from copypaste_rs.datasets.formats.label_maps.writer import LabelMapWriter
    from copypaste_rs.datasets.formats.labelme.dataset import LabelMeDataset
    from copypaste_rs.datasets.formats.labelme.writer import LabelMeWriter
    from copypaste_rs.datasets.formats.lvis.dataset import LvisDataset
    from copypaste_rs.datasets.formats.lvis.writer import LvisWriter
    from copypaste_rs.datasets.formats.panoptic.dataset import PanopticDataset
    from copypaste_rs.datasets.formats.panoptic.writer import PanopticWriter
    from copypaste_rs.datasets.formats.voc.dataset import VocDataset
    from copypaste_rs.datasets.formats.voc.writer import VocWriter
    from copypaste_rs.datasets.formats.webdataset.writer import WebdatasetWriter
    from copypaste_rs.datasets.formats.yolo.dataset import YoloDataset
    from copypaste_rs.datasets.formats.yolo.writer import YoloWriter
    from copypaste_rs.datasets.images import encode_image
    from copypaste_rs.datasets.merging import Merged, merge_shards
    from copypaste_rs.datasets.opening import open_dataset
    from copypaste_rs.datasets.pseudo_labels.labels import PseudoLabels
    from copypaste_rs.datasets.shards import Shard

__all__ = [
    "AnnotatedImages",
    "BackgroundDataset",
    "CocoDataset",
    "CocoWriter",
    "CopyPasteDataset",
    "CsvDataset",
    "CsvWriter",
    "LabelMapDataset",
    "LabelMapWriter",
    "LabelMeDataset",
    "LabelMeWriter",
    "LvisDataset",
    "LvisWriter",
    "Merged",
    "MixedBatchSampler",
    "MixedDataset",
    "PanopticDataset",
    "PanopticWriter",
    "PasteCounts",
    "PseudoLabels",
    "ResultsDataset",
    "ResultsWriter",
    "Shard",
    "VocDataset",
    "VocWriter",
    "WebdatasetWriter",
    "YoloDataset",
    "YoloWriter",
    "encode_image",
    "merge_shards",
    "open_dataset",
    "sample_data",
    "sample_paths",
    "shared_images",
]

_NEED_EXTRA = {
    "AnnotatedImages": "copypaste_rs.datasets.annotated",
    "BackgroundDataset": "copypaste_rs.datasets.formats.backgrounds",
    "CocoDataset": "copypaste_rs.datasets.coco",
    "CocoWriter": "copypaste_rs.datasets.coco_writer",
    "CsvDataset": "copypaste_rs.datasets.formats.csv.dataset",
    "CsvWriter": "copypaste_rs.datasets.formats.csv.writer",
    "LabelMapDataset": "copypaste_rs.datasets.formats.label_maps.dataset",
    "LabelMapWriter": "copypaste_rs.datasets.formats.label_maps.writer",
    "LabelMeDataset": "copypaste_rs.datasets.formats.labelme.dataset",
    "LabelMeWriter": "copypaste_rs.datasets.formats.labelme.writer",
    "LvisDataset": "copypaste_rs.datasets.formats.lvis.dataset",
    "LvisWriter": "copypaste_rs.datasets.formats.lvis.writer",
    "Merged": "copypaste_rs.datasets.merging",
    "PanopticDataset": "copypaste_rs.datasets.formats.panoptic.dataset",
    "PanopticWriter": "copypaste_rs.datasets.formats.panoptic.writer",
    "PseudoLabels": "copypaste_rs.datasets.pseudo_labels.labels",
    "ResultsDataset": "copypaste_rs.datasets.formats.coco_results.dataset",
    "ResultsWriter": "copypaste_rs.datasets.formats.coco_results.writer",
    "Shard": "copypaste_rs.datasets.shards",
    "VocDataset": "copypaste_rs.datasets.formats.voc.dataset",
    "VocWriter": "copypaste_rs.datasets.formats.voc.writer",
    "WebdatasetWriter": "copypaste_rs.datasets.formats.webdataset.writer",
    "YoloDataset": "copypaste_rs.datasets.formats.yolo.dataset",
    "YoloWriter": "copypaste_rs.datasets.formats.yolo.writer",
    "encode_image": "copypaste_rs.datasets.images",
    "merge_shards": "copypaste_rs.datasets.merging",
    "open_dataset": "copypaste_rs.datasets.opening",
}


def __getattr__(name: str) -> Any:
    if name in _NEED_EXTRA:
        return getattr(import_module(_NEED_EXTRA[name]), name)
    raise AttributeError(f"module 'copypaste_rs.datasets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

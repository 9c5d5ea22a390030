"""Integrations: the library in the habits of other frameworks, a module for each.

- `copypaste_rs.integrations.torch`: batches of tensors for data loaders, and the epoch that travels with the index
- `copypaste_rs.integrations.torchvision`: copy-paste as a collate function, and scale jitter as a transform (v2)
- `copypaste_rs.integrations.ultralytics`: a callback of a trainer
- `copypaste_rs.integrations.transformers`: tables of Datasets as samples
- `copypaste_rs.integrations.lightning`: a data module
- `copypaste_rs.integrations.detectron2`: a mapper of the training loader
- `copypaste_rs.integrations.mmdet`: a registered transform
- `copypaste_rs.integrations.albumentations`: a transform for ``Compose``, of Albumentations and AlbumentationsX
- `copypaste_rs.integrations.rfdetr`: a data module
- `copypaste_rs.integrations.grain`: a transform of random access data sets
- `copypaste_rs.integrations.webdataset`: a stage of a stream
- `copypaste_rs.integrations.supervision`, `copypaste_rs.integrations.fiftyone`: detections as instances, and back

A module imports its framework, which no extra of this package brings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copypaste_rs.integrations import albumentations as albumentations
    from copypaste_rs.integrations import detectron2 as detectron2
    from copypaste_rs.integrations import fiftyone as fiftyone
    from copypaste_rs.integrations import grain as grain
    from copypaste_rs.integrations import lightning as lightning
    from copypaste_rs.integrations import mmdet as mmdet
    from copypaste_rs.integrations import rfdetr as rfdetr
    from copypaste_rs.integrations import supervision as supervision
    from copypaste_rs.integrations import torch as torch
    from copypaste_rs.integrations import torchvision as torchvision
    from copypaste_rs.integrations import transformers as transformers
    from copypaste_rs.integrations import ultralytics as ultralytics
    from copypaste_rs.integrations import webdataset as webdataset

_MODULES = (
    "albumentations",
    "detectron2",
    "fiftyone",
    "grain",
    "lightning",
    "mmdet",
    "rfdetr",
    "supervision",
    "torch",
    "torchvision",
    "transformers",
    "ultralytics",
    "webdataset",
)

if not TYPE_CHECKING:  # a type checker would take any name to be there

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"copypaste_rs.integrations.{name}")
        raise AttributeError(f"module 'copypaste_rs.integrations' has no attribute {name!r}")

    def __dir__() -> list[str]:
        from importlib.util import find_spec

        return sorted({*globals(), *(name for name in _MODULES if find_spec(name))})  # what can be imported

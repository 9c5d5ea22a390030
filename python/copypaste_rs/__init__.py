"""Simple Copy-Paste augmentation for instance segmentation, exact and fast.

The operation is `SimpleCopyPaste`; `Sample`, `Instances` and `RleMasks` hold what it takes and gives; a `Plan`
holds what was drawn. `copypaste_rs.functional` has the kernels in Rust, `copypaste_rs.reference` those in NumPy,
`copypaste_rs.datasets` files and data sets, `copypaste_rs.visualize` pictures.
"""

from importlib import import_module

from copypaste_rs.errors import ArgumentError, ArgumentTypeError
from copypaste_rs.masks import RleMasks
from copypaste_rs.plan import Paste, Placement, Plan
from copypaste_rs.plan_options import PlanOptions, PlanSource
from copypaste_rs.sample import Instances, Sample
from copypaste_rs.transforms import Batch, ForTraining, ScaleJitter, SimpleCopyPaste, TrainingBatch, TrainingSample

__version__: str

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "Batch",
    "ForTraining",
    "Instances",
    "Paste",
    "Placement",
    "Plan",
    "PlanOptions",
    "PlanSource",
    "RleMasks",
    "Sample",
    "ScaleJitter",
    "SimpleCopyPaste",
    "TrainingBatch",
    "TrainingSample",
    "__version__",
]

_SUBMODULES = ("datasets", "functional", "reference", "visualize")


def __getattr__(name: str) -> object:
    if name in _SUBMODULES:
        return import_module(f"copypaste_rs.{name}")
    if name == "__version__":
        return import_module("copypaste_rs._core").__version__
    raise AttributeError(f"module 'copypaste_rs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})

"""Simple Copy-Paste augmentation for instance segmentation, exact and fast.

The operation is `SimpleCopyPaste`; `Sample`, `Instances` and `RleMasks` hold what it takes and gives; a `Plan`
holds what was drawn. `copypaste_rs.functional` has the kernels in Rust, `copypaste_rs.reference` the same in
NumPy, `copypaste_rs.datasets` files and data sets, `copypaste_rs.visualize` pictures to look at.

Everything is imported when it is first used: the command line has to run before NumPy is there.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, whose import would take longer than this module
if TYPE_CHECKING:
    from copypaste_rs import datasets as datasets
    from copypaste_rs import functional as functional
    from copypaste_rs import reference as reference
    from copypaste_rs import visualize as visualize
    from copypaste_rs._batch import Batch
    from copypaste_rs.masks import RleMasks
    from copypaste_rs.plan import Paste, Placement, Plan
    from copypaste_rs.sample import Instances, Sample
    from copypaste_rs.training import ForTraining, TrainingBatch, TrainingSample
    from copypaste_rs.transform import ScaleJitter, SimpleCopyPaste

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "ForTraining",
    "Instances",
    "Paste",
    "Placement",
    "Plan",
    "RleMasks",
    "Sample",
    "ScaleJitter",
    "SimpleCopyPaste",
    "TrainingBatch",
    "TrainingSample",
    "__version__",
]

_MODULES = ("datasets", "functional", "reference", "visualize")

_HOMES = {
    "Batch": "_batch",
    "ForTraining": "training",
    "Instances": "sample",
    "Paste": "plan",
    "Placement": "plan",
    "Plan": "plan",
    "RleMasks": "masks",
    "Sample": "sample",
    "ScaleJitter": "transform",
    "SimpleCopyPaste": "transform",
    "TrainingBatch": "training",
    "TrainingSample": "training",
}
"""Modules that the names of `__all__` are defined in."""

if not TYPE_CHECKING:  # a type checker would take any name to be there

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"copypaste_rs.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'copypaste_rs' has no attribute {name!r}")
        value = getattr(import_module(f"copypaste_rs.{_HOMES[name]}"), name)
        globals()[name] = value  # so that this function is not asked again
        return value

    def __dir__() -> list[str]:
        from importlib.util import find_spec

        names = {*globals(), *__all__, *_MODULES}
        return sorted(names if find_spec("PIL") else names - {"visualize"})  # which cannot be imported then

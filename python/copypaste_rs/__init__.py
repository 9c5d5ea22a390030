"""Simple Copy-Paste augmentation for instance segmentation, exact and fast.

The operation is `SimpleCopyPaste`; `Sample`, `Instances` and `RleMasks` hold what it takes and gives; a `Plan`
holds what was drawn. `copypaste_rs.functional` has the kernels in Rust, `copypaste_rs.reference` those in
NumPy, `copypaste_rs.datasets` files and data sets, `copypaste_rs.integrations` what torch and torchvision take,
`copypaste_rs.visualize` pictures to look at.

Everything is imported when it is first used: the command line has to run before NumPy is there.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, whose import would take longer than this module
if TYPE_CHECKING:
    from copypaste_rs import datasets as datasets
    from copypaste_rs import functional as functional
    from copypaste_rs import integrations as integrations
    from copypaste_rs import reference as reference
    from copypaste_rs import schedules as schedules
    from copypaste_rs import visualize as visualize
    from copypaste_rs._core import __version__ as __version__
    from copypaste_rs.box_formats import convert_boxes
    from copypaste_rs.errors import ArgumentError, ArgumentTypeError
    from copypaste_rs.instances import Instances
    from copypaste_rs.maps import PixelMap
    from copypaste_rs.masks import RleMasks
    from copypaste_rs.plan import Paste, Placement, Plan
    from copypaste_rs.plan_options import PlanOptions, PlanSource
    from copypaste_rs.sample import Sample
    from copypaste_rs.transforms import Batch, ForTraining, ScaleJitter, SimpleCopyPaste, TrainingBatch, TrainingSample

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "Batch",
    "ForTraining",
    "Instances",
    "Paste",
    "PixelMap",
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
    "convert_boxes",
]

_MODULES = ("datasets", "functional", "integrations", "reference", "schedules", "visualize")

_HOMES = {
    "ArgumentError": "errors",
    "ArgumentTypeError": "errors",
    "Batch": "transforms",
    "ForTraining": "transforms",
    "Instances": "instances",
    "Paste": "plan",
    "PixelMap": "maps",
    "Placement": "plan",
    "Plan": "plan",
    "PlanOptions": "plan_options",
    "PlanSource": "plan_options",
    "RleMasks": "masks",
    "Sample": "sample",
    "ScaleJitter": "transforms",
    "SimpleCopyPaste": "transforms",
    "TrainingBatch": "transforms",
    "TrainingSample": "transforms",
    "__version__": "_core",
    "convert_boxes": "box_formats",
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

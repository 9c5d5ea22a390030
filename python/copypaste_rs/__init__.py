"""Simple Copy-Paste augmentation for instance segmentation, exact and fast.

The operation is `SimpleCopyPaste`; `Sample`, `Instances` and `RleMasks` hold what it takes and gives; a `Plan`
holds what was drawn. `copypaste_rs.functional` has the kernels in Rust, `copypaste_rs.reference` the same in
NumPy, `copypaste_rs.datasets` files and data sets.
"""

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

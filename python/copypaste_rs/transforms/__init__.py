"""Transforms: draw a plan, apply it.

- `scale_jitter`, `simple_copy_paste`: what is done to samples
- `for_training`: results in the form that a model takes
- `batch`: many plans in one call
- `backend`: which of the two equal implementations runs
"""

from copypaste_rs.transforms.batch import Batch
from copypaste_rs.transforms.for_training import ForTraining, TrainingBatch, TrainingSample
from copypaste_rs.transforms.scale_jitter import ScaleJitter
from copypaste_rs.transforms.simple_copy_paste import SimpleCopyPaste

__all__ = ["Batch", "ForTraining", "ScaleJitter", "SimpleCopyPaste", "TrainingBatch", "TrainingSample"]

"""Samples to images and label images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex, final

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong
from copypaste_rs.datasets.encoding import EncodedSample, check_sample, image_file
from copypaste_rs.datasets.label_drawing import draw_rows, raster_file
from copypaste_rs.datasets.places import OutputLayout
from copypaste_rs.datasets.sample_writer import SampleWriter, check_found

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from copypaste_rs.datasets.encoding import Encoder
    from copypaste_rs.datasets.sample_writer import WriterOptions
    from copypaste_rs.sample import Sample

_MOST = 2**31 - 1
"""Largest value of a label image."""


@final
class LabelMapWriter(SampleWriter):
    """Writes samples as ``images/`` and ``masks/``: label images, in which each object has a number.

    A label image is a PNG of 16 bits or, where a number is larger, a TIFF of 32. Objects are numbered from 1, in the
    order of their rows; with a `divisor`, a value is label * divisor + number within the label, from 0, and of a crowd
    the label, as Cityscapes has it. A pixel is of one object: later rows lie above earlier ones.

    Parameters
    ----------
    directory : path
        The folder to write to; missing or empty, unless `overwrite` or `resume` is set.
    categories : sequence of dict
        As of `CocoWriter`. Their names are not written: `LabelMapDataset` is given them again.
    divisor : int, optional
        As of `LabelMapDataset`; None: values tell no classes.
    **options
        `format`, `quality`, `overwrite`, `resume`, `settings` and `shard` as of `CocoWriter`.

    Warns
    -----
    UserWarning
        On closing, once, with counts of what the format does not hold: classes where there are several and no divisor,
        crowds without a divisor, which are left out, boxes without an outline, masks below others, further columns.

    Raises
    ------
    OSError, ValueError, TypeError
        As from `CocoWriter`; when `divisor` is no larger than the number of objects of a class in an image, or too
        large for the ids of the categories.

    Examples
    --------
    >>> import tempfile
    >>> from copypaste_rs import Instances, RleMasks, Sample
    >>> from copypaste_rs.datasets import LabelMapDataset
    >>> mask = RleMasks.from_polygons([[[4, 4, 20, 4, 20, 20, 4, 20]]], (24, 32))
    >>> sample = Sample(np.zeros((24, 32, 3), np.uint8), Instances(masks=mask, labels=[1]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with LabelMapWriter(folder, [{"id": 1, "name": "cell"}]) as writer:
    ...         _ = writer.write(sample, "a.jpg")
    ...     again = LabelMapDataset(folder + "/images", folder + "/masks", name="cell")
    >>> again.instances(0).masks == mask
    True
    """

    layout = OutputLayout("label-maps", folders=("masks",))

    def __init__(
        self,
        directory: str | os.PathLike[str],
        categories: Sequence[Mapping[str, Any]],
        *,
        divisor: SupportsIndex | None = None,
        **options: Unpack[WriterOptions],
    ) -> None:
        self.divisor = None if divisor is None else _checks.integer("divisor", divisor, 2, _MOST)
        super().__init__(directory, categories, **options, options={"divisor": self.divisor})

    def _prepare(self) -> None:
        if self.divisor is None:
            return
        for i, category in enumerate(self.categories):
            most = (_MOST + 1) // self.divisor - 1
            if not 1 <= category["id"] <= most:
                raise wrong(("categories", i), f"an id from 1 to {most} where the divisor is {self.divisor}",
                            str(category["id"]))  # fmt: skip

    def encoder(self) -> Encoder:
        """The function that makes of a sample what `write_encoded` takes: pure, and picklable for worker processes."""
        ids = tuple(each["id"] for each in self.categories)
        return _LabelMapEncoder(self.format, self.quality, ids, self.divisor)

    @classmethod
    def _check_file(cls, file: str) -> None:
        check_found(file)

    def _ends(self) -> Mapping[str, bytes]:
        return {}


@dataclass(frozen=True)
class _LabelMapEncoder:
    """The label image of a sample, and its image."""

    format: str
    quality: int
    ids: tuple[int, ...]
    divisor: int | None

    def __call__(self, sample: Sample, _: Sequence[Sample] = (), /) -> EncodedSample:
        check_sample(sample, "a set of label images")
        if self.divisor is None:  # crowds are not told apart from objects, and must not lie above them
            iscrowd = sample.instances.iscrowd
            crowds = 0 if iscrowd is None else int(iscrowd.sum())
            drawn = draw_rows(sample.replace(instances=sample.instances.without_crowds()), self.ids)
            remarks = drawn.remarks | {"crowds, which are left out": crowds}
            if len(self.ids) > 1:
                remarks["objects whose class is not written, as there is no divisor"] = len(drawn.rows)
            values: NDArray[np.integer] = drawn.numbers
        else:
            drawn = draw_rows(sample, self.ids)
            remarks = dict(drawn.remarks)
            values = self._values(drawn.labels.tolist(), drawn.iscrowd.tolist(), remarks)[drawn.numbers]
        is_small = values.max(initial=0) < 2**16
        name = f"masks/{{}}.{'png' if is_small else 'tif'}"
        files = {name: raster_file(values.astype(np.uint16 if is_small else np.int32))}
        image = image_file(sample, self.format, self.quality)
        return EncodedSample(image, {}, [], files, remarks, "label-maps")

    def _values(self, labels: list[int], iscrowd: list[bool], remarks: dict[str, int]) -> NDArray[np.int64]:
        """Values of the numbers 0, 1, ... of a raster."""
        assert self.divisor is not None
        numbers: Counter[int] = Counter()
        crowds: Counter[int] = Counter()
        values = [0]
        for label, is_crowd in zip(labels, iscrowd, strict=True):
            if is_crowd:
                crowds[label] += 1
                values.append(label)
                continue
            if numbers[label] >= self.divisor:
                raise wrong("sample", f"at most {self.divisor} objects of a class, as is the divisor", "more")
            values.append(label * self.divisor + numbers[label])
            numbers[label] += 1
        remarks["crowds that become one with another of their class"] = sum(n - 1 for n in crowds.values())
        return np.array(values, np.int64)

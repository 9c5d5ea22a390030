"""Tables of Datasets as samples, and the epoch for the ``Trainer`` of Transformers.

``pip install transformers datasets accelerate`` brings what is needed. Batches are made by
`copypaste_rs.integrations.torch.collate`, in the forms ``"mask2former"`` and ``"detr"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex, final

from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets._extras import needed
from copypaste_rs.sample import Sample

with needed("pip install transformers datasets accelerate brings what copypaste_rs.integrations.transformers needs"):
    from transformers import TrainerCallback

    from copypaste_rs.integrations._table_rows import TableRows, pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EpochCallback", "TableSamples"]


@final
class TableSamples:
    """Rows of a ``datasets.Dataset`` as samples, for a `CopyPasteDataset`.

    Images are taken as 8-bit RGB. Objects are read from a column that has COCO's fields, as a list of dicts or as a
    dict of lists; from columns of their own; or from a map of numbers. Rows without objects are samples without
    instances. Numbers and texts of a row, such as ``image_id``, become the sample's info, and those of an object
    columns.

    A segmentation is polygons, run lengths as COCO has them, or a mask (an image or an array of the image's size, in
    which everything but zero is set). A ``bbox`` without one is in pixels, as x, y, width and height.

    Parameters
    ----------
    table : datasets.Dataset
        The table. Formats that it was given are left aside, but for a transform, whose results are read.
    image : str
        Column of the images.
    objects : str or None
        Column of the objects. None says that their fields are columns of the table, each with a list in each row.
    segmentation : str, optional
        Field of the segmentations. None finds ``segmentation``, ``segmentations``, ``mask`` or ``masks``.
    label : str or int, optional
        Field of the labels, which are integers, or one label for all objects. None finds ``category_id``, ``category``,
        ``categories``, ``label`` or ``labels``.
    id_map : str, optional
        Column of images that say to which object each pixel belongs, in the place of `objects`: a class in the first
        channel and a number in the second, as in the data sets of Transformers' own example, or numbers alone, with
        an integer as `label`. Number 0 is no object.
    category_ids : sequence of int, optional
        Labels of the table, in the order in which the model counts them from 0: ``range(1, 151)``. None leaves labels
        as they stand.

    Attributes
    ----------
    categories : list of dict or None
        ``id`` and ``name`` of each class, where the labels of the table are a ``ClassLabel``.
    category_ids : list of int or None
        As given: ``category_ids[label]`` is the label in the table.

    Raises
    ------
    ValueError, TypeError
        When `table` is none, or lacks the columns or fields; on access, when a row has other things in them, or a label
        that is not in `category_ids`. The place is named.

    Examples
    --------
    >>> from datasets import ClassLabel, Dataset
    >>> square = [[10.0, 10.0, 30.0, 10.0, 30.0, 20.0, 10.0, 20.0]]
    >>> objects = {"category": [1], "segmentation": [square]}
    >>> table = Dataset.from_list([{"image": np.zeros((40, 60, 3), np.uint8), "image_id": 7, "objects": objects}])
    >>> photos = TableSamples(table)
    >>> photos[0].size, photos[0].instances.labels, photos[0].instances.masks.area, photos[0].info
    ((40, 60), array([1]), array([200]), {'image_id': 7})
    """

    def __init__(
        self,
        table: Any,
        image: str = "image",
        objects: str | None = "objects",
        *,
        segmentation: str | None = None,
        label: str | SupportsIndex | None = None,
        id_map: str | None = None,
        category_ids: Sequence[int] | None = None,
    ) -> None:
        rows = TableRows(table, image, None if id_map is not None else objects, segmentation, label, id_map)
        self._rows = rows
        self.category_ids = None if category_ids is None else _ids(category_ids)
        self._numbers = None if self.category_ids is None else {each: i for i, each in enumerate(self.category_ids)}
        names = rows.class_names()
        ids = range(len(names or ())) if self.category_ids is None else self.category_ids
        named = names is not None and all(each in range(len(names)) for each in ids)
        self.categories = (
            [{"id": i, "name": names[each]} for i, each in enumerate(ids)] if named and names is not None else None
        )

    def __len__(self) -> int:
        return len(self._rows.table)

    def __getitem__(self, index: SupportsIndex) -> Sample:
        """The row as a sample."""
        i = self._rows.number(index)
        row = self._rows.row(i)
        image = pixels(("table", i, self._rows.image), row[self._rows.image])
        instances = self._rows.instances(i, row, (image.shape[0], image.shape[1]))
        if self._numbers is not None and instances.labels is not None:
            for k, each in enumerate(instances.labels.tolist()):
                if each not in self._numbers:
                    expected = f"one of the {len(self._numbers)} category_ids"
                    raise wrong(self._rows.label_place(i, k), expected, str(each))
            instances = instances.replace(labels=[self._numbers[each] for each in instances.labels.tolist()])
        return Sample(image, instances, self._rows.info(row))

    def has_objects(self, index: SupportsIndex) -> bool:
        """Whether a row has an object that is not a crowd, told without decoding its image."""
        return self._rows.has_objects(self._rows.number(index))

    def __repr__(self) -> str:
        return f"TableSamples({len(self)} rows)"


@final
class EpochCallback(TrainerCallback):  # type: ignore[misc]  # a class without types
    """A callback that tells the epoch to the training data set: ``Trainer(..., callbacks=[EpochCallback()])``.

    Without it, epochs reach a `CopyPasteDataset` in a run of one process that begins at its beginning. With several
    processes, and in the epoch in which a run goes on, they do not, and every epoch has the images of the first one.

    Raises
    ------
    TypeError
        At the start of an epoch, when the training data set has no `set_epoch`.
    """

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002
        """Tell it; the ``Trainer`` calls this before the first batch of each epoch."""
        dataset: Any = getattr(given.get("train_dataloader"), "dataset", None)
        if not hasattr(dataset, "set_epoch"):
            raise wrong_type("train_dataset", "a data set with set_epoch, as CopyPasteDataset", type(dataset).__name__)
        dataset.set_epoch(int(state.epoch or 0))


def _ids(category_ids: Sequence[int]) -> list[int]:
    try:
        ids = [int(each) for each in category_ids]
    except (TypeError, ValueError):
        raise wrong_type("category_ids", "a sequence of integers", repr(category_ids)) from None
    if len(set(ids)) < len(ids):
        raise wrong("category_ids", "each id once", repr(category_ids))
    return ids

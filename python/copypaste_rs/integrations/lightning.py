"""Copy-paste for Lightning: a data module.

``pip install lightning`` brings what is needed; ``pytorch_lightning`` does too, where it is imported before, or alone.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, SupportsIndex

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets._extras import needed
from copypaste_rs.datasets.copy_paste import CopyPasteDataset
from copypaste_rs.datasets.mixed_dataset import MixedDataset

with needed("pip install lightning brings what copypaste_rs.integrations.lightning needs"):
    from torch.utils.data import DataLoader

    from copypaste_rs.integrations._rank_loader import RankSampler, ResumableLoader, ranks

    # Either package has a trainer that takes data modules of its own alone.
    if ("pytorch_lightning" in sys.modules or find_spec("lightning") is None) and "lightning" not in sys.modules:
        from pytorch_lightning import LightningDataModule
    else:
        from lightning import LightningDataModule

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CopyPasteDataModule"]

OURS = frozenset({"dataset", "batch_size", "collate_fn", "sampler", "batch_sampler", "shuffle"})
"""Arguments of data loaders that the data module gives itself."""


class CopyPasteDataModule(LightningDataModule):  # type: ignore[misc]  # a class without types
    """A data module around a `CopyPasteDataset`: ``trainer.fit(model, CopyPasteDataModule(train, 2, collate_fn=...))``.

    Each epoch has other images, as the epoch travels with the index: whatever number of workers read ahead, whether
    they persist, and on any number of processes, which together have each item of an epoch, but for what evens them
    out, drawn anew. A run that goes on from a checkpoint, of the end or the middle of an epoch, gets the batches that
    it would have got.

    Parameters
    ----------
    train : CopyPasteDataset or MixedDataset
        The training data.
    batch_size : int
        Items of a batch of one process.
    collate_fn : callable
        What makes batches of items, such as `copypaste_rs.integrations.torch.collate` gives.
    val : sequence or DataLoader, optional
        Data set of the validation, whose items `collate_fn` takes: photographs as they are, or a `CopyPasteDataset`
        with a `ScaleJitter`. It is gone through in its order. A data loader is handed to Lightning as it is.
    shuffle : bool
        Whether the training items come in another order in each epoch.
    seed : int
        Seed of that order, 0 to 2^64 - 1.
    **options
        Further arguments of the data loaders, such as ``num_workers``; ``drop_last`` is that of the training.

    Raises
    ------
    ValueError, TypeError
        When an argument is none of these.

    Examples
    --------
    >>> from copypaste_rs import ForTraining, SimpleCopyPaste
    >>> from copypaste_rs.datasets import sample_data
    >>> from copypaste_rs.integrations.torch import collate
    >>> train = CopyPasteDataset(sample_data(), ForTraining(SimpleCopyPaste(size=64)))
    >>> data = CopyPasteDataModule(train, 2, collate_fn=collate("torchvision"))
    >>> [len(images) for images, targets in data.train_dataloader()]
    [2, 2, 1]
    """

    def __init__(
        self,
        train: CopyPasteDataset[Any] | MixedDataset,
        batch_size: SupportsIndex = 1,
        *,
        collate_fn: Callable[[Any], Any],
        val: Any = None,
        shuffle: bool = True,
        seed: SupportsIndex = 0,
        **options: Any,
    ) -> None:
        super().__init__()
        if not isinstance(train, CopyPasteDataset | MixedDataset):
            raise wrong_type("train", "a CopyPasteDataset or a MixedDataset", type(train).__name__)
        if not callable(collate_fn):
            raise wrong_type("collate_fn", "a function from items to a batch", type(collate_fn).__name__)
        if isinstance(val, str) or not (val is None or isinstance(val, DataLoader) or hasattr(val, "__getitem__")):
            raise wrong_type("val", "a sequence, or a data loader", type(val).__name__)
        if taken := sorted(OURS & set(options)):
            raise wrong(taken[0], "further arguments of data loaders", "one that the data module gives itself")
        self.train, self.val = train, val
        self.batch_size = _checks.integer("batch_size", batch_size, 1, 2**31 - 1)
        self._collate_fn = collate_fn
        self._shuffle = _checks.flag("shuffle", shuffle)
        self._seed = _checks.integer("seed", seed, 0, 2**64 - 1)
        self._options = options
        if val is not None:  # as a method of the class it would tell Lightning that there is validation, always
            self.val_dataloader = self._val_dataloader

    def train_dataloader(self) -> ResumableLoader:
        """The loader of the training; Lightning calls this."""
        return ResumableLoader(
            self.train,
            self.batch_size,
            sampler=RankSampler(self.train, shuffle=self._shuffle, seed=self._seed, **ranks(self.trainer)),
            collate_fn=self._collate_fn,
            **self._options,
        )

    def _val_dataloader(self) -> Any:
        if isinstance(self.val, DataLoader):
            return self.val
        options = {name: value for name, value in self._options.items() if name != "drop_last"}
        return DataLoader(self.val, self.batch_size, collate_fn=self._collate_fn, **options)

"""Two copy-paste data sets as one, for batches of both."""

from __future__ import annotations

import operator
import warnings
from typing import TYPE_CHECKING, Any, SupportsIndex, cast, final

from copypaste_rs._checks import wrong_type
from copypaste_rs._shown import call
from copypaste_rs.datasets.copy_paste import CopyPasteDataset
from copypaste_rs.datasets.counting import counted, epoch_numbers, item_numbers, known_names
from copypaste_rs.datasets.partner_checks import check_categories

if TYPE_CHECKING:
    from collections.abc import Iterable

    from copypaste_rs.datasets.copy_paste import Index
    from copypaste_rs.datasets.paste_counts import PasteCounts
    from copypaste_rs.datasets.replay import Replay


@final
class MixedDataset:
    """Labelled and pseudo-labelled items as one data set, for a `MixedBatchSampler`.

    Item i is that of `labelled`; behind the last one come those of `pseudo`. Pairs ``(epoch, index)`` are taken as by
    `CopyPasteDataset`, which torch's ``ConcatDataset`` does not.

    Parameters
    ----------
    labelled : CopyPasteDataset
        Images with true objects.
    pseudo : CopyPasteDataset
        Images with pseudo-labels, into which true objects are pasted where its ``sources`` are those of `labelled`.

    Raises
    ------
    TypeError
        When one is no `CopyPasteDataset`.
    ValueError
        When their categories contradict one another.

    Warns
    -----
    UserWarning
        When both have one seed: then item i of each is drawn with the same random numbers.

    Examples
    --------
    >>> from copypaste_rs import SimpleCopyPaste
    >>> from copypaste_rs.datasets import sample_data
    >>> photos, augment = sample_data(), SimpleCopyPaste(size=64)
    >>> mixed = MixedDataset(CopyPasteDataset(photos, augment), CopyPasteDataset(photos, augment, seed=1))
    >>> len(mixed), mixed[0, 7] == mixed.pseudo[0, 2]
    (10, True)
    """

    def __init__(self, labelled: CopyPasteDataset[Any], pseudo: CopyPasteDataset[Any]) -> None:
        for name, each in (("labelled", labelled), ("pseudo", pseudo)):
            if not isinstance(each, CopyPasteDataset):
                raise wrong_type(name, "a CopyPasteDataset", type(each).__name__)
        check_categories(labelled._dataset, pseudo._dataset, ("labelled", "pseudo"))
        self.labelled = labelled
        self.pseudo = pseudo
        if labelled._seed == pseudo._seed and labelled is not pseudo:
            warnings.warn(
                f"pseudo: has the seed {pseudo._seed}, as labelled has: items of one number are drawn with the same "
                "random numbers; give one of them another seed",
                UserWarning,
                stacklevel=2,
            )

    def __len__(self) -> int:
        return len(self.labelled) + len(self.pseudo)

    def __getitem__(self, index: Index) -> Any:
        """An item: of the epoch that was set, or of the first number of a pair ``(epoch, index)``."""
        single = index[1] if isinstance(index, tuple) and len(index) in (2, 3) else index
        try:
            i, n = operator.index(cast("SupportsIndex", single)), len(self)
        except TypeError:
            raise wrong_type("index", "an integer, or a pair of epoch and index", repr(index)) from None
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of range for {n} items")
        i, first = i % n, len(self.labelled)
        of, own = (self.labelled, i) if i < first else (self.pseudo, i - first)
        return of[(index[0], own, *index[2:])] if isinstance(index, tuple) else of[own]

    def set_epoch(self, epoch: SupportsIndex) -> None:
        """Say which epoch it is, to both; where pairs of epoch and index come nobody has to."""
        self.labelled.set_epoch(epoch)
        self.pseudo.set_epoch(epoch)

    def count(
        self, epochs: SupportsIndex | Iterable[SupportsIndex], items: Iterable[SupportsIndex] | None = None
    ) -> PasteCounts:
        """Count, by class, what is pasted, covered and dropped in items of both, as `CopyPasteDataset.count` does.

        Parameters
        ----------
        epochs : int or iterable of int
            The epochs: of an int n those from 0 to n - 1.
        items : iterable of int, optional
            Numbers of items, those of `pseudo` behind those of `labelled`, each counted as often as it stands there;
            None for all.

        Returns
        -------
        PasteCounts
            Columns by class; without `items` the sum of what both count.

        Raises
        ------
        ValueError
            When there is no epoch, or an epoch or item that does not exist.
        TypeError
            When these are no integers.

        Notes
        -----
        Each item is counted once for each epoch. A `MixedBatchSampler` gives items of the smaller set more often, and
        draws them anew: what these add is not counted.

        Examples
        --------
        >>> from copypaste_rs import SimpleCopyPaste
        >>> from copypaste_rs.datasets import sample_data
        >>> photos, augment = sample_data(), SimpleCopyPaste(size=256, min_area=16)
        >>> mixed = MixedDataset(CopyPasteDataset(photos, augment), CopyPasteDataset(photos, augment, seed=1))
        >>> mixed.count(4) == mixed.labelled.count(4) + mixed.pseudo.count(4)
        True
        """
        both = self.labelled, self.pseudo
        names = known_names(*(each for data in both for each in (data._dataset, data._sources)))
        return counted(self._replay, names, epoch_numbers(epochs), item_numbers(items, len(self)))

    def _replay(self, epoch: int, item: int) -> Replay:
        first = len(self.labelled)
        return self.labelled._replay(epoch, item) if item < first else self.pseudo._replay(epoch, item - first)

    def __repr__(self) -> str:
        return call("MixedDataset", [repr(self.labelled), repr(self.pseudo)])

"""Information about an image, as far as pasting changes what is true of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NEGATIVE = "neg_category_ids"
"""Name of what LVIS says of an image: ids of the categories that were looked for in it, and are not there."""


def of_result(info: Mapping[str, Any], labels: NDArray[Any] | None, source: NDArray[np.int32]) -> dict[str, Any]:
    """The target's info for a result with these rows: categories that were pasted are no longer absent.

    Parameters
    ----------
    info : mapping
        Of the target; a list or tuple under the name ``neg_category_ids`` is replaced by one without the labels of
        pasted rows, and nothing else is.
    labels : array, shape (n,), or None
        Labels of the rows of the result.
    source : array, shape (n,)
        Number of the source of each row; -1 is the target.

    Examples
    --------
    >>> of_result({"neg_category_ids": [3, 5, 8]}, np.array([5, 8]), np.array([0, -1]))
    {'neg_category_ids': [3, 8]}
    """
    found = dict(info)
    absent = found.get(NEGATIVE)
    if not isinstance(absent, list | tuple) or not absent or labels is None or labels.ndim != 1:
        return found
    if pasted := {*labels[source >= 0].tolist()}:
        kept = [each for each in absent if not isinstance(each, int | np.integer) or int(each) not in pasted]
        found[NEGATIVE] = tuple(kept) if isinstance(absent, tuple) else kept
    return found

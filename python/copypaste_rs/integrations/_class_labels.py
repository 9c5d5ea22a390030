"""Labels against the classes of a model; nothing of a framework is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from copypaste_rs import _checks
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.datasets.categories import label_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs._checks import Place


def class_count(num_classes: SupportsIndex | None, first: int = 0) -> int | None:
    """The number of classes, checked, the background too where the `first` is 1; None where nobody says."""
    return None if num_classes is None else _checks.integer("num_classes", num_classes, first + 1, 2**31 - 1)


def class_labels(
    place: Place, labels: NDArray[Any] | None, num_classes: int | None, first: int = 0, way: str = ""
) -> NDArray[np.int64]:
    """Labels as int64, each a class of the model: `first` to ``num_classes - 1``, or more where nobody says.

    A `first` of 1 is torchvision's, whose models take 0 for the background. Errors tell the `way` to such labels.
    """
    if labels is None or not len(labels):
        return np.zeros(0, np.int64)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise wrong_type(place, "labels that are integers, one of each object", f"{labels.dtype} {labels.shape}")
    if (least := int(labels.min())) < first:
        why = ", as torchvision takes 0 for the background" if first else ""
        raise wrong(place, f"labels from {first} on{why}{way and f' ({way})'}", str(least))
    if num_classes is not None and (largest := int(labels.max())) >= num_classes:
        raise wrong(place, f"labels from {first} to {num_classes - 1}, for num_classes={num_classes}", str(largest))
    return labels.astype(np.int64)


def weights_by_class(weights: Mapping[Any, float], names: Mapping[int, str]) -> dict[int, float]:
    """`class_weights` by the numbers of classes, of weights by these or by names, each of which has to be known.

    Examples
    --------
    >>> weights_by_class({"fig": 4.0}, {0: "date", 1: "fig"})
    {1: 4.0}
    """
    if any(isinstance(key, str) for key in weights):
        return label_weights("class_weights", [{"id": i, "name": name} for i, name in names.items()], weights)
    if names and (beyond := [key for key in weights if key not in names]):
        expected = f"names of classes, or their numbers from {min(names)} to {max(names)}"
        raise wrong("class_weights", expected, str(beyond[0]))
    return dict(weights)


def with_names(options: Mapping[str, Any]) -> bool:
    """Whether `class_weights` among options of a transform are by name, which it does not know."""
    weights = options.get("class_weights")
    return isinstance(weights, Mapping) and any(isinstance(key, str) for key in weights)

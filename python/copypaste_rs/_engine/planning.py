"""Plans around a planner: arguments checked, rows weighed, the planner called, a user's own choice made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.errors import ArgumentTypeError
from copypaste_rs.plan import Paste, Plan
from copypaste_rs.plan_options import PlanOptions, PlanSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.plan_options import Choose, Weigh

BOX_DTYPES: frozenset[np.dtype[Any]] = frozenset({np.dtype(np.float32), np.dtype(np.int64)})
FLAG_DTYPES: frozenset[np.dtype[Any]] = frozenset({np.dtype(np.bool_)})

WHOLE = 2.0**20
"""The largest weight of a draw as an integer; each is rounded to such steps."""

Weights = Sequence["NDArray[np.int64]"]
"""For each source the weights of its rows, from `whole_weights`; rows of weight 0 are no candidates."""

Planner = Callable[[draws.Key, PlanOptions, tuple[int, int], Sequence[PlanSource], Weights | None], Plan]


class TrustedSource(PlanSource):
    """A source of a sample, which was checked when it was made: checking it again would take longer than drawing."""

    __slots__ = ()


def draw_plan(
    planner: Planner,
    options: PlanOptions,
    target: _checks.Size,
    sources: Sequence[PlanSource],
    rng: draws.Rng,
) -> Plan:
    """The plan that `planner` draws, of a backend."""
    if not isinstance(options, PlanOptions):
        raise wrong_type("options", "PlanOptions", type(options).__name__)
    size = _checks.size("target", target)
    given = [_checked(i, source) for i, source in enumerate(_checks.items("sources", sources))]
    weigh = options.class_weights
    weights = None if weigh is None else [_weights(weigh, i, source) for i, source in enumerate(given)]
    key = draws.resolve(rng)
    plan = planner(key, options, size, given, weights)
    return plan if options.choose is None else _chosen(options.choose, key, plan)


def _checked(i: int, source: object) -> PlanSource:
    """Source number i, its arrays as planners take them: aligned, in C order."""
    if type(source) is TrustedSource:
        return source
    if not isinstance(source, PlanSource):
        raise wrong_type(("sources", i), "a PlanSource", type(source).__name__)
    size, boxes, crowd, labels = source
    checked = (
        _checks.size(f"sources[{i}].size", size),
        None if boxes is None else _array(i, "boxes", boxes, BOX_DTYPES),
        None if crowd is None else _array(i, "iscrowd", crowd, FLAG_DTYPES),
        labels,
    )
    if boxes is not None:
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise wrong(f"sources[{i}].boxes", "shape (n, 4)", str(boxes.shape))
        far = _checks.MAX_PIXELS
        if boxes.size and not (boxes.min() >= -far and boxes.max() <= far):  # as of NaN
            raise wrong(f"sources[{i}].boxes", f"numbers from -{far} to {far}", f"{boxes.min()} to {boxes.max()}")
    if crowd is not None and crowd.shape != (source.rows,):
        raise wrong(f"sources[{i}].iscrowd", f"shape ({source.rows},), a flag for each box", str(crowd.shape))
    return PlanSource(*checked)


def _array(i: int, name: str, value: object, dtypes: frozenset[np.dtype[Any]]) -> NDArray[Any]:
    array = value if type(value) is np.ndarray else _checks.array(f"sources[{i}].{name}", value)
    if array.dtype not in dtypes:
        _checks.array(f"sources[{i}].{name}", array)  # it may be the byte order
        raise wrong_type(f"sources[{i}].{name}", f"dtype {' or '.join(sorted(map(str, dtypes)))}", str(array.dtype))
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.require(array, requirements=["C", "A"])


def _weights(weigh: Mapping[Any, float] | Weigh, i: int, source: PlanSource) -> NDArray[np.int64]:
    """The weights of the rows of source number i, as integers."""
    if source.rows == 0:
        return np.zeros(0, np.int64)
    if isinstance(weigh, Mapping):
        return whole_weights(_by_label(weigh, i, source))
    whence = f" from the callable for sources[{i}]"
    return whole_weights(_checks.draw_weights("options.class_weights", weigh(i), source.rows, whence))


def _by_label(weights: Mapping[Any, float], i: int, source: PlanSource) -> NDArray[np.float64]:
    """The weight of the label of each row; a label that is not named has 1."""
    if source.labels is None:
        raise wrong(("sources", i), f"labels of its {source.rows} rows, as class_weights are by label", "none")
    labels = _checks.converted(f"sources[{i}].labels", source.labels, f"shape ({source.rows},)")
    if labels.shape != (source.rows,):
        raise wrong(f"sources[{i}].labels", f"shape ({source.rows},), a label for each box", str(labels.shape))
    try:
        found = [weights.get(label) for label in labels.tolist()]
    except TypeError:  # a list or a dict is no key
        raise wrong_type(f"sources[{i}].labels", "numbers or text, as class_weights are by label", "others") from None
    if weights and found.count(None) == len(found):
        _check_kind(weights, i, labels)
    return np.array([1.0 if weight is None else weight for weight in found])


def _check_kind(weights: Mapping[Any, float], i: int, labels: NDArray[Any]) -> None:
    """Refuse weights by name for labels that are numbers, and the other way round: none could ever be meant."""
    numbers = (int, float, np.number, np.bool_)
    kinds: dict[str, tuple[str, tuple[type, ...]]] = {"U": ("text", (str,)), "S": ("bytes", (bytes,))}
    words, types = kinds.get(labels.dtype.kind, ("numbers", numbers if labels.dtype.kind in "biuf" else (object,)))
    if not any(isinstance(label, types) for label in weights):
        expected = f"{words} as labels, which sources[{i}] has"
        raise wrong_type("options.class_weights", expected, repr(next(iter(weights))))


def whole_weights(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Weights of a draw as integers, whose sums are exact: shares of the largest, rounded to steps of 2^-20."""
    largest = weights.max(initial=0.0)
    if largest == 0:
        return np.zeros(len(weights), np.int64)
    return np.floor(weights / largest * WHOLE + 0.5).astype(np.int64)


def _chosen(choose: Choose, key: draws.Key, plan: Plan) -> Plan:
    """The plan with those rows of each source that a user's rule chooses out of all candidates."""
    pastes: list[Paste] = []
    for number in dict.fromkeys(paste.source for paste in plan.pastes):
        mine = [paste for paste in plan.pastes if paste.source == number]
        candidates = np.array([row for paste in mine for row in paste.instances], np.int64)
        chosen = _checked_rows(choose(number, candidates.copy(), draws.generator(key, number)), candidates)
        left = ((paste, tuple(row for row in paste.instances if row in chosen)) for paste in mine)
        pastes.extend(Paste(number, rows, paste.placement, paste.sigma) for paste, rows in left if rows)
    return Plan(plan.target, tuple(pastes))


def _checked_rows(chosen: object, rows: NDArray[np.int64]) -> set[int]:
    if isinstance(chosen, np.ndarray):
        chosen = chosen.tolist()
    if isinstance(chosen, str | bytes) or not isinstance(chosen, Sequence):
        raise wrong_type("options.choose", "row numbers from the callable", repr(chosen))
    try:
        picked = [_checks.integer("options.choose", row, -(2**63), 2**63 - 1) for row in chosen]
    except ArgumentTypeError as error:
        raise wrong_type("options.choose", "row numbers from the callable", error.got) from None
    if len(set(picked)) != len(picked):
        raise wrong("options.choose", "distinct rows from the callable", str(picked))
    if not set(picked) <= set(rows.tolist()):
        raise wrong("options.choose", f"rows out of {sorted(rows.tolist())} from the callable", str(picked))
    return set(picked)

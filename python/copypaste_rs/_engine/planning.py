"""Plans around a planner: arguments checked, the planner called, a user's own choice made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from copypaste_rs import _checks, draws
from copypaste_rs._checks import wrong, wrong_type
from copypaste_rs.plan import Paste, Plan
from copypaste_rs.plan_options import PlanOptions, PlanSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from copypaste_rs.plan_options import Choose

Planner = Callable[[draws.Key, PlanOptions, tuple[int, int], Sequence[PlanSource]], Plan]


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
    for i, source in enumerate(sources):
        if not isinstance(source, PlanSource):
            raise wrong_type(("sources", i), "a PlanSource", type(source).__name__)
    key = draws.resolve(rng)
    plan = planner(key, options, size, sources)
    return plan if options.choose is None else _chosen(options.choose, key, plan)


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
        raise wrong_type("select", "row numbers from the callable", repr(chosen))
    picked = [_checks.integer("select", row, -(2**63), 2**63 - 1) for row in chosen]
    if len(set(picked)) != len(picked):
        raise wrong("select", "distinct rows from the callable", str(picked))
    if not set(picked) <= set(rows.tolist()):
        raise wrong("select", f"rows out of {sorted(rows.tolist())} from the callable", str(picked))
    return set(picked)

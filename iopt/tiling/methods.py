"""The methods by name, and `solve`: one call for all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

from iopt.door.given import check_choice, check_count, check_kind
from iopt.door.numbers import is_number
from iopt.door.wording import shown
from iopt.errors import OptionError
from iopt.methods import Method, check_name
from iopt.result import OnProgress, Result, Status
from iopt.tiling.evaluation import evaluate
from iopt.tiling.heuristics.deepthings import deepthings
from iopt.tiling.heuristics.mafat import Bottom, mafat
from iopt.tiling.heuristics.untiled import untiled
from iopt.tiling.infeasible import shortage
from iopt.tiling.objective import value
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from iopt.tiling.search.exact import exact
from iopt.tiling.search.table import build

DEFAULT_TIME_LIMIT_S = 60.0


METHODS = {
    method.name: method
    for method in (
        Method("exact", "proved: shortest path over cuts, memory as a filter; any groups, any tilings, reuse"),
        Method("milp", "proved: the same as a mixed-integer programme (HiGHS)"),
        Method("mafat", "at most two groups of square tilings, cut after a pooling, fewest tiles first"),
        Method("deepthings", "one group of N x M tiles"),
        Method("untiled", "the network as it is"),
    )
}


def solve(
    problem: Problem,
    method: str = "exact",
    max_groups: int | None = None,
    bottom: Bottom | None = None,
    fallback: bool = False,
    time_limit_s: float | None = None,
    on_progress: OnProgress | None = None,
) -> Result[Configuration]:
    """Decide which layers are fused and how each group is tiled.

    `method`: a name of `METHODS`; `max_groups`: of `exact`, at most so many; `bottom` (2x2 by default) and `fallback`:
    of `mafat`, see there; `time_limit_s`: of `milp`, 60 unless given. The objective is in multiply-accumulates, seconds
    or bytes, as the problem says. Without a configuration `exact` and `milp` say INFEASIBLE and how much memory the
    least one needs; others say UNKNOWN. Raises `OptionError`, also for what the method does not have.
    """
    check_kind(problem, Problem, "problem")
    checked(method, max_groups, bottom, fallback, time_limit_s)
    began = time.perf_counter()
    if method == "exact":
        result = _exact(problem, max_groups)
    elif method == "milp":
        from iopt.tiling.milp import solve_milp

        result = solve_milp(problem, time_limit_s or DEFAULT_TIME_LIMIT_S, on_progress=on_progress)
        if result.status is Status.INFEASIBLE:
            result = replace(result, message=shortage(problem))
    else:
        result = _heuristic(problem, method, bottom or "2x2", fallback)
    return replace(result, runtime_s=time.perf_counter() - began)


def compare(problem: Problem, time_limit_s: float = DEFAULT_TIME_LIMIT_S) -> Iterator[Result[Configuration]]:
    """Every method on one problem, the exact ones last. `time_limit_s`: of `milp`. Raises `OptionError`."""
    check_kind(problem, Problem, "problem")
    checked("milp", time_limit_s=time_limit_s)
    for name in reversed(METHODS):
        yield solve(problem, name, time_limit_s=time_limit_s if name == "milp" else None)


def _exact(problem: Problem, max_groups: int | None) -> Result[Configuration]:
    table = build(problem)
    found = exact(problem, max_groups, table)
    if found is None:
        message = shortage(problem, table, max_groups)
        return Result("exact", Status.INFEASIBLE, None, None, None, 0.0, message=message)
    objective = value(problem, evaluate(problem, found.configuration))
    return Result("exact", Status.OPTIMAL, found.configuration, objective, objective, 0.0)


def _heuristic(problem: Problem, name: str, bottom: Bottom, fallback: bool) -> Result[Configuration]:
    """FEASIBLE, or UNKNOWN with what is broken."""
    if name == "mafat":
        configuration = mafat(problem, bottom, fallback)
    else:
        configuration = deepthings(problem) if name == "deepthings" else untiled(problem)
    if configuration is None:
        message = f"{name}: infeasible: no configuration that it considers keeps the limits"
        return Result(name, Status.UNKNOWN, None, None, None, 0.0, message=message)
    evaluation = evaluate(problem, configuration)
    status = Status.FEASIBLE if evaluation.is_feasible else Status.UNKNOWN
    message = "; ".join(evaluation.violations)
    return Result(name, status, configuration, value(problem, evaluation), None, 0.0, message=message)


def checked(
    method: str,
    max_groups: int | None = None,
    bottom: Bottom | None = None,
    fallback: bool = False,
    time_limit_s: float | None = None,
) -> None:
    """Raises `OptionError` for a method that does not exist, a parameter that makes no sense, or one that the method
    does not have; None and False are not given."""
    check_name(method, METHODS)
    if max_groups is not None:
        check_count(max_groups, "max_groups")
    if bottom is not None:
        check_choice(bottom, get_args(Bottom), "bottom")
    if type(fallback) is not bool:
        raise OptionError(f"fallback is {shown(fallback)}; expected True or False")
    if time_limit_s is not None and not (is_number(time_limit_s) and time_limit_s > 0):
        raise OptionError(f"time limit is {shown(time_limit_s)}; expected a number of seconds above zero")
    for key, given, owner in (
        ("max_groups", max_groups, "exact"),
        ("bottom", bottom, "mafat"),
        ("fallback", fallback or None, "mafat"),
        ("time_limit_s", time_limit_s, "milp"),
    ):
        if given is not None and method != owner:
            raise OptionError(f"{key} is for the method {owner!r}; the method is {method!r}")

"""The methods by name, and `solve`: one call for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from iopt.door.given import as_tuple, check_kind
from iopt.door.stopping import check_stopping
from iopt.methods import Method, check_name
from iopt.partition.evaluation import Evaluator, evaluate
from iopt.partition.heuristics import plan_coedge, plan_iop, plan_modnn, plan_oc, plan_single
from iopt.partition.heuristics.coedge import FullyConnected, RatioRule, split_by_rows
from iopt.partition.heuristics.iop import Combine, paired
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.search import plan_dp
from iopt.result import OnProgress, Result, Status

DEFAULT_TIME_LIMIT_S = 60.0
DEFAULT_GAP = 1e-4


@dataclass(frozen=True)
class Planner(Method):
    """`plan` where it is a heuristic: a plan without a bound."""

    plan: Callable[[Problem], Plan] | None = None


def _dp(problem: Problem) -> Plan:
    return plan_dp(problem, seeds=start_plans(problem))


METHODS = {
    method.name: method
    for method in (
        Planner("milp", "exact: axes, integer shares and combine jointly, with a proved bound (HiGHS)"),
        Planner("dp", "exact shortest path over fixed candidate shares, then local moves", _dp),
        Planner("iop", "greedy pairing of OC and IC splits (IOP)", plan_iop),
        Planner(
            "coedge", "rows of convolutions in one ratio, fully connected layers on one device (CoEdge)", plan_coedge
        ),
        Planner("oc", "every operator by output channels, concatenation after each (IOP's baseline)", plan_oc),
        Planner("modnn", "rows from the source and back to it, operator by operator (MoDNN)", plan_modnn),
        Planner("single", "the best single device", plan_single),
    )
}


def start_plans(problem: Problem) -> list[Plan]:
    """Plans of the fast heuristics in all their variants, as far as they lie in the decision space of the exact
    method: not MoDNN's, which go through the source."""
    evaluator = Evaluator(problem)
    plans = [plan_single(problem), plan_oc(problem)]
    for ratio in get_args(RatioRule):
        for fc in get_args(FullyConnected):
            rows = split_by_rows(problem, evaluator, ratio, fc)
            plans += [rows.plan, *(paired(problem, evaluator, rows, combine) for combine in get_args(Combine))]
    return plans


def solve(
    problem: Problem,
    method: str = "milp",
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    gap: float = DEFAULT_GAP,
    on_progress: OnProgress | None = None,
    starts: Sequence[Plan] | None = None,
) -> Result[Plan]:
    """Decide how to split every operator.

    `method`: a name of `METHODS`; `time_limit_s` and `gap` (relative) stop `milp`, heuristics are not limited;
    `starts`: plans that `milp` starts from, by default those of the heuristics and of `dp`. Raises `OptionError`.
    """
    check_kind(problem, Problem, "problem")
    chosen = checked(method, time_limit_s, gap)
    if starts is not None:
        starts = as_tuple(starts, Plan, "starts", single="(plan,)")
    began = time.perf_counter()
    if chosen.plan is not None:
        return judged(problem, method, chosen.plan(problem), time.perf_counter() - began)
    from iopt.partition.milp import solve_milp

    if starts is None:
        starts = start_plans(problem)
        starts.append(plan_dp(problem, seeds=starts))
    spent_s = time.perf_counter() - began
    return solve_milp(problem, max(time_limit_s - spent_s, 0.0), gap, starts, on_progress, spent_s=spent_s)


def compare(
    problem: Problem,
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    gap: float = DEFAULT_GAP,
    on_progress: OnProgress | None = None,
) -> Iterator[Result[Plan]]:
    """Every method on one problem, the exact one last and started from the others. Raises `OptionError` at once."""
    check_kind(problem, Problem, "problem")
    checked("milp", time_limit_s, gap)
    return _compared(problem, time_limit_s, gap, on_progress)


def _compared(
    problem: Problem, time_limit_s: float, gap: float, on_progress: OnProgress | None
) -> Iterator[Result[Plan]]:
    for name in ("single", "oc", "coedge", "modnn", "iop"):
        yield solve(problem, name)
    best = solve(problem, "dp")
    yield best
    yield solve(problem, "milp", time_limit_s, gap, on_progress, [best.plan] if best.plan else [])


def judged(problem: Problem, method: str, plan: Plan, runtime_s: float) -> Result[Plan]:
    """The result of a heuristic: FEASIBLE, or UNKNOWN with its violations where the plan breaks a cap."""
    evaluation = evaluate(problem, plan)
    return Result(
        method=method,
        status=Status.FEASIBLE if evaluation.is_feasible else Status.UNKNOWN,
        plan=plan,
        objective=evaluation.latency_s,
        bound=None,
        runtime_s=runtime_s,
        message="; ".join(evaluation.violations),
    )


def checked(method: str, time_limit_s: float, gap: float) -> Planner:
    """The method of that name. Raises `OptionError` for one that does not exist, or limits that make no sense."""
    check_name(method, METHODS)
    check_stopping(time_limit_s, gap)
    return METHODS[method]

"""The methods by name, and `solve`: one call for all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from iopt.door.given import as_tuple, check_kind
from iopt.door.stopping import check_stopping
from iopt.door.wording import shown
from iopt.errors import OptionError
from iopt.exits.evaluation import evaluate
from iopt.exits.geometry import deployed_exit, geometry
from iopt.exits.infeasible import impossible, shortage
from iopt.exits.limits import Limits
from iopt.exits.one_pass import TIER, place
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.exits.search.fin import DEFAULT_GAMMA, most_gamma
from iopt.exits.search.pareto import DEFAULT_LABELS, pareto
from iopt.methods import Method, check_name
from iopt.result import INTERRUPTED, OnProgress, Progress, Result, Status, status_of

DEFAULT_TIME_LIMIT_S = 60.0
DEFAULT_GAP = 1e-6
FEW_LABELS = 200_000
"""Some seconds of `pareto`; `exact` then goes on with `milp`."""
FIRST_CHECKS = "first checks"
"""Credited where accuracies and least latencies by themselves prove that there is no plan."""


METHODS = {
    method.name: method
    for method in (
        Method(
            "exact",
            "proved: pareto for one application, milp where that leaves a gap or there are several",
        ),
        Method("pareto", "proved, one application: labels with dominance and Lagrangian bounds"),
        Method("milp", "proved: column generation, then the mixed-integer programme of all applications (HiGHS)"),
        Method("fin", "least-energy path through FIN's Feasible Inference Graph"),
        Method("larac", "Lagrangian relaxation of the latency; with a bound"),
        Method("mcp", "shortest path for the larger of normalised energy and time, shallowest admissible exit"),
        Method("mcp-full", "the same at full depth: blind to exits, a straw man"),
        Method("sequential", "several applications: each exactly, one after another on what is left"),
        Method("reroute", "several applications: rip up and reroute from several starts"),
    )
}


def method_names(problem: Problem) -> list[str]:
    """Every method, and one for each tier of the cluster."""
    return [*METHODS, *(f"{TIER}{tier}" for tier in problem.cluster.tiers)]


def solve(
    problem: Problem,
    method: str = "exact",
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    gap: float = DEFAULT_GAP,
    gamma: int = DEFAULT_GAMMA,
    proximity: int = 0,
    labels: int = DEFAULT_LABELS,
    on_progress: OnProgress | None = None,
    starts: Sequence[Plan] = (),
) -> Result[Plan]:
    """Decide where every block runs.

    `method`: a name of `method_names`; with several applications those for one are used on one after another, tightest
    latency first. `time_limit_s` and `gap` (relative) stop `milp`, `labels` and `time_limit_s` stop `pareto`; `gamma`
    and `proximity` (lambda) are FIN's; `starts`: plans that `milp` starts from. Raises `OptionError`.
    """
    checked(problem, method, time_limit_s, gap, gamma, proximity, labels, starts)
    began = time.perf_counter()
    name = _meant(problem, method)
    if (proof := _impossible(problem)) is not None:
        return proof
    if method == "exact" and name == "pareto":
        result = _exact(problem, labels, time_limit_s, gap, starts, on_progress)
    elif name == "pareto":
        result, _ = _pareto(problem, labels, time_limit_s, gap, on_progress)
    elif name == "milp":
        result = _milp(problem, began, time_limit_s, gap, starts, on_progress)
    else:
        result = place(problem, name, gap, gamma, proximity, time_limit_s)
    if result.status is Status.INFEASIBLE:
        result = replace(result, message=shortage(problem))
    return replace(result, runtime_s=time.perf_counter() - began)


def compare(
    problem: Problem,
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    gap: float = DEFAULT_GAP,
    gamma: int = DEFAULT_GAMMA,
    on_progress: OnProgress | None = None,
) -> Iterator[Result[Plan]]:
    """Every method on one problem, the exact ones last; one result where no search is needed to see that there is no
    plan."""
    check_kind(problem, Problem, "problem")
    if (proof := _impossible(problem)) is not None:
        checked(problem, "exact", time_limit_s, gap, gamma)
        yield proof
        return
    several = len(problem.applications) > 1
    skipped = {"exact", *(("pareto",) if several else ("sequential", "reroute"))}
    names = [name for name in reversed(method_names(problem)) if name not in skipped]
    names.sort(key=lambda name: (name in ("milp", "pareto"), name in ("sequential", "reroute")))
    for name in names:
        yield solve(problem, name, time_limit_s, gap, gamma, on_progress=on_progress)


def _impossible(problem: Problem) -> Result[Plan] | None:
    """The proof that there is no plan, where it takes no search."""
    began = time.perf_counter()
    if not (reason := impossible(problem)):
        return None
    return Result(FIRST_CHECKS, Status.INFEASIBLE, None, None, None, time.perf_counter() - began, message=reason)


def _check_fits(problem: Problem, gamma: int) -> None:
    """Raises `OptionError` where FIN's layered graph of an application is too large for memory."""
    blocks = max(app.network.exits[deployed_exit(app)].after for app in problem.applications)
    nodes = len(problem.cluster)
    if gamma > (most := most_gamma(blocks, nodes)):
        size = f"the layered graph of {blocks} blocks on {nodes} nodes has to fit into memory"
        raise OptionError(f"gamma is {gamma}; expected at most {most}: {size}")


def _meant(problem: Problem, method: str) -> str:
    """What `exact` begins with."""
    if method != "exact":
        return method
    return "pareto" if len(problem.applications) == 1 else "milp"


def _exact(
    problem: Problem,
    labels: int,
    time_limit_s: float,
    gap: float,
    starts: Sequence[Plan],
    on_progress: OnProgress | None,
) -> Result[Plan]:
    """One application: `pareto`, and where a moderate number of labels proves too little, `milp` from there."""
    began = time.perf_counter()
    first, was_interrupted = _pareto(problem, min(labels, FEW_LABELS), time_limit_s, gap, on_progress)
    is_done = first.status in (Status.OPTIMAL, Status.INFEASIBLE) or was_interrupted
    if is_done or time.perf_counter() - began >= time_limit_s:
        return first
    known = [] if first.plan is None else [first.plan]
    second = _milp(problem, began, time_limit_s, gap, [*starts, *known], on_progress)
    bound = max((value for value in (first.bound, second.bound) if value is not None), default=None)
    if second.status is Status.INFEASIBLE or bound is None:
        return second
    if second.objective is None:
        return replace(second, bound=bound, history=first.history + second.history)
    bound = min(bound, second.objective)
    return replace(
        second,
        status=status_of(second.objective, bound, gap),
        bound=bound,
        history=first.history + second.history,
    )


def _milp(
    problem: Problem,
    began: float,
    time_limit_s: float,
    gap: float,
    starts: Sequence[Plan],
    on_progress: OnProgress | None,
) -> Result[Plan]:
    """What is left of the time limit, which counts from `began`, is for the solver; so is loading it."""
    from iopt.exits.milp import solve_milp

    spent_s = time.perf_counter() - began
    return solve_milp(problem, max(time_limit_s - spent_s, 0.0), gap, starts, on_progress, spent_s=spent_s)


def _pareto(
    problem: Problem, labels: int, time_limit_s: float, gap: float, on_progress: OnProgress | None
) -> tuple[Result[Plan], bool]:
    """The result, and whether an interrupt from the keyboard ended it."""
    began = time.perf_counter()
    history: list[Progress] = []

    def report(energy: float, bound: float) -> None:
        progress = Progress(time.perf_counter() - began, energy if np.isfinite(energy) else None, bound)
        history.append(progress)
        if on_progress is not None:
            on_progress(progress)

    shape = geometry(problem, 0)
    found = pareto(shape, Limits.of(problem), labels, time_limit_s, gap, report, may_interrupt=True)
    if found.path is None:
        status = Status.INFEASIBLE if found.bound == np.inf else Status.UNKNOWN
        bound = None if found.bound == np.inf else found.bound
        return Result("pareto", status, None, None, bound, 0.0, history=tuple(history)), False
    plan = Plan((shape.placement(found.path),))
    energy = evaluate(problem, plan).energy_j
    status = status_of(energy, found.bound, gap)
    message = INTERRUPTED if found.was_interrupted else ""
    bound = min(found.bound, energy)
    result = Result("pareto", status, plan, energy, bound, 0.0, message=message, history=tuple(history))
    return result, found.was_interrupted


def checked(
    problem: Problem,
    method: str,
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    gap: float = DEFAULT_GAP,
    gamma: int = DEFAULT_GAMMA,
    proximity: int = 0,
    labels: int = DEFAULT_LABELS,
    starts: Sequence[Plan] = (),
) -> None:
    """Raises `OptionError` for what is no problem, a method that does not exist or does not fit, or a parameter that
    makes no sense."""
    check_kind(problem, Problem, "problem")
    names = method_names(problem)
    check_name(method, names)
    if method == "pareto" and len(problem.applications) > 1:
        raise OptionError(
            f"pareto is for one application, there are {len(problem.applications)}; use milp, reroute or sequential"
        )
    for key, value in (("gamma", gamma), ("lambda", proximity)):
        if type(value) is not int or value < (key == "gamma"):
            raise OptionError(f"{key} is {shown(value)}; expected a whole number, {int(key == 'gamma')} or more")
    if proximity > gamma:
        raise OptionError(f"lambda is {proximity}, above gamma, {gamma}; expected at most gamma")
    _check_fits(problem, gamma)
    if type(labels) is not int or labels < 1:
        raise OptionError(f"labels is {shown(labels)}; expected a whole number, 1 or more")
    as_tuple(starts, Plan, "starts", "[plan]")
    check_stopping(time_limit_s, gap)

"""Methods that decide in one go, without a search that proves: FIN, baselines, and rip-up and reroute."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from iopt.exits.evaluation import evaluate
from iopt.exits.geometry import Geometry, geometry
from iopt.exits.heuristics.larac import larac
from iopt.exits.heuristics.mcp import mcp_path
from iopt.exits.heuristics.tiers import tier_path
from iopt.exits.limits import Limits
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.exits.search.each import Path, PathFinder, by_deadline, one_after_another
from iopt.exits.search.fin import fin_path
from iopt.exits.search.reroute import reroute, sequential
from iopt.result import Result, Status, status_of

TIER = "all-"
"""Methods that put everything on one tier begin so."""


def place(problem: Problem, name: str, gap: float, gamma: int, proximity: int, time_limit_s: float) -> Result[Plan]:
    """What the method `name` decides, with several applications one after another. `gap`: within which a bound of its
    own makes a plan OPTIMAL; `gamma`, `proximity`: of FIN; `time_limit_s`: of `sequential`
    and `reroute`."""
    last = name == "mcp-full"
    shapes = [
        geometry(problem, index, len(application.network.exits) - 1 if last else None)
        for index, application in enumerate(problem.applications)
    ]
    limits, ends = Limits.of(problem), time.perf_counter() + time_limit_s
    if name in ("sequential", "reroute"):
        search = sequential if name == "sequential" else reroute
        paths = search(shapes, limits, lambda: time.perf_counter() < ends)
    else:
        paths = one_after_another(shapes, limits, _finder(problem, name, gamma, proximity), by_deadline(shapes))
    bound = sum(larac(shape).bound for shape in shapes) if name == "larac" else None
    depth = max((shape.depth for shape, path in zip(shapes, paths, strict=True) if path is None), default=0)
    advice = _coarse(gamma, depth) if name == "fin" else ""
    return _judged(problem, name, gap, shapes, paths, bound, advice)


def _finder(problem: Problem, name: str, gamma: int, proximity: int) -> PathFinder:
    """The method for one application within what others leave."""
    if name == "fin":
        return partial(fin_path, gamma=gamma, proximity=proximity)
    if name.startswith(TIER):
        tier = problem.cluster.tiers.index(name.removeprefix(TIER))
        nodes = [node for node, of in enumerate(problem.cluster.tier_of) if of == tier]
        return lambda shape, limits: tier_path(shape.within(limits), nodes)
    if name == "larac":
        return lambda shape, limits: larac(shape.within(limits)).path
    return lambda shape, limits: mcp_path(shape.within(limits))


def _coarse(gamma: int, depth: int) -> str:
    """What to do where FIN has fewer depths than blocks; empty where it has enough."""
    if gamma >= depth:
        return ""
    return f": gamma is {gamma}, and each of {depth} blocks takes one of these depths or more; try gamma {10 * depth}"


def _judged(
    problem: Problem,
    name: str,
    gap: float,
    shapes: Sequence[Geometry],
    paths: Sequence[Path | None],
    bound: float | None,
    advice: str,
) -> Result[Plan]:
    """FEASIBLE, or UNKNOWN with what is broken or missing, and `advice` on that; OPTIMAL where the method's own bound
    proves it."""
    missing = [shape.name for shape, path in zip(shapes, paths, strict=True) if path is None]
    if missing:
        message = f"{name} finds no placement for {', '.join(missing)}{advice}"
        return Result(name, Status.UNKNOWN, None, None, bound, 0.0, message=message)
    plan = Plan(tuple(shape.placement(path) for shape, path in zip(shapes, paths, strict=True) if path is not None))
    evaluation = evaluate(problem, plan)
    status = Status.FEASIBLE if evaluation.is_feasible else Status.UNKNOWN
    energy = evaluation.energy_j
    if bound is not None and evaluation.is_feasible:
        bound = min(bound, energy)
        status = status_of(energy, bound, gap)
    return Result(name, status, plan, energy, bound, 0.0, message="; ".join(evaluation.violations))

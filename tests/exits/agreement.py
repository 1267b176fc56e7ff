"""Whether a method finds the optimum of a second enumeration, and says so."""

from __future__ import annotations

from math import inf
from typing import Any

from iopt.exits.enumeration import best_plan
from iopt.exits.evaluation import evaluate
from iopt.exits.geometry import geometry
from iopt.exits.limits import Limits
from iopt.exits.milp import solve_milp
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.exits.search.pareto import Found, pareto
from iopt.result import ACCURACY, Status

LIMITED = ("none", "any", "all", "links")


MILPS: dict[str, dict[str, Any]] = {
    "flow": {},
    "flow, everything": {"reduce": False},
    "plain": {"formulation": "plain", "reduce": False},
    "plain, reduced": {"formulation": "plain"},
}


def same(value: float, expected: float, tolerance: float = 1e-9) -> bool:
    return value == expected or abs(value - expected) <= tolerance * abs(expected)


def searched(problem: Problem, labels: int = 2_000_000) -> Found:
    return pareto(geometry(problem, 0), Limits.of(problem), labels)


def assert_milps(problem: Problem, optimum: float, names: tuple[str, ...] = tuple(MILPS)) -> None:
    for name in names:
        result = solve_milp(problem, **MILPS[name])
        if optimum == inf:
            assert (result.status, result.plan, result.bound) == (Status.INFEASIBLE, None, None), name
            continue
        assert result.status is Status.OPTIMAL, name
        assert result.plan is not None
        assert result.objective is not None
        assert result.bound is not None
        assert same(result.objective, optimum), (name, result.objective, optimum)
        assert result.bound <= optimum * (1 + ACCURACY), name
        judged = evaluate(problem, result.plan)
        assert judged.is_feasible, name
        assert judged.energy_j == result.objective


def assert_pareto(problem: Problem, optimum: float) -> None:
    found, shape = searched(problem), geometry(problem, 0)
    if optimum == inf:
        assert (found.path, found.energy, found.bound) == (None, inf, inf)
        return
    assert found.path is not None
    assert same(found.energy, optimum)
    assert found.bound <= optimum * (1 + 1e-9)
    assert same(found.bound, optimum, 1e-8)
    judged = evaluate(problem, Plan((shape.placement(found.path),)))
    assert judged.is_feasible
    assert same(judged.energy_j, optimum)


def assert_enumerated(problem: Problem, optimum: float) -> None:
    found = best_plan(problem)
    assert (found is None) == (optimum == inf)
    if found is not None:
        assert same(found[1], optimum)
        assert evaluate(problem, found[0]).energy_j == found[1]


def is_admissible(problem: Problem) -> bool:
    """Some exit of every application is accurate enough: `solve` looks at that before any method."""
    return all(
        max(leave.accuracy for leave in application.network.exits) >= application.accuracy * (1 - 1e-9)
        for application in problem.applications
    )

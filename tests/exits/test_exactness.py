"""Every exact method finds the same optimum, that of a second enumeration, on instances where limits bind."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest

from formulations import exits
from iopt.exact import Solver
from iopt.exits.enumeration import best_plan
from iopt.exits.evaluation import evaluate
from iopt.exits.geometry import geometry
from iopt.exits.milp_data import exits_data
from tests.exits.agreement import (
    LIMITED,
    assert_enumerated,
    assert_milps,
    assert_pareto,
    is_admissible,
)
from tests.exits.instances import tiny_problem
from tests.exits.reference import least_energy


@pytest.mark.parametrize("limited", LIMITED)
def test_all_agree_on_one_application(limited: Any) -> None:
    feasible_ones = 0
    for seed in range(60):
        problem = tiny_problem(seed, limited)
        optimum = least_energy(problem)
        assert_enumerated(problem, optimum)
        if is_admissible(problem):
            assert_pareto(problem, optimum)
        feasible_ones += optimum < inf
    assert 0.7 * 60 <= feasible_ones <= 0.97 * 60


@pytest.mark.parametrize("limited", LIMITED)
def test_the_programmes_agree_on_one_application(limited: Any) -> None:
    for seed in range(100, 110):
        problem = tiny_problem(seed, limited)
        if is_admissible(problem):
            assert_milps(problem, least_energy(problem))


@pytest.mark.full
@pytest.mark.parametrize("limited", LIMITED)
@pytest.mark.parametrize("start", range(0, 400, 100))
def test_all_agree_on_one_application_on_more(limited: Any, start: int) -> None:
    for seed in range(1000 + start, 1100 + start):
        problem = tiny_problem(seed, limited, nodes=4, most_blocks=5)
        optimum = least_energy(problem)
        if is_admissible(problem):
            assert_pareto(problem, optimum)
            assert_milps(problem, optimum)


# Several


@pytest.mark.parametrize("limited", LIMITED)
def test_the_programmes_agree_on_two_applications(limited: Any) -> None:
    feasible_ones = 0
    for seed in range(8):
        problem = tiny_problem(seed, limited, applications=2, most_blocks=3)
        optimum = least_energy(problem)
        feasible_ones += optimum < inf
        if is_admissible(problem):
            assert_milps(problem, optimum, ("flow", "flow, everything", "plain"))
    assert feasible_ones >= 0.6 * 8


@pytest.mark.full
@pytest.mark.parametrize("limited", LIMITED)
@pytest.mark.parametrize("start", range(0, 200, 50))
def test_the_programmes_agree_on_two_applications_on_more(limited: Any, start: int) -> None:
    for seed in range(1000 + start, 1050 + start):
        problem = tiny_problem(seed, limited, applications=2, most_blocks=3)
        if is_admissible(problem):
            assert_milps(problem, least_energy(problem))


@pytest.mark.full
@pytest.mark.parametrize("start", range(0, 80, 20))
def test_the_programmes_agree_on_three_applications(start: int) -> None:
    for seed in range(2000 + start, 2020 + start):
        problem = tiny_problem(seed, ("any", "all", "links")[seed % 3], applications=3, most_blocks=2)
        if is_admissible(problem):
            assert_milps(problem, least_energy(problem))


# Limits are kept, or missed, by less than a solver can tell


@pytest.mark.parametrize("applications", [1, 2])
@pytest.mark.parametrize("missed", [9e-8, 3e-9, 0.0, -3e-9, -9e-8])
def test_the_programmes_agree_where_a_limit_is_all_but_reached(applications: int, missed: float) -> None:
    seen = 0
    for seed in range(6):
        problem = tiny_problem(seed, "any", applications, most_blocks=3)
        found = best_plan(problem)
        if found is None or not is_admissible(problem):
            continue
        costs = evaluate(problem, found[0]).applications
        problem = replace(
            problem,
            applications=tuple(
                replace(application, latency_s=cost.latency_s * (1 - missed) or 1.0)
                for application, cost in zip(problem.applications, costs, strict=True)
            ),
        )
        optimum = least_energy(problem)
        assert_milps(problem, optimum)
        seen += (optimum > found[1] * (1 + 1e-9)) == (missed > 0)
    assert seen >= 4


def test_plans_that_keep_every_limit_are_not_excluded() -> None:
    problem = tiny_problem(0, "none", 1, most_blocks=3)
    shapes = [geometry(problem, 0)]
    data = exits_data(problem, shapes, float(shapes[0].energy[np.isfinite(shapes[0].energy)].max()))
    model = exits.build(data)
    solver = Solver(model)
    values = solver.solve().values
    assert values is not None
    solver.load(values)
    with pytest.raises(ValueError, match="keeps every limit"):
        exits.exclude(model)

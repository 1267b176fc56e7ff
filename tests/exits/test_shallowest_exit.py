"""The shallowest exit that is accurate enough is always best: deeper ones cost no less."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from iopt.exits.geometry import admissible_exits, geometry
from iopt.exits.limits import Limits
from iopt.exits.milp import solve_milp
from iopt.exits.plan import Plan
from iopt.exits.problem import Problem
from iopt.exits.search.pareto import pareto
from tests.exits.agreement import LIMITED, is_admissible, same
from tests.exits.instances import tiny_problem
from tests.exits.reference import feasible, judge


def with_accuracies(problem: Problem, values: tuple[float, ...], asked: float) -> Problem:
    (application,) = problem.applications
    exits = tuple(
        replace(leave, accuracy=value) for leave, value in zip(application.network.exits, values, strict=True)
    )
    application = replace(application, network=replace(application.network, exits=exits), accuracy=asked)
    return replace(problem, applications=(application,))


def best_of_every_exit(problem: Problem) -> list[tuple[int, float]]:
    """Each exit that is accurate enough with its least energy."""
    (application,) = problem.applications
    found = []
    for exit, leave in enumerate(application.network.exits):
        if leave.accuracy >= application.accuracy * (1 - 1e-9):
            found.append((exit, pareto(geometry(problem, 0, exit), Limits.of(problem)).energy))
    return found


@pytest.mark.parametrize("limited", LIMITED)
def test_no_deeper_exit_needs_less(limited: Any) -> None:
    several = dearer = 0
    for seed in range(70):
        problem = tiny_problem(seed, limited, most_blocks=5)
        if not is_admissible(problem):
            continue
        found = best_of_every_exit(problem)
        assert [exit for exit, _ in found] == admissible_exits(problem.applications[0])
        energies = [energy for _, energy in found]
        assert all(energies[0] <= energy * (1 + 1e-9) for energy in energies)
        assert energies == sorted(energies) or all(
            same(a, b, 1e-9) for a, b in zip(energies, sorted(energies), strict=True)
        )
        assert geometry(problem, 0).exit == found[0][0]
        best = min((judged.energy_rate for judged, _ in feasible(problem)), default=inf)
        assert same(energies[0], best)
        several += len(found) > 1
        dearer += len(found) > 1 and energies[1] > energies[0] * (1 + 1e-9)
    assert several > 15
    assert dearer > 8


def test_accuracies_that_fall_with_depth() -> None:
    """Of 0.9, 0.5, 0.7 the first is taken at 0.6, and of 0.5, 0.9, 0.7 the second; never the third."""
    looked_at = 0
    for seed in range(200):
        problem = tiny_problem(seed, ("none", "any", "all")[seed % 3], most_blocks=4)
        if len(problem.applications[0].network.exits) != 3:
            continue
        for values, exit in (((0.9, 0.5, 0.7), 0), ((0.5, 0.9, 0.7), 1), ((0.5, 0.55, 0.6), 2), ((0.6, 0.6, 0.6), 0)):
            asked = with_accuracies(problem, values, 0.6)
            shape = geometry(asked, 0)
            assert shape.exit == exit
            found, everything = pareto(shape, Limits.of(asked)), solve_milp(asked, reduce=False)
            if found.path is None:
                assert everything.plan is None
                continue
            looked_at += 1
            plan = Plan((shape.placement(found.path),))
            assert not judge(asked, plan).broken
            assert everything.objective is not None
            assert same(found.energy, everything.objective)
        if looked_at > 40:
            break
    assert looked_at > 40


def test_the_accuracy_that_is_just_reached_counts() -> None:
    problem = next(p for seed in range(99) if len((p := tiny_problem(seed)).applications[0].network.exits) == 3)
    assert admissible_exits(with_accuracies(problem, (0.6, 0.7, 0.8), 0.7).applications[0]) == [1, 2]
    assert admissible_exits(with_accuracies(problem, (0.6, 0.7, 0.8), 0.7 * (1 + 5e-10)).applications[0]) == [1, 2]
    assert admissible_exits(with_accuracies(problem, (0.6, 0.7, 0.8), 0.7 * (1 + 1e-8)).applications[0]) == [2]
    assert admissible_exits(with_accuracies(problem, (0.6, 0.7, 0.8), 0.9).applications[0]) == []

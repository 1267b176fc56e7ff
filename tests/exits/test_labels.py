"""Labels on a budget, and what one has to be no worse in to make another superfluous."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest

from iopt.exits.evaluation import evaluate
from iopt.exits.geometry import geometry
from iopt.exits.plan import Plan
from iopt.exits.search import labels
from tests.exits.agreement import (
    assert_milps,
    assert_pareto,
    is_admissible,
    same,
    searched,
)
from tests.exits.by_hand import detour
from tests.exits.instances import tiny_problem
from tests.exits.reference import least_energy


def test_on_a_budget_the_bound_holds_and_the_plan_is_feasible() -> None:
    for seed in range(40):
        problem = tiny_problem(seed, ("any", "all")[seed % 2], most_blocks=5)
        if not is_admissible(problem):
            continue
        optimum, found, shape = least_energy(problem), searched(problem, labels=1), geometry(problem, 0)
        assert found.bound <= optimum * (1 + 1e-9)
        if found.path is None:
            assert found.energy == inf
            continue
        judged = evaluate(problem, Plan((shape.placement(found.path),)))
        assert judged.is_feasible
        assert judged.energy_j >= optimum * (1 - 1e-9)


def test_a_narrow_sweep_cuts_and_its_bound_still_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iopt.exits.search.pareto.WIDTHS", (1, 2, 10**9))
    gaps = 0
    for seed in range(70):
        problem = tiny_problem(seed, ("any", "all", "none")[seed % 3], nodes=4, most_blocks=5)
        if not is_admissible(problem):
            continue
        optimum, shape = least_energy(problem), geometry(problem, 0)
        found = searched(problem, labels=0)
        assert found.bound <= optimum * (1 + 1e-9)
        if found.path is not None:
            assert evaluate(problem, Plan((shape.placement(found.path),))).is_feasible
        gaps += found.bound < min(found.energy, 1e300) * (1 - 1e-9)
        assert_pareto(problem, optimum)  # and the sweeps that follow close it
    assert gaps >= 3


def energy_and_time(node: Any, energy: Any, time: Any, excess: Any) -> Any:
    """The dominance of textbooks: what is used of limits does not count."""
    return labels_undominated(node, energy, time, np.zeros_like(excess))


labels_undominated = labels.undominated_labels


def test_dominance_on_energy_and_time_alone_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = detour()
    optimum = least_energy(problem)
    assert optimum == pytest.approx(0.1)  # start, large, middle, small; `large` twice costs 2 J
    assert_pareto(problem, optimum)
    assert_milps(problem, optimum)
    monkeypatch.setattr("iopt.exits.search.labels.undominated_labels", energy_and_time)
    wrong = searched(problem)
    assert not same(wrong.energy, optimum)


def test_dominance_on_energy_and_time_alone_is_wrong_on_generated_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [tiny_problem(seed, "all", most_blocks=5) for seed in range(160)]
    problems = [problem for problem in problems if is_admissible(problem)]
    right = [searched(problem).energy for problem in problems]
    monkeypatch.setattr("iopt.exits.search.labels.undominated_labels", energy_and_time)
    wrong = [searched(problem).energy for problem in problems]
    assert all(mistaken >= energy * (1 - 1e-9) for mistaken, energy in zip(wrong, right, strict=True))
    assert sum(not same(mistaken, energy) for mistaken, energy in zip(wrong, right, strict=True)) >= 2

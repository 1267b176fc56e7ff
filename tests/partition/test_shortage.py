"""Where memory is too small, or nearly: what is short, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from iopt.partition import milp
from iopt.partition.evaluation import evaluate
from iopt.partition.methods import solve
from iopt.partition.milp import solve_milp
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.shortage import Shortage
from iopt.result import Status
from tests.instances import tiny_problem
from tests.partition.networks import ALEXNET, mixed, tight


def least_extra_bytes(problem: Problem) -> int:
    """Over every plan, by the evaluator alone."""
    from iopt.partition.enumeration import every_plan

    caps = np.array([device.memory_bytes or np.inf for device in problem.cluster.devices])
    return min(int(np.maximum(costs.memory_bytes - caps, 0).sum(axis=-1).min()) for costs in every_plan(problem))


def test_infeasible_says_the_least_extra_memory() -> None:
    for seed in range(15):
        problem = tiny_problem(seed, plan_limit=5_000, caps="infeasible")
        result = solve_milp(problem)
        assert result.status is Status.INFEASIBLE
        assert f"least total of extra memory is {least_extra_bytes(problem):,} bytes" in result.message


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (
            Shortage(None, {}, 1_234),
            "; the least total of extra memory is at least 1,234 bytes. More memory, a further device",
        ),
        (Shortage(None, {}, 0), ". More memory, a further device"),
        (
            Shortage(Plan(()), {"a": 0, "b": 2_000}, 1_234),
            "; the least total of extra memory is between 1,234 and 2,000 bytes (b 2,000 bytes). More memory there, a",
        ),
    ],
)
def test_a_shortage_in_words_as_far_as_it_is_known(known: Shortage, said: str) -> None:
    assert known.message.startswith(f"no plan keeps every memory cap{said}")


def test_infeasible_needs_no_plan_that_shows_the_shortage(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Shortage(None, {}, 1_234)
    monkeypatch.setattr(milp, "least_shortage", lambda *_: known)
    result = solve_milp(tiny_problem(0, plan_limit=1_000, caps="infeasible"))
    assert (result.status, result.plan, result.bound) == (Status.INFEASIBLE, None, None)
    assert result.message == known.message


def test_without_a_plan_in_time_the_result_is_unknown() -> None:
    problem = Problem(ALEXNET, tight(ALEXNET, mixed(8)))
    result = solve_milp(problem, time_limit_s=1e-3)
    assert result.status is Status.UNKNOWN
    assert result.plan is None and result.objective is None


def test_more_memory_never_costs_time() -> None:
    for seed in range(12):
        problem = tiny_problem(seed, plan_limit=3_000, caps="tight")
        free = replace(problem, cluster=problem.cluster.with_memory((None,) * len(problem.cluster)))
        capped = solve_milp(problem, gap=0.0)
        unlimited = solve_milp(free, gap=0.0)
        assert unlimited.objective is not None
        if capped.objective is not None:
            assert unlimited.objective <= capped.objective * (1 + 1e-9)


def test_tight_caps_bind_and_are_kept() -> None:
    problem = Problem(ALEXNET, tight(ALEXNET, mixed(2)))
    free, capped = solve(Problem(ALEXNET, mixed(2))), solve(problem)
    assert capped.status is Status.OPTIMAL
    assert capped.plan is not None and capped.objective is not None and free.objective is not None
    assert evaluate(problem, capped.plan).is_feasible
    assert capped.objective > free.objective

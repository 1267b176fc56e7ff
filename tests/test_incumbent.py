"""The best plan, bound, clock and history of a search."""

from __future__ import annotations

from math import inf

import pytest

from iopt.errors import ContradictionError
from iopt.incumbent import Incumbent
from iopt.result import INTERRUPTED, Progress, Status


def test_the_best_plan_and_the_best_bound_stay() -> None:
    seen: list[Progress] = []
    best = Incumbent[str](inf, seen.append)
    best.offer("fair", 3.0)
    best.prove(1.0)
    best.offer("good", 2.0)
    best.offer("worse", 2.5)
    best.prove(0.5)
    result = best.result("search")
    assert (result.plan, result.objective, result.bound, result.status) == ("good", 2.0, 1.0, Status.FEASIBLE)
    assert [(progress.incumbent, progress.bound) for progress in seen] == [
        (3.0, None),
        (3.0, 1.0),
        (2.0, 1.0),
        (2.0, 1.0),
    ]
    assert result.history == tuple(seen)


@pytest.mark.parametrize(
    ("bound", "gap", "status"), [(2.0, 0.0, "OPTIMAL"), (1.9, 0.0, "FEASIBLE"), (1.9, 0.06, "OPTIMAL")]
)
def test_optimal_is_within_the_gap(bound: float, gap: float, status: str) -> None:
    best = Incumbent[str](inf)
    best.offer("plan", 2.0)
    best.prove(bound)
    assert best.is_closed(gap) == (status == "OPTIMAL")
    assert best.result("search", gap).status == status


def test_a_bound_above_the_plan_is_a_contradiction() -> None:
    best = Incumbent[str](inf)
    best.offer("plan", 2.0)
    best.prove(2.1)
    with pytest.raises(ContradictionError, match=r"a plan has 2\.0, and 2\.1 was proved"):
        best.result("search")
    assert best.is_contradicted
    best.forget()
    assert not best.is_contradicted
    result = best.result("search", message="forgot")
    assert (result.status, result.bound, result.history, result.message) == (Status.FEASIBLE, None, (), "forgot")


def test_what_a_solver_claims_to_have_is_progress_only() -> None:
    best = Incumbent[str](inf)
    best.prove(1.0, claimed=3.0)
    best.offer("plan", 4.0)
    best.prove(2.0)
    result = best.result("search")
    assert [step.incumbent for step in result.history] == [3.0, 4.0, 4.0]
    assert (result.plan, result.objective) == ("plan", 4.0)


def test_without_a_plan() -> None:
    assert Incumbent[str](inf).result("search").status is Status.UNKNOWN
    none = Incumbent[str](inf)
    none.prove(inf)
    assert none.is_impossible
    assert (none.result("search").status, none.result("search").bound) == (Status.INFEASIBLE, None)


def test_an_interrupt_needs_a_plan() -> None:
    best = Incumbent[str](inf)
    best.was_interrupted = True
    with pytest.raises(KeyboardInterrupt):
        best.result("search")
    best.offer("plan", 2.0)
    assert best.result("search").message == INTERRUPTED
    assert best.result("search", message="so it is").message == f"{INTERRUPTED}; so it is"


def test_time_that_was_spent_counts_as_run_time_and_not_against_the_limit() -> None:
    best = Incumbent[str](10.0, spent_s=5.0)
    assert 9.0 < best.left_s() <= 10.0
    assert best.result("search").runtime_s >= 5.0

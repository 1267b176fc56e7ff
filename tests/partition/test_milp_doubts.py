"""Where HiGHS claims too much: it is asked again without presolve, and believed where it says so twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from iopt.errors import ContradictionError
from iopt.exact import Solution, Solver
from iopt.incumbent import Incumbent
from iopt.partition.enumeration import best_plan
from iopt.partition.milp import DOUBTFUL, DROPPED, solve_milp
from iopt.result import Status
from tests.instances import tiny_problem


def claims_too_much(when: Callable[[bool], bool], asked: list[bool]) -> Callable[..., Solution]:
    """A solver whose bound is twice the optimum when it presolves, or whenever `when` says so."""
    honest = Solver.solve

    def solve(solver: Solver, *options: object) -> Solution:
        presolve = bool(options[4])
        asked.append(presolve)
        solution = honest(solver, *options)  # type: ignore[arg-type]
        return replace(solution, bound=2 * solution.bound) if when(presolve) else solution

    return solve


def test_a_contradiction_is_forgotten_once_it_is_gone_without_presolve(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, asked = tiny_problem(1, plan_limit=3_000, caps="none"), list[bool]()
    usual = solve_milp(problem, gap=0.0)
    monkeypatch.setattr(Solver, "solve", claims_too_much(lambda presolve: presolve, asked))
    again = solve_milp(problem, gap=0.0)
    assert asked == [True, False]
    assert (again.status, again.objective) == (Status.OPTIMAL, usual.objective)
    assert again.bound is not None and again.bound == pytest.approx(usual.bound)
    assert "contradicted this plan" in again.message and not usual.message
    assert all(step.bound is None or step.bound <= again.bound for step in again.history)


def test_a_contradiction_without_time_left_leaves_a_plan_and_our_own_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, asked = tiny_problem(1, plan_limit=3_000, caps="none"), list[bool]()
    monkeypatch.setattr(Solver, "solve", claims_too_much(lambda presolve: presolve, asked))
    monkeypatch.setattr(Incumbent, "left_s", lambda _: 0.0 if asked else 60.0)
    result = solve_milp(problem, gap=0.0)
    assert asked == [True]
    assert result.status is Status.FEASIBLE
    assert result.objective is not None and result.bound is not None and 0 < result.bound < result.objective


def test_a_contradiction_that_stays_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, asked = tiny_problem(1, plan_limit=3_000, caps="none"), list[bool]()
    monkeypatch.setattr(Solver, "solve", claims_too_much(lambda _: True, asked))
    with pytest.raises(ContradictionError, match="was proved to be the least"):
        solve_milp(problem)
    assert asked == [True, False]


NOTHING = Solution(False, None, -np.inf, None, False, 0.0)
"""What a solver says that has found nothing out."""

Says = Callable[[bool], Solution | None]
"""Of whether it presolves: what a solver is to say; None: what is true."""


def says(answers: Sequence[Says], asked: list[bool]) -> Callable[..., Solution]:
    """A solver that gives one answer after another, then the truth."""
    honest, given = Solver.solve, iter(answers)

    def solve(solver: Solver, *options: object) -> Solution:
        asked.append(bool(options[4]))
        answer = next(given, lambda _: None)(asked[-1])
        return honest(solver, *options) if answer is None else answer  # type: ignore[arg-type]

    return solve


def test_infeasible_is_proved_with_and_without_presolve(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, asked = tiny_problem(0, plan_limit=1_000, caps="infeasible"), list[bool]()
    monkeypatch.setattr(Solver, "solve", says((), asked))
    assert solve_milp(problem).status is Status.INFEASIBLE
    assert asked == [True, False]


def test_a_plan_that_presolve_had_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presolve claims that memory is missing; without it a plan fits, and presolve is not used again."""
    problem, asked = tiny_problem(3, plan_limit=3_000, caps="tight"), list[bool]()
    best = best_plan(problem)
    assert best is not None
    claim = replace(NOTHING, bound=1.0)
    monkeypatch.setattr(Solver, "solve", says([lambda _: claim], asked))
    result = solve_milp(problem, gap=0.0)
    assert (result.status, result.message) == (Status.OPTIMAL, DROPPED)
    assert result.objective == pytest.approx(best[1], rel=1e-9)
    assert asked[0] and len(asked) > 2 and not any(asked[1:])


def test_infeasible_with_presolve_alone_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, asked = tiny_problem(0, plan_limit=1_000, caps="infeasible"), list[bool]()
    monkeypatch.setattr(Solver, "solve", says([lambda _: None, *[lambda _: NOTHING] * 2], asked))
    result = solve_milp(problem)
    assert (result.status, result.plan, result.objective) == (Status.UNKNOWN, None, None)
    assert result.message.startswith(f"{DOUBTFUL}; the nearest exceeds the memory of ")
    assert asked == [True, False, False]


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_infeasible_by_the_whole_programme_is_proved_twice_too(
    is_confirmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search for a first plan has found nothing out."""
    problem, asked = tiny_problem(0, plan_limit=1_000, caps="infeasible"), list[bool]()
    answers: list[Says] = [lambda _: NOTHING, lambda _: None, lambda _: None if is_confirmed else NOTHING]
    monkeypatch.setattr(Solver, "solve", says(answers, asked))
    result = solve_milp(problem)
    assert result.status is (Status.INFEASIBLE if is_confirmed else Status.UNKNOWN)
    assert result.message.startswith("no plan keeps every memory cap" if is_confirmed else DOUBTFUL)
    assert asked == [True, True, False]

"""An interrupt from the keyboard: the best plan so far, and without one an interrupt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import numpy as np
import pytest

from iopt.exact import Solution, Solver
from iopt.partition import milp, shortage
from iopt.partition.enumeration import best_plan
from iopt.partition.heuristics import plan_oc, plan_single
from iopt.partition.milp import solve_milp
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.result import INTERRUPTED, Status
from tests.instances import tiny_problem

NOTHING = Solution(False, None, -np.inf, None, was_interrupted=True, runtime_s=0.0)


def interrupted(at: int, runs: list[int], keeps: bool = False) -> Callable[..., Solution]:
    """A solver whose run number `at` (from 0) is interrupted; `keeps` what it had found by then."""
    honest = Solver.solve

    def solve(solver: Solver, *options: object) -> Solution:
        runs.append(len(runs))
        if runs[-1] != at:
            return honest(solver, *options)  # type: ignore[arg-type]
        return replace(honest(solver, *options), was_interrupted=True, bound=-np.inf) if keeps else NOTHING  # type: ignore[arg-type]

    return solve


def interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


FREE = tiny_problem(1, plan_limit=3_000, caps="none")
TIGHT = tiny_problem(3, plan_limit=3_000, caps="tight")
SHORT = tiny_problem(0, plan_limit=1_000, caps="infeasible")


@pytest.mark.parametrize("starts", [[], [plan_single(TIGHT)]])
@pytest.mark.parametrize("at", [0, 1])
def test_without_a_plan_in_the_search_for_a_first_one(
    at: int, starts: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in its second run, which confirms that there is none; nothing is solved after it."""
    runs: list[int] = []
    monkeypatch.setattr(Solver, "solve", interrupted(at, runs))
    problem = SHORT if at else TIGHT
    with pytest.raises(KeyboardInterrupt):
        solve_milp(problem, starts=[] if at else starts)
    assert runs == list(range(at + 1))


def test_a_plan_found_in_the_search_for_a_first_one_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    monkeypatch.setattr(Solver, "solve", interrupted(0, runs, keeps=True))
    result = solve_milp(TIGHT)
    assert (result.status, result.message, runs) == (Status.FEASIBLE, INTERRUPTED, [0])


def test_the_main_solve_without_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    monkeypatch.setattr(Solver, "solve", interrupted(0, runs))
    with pytest.raises(KeyboardInterrupt):
        solve_milp(FREE)
    assert runs == [0]


@pytest.mark.parametrize("keeps", [True, False])
def test_the_main_solve_with_a_plan(keeps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    monkeypatch.setattr(Solver, "solve", interrupted(0, runs, keeps))
    start, best = plan_oc(FREE), best_plan(FREE)
    assert best is not None
    result = solve_milp(FREE, starts=[start])
    assert (result.message, runs) == (INTERRUPTED, [0])
    assert result.plan == start if not keeps else result.objective == pytest.approx(best[1])


@pytest.mark.parametrize(
    ("problem", "module", "build"), [(FREE, milp.tight, "build"), (TIGHT, shortage, "build_elastic")]
)
def test_while_a_model_is_built(problem: Problem, module: object, build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, build, interrupt)
    with pytest.raises(KeyboardInterrupt):
        solve_milp(problem)


def test_while_a_model_is_built_with_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milp.tight, "build", interrupt)
    start = plan_oc(FREE)
    result = solve_milp(FREE, starts=[start])
    assert (result.status, result.plan, result.message) == (Status.FEASIBLE, start, INTERRUPTED)
    assert result.bound is not None


def test_while_a_start_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iopt.exact._run", lambda *_: True)
    start = plan_oc(FREE)
    result = solve_milp(FREE, starts=[start])
    assert (result.plan, result.message) == (start, INTERRUPTED)

"""The programme stopped before its end says no more than it has proved; where its relaxation is loose it searches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from iopt.exact import Enough, Program, Solution
from iopt.result import Status
from iopt.tiling.evaluation import evaluate
from iopt.tiling.methods import solve
from iopt.tiling.milp_data import tiling_data
from iopt.tiling.problem import Problem
from iopt.tiling.search.table import build
from tests.tiling.networks import MIB, yolov2_16

LEAST_MEMORY = Problem(
    yolov2_16(), objective="memory", overhead=1.01, predictor="torch", weights="none", max_tiles=5, reuse=False
)
LEAST_WORK = replace(LEAST_MEMORY, objective="macs", overhead=None, memory_bytes=16 * MIB)
Stop = Callable[[Enough], None]


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    """Ends HiGHS as a time limit does, as soon as its incumbent and bound are enough."""
    whole = Program.solve

    def stopping(enough: Enough) -> None:
        def solve_in_part(program: Program, *arguments: Any, **options: Any) -> Solution:
            return whole(program, *arguments, **options, enough=enough)

        monkeypatch.setattr(Program, "solve", solve_in_part)

    return stopping


@pytest.mark.parametrize("problem", [LEAST_MEMORY, LEAST_WORK], ids=["memory", "work"])
def test_without_time_there_is_neither_plan_nor_bound(problem: Problem) -> None:
    result = solve(problem, "milp", time_limit_s=1e-6)
    assert result.status is Status.UNKNOWN
    assert (result.plan, result.objective, result.bound, result.gap) == (None, None, None, None)


@pytest.mark.parametrize("max_tiles", [4, 5])
def test_the_first_incumbent_has_the_gap_that_is_left(max_tiles: int, stop: Stop) -> None:
    stop(lambda incumbent, bound: incumbent < inf)
    problem = replace(LEAST_MEMORY, max_tiles=max_tiles)
    result, best = solve(problem, "milp"), solve(problem).objective
    assert result.status is Status.FEASIBLE
    assert result.plan is not None and result.objective is not None
    assert result.bound is not None and best is not None
    assert result.bound <= best < result.objective == evaluate(problem, result.plan).peak_bytes
    assert result.gap == pytest.approx(1 - result.bound / result.objective)
    assert result.gap > 0.1


def test_a_bound_without_a_plan(stop: Stop) -> None:
    stop(lambda incumbent, bound: bound > 0)
    result, best = solve(LEAST_MEMORY, "milp"), solve(LEAST_MEMORY).objective
    assert (result.status, result.plan, result.objective) == (Status.UNKNOWN, None, None)
    assert result.bound is not None and best is not None
    assert 0 < result.bound < best


def test_the_optimum_where_the_worst_segment_is_no_bound() -> None:
    """What a segment needs at least is below the optimum, and so is the relaxation: the solver has to branch."""
    result, best = solve(LEAST_MEMORY, "milp"), solve(LEAST_MEMORY)
    table = build(LEAST_MEMORY)
    _, scale = tiling_data(LEAST_MEMORY, table)
    assert result.status is Status.OPTIMAL
    assert result.objective == best.objective
    assert best.objective is not None
    assert scale.peak < 0.9 * best.objective
    bounds = [progress.bound for progress in result.history if progress.bound is not None]
    assert bounds[0] < 0.98 * best.objective < bounds[-1]

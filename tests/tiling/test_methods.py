"""Methods by name: what each returns, what is refused, and why there is no configuration."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from iopt import tiling
from iopt.errors import OptionError
from iopt.result import Status
from iopt.tiling.evaluation import evaluate
from iopt.tiling.heuristics.mafat import mafat, space
from iopt.tiling.methods import METHODS, compare, solve
from iopt.tiling.notation import written
from iopt.tiling.objective import value
from iopt.tiling.plan import Group
from iopt.tiling.problem import Problem
from tests import instances
from tests.instances import conv, linear, max_pool
from tests.tiling.instances import tiny_problem
from tests.tiling.networks import MIB, yolov2_16

GOLDEN_LIMIT = Problem(yolov2_16(), memory_bytes=20 * MIB, predictor="torch", weights="none")


def test_every_method_on_one_problem() -> None:
    results = {result.method: result for result in compare(GOLDEN_LIMIT)}
    assert list(results) == list(reversed(METHODS))
    exact = results["exact"]
    assert exact.status is results["milp"].status is Status.OPTIMAL
    assert exact.objective == results["milp"].objective == exact.bound
    assert exact.gap == 0
    for result in results.values():
        if result.status is Status.FEASIBLE:
            assert result.objective is not None
            assert result.objective >= exact.objective
            assert value(GOLDEN_LIMIT, evaluate(GOLDEN_LIMIT, result.plan)) == result.objective
    assert results["mafat"].status is Status.FEASIBLE
    assert results["untiled"].status is Status.UNKNOWN
    assert results["untiled"].message == "needs 87240704 B (83.20 MiB), limit 20971520 B (20.00 MiB)"
    assert results["deepthings"].status is Status.FEASIBLE


@pytest.mark.parametrize("seed", range(15))
def test_no_heuristic_is_better_than_exact_and_each_says_what_is_so(seed: int) -> None:
    problem = tiny_problem(seed)
    best = solve(problem)
    for method in ("mafat", "deepthings", "untiled"):
        result = solve(problem, method)
        if result.plan is None:
            assert result.status is Status.UNKNOWN
            assert "infeasible" in result.message
            continue
        evaluation = evaluate(problem, result.plan)
        assert (result.status is Status.FEASIBLE) == evaluation.is_feasible
        assert result.objective == value(problem, evaluation)
        if evaluation.is_feasible and max(max(g.rows, g.columns) for g in result.plan.groups) <= problem.max_tiles:
            assert best.objective is not None
            assert result.objective >= best.objective


def test_infeasible_says_how_much_is_needed_and_what_binds() -> None:
    problem = replace(GOLDEN_LIMIT, memory_bytes=9 * MIB)
    for method in ("exact", "milp"):
        result = solve(problem, method)
        assert result.status is Status.INFEASIBLE
        assert result.message == (
            "the limit is 9437184 B (9.00 MiB): the least memory of any configuration with at most 8 x 8 tiles is "
            "9633280 B (9.19 MiB) for 8x8/8/3x6/12/1x1; layer 1 (op2) of tile (1, 1) binds; "
            "--max-tiles 16 considers more"
        )
    assert solve(replace(problem, memory_bytes=9633280)).status is Status.OPTIMAL
    few = solve(replace(problem, memory_bytes=10 * MIB), max_groups=1)
    assert (
        "the least memory of any configuration of at most 1 group with at most 8 x 8 tiles is 14519808 B" in few.message
    )
    finest = solve(replace(problem, memory_bytes=MIB, max_tiles=31)).message
    assert finest.endswith(" binds"), "more tiles cannot be searched"
    weighty = solve(replace(problem, weights="resident")).message
    assert ", 13675904 B (13.04 MiB) of it weights; layer 1 (op2)" in weighty
    overhead = Problem(yolov2_16(), objective="memory", overhead=0.5)
    assert solve(overhead).message == (
        "no configuration with at most 8 x 8 tiles computes as little as 0.5 times the untiled network"
    )
    both = replace(overhead, overhead=1.0, memory_bytes=10 * MIB, weights="none")
    said = solve(both).message
    start = (
        "no configuration with at most 8 x 8 tiles keeps 10485760 B (10.00 MiB) and 1 times the work: in that memory"
    )
    assert said.startswith(f"{start} the least work is "), said
    within_memory = solve(replace(both, objective="macs", overhead=None))
    within_work = solve(replace(both, memory_bytes=None))
    assert within_memory.plan is not None and within_work.plan is not None
    assert (
        f"({written(within_memory.plan)}), with that work the least memory is {int(within_work.objective or 0)} B"
        in said
    )
    assert said.endswith(f"({written(within_work.plan)}); --max-tiles 16 considers more")


def test_mafat_takes_the_fewest_tiles_that_fit() -> None:
    plain = Problem(yolov2_16(), predictor="bound", backend="im2col", weights="none", grid="ceil")
    assert written(mafat(plain)) == "1x1/NoCut"
    chosen = mafat(replace(plain, memory_bytes=20 * MIB))
    assert written(chosen) == "4x4/8/2x2"
    tiles = sum(group.rows * group.columns for group in chosen.groups)
    for other in space(plain):
        if sum(group.rows * group.columns for group in other.groups) < tiles:
            assert evaluate(plain, other).peak_bytes > 20 * MIB
    assert mafat(replace(plain, memory_bytes=12 * MIB)) is None
    fallback = mafat(replace(plain, memory_bytes=12 * MIB), fallback=True)
    assert evaluate(plain, fallback).peak_bytes == min(evaluate(plain, each).peak_bytes for each in space(plain))
    result = solve(replace(plain, memory_bytes=12 * MIB), "mafat", fallback=True)
    assert result.status is Status.UNKNOWN
    assert result.message.startswith("needs ")


def test_the_spaces() -> None:
    problem = Problem(yolov2_16())
    assert len(space(problem)) == 5 + 4 * 5
    assert len(space(problem, "free")) == 5 + 4 * 25
    assert {configuration.groups[1].first for configuration in space(problem) if len(configuration.groups) == 2} == {
        2,
        4,
        8,
        12,
    }
    graph = instances.chain("net", (3, 8, 8), [conv(4, 3, padding=1, pooling=max_pool(2)), conv(4, 3), linear(5)])
    small = Problem(graph)
    assert all(configuration.groups[-1] == Group(3, 3) for configuration in space(small))
    assert solve(small, "deepthings").plan.groups[-1] == Group(3, 3)
    assert solve(small, "untiled").plan.groups == (Group(0, 3),)
    only = Problem(instances.chain("net", (3, 8, 8), [linear(5)]))
    assert {solve(only, method).plan.groups for method in METHODS} == {(Group(0, 0),)}


def test_least_memory_under_an_overhead() -> None:
    problem = Problem(yolov2_16(), objective="memory", overhead=1.01, weights="none")
    result = solve(problem)
    evaluation = evaluate(problem, result.plan)
    assert result.objective == evaluation.peak_bytes
    assert evaluation.mac_factor <= 1.01
    smaller = replace(problem, objective="macs", overhead=None, memory_bytes=evaluation.peak_bytes - 1)
    assert solve(smaller).objective > 1.01 * problem.macs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "exakt"}, "unknown method 'exakt'; did you mean 'exact'"),
        ({"method": None}, "unknown method None"),
        ({"max_groups": 0}, "max_groups is 0"),
        ({"max_groups": 2, "method": "mafat"}, "max_groups is for the method 'exact'"),
        ({"bottom": "3x3"}, "bottom is '3x3'; expected '2x2' or 'free'"),
        ({"time_limit_s": 0}, "time limit is 0"),
    ],
)
def test_what_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        solve(GOLDEN_LIMIT, **options)
    assert message in str(caught.value)


def test_equal_problems_have_equal_plans() -> None:
    assert solve(GOLDEN_LIMIT).plan == solve(replace(GOLDEN_LIMIT)).plan


def test_names_of_the_package() -> None:
    assert all(hasattr(tiling, name) for name in tiling.__all__)
    assert dir(tiling) == sorted(tiling.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tiling.nothing


def test_planning_needs_neither_torch_nor_pyomo() -> None:
    script = "import sys; from iopt.tiling import Problem, front, solve; print({'torch', 'pyomo'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["set()"]

"""Enumeration, search and programme find the same optimum; the front is that of all configurations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.result import Status
from iopt.tiling.enumeration import best, judged
from iopt.tiling.evaluation import evaluate
from iopt.tiling.fronts import front
from iopt.tiling.methods import solve
from iopt.tiling.milp import solve_milp
from iopt.tiling.notation import written
from iopt.tiling.objective import value
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from tests.tiling.instances import front_of, tiny_problem
from tests.tiling.networks import MIB, yolov2_16

SEEDS = range(40)
seeds = st.integers(0, 10**6)


def assert_all_equal(problem: Problem, whole: bool = True) -> None:
    """`whole`: also with the programme of every tiling."""
    expected = best(problem)
    for result in (solve(problem), solve_milp(problem), *([solve_milp(problem, reduce=False)] if whole else [])):
        if expected is None:
            assert result.status is Status.INFEASIBLE, result
            assert result.plan is None
            continue
        assert result.status is Status.OPTIMAL, result
        assert result.plan is not None
        evaluation = evaluate(problem, result.plan)
        assert evaluation.is_feasible
        assert value(problem, evaluation) == result.objective
        assert result.objective == pytest.approx(value(problem, expected[1]), rel=1e-9), result


@pytest.mark.parametrize("seed", SEEDS)
def test_enumeration_search_and_programme_agree(seed: int) -> None:
    assert_all_equal(tiny_problem(seed), whole=seed % 4 == 0)


@pytest.mark.parametrize("seed", range(25))
def test_they_agree_on_networks_with_branches(seed: int) -> None:
    assert_all_equal(tiny_problem(seed, has_branches=True), whole=seed % 4 == 0)


@given(seeds)
@settings(max_examples=12, deadline=None)
def test_they_agree_on_what_hypothesis_draws(seed: int) -> None:
    assert_all_equal(tiny_problem(seed))


@pytest.mark.full
@given(seeds, st.booleans())
@settings(max_examples=1500, deadline=None)
def test_they_agree_on_much_more(seed: int, has_branches: bool) -> None:
    assert_all_equal(tiny_problem(seed, has_branches))


def assert_front(problem: Problem) -> int:
    """The front is exactly that of all configurations; its length."""
    found = front(problem).points
    values = [(point.peak_bytes, point.latency_s if problem.objective == "latency" else point.macs) for point in found]
    assert values == front_of(problem)
    for point in found:
        cost = evaluate(problem, point.configuration)
        assert (cost.peak_bytes, cost.macs, cost.mac_factor, cost.latency_s) == (
            point.peak_bytes,
            point.macs,
            point.mac_factor,
            point.latency_s,
        )
    return len(found)


@pytest.mark.parametrize("objective", ["macs", "latency"])
def test_fronts_are_those_of_all_configurations(objective: str) -> None:
    lengths = [
        assert_front(replace(tiny_problem(seed), objective=objective, memory_bytes=None, overhead=None))
        for seed in range(15)
    ]
    assert sum(lengths) > 35
    branches = [
        assert_front(replace(tiny_problem(seed, True), objective=objective, memory_bytes=None, overhead=None))
        for seed in range(8)
    ]
    assert sum(branches) > 16


@pytest.mark.full
@given(seeds, st.sampled_from(["macs", "latency"]))
@settings(max_examples=400, deadline=None)
def test_many_fronts(seed: int, objective: str) -> None:
    assert_front(replace(tiny_problem(seed), objective=objective, memory_bytes=None, overhead=None))


def test_a_front_within_limits_is_a_part_of_the_whole_one() -> None:
    whole = replace(tiny_problem(3), objective="macs", memory_bytes=None, overhead=None)
    points = front(whole).points
    assert len(points) > 2
    limit = points[-2].peak_bytes
    assert front(replace(whole, memory_bytes=limit)).points == points[:-1]
    limited = replace(whole, objective="memory", overhead=points[1].mac_factor)
    assert [point.peak_bytes for point in front(limited).points] == [point.peak_bytes for point in points[1:]]


def test_ties_are_broken_by_fewer_calls_then_groups_then_memory() -> None:
    tied = [0, 0, 0]
    for seed in range(30):
        problem = replace(tiny_problem(seed, seed % 3 == 0), objective="macs", overhead=None)
        found = solve(problem)
        if found.plan is None:
            continue
        best_ones = [
            (_calls(configuration), len(configuration.groups), cost.peak_bytes)
            for configuration, cost in judged(problem)
            if cost.is_feasible and cost.macs == found.objective
        ]
        plan = found.plan
        assert (_calls(plan), len(plan.groups), evaluate(problem, plan).peak_bytes) == min(best_ones), seed
        for index in range(3):
            tied[index] += len({one[index] for one in best_ones if one[:index] == min(best_ones)[:index]}) > 1
    assert tied[0] > 5 and tied[2] > 0, tied


def _calls(configuration: Configuration) -> int:
    """Of layers: every tile calls all of its group."""
    return sum(group.rows * group.columns * (group.last - group.first + 1) for group in configuration.groups)


def test_ties_in_memory_are_broken_by_less_work() -> None:
    for seed in range(20):
        least = replace(tiny_problem(seed), objective="memory", overhead=None, memory_bytes=None)
        smallest = solve(least)
        assert smallest.plan is not None
        judgements = [cost for _, cost in judged(least) if cost.peak_bytes == smallest.objective]
        assert evaluate(least, smallest.plan).macs == min(cost.macs for cost in judgements)


def test_without_a_limit_nothing_is_tiled_that_need_not_be() -> None:
    plain = Problem(yolov2_16(), weights="none")
    assert written(solve(plain).plan) == "1x1/NoCut"
    within = solve(replace(plain, memory_bytes=32 * MIB))
    assert (written(within.plan), within.objective) == ("1x3c/4/1x1", plain.macs)
    assert front(plain).points[-1].peak_bytes < 18 * MIB, "of the same work the front has the one of least memory"


@pytest.mark.parametrize("has_branches", [False, True])
def test_limits_bind_and_most_instances_are_feasible(has_branches: bool) -> None:
    problems = [tiny_problem(seed, has_branches) for seed in SEEDS]
    blocks = [any(segment.is_block for segment in problem.segments) for problem in problems]
    assert all(blocks) if has_branches else not any(blocks)
    feasible = [problem for problem in problems if best(problem) is not None]
    assert 0.6 < len(feasible) / len(problems) < 0.97
    binding = 0
    for problem in feasible:
        free = best(replace(problem, memory_bytes=None, overhead=None))
        limited = best(problem)
        assert free is not None
        assert limited is not None
        binding += value(problem, limited[1]) > value(problem, free[1])
    assert binding / len(feasible) > 0.4
    assert {problem.objective for problem in problems} == {"macs", "memory", "latency"}
    assert {problem.predictor for problem in problems} == {"lean", "torch", "bound", "plain11", "mafat"}
    assert {problem.weights for problem in problems} == {"none", "resident", "streamed"}
    assert {problem.grid for problem in problems} == {"balanced", "ceil"}
    assert {problem.reuse for problem in problems} == {True, False}

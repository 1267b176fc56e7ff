"""The exact method against enumeration, against itself at other scales, and against every heuristic."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from pyomo.environ import value

from formulations import partition, partition_plain
from formulations.partition_solution import fixings
from iopt.cluster import Cluster
from iopt.exact import Solver
from iopt.partition.enumeration import best_plan
from iopt.partition.evaluation import evaluate
from iopt.partition.methods import METHODS, compare, solve
from iopt.partition.milp import Formulation, solve_milp
from iopt.partition.milp_data import choices_of, partition_data
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.result import Progress, Status
from tests.instances import batch, cluster, draw_plan, rescaled, tiny_problem
from tests.partition.networks import ALEXNET, LENET, LENET5, VGG11, cal, mixed, tight
from tests.partition.reference import judge

FAST, FULL = range(100), range(100, 900)
RELATIVE = 1e-9


def proved_equal_to_enumeration(problem: Problem, formulation: Formulation) -> None:
    best = best_plan(problem)
    result = solve_milp(problem, gap=0.0, formulation=formulation)
    if best is None:
        assert result.status is Status.INFEASIBLE
        assert result.message
        return
    assert result.status is Status.OPTIMAL
    assert result.plan is not None and result.objective is not None and result.bound is not None
    assert result.objective == pytest.approx(best[1], rel=RELATIVE)
    assert result.objective == evaluate(problem, result.plan).latency_s
    assert result.bound <= best[1] * (1 + RELATIVE)


@pytest.mark.parametrize("seed", FAST)
def test_milp_equals_enumeration(seed: int) -> None:
    proved_equal_to_enumeration(tiny_problem(seed, plan_limit=10_000), "tight")


@pytest.mark.parametrize("seed", range(40))
def test_plain_formulation_equals_enumeration(seed: int) -> None:
    proved_equal_to_enumeration(tiny_problem(seed, plan_limit=3_000), "plain")


@pytest.mark.full
@pytest.mark.parametrize("formulation", ["tight", "plain"])
@pytest.mark.parametrize("seed", FULL)
def test_both_formulations_equal_enumeration(seed: int, formulation: Formulation) -> None:
    proved_equal_to_enumeration(tiny_problem(seed, plan_limit=30_000), formulation)


@pytest.mark.parametrize("build", [partition.build, partition_plain.build])
@pytest.mark.parametrize("seed", range(40))
def test_every_plan_costs_the_same_in_formulation_and_evaluator(seed: int, build: object) -> None:
    problem, random = tiny_problem(seed, plan_limit=30_000), Random(seed)
    data = partition_data(problem, 1.0)
    model = build(data)  # type: ignore[operator]
    solver = Solver(model)
    for _ in range(2):
        plan = draw_plan(random, problem)
        evaluation = evaluate(problem, plan)
        found = solver.completed(fixings(model, data, choices_of(plan, problem)))
        assert (found is not None) is evaluation.is_feasible
        if found is not None:
            solver.load(found)
            assert value(model.latency) == pytest.approx(evaluation.latency_s, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("seconds", [1e-9, 1e-6, 1e-3, 1e3])
@pytest.mark.parametrize("seed", [3, 8, 11])
def test_the_plan_does_not_depend_on_the_scale_of_time(seed: int, seconds: float) -> None:
    problem = tiny_problem(seed, plan_limit=10_000)
    usual, other = solve_milp(problem, gap=0.0), solve_milp(rescaled(problem, seconds), gap=0.0)
    assert usual.status is other.status
    if usual.objective is not None:
        assert other.objective == pytest.approx(usual.objective * seconds, rel=RELATIVE)


def test_the_best_heuristic_is_where_the_solver_starts() -> None:
    problem = Problem(LENET, cal())
    starts = [METHODS[name].plan(problem) for name in ("single", "iop")]  # type: ignore[misc]
    seen: list[Progress] = []
    result = solve_milp(problem, time_limit_s=0.3, starts=starts, on_progress=seen.append)
    assert result.objective is not None
    assert result.objective <= evaluate(problem, starts[1]).latency_s
    assert all(step.incumbent is not None and step.incumbent <= evaluate(problem, starts[1]).latency_s for step in seen)
    assert result.status in (Status.FEASIBLE, Status.OPTIMAL)


@pytest.mark.parametrize(
    ("graph", "devices", "stated_ms"),
    [(ALEXNET, 4, "445.989"), (VGG11, 4, "4014.0375"), (VGG11, 2, None), (ALEXNET, 2, None)],
)
def test_reference_networks_are_proved(graph: object, devices: int, stated_ms: str | None) -> None:
    problem = Problem(graph, cal(devices) if stated_ms else mixed(devices))  # type: ignore[arg-type]
    *others, exact = compare(problem, time_limit_s=60.0)
    assert exact.status is Status.OPTIMAL
    assert exact.objective is not None and exact.bound is not None
    for other in others:
        assert other.objective is not None
        if other.method != "modnn":
            assert exact.bound <= exact.objective <= other.objective
    if stated_ms:
        assert f"{exact.objective * 1e3:.{len(stated_ms.split('.')[1])}f}" == stated_ms


def uses_one_device(plan: Plan) -> bool:
    return all(sum(hi > lo for lo, hi in split.intervals) == 1 for split in plan.splits)


def test_lenet5_is_fastest_on_one_device() -> None:
    exact = solve(Problem(LENET5, cal()), time_limit_s=60.0)
    assert exact.status is Status.OPTIMAL
    assert exact.plan is not None and uses_one_device(exact.plan)
    assert exact.objective == pytest.approx(0.83304e-3, rel=1e-9)


def boards(devices: int) -> Cluster:
    """Boards that are fast beside their links."""
    return cluster((17.5e9,) * devices, (94e6 / 8,) * devices, connection_s=1e-3)


def test_on_realistic_boards_one_device_beats_every_split_of_lenet() -> None:
    exact = solve(Problem(LENET, boards(4)))
    assert exact.status is Status.OPTIMAL
    assert exact.plan is not None and uses_one_device(exact.plan)
    assert exact.objective == pytest.approx(LENET.flops / 17.5e9, rel=1e-9)


def test_on_realistic_boards_alexnet_is_split_by_rows_after_its_first_operator() -> None:
    """The source computes the first operator alone, then rows go to both and feed the first linear layer as such."""
    problem = Problem(ALEXNET, boards(2))
    exact = solve(problem)
    assert exact.status is Status.OPTIMAL
    assert exact.plan is not None and exact.objective is not None
    assert exact.objective < 0.85 * ALEXNET.flops / 17.5e9
    assert exact.objective == pytest.approx(judge(problem, exact.plan).latency_s, rel=1e-12)
    first, *_ = exact.plan.splits
    assert first.intervals[1] == (27, 27)
    assert exact.plan.splits[5].along == "rows"


def test_tight_caps_bind_and_are_kept() -> None:
    problem = Problem(ALEXNET, tight(ALEXNET, mixed(2)))
    free, capped = solve(Problem(ALEXNET, mixed(2))), solve(problem)
    assert capped.status is Status.OPTIMAL
    assert capped.plan is not None and capped.objective is not None and free.objective is not None
    assert evaluate(problem, capped.plan).is_feasible
    assert capped.objective > free.objective


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
            assert unlimited.objective <= capped.objective * (1 + RELATIVE)


def test_batches_of_plans_agree_with_the_optimum() -> None:
    for seed in range(20):
        problem, random = tiny_problem(seed, plan_limit=10_000, caps="none"), Random(seed)
        latency = batch(problem, [draw_plan(random, problem) for _ in range(200)]).latency_s
        result = solve_milp(problem, gap=0.0)
        assert result.bound is not None and result.bound <= latency.min() * (1 + RELATIVE)

"""The exact method against enumeration, against itself at other scales, and against every heuristic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from pyomo.environ import ConcreteModel, Var, value

from formulations import partition, partition_plain
from formulations.partition_data import PartitionData
from formulations.partition_solution import fixings
from iopt.cluster import Charge
from iopt.exact import Solver
from iopt.partition.enumeration import best_plan
from iopt.partition.evaluation import evaluate
from iopt.partition.methods import METHODS
from iopt.partition.milp import Formulation, solve_milp
from iopt.partition.milp_data import choices_of, partition_data
from iopt.partition.problem import Problem
from iopt.result import Progress, Status
from tests.instances import (
    adaptive_pool,
    batch,
    chain,
    cluster,
    conv,
    draw_plan,
    linear,
    pool,
    rescaled,
    tiny_problem,
)
from tests.partition.networks import LENET, cal

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


def far_apart(name: str) -> Problem:
    """Problems whose optimum HiGHS loses where it infers that counts are whole (see `formulations/partition.py`)."""
    peer = Charge.PEER
    if name == "linear":
        layers = [linear(4, bias=False), linear(4, bias=False)]
        devices = cluster((0.0013, 1.87), (107.0, 333.0), (3860.0, 420.0), charge=peer, source=1)
        capped = devices.with_memory((681, 276))
        return Problem(chain("far", (2, 3, 5), layers), capped, along_rows=False)
    layers = [conv(3, (1, 1), (4, 1), bias=False), pool(adaptive_pool((4, 6)))]
    devices = cluster(
        (0.00257, 4.14, 0.00128, 0.366),
        (1.54, 2.26, 2.97, 1.04),
        (2.05, 2.76, 1.06, 2.15),
        connection_s=1e-5,
        overhead_s=(0.0991, 0.0017, 0.0051, 0.0029),
        charge=peer,
        source=1,
    )
    return Problem(chain("far", (2, 2, 5), layers), devices.with_memory((96, 120, 1, 96)), memory="paper")


@pytest.mark.parametrize("formulation", ["tight", "plain"])
@pytest.mark.parametrize("name", ["linear", "convolution"])
def test_no_plan_is_lost_where_speeds_lie_far_apart(name: str, formulation: Formulation) -> None:
    proved_equal_to_enumeration(far_apart(name), formulation)


def uneven(seed: int) -> Problem:
    """Rates and links up to ten million times slower than usual, each as it comes."""
    problem, random = tiny_problem(seed, devices=(2, 3), operators=(2, 3), plan_limit=3_000), Random(seed)
    network = problem.cluster.network

    def slower(rate: float) -> float:
        return rate * 10 ** random.uniform(-7, 0) if random.random() < 0.5 else rate

    devices = tuple(replace(device, flops_per_s=slower(device.flops_per_s)) for device in problem.cluster.devices)
    up, down = (tuple(map(slower, rates)) for rates in (network.up_bytes_per_s, network.down_bytes_per_s))
    links = replace(network, up_bytes_per_s=up, down_bytes_per_s=down)
    return replace(problem, cluster=replace(problem.cluster, devices=devices, network=links))


@pytest.mark.parametrize("seed", [247, 256, 377, *range(20)])
def test_the_gap_closes_where_the_first_unit_of_time_was_a_bad_guess(seed: int) -> None:
    """In 247, 256, 377 the solver's tolerances leave a gap of 1e-7 in that unit."""
    proved_equal_to_enumeration(uneven(seed), "tight")


@pytest.mark.parametrize("build", [partition.build, partition_plain.build])
def test_all_but_times_is_declared_whole(build: Callable[[PartitionData], ConcreteModel]) -> None:
    for seed in range(20):
        variables = build(partition_data(tiny_problem(seed, plan_limit=3_000), 1.0)).component_data_objects(Var)
        reals = {variable.parent_component().name for variable in variables if variable.is_continuous()}
        assert reals <= {"T", "V", "S", "extra"}


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
    assert [step.incumbent for step in seen[:2]] == [evaluate(problem, start).latency_s for start in starts]
    assert all(step.incumbent is not None and step.incumbent <= seen[1].incumbent for step in seen[1:])  # type: ignore[operator]
    assert result.status in (Status.FEASIBLE, Status.OPTIMAL)


def test_batches_of_plans_agree_with_the_optimum() -> None:
    for seed in range(20):
        problem, random = tiny_problem(seed, plan_limit=10_000, caps="none"), Random(seed)
        latency = batch(problem, [draw_plan(random, problem) for _ in range(200)]).latency_s
        result = solve_milp(problem, gap=0.0)
        assert result.bound is not None and result.bound <= latency.min() * (1 + RELATIVE)

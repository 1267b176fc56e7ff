"""The memory model `runtime` in the exact methods: the optimum of enumeration, and not a byte lost."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from formulations import partition, partition_plain
from formulations.partition_data import PartitionData
from formulations.partition_solution import fixings
from iopt.exact import Solver
from iopt.graph import Graph
from iopt.partition.caps import tight_caps
from iopt.partition.enumeration import best_plan, every_plan
from iopt.partition.evaluation import evaluate
from iopt.partition.heuristics import plan_oc
from iopt.partition.methods import solve
from iopt.partition.milp import Formulation, solve_milp
from iopt.partition.milp_data import choices_of, partition_data
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.local import LocalRun
from iopt.partition.runtime.schedule import schedule
from iopt.partition.runtime.weights import StateWeights
from iopt.partition.search import plan_dp
from iopt.partition.shortage import least_shortage
from iopt.result import Status
from tests.instances import draw_plan, tiny_problem
from tests.instances.at_random import Caps
from tests.partition.networks import ALEXNET, LENET, cal, mixed
from tests.partition.runtime.cases import case
from tests.partition.runtime.peaks import peaks
from tests.partition.test_milp import proved_equal_to_enumeration

BUILDS = {"tight": partition.build, "plain": partition_plain.build}
FORMULATIONS: tuple[Formulation, ...] = ("tight", "plain")
KINDS: tuple[Caps, ...] = ("tight", "tight", "loose", "infeasible")


def drawn(seed: int, plan_limit: int) -> Problem:
    return tiny_problem(seed, plan_limit=plan_limit, memory="runtime", caps=KINDS[seed % len(KINDS)])


@pytest.mark.parametrize("seed", range(12))
def test_milp_equals_enumeration(seed: int) -> None:
    proved_equal_to_enumeration(drawn(seed, 10_000), "tight")


@pytest.mark.parametrize("seed", range(6))
def test_plain_formulation_equals_enumeration(seed: int) -> None:
    proved_equal_to_enumeration(drawn(seed, 3_000), "plain")


@pytest.mark.full
@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize("seed", range(100, 300))
def test_both_formulations_equal_enumeration(seed: int, formulation: Formulation) -> None:
    proved_equal_to_enumeration(drawn(seed, 10_000), formulation)


def test_the_caps_drawn_bind() -> None:
    """Most make the fastest plan too large, and some only by what the executor has besides the boxes of `live`."""
    binding = besides = 0
    for seed in range(24):
        problem = drawn(seed, 10_000)
        devices = len(problem.cluster)
        free = best_plan(replace(problem, cluster=problem.cluster.with_memory((None,) * devices)))
        live = best_plan(replace(problem, memory="live"))
        assert free is not None
        binding += not evaluate(problem, free[0]).is_feasible
        besides += live is not None and not evaluate(problem, live[0]).is_feasible
    assert binding >= 15
    assert besides >= 8


def fits(data: PartitionData, problem: Problem, plan: Plan, formulation: Formulation) -> bool:
    """Whether the formulation has a point for a plan."""
    model = BUILDS[formulation](data)
    return Solver(model).completed(fixings(model, data, choices_of(plan, problem))) is not None


def assert_fits_its_need_and_no_less(seed: int, formulation: Formulation) -> None:
    free = tiny_problem(seed, plan_limit=30_000, memory="runtime", caps="none")
    plan = draw_plan(Random(seed), free)
    need = list(evaluate(free, plan).memory_bytes.values())
    for short in (None, *(device for device, count in enumerate(need) if count > 1)):
        caps = tuple(max(1, count - (device == short)) for device, count in enumerate(need))
        problem = replace(free, cluster=free.cluster.with_memory(caps))
        assert fits(partition_data(problem, 1.0), problem, plan, formulation) is (short is None)


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize("seed", range(10))
def test_a_plan_fits_into_what_it_needs_and_into_no_byte_less(seed: int, formulation: Formulation) -> None:
    assert_fits_its_need_and_no_less(seed, formulation)


@pytest.mark.full
@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize("seed", range(10, 500))
def test_many_plans_fit_into_what_they_need(seed: int, formulation: Formulation) -> None:
    assert_fits_its_need_and_no_less(seed, formulation)


def test_the_least_shortage_is_that_of_enumeration() -> None:
    compared = 0
    for seed in range(16):
        problem = tiny_problem(seed, plan_limit=500, memory="runtime", caps="infeasible")
        caps = np.array([device.memory_bytes for device in problem.cluster.devices])
        least = min(int(np.maximum(costs.memory_bytes - caps, 0).sum(axis=-1).min()) for costs in every_plan(problem))
        if least and len(caps) > 1:
            found = least_shortage(problem)
            assert sum(found.extra_bytes.values()) == found.at_least_bytes == least
            compared += 1
    assert compared >= 6


def assert_really_fits(problem: Problem, plan: Plan) -> None:
    """Every worker is measured."""
    carried = case(problem, plan, 1)
    found = peaks(LocalRun(schedule(problem, plan), StateWeights(carried.state)), carried.image)
    caps = [device.memory_bytes for device in problem.cluster.devices]
    assert all(cap is None or peak <= cap for peak, cap in zip(found, caps, strict=True))


def test_plans_proved_really_fit() -> None:
    fitting = 0
    for seed in range(5):
        problem = drawn(seed, 500)
        plan = solve_milp(problem, gap=0.0).plan
        if plan is not None:
            assert_really_fits(problem, plan)
            fitting += 1
    assert fitting >= 3


@pytest.mark.full
def test_a_plan_of_lenet_proved_really_fits() -> None:
    """By `live` another plan is the fastest within these caps, and it does not fit."""
    problem = Problem(LENET, mixed(2).with_memory((900_000,) * 2), memory="runtime")
    by_live, result = (solve(each, time_limit_s=300.0, gap=2e-3) for each in (replace(problem, memory="live"), problem))
    assert by_live.status is result.status is Status.OPTIMAL
    assert by_live.plan is not None and result.plan is not None
    assert not evaluate(problem, by_live.plan).is_feasible
    assert_really_fits(problem, result.plan)


@pytest.mark.parametrize("graph", [LENET, ALEXNET], ids=["lenet", "alexnet"])
def test_tight_caps_fit_equal_channels(graph: Graph) -> None:
    cap = tight_caps(graph, 4, "runtime")
    assert cap > tight_caps(graph, 4)
    problem = Problem(graph, cal().with_memory((cap,) * 4), memory="runtime")
    assert evaluate(problem, plan_oc(problem)).is_feasible


def test_dp_keeps_caps() -> None:
    """Against enumeration on tiny problems, and on AlexNet where its fastest plan is too large."""
    near, seeds = 0, range(6)
    for seed in seeds:
        problem = tiny_problem(seed, caps="tight", plan_limit=10_000, memory="runtime")
        best = best_plan(problem)
        assert best is not None
        evaluation = evaluate(problem, plan_dp(problem))
        if evaluation.is_feasible:
            near += evaluation.latency_s < best[1] * 1.1
            assert evaluation.latency_s >= best[1] * (1 - 1e-12)
    assert near >= 0.8 * len(seeds)
    cap = tight_caps(ALEXNET, 4, "runtime")
    free = Problem(ALEXNET, mixed(4), memory="runtime")
    capped = replace(free, cluster=free.cluster.with_memory((cap,) * 4))
    assert not evaluate(capped, plan_dp(free, improve=False)).is_feasible
    assert evaluate(capped, plan_dp(capped, improve=False)).is_feasible

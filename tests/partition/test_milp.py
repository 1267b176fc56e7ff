"""The exact method against enumeration, against itself at other scales, and against every heuristic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from pyomo.environ import ConcreteModel, Var, value

from formulations import partition, partition_plain
from formulations.partition_data import PartitionData
from formulations.partition_solution import fixings
from iopt.cluster import Charge, Cluster
from iopt.errors import ContradictionError
from iopt.exact import Solution, Solver
from iopt.partition import milp
from iopt.partition.enumeration import best_plan
from iopt.partition.evaluation import evaluate
from iopt.partition.methods import METHODS, compare, solve
from iopt.partition.milp import Formulation, solve_milp
from iopt.partition.milp_data import choices_of, partition_data
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.shortage import Shortage
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


def claims_too_much(when: Callable[[bool], bool], asked: list[bool]) -> Callable[..., Solution]:
    """A solver whose bound is twice the optimum when it presolves, or whenever `when` says so."""
    honest = Solver.solve

    def solve(solver: Solver, *options: object) -> Solution:
        presolve = bool(options[-1])
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
    search = milp._Search(problem, 60.0, 0.0, None, "tight", 0.0)
    monkeypatch.setattr(search, "_left_s", lambda: 0.0 if asked else 60.0)
    result = search.run(())
    assert asked == [True]
    assert result.status is Status.FEASIBLE
    assert result.objective is not None and result.bound is not None and 0 < result.bound < result.objective


def test_a_contradiction_that_stays_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, asked = tiny_problem(1, plan_limit=3_000, caps="none"), list[bool]()
    monkeypatch.setattr(Solver, "solve", claims_too_much(lambda _: True, asked))
    with pytest.raises(ContradictionError, match="were proved to be the least"):
        solve_milp(problem)
    assert asked == [True, False]


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
            assert unlimited.objective <= capped.objective * (1 + RELATIVE)


def test_batches_of_plans_agree_with_the_optimum() -> None:
    for seed in range(20):
        problem, random = tiny_problem(seed, plan_limit=10_000, caps="none"), Random(seed)
        latency = batch(problem, [draw_plan(random, problem) for _ in range(200)]).latency_s
        result = solve_milp(problem, gap=0.0)
        assert result.bound is not None and result.bound <= latency.min() * (1 + RELATIVE)

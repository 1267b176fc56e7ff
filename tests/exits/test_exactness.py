"""Every exact method finds the same optimum, that of a second enumeration, on instances where limits bind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest

from formulations import exits
from iopt.cluster import Cluster, Device, Link, Network
from iopt.errors import OptionError
from iopt.exact import Solver
from iopt.exits import enumeration
from iopt.exits.enumeration import all_plans, best_plan, plan_count
from iopt.exits.evaluation import evaluate
from iopt.exits.geometry import geometry
from iopt.exits.limits import Limits
from iopt.exits.milp import solve_milp
from iopt.exits.milp_data import exits_data
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.plan import Plan
from iopt.exits.problem import Application, Problem
from iopt.exits.search import labels
from iopt.exits.search.pareto import Found, pareto
from iopt.result import ACCURACY, Status
from tests.exits.instances import tiny_problem
from tests.exits.reference import feasible, least_energy

LIMITED = ("none", "any", "all", "links")
MILPS: dict[str, dict[str, Any]] = {
    "flow": {},
    "flow, everything": {"reduce": False},
    "plain": {"formulation": "plain", "reduce": False},
    "plain, reduced": {"formulation": "plain"},
}


def same(value: float, expected: float, tolerance: float = 1e-9) -> bool:
    return value == expected or abs(value - expected) <= tolerance * abs(expected)


def searched(problem: Problem, labels: int = 2_000_000) -> Found:
    return pareto(geometry(problem, 0), Limits.of(problem), labels)


def assert_milps(problem: Problem, optimum: float, names: tuple[str, ...] = tuple(MILPS)) -> None:
    for name in names:
        result = solve_milp(problem, **MILPS[name])
        if optimum == inf:
            assert (result.status, result.plan, result.bound) == (Status.INFEASIBLE, None, None), name
            continue
        assert result.status is Status.OPTIMAL, name
        assert result.plan is not None
        assert result.objective is not None
        assert result.bound is not None
        assert same(result.objective, optimum), (name, result.objective, optimum)
        assert result.bound <= optimum * (1 + ACCURACY), name
        judged = evaluate(problem, result.plan)
        assert judged.is_feasible, name
        assert judged.energy_j == result.objective


def assert_pareto(problem: Problem, optimum: float) -> None:
    found, shape = searched(problem), geometry(problem, 0)
    if optimum == inf:
        assert (found.path, found.energy, found.bound) == (None, inf, inf)
        return
    assert found.path is not None
    assert same(found.energy, optimum)
    assert found.bound <= optimum * (1 + 1e-9)
    assert same(found.bound, optimum, 1e-8)
    judged = evaluate(problem, Plan((shape.placement(found.path),)))
    assert judged.is_feasible
    assert same(judged.energy_j, optimum)


def assert_enumerated(problem: Problem, optimum: float) -> None:
    found = best_plan(problem)
    assert (found is None) == (optimum == inf)
    if found is not None:
        assert same(found[1], optimum)
        assert evaluate(problem, found[0]).energy_j == found[1]


# One application


def is_admissible(problem: Problem) -> bool:
    """Some exit of every application is accurate enough: `solve` looks at that before any method."""
    return all(
        max(leave.accuracy for leave in application.network.exits) >= application.accuracy * (1 - 1e-9)
        for application in problem.applications
    )


@pytest.mark.parametrize("limited", LIMITED)
def test_all_agree_on_one_application(limited: Any) -> None:
    feasible_ones = 0
    for seed in range(60):
        problem = tiny_problem(seed, limited)
        optimum = least_energy(problem)
        assert_enumerated(problem, optimum)
        if is_admissible(problem):
            assert_pareto(problem, optimum)
        feasible_ones += optimum < inf
    assert 0.7 * 60 <= feasible_ones <= 0.97 * 60


@pytest.mark.parametrize("limited", LIMITED)
def test_the_programmes_agree_on_one_application(limited: Any) -> None:
    for seed in range(100, 110):
        problem = tiny_problem(seed, limited)
        if is_admissible(problem):
            assert_milps(problem, least_energy(problem))


@pytest.mark.full
@pytest.mark.parametrize("limited", LIMITED)
@pytest.mark.parametrize("start", range(0, 400, 100))
def test_all_agree_on_one_application_on_more(limited: Any, start: int) -> None:
    for seed in range(1000 + start, 1100 + start):
        problem = tiny_problem(seed, limited, nodes=4, most_blocks=5)
        optimum = least_energy(problem)
        if is_admissible(problem):
            assert_pareto(problem, optimum)
            assert_milps(problem, optimum)


# Several


@pytest.mark.parametrize("limited", LIMITED)
def test_the_programmes_agree_on_two_applications(limited: Any) -> None:
    feasible_ones = 0
    for seed in range(8):
        problem = tiny_problem(seed, limited, applications=2, most_blocks=3)
        optimum = least_energy(problem)
        feasible_ones += optimum < inf
        if is_admissible(problem):
            assert_milps(problem, optimum, ("flow", "flow, everything", "plain"))
    assert feasible_ones >= 0.6 * 8


@pytest.mark.full
@pytest.mark.parametrize("limited", LIMITED)
@pytest.mark.parametrize("start", range(0, 200, 50))
def test_the_programmes_agree_on_two_applications_on_more(limited: Any, start: int) -> None:
    for seed in range(1000 + start, 1050 + start):
        problem = tiny_problem(seed, limited, applications=2, most_blocks=3)
        if is_admissible(problem):
            assert_milps(problem, least_energy(problem))


@pytest.mark.full
@pytest.mark.parametrize("start", range(0, 80, 20))
def test_the_programmes_agree_on_three_applications(start: int) -> None:
    for seed in range(2000 + start, 2020 + start):
        problem = tiny_problem(seed, ("any", "all", "links")[seed % 3], applications=3, most_blocks=2)
        if is_admissible(problem):
            assert_milps(problem, least_energy(problem))


# Limits are kept, or missed, by less than a solver can tell


@pytest.mark.parametrize("applications", [1, 2])
@pytest.mark.parametrize("missed", [9e-8, 3e-9, 0.0, -3e-9, -9e-8])
def test_the_programmes_agree_where_a_limit_is_all_but_reached(applications: int, missed: float) -> None:
    seen = 0
    for seed in range(6):
        problem = tiny_problem(seed, "any", applications, most_blocks=3)
        found = best_plan(problem)
        if found is None or not is_admissible(problem):
            continue
        costs = evaluate(problem, found[0]).applications
        problem = replace(
            problem,
            applications=tuple(
                replace(application, latency_s=cost.latency_s * (1 - missed) or 1.0)
                for application, cost in zip(problem.applications, costs, strict=True)
            ),
        )
        optimum = least_energy(problem)
        assert_milps(problem, optimum)
        seen += (optimum > found[1] * (1 + 1e-9)) == (missed > 0)
    assert seen >= 4


def test_plans_that_keep_every_limit_are_not_excluded() -> None:
    problem = tiny_problem(0, "none", 1, most_blocks=3)
    shapes = [geometry(problem, 0)]
    data = exits_data(problem, shapes, float(shapes[0].energy[np.isfinite(shapes[0].energy)].max()))
    model = exits.build(data)
    solver = Solver(model)
    values = solver.solve().values
    assert values is not None
    solver.load(values)
    with pytest.raises(ValueError, match="keeps every limit"):
        exits.exclude(model)


# Limits bind

KINDS = ("memory", "compute", "bandwidth", "latency", "accuracy", "source", "tier")


def changed(seeds: range, limited: Any, applications: int, most_blocks: int) -> Counter[str]:
    """How many optima change without a limit, by kind; and how many problems have a plan at all."""
    count: Counter[str] = Counter()
    for seed in seeds:
        problem = tiny_problem(seed, limited, applications, most_blocks=most_blocks)
        optimum = least_energy(problem)
        count["feasible"] += optimum < inf
        for kind in KINDS:
            count[kind] += least_energy(problem, {kind}) < optimum * (1 - 1e-9)
    return count


def test_every_kind_of_limit_binds() -> None:
    some = changed(range(150), "any", 1, 3)
    assert 0.7 < some["feasible"] / 150 < 0.95
    assert {kind for kind in KINDS if some[kind] < (2 if kind in ("source", "tier") else 8)} <= {"bandwidth"}
    everything = changed(range(100), "all", 1, 3)
    assert everything["memory"] > 25
    assert everything["compute"] > 10
    links = changed(range(150), "links", 1, 3)
    assert links["bandwidth"] >= 3
    pairs = changed(range(40), "all", 2, 3)
    assert pairs["memory"] > 12
    assert pairs["compute"] > 4
    assert changed(range(60), "links", 2, 3)["bandwidth"] >= 3


def test_links_bind_among_the_instances_compared() -> None:
    """For the tests above: links that fill up, in a sixth of these, decide the optimum of all methods."""
    binding = [
        problem
        for seed in range(400)
        if least_energy(problem := tiny_problem(seed, "links", most_blocks=3))
        > least_energy(problem, {"bandwidth"}) * (1 + 1e-9)
    ]
    assert len(binding) >= 8
    for problem in binding:
        optimum = least_energy(problem)
        assert_pareto(problem, optimum)
        assert_milps(problem, optimum, ("flow", "plain"))


# The budget of labels


def test_on_a_budget_the_bound_holds_and_the_plan_is_feasible() -> None:
    for seed in range(40):
        problem = tiny_problem(seed, ("any", "all")[seed % 2], most_blocks=5)
        if not is_admissible(problem):
            continue
        optimum, found, shape = least_energy(problem), searched(problem, labels=1), geometry(problem, 0)
        assert found.bound <= optimum * (1 + 1e-9)
        if found.path is None:
            assert found.energy == inf
            continue
        judged = evaluate(problem, Plan((shape.placement(found.path),)))
        assert judged.is_feasible
        assert judged.energy_j >= optimum * (1 - 1e-9)


def test_a_narrow_sweep_cuts_and_its_bound_still_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iopt.exits.search.pareto.WIDTHS", (1, 2, 10**9))
    gaps = 0
    for seed in range(70):
        problem = tiny_problem(seed, ("any", "all", "none")[seed % 3], nodes=4, most_blocks=5)
        if not is_admissible(problem):
            continue
        optimum, shape = least_energy(problem), geometry(problem, 0)
        found = searched(problem, labels=0)
        assert found.bound <= optimum * (1 + 1e-9)
        if found.path is not None:
            assert evaluate(problem, Plan((shape.placement(found.path),))).is_feasible
        gaps += found.bound < min(found.energy, 1e300) * (1 - 1e-9)
        assert_pareto(problem, optimum)  # and the sweeps that follow close it
    assert gaps >= 3


# Dominance


def detour() -> Problem:
    """Blocks 1 and 3 run on `start` and `middle`, block 4 on `small`, which has room for one block. Block 2 costs 0 J
    there and 1 J on `large`; on energy and time alone the cheaper one wins at `middle`, and cannot go on."""
    blocks = tuple(Block(f"b{index}", 1.0, 0.0, 1) for index in range(4))
    net = ExitNetwork("net", 0.0, blocks, (Exit("last", 4, 1.0, 1.0),))
    devices = (
        Device("start", 1.0, memory_bytes=1, power_w=0.0, energy_per_bit_j=0.0),
        Device("small", 1.0, memory_bytes=1, power_w=0.0, energy_per_bit_j=0.0),
        Device("large", 1.0, power_w=1.0, energy_per_bit_j=0.0),
        Device("middle", 1.0, memory_bytes=1, power_w=0.0, energy_per_bit_j=0.0),
    )
    there = {(0, 1), (0, 2), (1, 3), (2, 3), (3, 1)}
    links = tuple(Link(n, m, None) for n in range(4) for m in range(4) if n != m and (n, m) not in there)
    place = Cluster("c", devices, Network(0.0, (1e9,) * 4, (1e9,) * 4, links=links))
    return Problem((Application(net, 0.0, 100.0, 0.1),), place)


def energy_and_time(node: Any, energy: Any, time: Any, excess: Any) -> Any:
    """The dominance of textbooks: what is used of limits does not count."""
    return labels_undominated(node, energy, time, np.zeros_like(excess))


labels_undominated = labels.undominated


def test_dominance_on_energy_and_time_alone_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = detour()
    optimum = least_energy(problem)
    assert optimum == pytest.approx(0.1)  # start, large, middle, small; `large` twice costs 2 J
    assert_pareto(problem, optimum)
    assert_milps(problem, optimum)
    monkeypatch.setattr("iopt.exits.search.labels.undominated", energy_and_time)
    wrong = searched(problem)
    assert not same(wrong.energy, optimum)


def test_dominance_on_energy_and_time_alone_is_wrong_on_generated_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [tiny_problem(seed, "all", most_blocks=5) for seed in range(160)]
    problems = [problem for problem in problems if is_admissible(problem)]
    right = [searched(problem).energy for problem in problems]
    monkeypatch.setattr("iopt.exits.search.labels.undominated", energy_and_time)
    wrong = [searched(problem).energy for problem in problems]
    assert all(mistaken >= energy * (1 - 1e-9) for mistaken, energy in zip(wrong, right, strict=True))
    assert sum(not same(mistaken, energy) for mistaken, energy in zip(wrong, right, strict=True)) >= 2


# Units do not matter


def scaled(problem: Problem, energy: float, time: float, bits: float, memory: int) -> Problem:
    """The same in other units: joule, second, bit and byte."""
    place = problem.cluster
    devices = tuple(
        replace(
            device,
            flops_per_s=device.flops_per_s / time,
            power_w=(device.power_w or 0.0) * energy / time,
            energy_per_bit_j=(device.energy_per_bit_j or 0.0) * energy / bits,
            overhead_s=device.overhead_s * time,
            memory_bytes=None if device.memory_bytes is None else device.memory_bytes * memory,
        )
        for device in place.devices
    )
    network = replace(
        place.network,
        connection_s=place.network.connection_s * time,
        up_bytes_per_s=tuple(rate * bits / time for rate in place.network.up_bytes_per_s),
        down_bytes_per_s=tuple(rate * bits / time for rate in place.network.down_bytes_per_s),
        links=tuple(
            replace(link, bytes_per_s=None if link.bytes_per_s is None else link.bytes_per_s * bits / time)
            for link in place.network.links
        ),
    )
    applications = []
    for application in problem.applications:
        net = application.network
        blocks = tuple(
            replace(block, out_bits=block.out_bits * bits, weight_bytes=block.weight_bytes * memory)
            for block in net.blocks
        )
        net = replace(net, blocks=blocks, input_bits=net.input_bits * bits)
        applications.append(
            replace(
                application,
                network=net,
                latency_s=application.latency_s * time,
                rate_per_s=application.rate_per_s / time,
            )
        )
    place = replace(place, devices=devices, network=network)
    return replace(problem, applications=tuple(applications), cluster=place)


SCALES = [(1e-9, 1.0, 1.0, 1), (1e3, 1.0, 1.0, 1), (1.0, 1e-9, 1.0, 1), (1.0, 1e3, 1.0, 1), (1.0, 1.0, 1e-9, 1)]
SCALES += [(1.0, 1.0, 1e3, 1), (1.0, 1.0, 1.0, 10**6), (1e-9, 1e3, 1e3, 10**3), (1e3, 1e-9, 1e-9, 10**9)]


@pytest.mark.parametrize(("energy", "time", "bits", "memory"), SCALES)
def test_units_do_not_matter(energy: float, time: float, bits: float, memory: int) -> None:
    for seed in range(300, 305):
        problem = tiny_problem(seed, ("any", "all", "links")[seed % 3])
        if not is_admissible(problem):
            continue
        other, optimum = scaled(problem, energy, time, bits, memory), least_energy(problem)
        assert same(least_energy(other), optimum * energy / time, 1e-12)
        assert_pareto(other, optimum * energy / time)
        assert_milps(other, optimum * energy / time, ("flow", "flow, everything"))


# What once was wrong


def test_steps_without_cost_are_not_read_as_decisions() -> None:
    """In the plain form a step that costs nothing may be taken without the blocks at its ends."""
    blocks = (Block("a", 1.0, 0.0), Block("b", 0.0, 0.0))
    net = ExitNetwork("net", 0.0, blocks, (Exit("last", 2, 1.0, 1.0),))
    devices = tuple(Device(f"d{n}", 1.0, power_w=1.0 + n, energy_per_bit_j=0.0) for n in range(3))
    problem = Problem((Application(net, 0.0, 10.0),), Cluster("c", devices, Network(0.0, (1.0,) * 3, (1.0,) * 3)))
    for seed, limited in ((33, "none"), (78, "all"), (133, "any")):
        assert_milps(drawn := tiny_problem(seed, limited, most_blocks=5), least_energy(drawn))
    assert_milps(problem, 1.0)


def test_an_optimum_of_nothing_is_proved() -> None:
    """The solver's bound is then noise above zero, which is no contradiction."""
    for seed, applications in ((10, 2), (13, 2), (3, 1)):
        problem = tiny_problem(seed, "links", applications, most_blocks=3)
        devices = tuple(replace(device, power_w=0.0) for device in problem.cluster.devices)
        free = replace(problem, cluster=replace(problem.cluster, devices=devices))
        assert_milps(free, least_energy(free))


def test_a_source_that_is_a_million_times_dearer_does_not_hide_the_optimum() -> None:
    """The solver's unit of energy is then not that of the best plan's blocks on their source."""
    for seed in (10, 21, 30, 31):
        problem = tiny_problem(seed, "links", most_blocks=5)
        devices = tuple(
            replace(device, power_w=(device.power_w or 0.0) * 10 ** (6 * index))
            for index, device in enumerate(problem.cluster.devices)
        )
        dear = replace(problem, cluster=replace(problem.cluster, devices=devices))
        optimum = least_energy(dear)
        assert_milps(dear, optimum, ("flow", "plain, reduced"))
        for name in ("flow, everything", "plain"):  # with steps 10^12 apart, the best plan, but not always its proof
            result = solve_milp(dear, **MILPS[name])
            assert result.objective is not None
            assert result.bound is not None
            assert same(result.objective, optimum)
            assert result.bound <= optimum * (1 + ACCURACY)


@pytest.mark.filterwarnings("error")
def test_links_that_are_absent_and_samples_that_all_leave_are_no_nan() -> None:
    for seed in range(20):
        problem = replace(tiny_problem(seed, "any"), latency="expected")
        (application,) = problem.applications
        leave = tuple(replace(each, fraction=float(index == 0)) for index, each in enumerate(application.network.exits))
        application = replace(application, network=replace(application.network, exits=leave))
        shape = geometry(replace(problem, applications=(application,)), 0, len(leave) - 1)
        assert not np.isnan(shape.time).any()
        assert (np.isfinite(shape.time) == np.isfinite(shape.energy)).all()


# Enumeration itself


def test_number_of_plans() -> None:
    problem = detour()
    assert plan_count(problem) == 4**4 == len(list(all_plans(problem)))
    for seed in range(10):
        drawn = tiny_problem(seed, applications=2, most_blocks=2)
        assert plan_count(drawn) == len(set(all_plans(drawn)))
        assert {plan for _, plan in feasible(drawn)} <= set(all_plans(drawn))


def test_too_many_plans_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enumeration, "MOST", 255)
    with pytest.raises(OptionError, match="256 plans; enumeration stops at 255"):
        best_plan(detour())

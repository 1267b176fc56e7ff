"""FIN: the sweep against a plain one, and what is provable of it."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, inf
from typing import Any

import numpy as np
import pytest

from iopt.cluster import Cluster, Device, Network
from iopt.exits.geometry import Geometry, geometry
from iopt.exits.limits import Limits
from iopt.exits.methods import solve
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.paths import path_weight
from iopt.exits.problem import Application, Problem
from iopt.exits.search.fin import fin_path
from iopt.result import Status
from tests.exits.instances import tiny_problem
from tests.exits.reference import feasible, judge, least_energy

SHARED = ("compute", "memory", "bandwidth")


def unlimited(problem: Problem) -> Limits:
    """The links that exist, and nothing that is shared."""
    limits = Limits.of(problem)
    free = np.full(len(problem.cluster), np.inf)
    return Limits(free, free, np.where(limits.links > 0, np.inf, 0.0))


def weights(shape: Geometry, path: tuple[int, ...]) -> tuple[float, float]:
    return path_weight(shape.energy, shape.source, path), path_weight(shape.time, shape.source, path)


def drawn(count: int, limited: Any = "none", **options: Any) -> list[Problem]:
    """Those with an exit that is accurate enough."""
    problems = [tiny_problem(seed, limited, **options) for seed in range(count)]
    return [
        problem
        for problem in problems
        if max(e.accuracy for e in problem.applications[0].network.exits)
        >= problem.applications[0].accuracy * (1 - 1e-9)
    ]


# The three stages in plain words


def plain_fin(problem: Problem, gamma: int, proximity: int, shared: bool) -> float:
    """Least energy of a path through the layered graph, from numbers of the problem alone; inf where it has none."""
    application = problem.applications[0]
    net, place, source = application.network, problem.cluster, problem.sources[0]
    exit = next(k for k, leave in enumerate(net.exits) if leave.accuracy >= application.accuracy * (1 - 1e-9))
    links = Limits.of(problem).links
    bits = [net.input_bits, *(block.out_bits for block in net.blocks)]
    states: dict[tuple[int, int], float] = {(source, 0): 0.0}
    for b in range(net.exits[exit].after):
        block, reach = net.blocks[b], net.reach[b]
        share = reach if problem.energy == "expected" else 1.0
        time_share = reach if problem.latency == "expected" else 1.0
        after: dict[tuple[int, int], float] = {}
        for (n, depth), known in states.items():
            for m, device in enumerate(place.devices):
                load = application.rate_per_s * share
                if b == 0 and problem.pinned and m != source:
                    continue
                if problem.tier_order and place.tier_of[m] < place.tier_of[n]:
                    continue
                if n != m and links[n, m] <= 0:
                    continue
                if shared and load * block.ops > problem.max_load * device.flops_per_s * (1 + 1e-9):
                    continue
                if shared and device.memory_bytes is not None and block.weight_bytes > device.memory_bytes:
                    continue
                if shared and n != m and load * bits[b] > links[n, m] * (1 + 1e-9):
                    continue
                energy = device.power_w * block.ops / device.flops_per_s
                time = block.ops / device.flops_per_s + device.overhead_s
                if n != m:
                    energy += bits[b] * (place.devices[n].energy_per_bit_j + device.energy_per_bit_j)
                    time += place.network.connection_s + bits[b] / links[n, m]
                steps = gamma * time_share * time / application.latency_s
                down = ceil(steps * (1 - 2e-9))  # whole but for rounding and the tolerance
                if depth + down <= gamma:
                    key = (m, depth + down)
                    after[key] = min(after.get(key, inf), known + load * energy)
        states = after
    near = {key: energy for key, energy in states.items() if key[1] >= proximity}
    return min((near or states).values(), default=inf)


@pytest.mark.parametrize("limited", ["none", "any", "all", "links"])
def test_the_sweep_is_the_plain_one(limited: Any) -> None:
    empty = 0
    for index, problem in enumerate(drawn(40, limited)):
        for gamma in (1, 3, 10, 30):
            proximity = (0, gamma, gamma // 2)[index % 3]
            path = fin_path(geometry(problem, 0), Limits.of(problem), gamma, proximity)
            expected = plain_fin(problem, gamma, proximity, shared=True)
            if path is None:
                empty += 1
                assert expected == inf
            else:
                assert weights(geometry(problem, 0), path)[0] == pytest.approx(expected, rel=1e-12)
    assert empty > 5


# What is provable without shared limits


@pytest.mark.parametrize("gamma", [1, 3, 10, 30])
@pytest.mark.parametrize("proximity", [0, 1])
def test_every_path_keeps_the_latency(gamma: int, proximity: int) -> None:
    found = 0
    for problem in drawn(80):
        shape = geometry(problem, 0)
        path = fin_path(shape, unlimited(problem), gamma, proximity * gamma)
        if path is not None:
            found += 1
            plan = judge(problem, _plan(problem, path))
            assert plan.latency[0] <= problem.applications[0].latency_s * (1 + 1e-9)
            assert {key[0] for key in plan.broken} <= set(SHARED)
    assert found > 10


def _plan(problem: Problem, path: tuple[int, ...]) -> Any:
    from iopt.exits.plan import Plan

    return Plan((geometry(problem, 0).placement(path),))


def optimum(problem: Problem, latency_s: float) -> float:
    """Without shared limits."""
    (application,) = problem.applications
    return least_energy(replace(problem, applications=(replace(application, latency_s=latency_s),)), SHARED)


@pytest.mark.parametrize("gamma", [5, 8, 60])
def test_the_energy_lies_between_two_optima(gamma: int) -> None:
    above = tight = 0
    for problem in drawn(70):
        shape = geometry(problem, 0)
        assert gamma >= shape.depth
        limit = problem.applications[0].latency_s
        path = fin_path(shape, unlimited(problem), gamma)
        energy = inf if path is None else weights(shape, path)[0]
        low = optimum(problem, limit)
        shorter = limit * (1 - shape.depth / gamma)
        high = optimum(problem, shorter) if shorter > 0 else inf
        assert low * (1 - 1e-9) <= energy <= high * (1 + 1e-9)
        above += energy > low * (1 + 1e-9)
        tight += high > low * (1 + 1e-9)
    assert tight > 0
    if gamma <= 8:
        assert above > 0  # the bound is not empty: FIN does lose


def test_a_fine_grid_reaches_the_optimum() -> None:
    for problem in drawn(50):
        limit = problem.applications[0].latency_s
        shape, best = geometry(problem, 0), optimum(problem, limit)
        path = fin_path(shape, unlimited(problem), 20_000)
        if path is None or optimum(problem, limit * (1 - shape.depth / 20_000)) > best * (1 + 1e-9):
            continue  # the best plan takes the whole limit: no grid is fine enough but by luck
        assert weights(shape, path)[0] == pytest.approx(best, rel=1e-9)


# By hand: two devices, four blocks of 1 s on the first, of 0.25 s on the second; block 1 on the first


def two(power_w: float = 16.0) -> Problem:
    """1 J per block on the first device, 4 J on the second where nothing else is said; limit 3.25 s."""
    devices = (
        Device("slow", 1.0, power_w=1.0, energy_per_bit_j=0.0),
        Device("fast", 4.0, power_w=power_w, energy_per_bit_j=0.0),
    )
    net = ExitNetwork("net", 0.0, tuple(Block(f"b{index}", 1.0, 0.0) for index in range(4)), (Exit("e", 4, 1.0, 1.0),))
    place = Cluster("two", devices, Network(0.0, (1.0,) * 2, (1.0,) * 2))
    return Problem((Application(net, 0.0, 3.25),), place, max_load=100.0)


def test_a_coarse_grid_loses_by_hand() -> None:
    """Three slow blocks and a fast one fit exactly into 3.25 s, 3 + 4 = 7 J; 13 depths count each as what it is. Of 4
    depths a slow step takes 2 and a fast one 1, which is too many; of 5, one slow step and three fast ones fit, of 6
    one more slow one."""
    shape = geometry(two(), 0)
    for gamma, energy in ((1, None), (3, None), (4, None), (5, 13.0), (6, 10.0), (13, 7.0), (26, 7.0), (1300, 7.0)):
        path = fin_path(shape, unlimited(two()), gamma)
        assert (None if path is None else weights(shape, path)[0]) == energy, gamma


def test_only_deep_ends_lose_the_optimum_and_none_means_all() -> None:
    shape, limits = geometry(two(), 0), unlimited(two())
    assert weights(shape, fin_path(shape, limits, 13, 13) or ()) == (7.0, 3.25)
    loose = replace(shape, latency_s=5.0)  # all slow: 4 s of 5 s, depth 8 of 10
    assert weights(loose, fin_path(loose, limits, 10, 0) or ()) == (4.0, 4.0)
    assert weights(loose, fin_path(loose, limits, 10, 8) or ()) == (4.0, 4.0)
    for gamma in range(5, 31, 5):
        for proximity in range(gamma + 1):  # the slow path is the deepest; where that is not deep enough, all count
            assert weights(loose, fin_path(loose, limits, gamma, proximity) or ()) == (4.0, 4.0)
    cheap = replace(geometry(two(0.4), 0), latency_s=5.0)  # 0.1 J on the fast device
    assert weights(cheap, fin_path(cheap, limits, 10, 0) or ()) == pytest.approx((1.3, 1.75))
    assert weights(cheap, fin_path(cheap, limits, 10, 8) or ()) == (4.0, 4.0)
    assert weights(cheap, fin_path(cheap, limits, 10, 9) or ()) == pytest.approx((1.3, 1.75))


def test_lambda_changes_answers_but_never_whether_there_is_one() -> None:
    worse = 0
    for problem in drawn(80):
        shape, limits = geometry(problem, 0), unlimited(problem)
        free = fin_path(shape, limits, 10)
        for proximity in (4, 7, 10):
            near = fin_path(shape, limits, 10, proximity)
            assert (free is None) == (near is None)
            if free is not None and near is not None:
                assert weights(shape, near)[0] >= weights(shape, free)[0] * (1 - 1e-12)
                worse += weights(shape, near)[0] > weights(shape, free)[0] * (1 + 1e-9)
    assert worse > 0


# Shared limits are looked at step by step only


def test_the_finished_path_is_checked() -> None:
    broken = agreed = 0
    for seed in range(80):
        problem = tiny_problem(seed, "all")
        result = solve(problem, "fin")
        if result.status is Status.UNKNOWN and result.message:
            path = fin_path(geometry(problem, 0), Limits.of(problem))
            broken += path is not None
            if path is not None:
                kinds = {key[0] for key in judge(problem, _plan(problem, path)).broken}
                assert kinds
                assert kinds <= set(SHARED)
        if result.plan is not None and result.status is Status.FEASIBLE:
            assert not judge(problem, result.plan).broken
            agreed += 1
    assert broken > 5
    assert agreed > 25


def test_a_step_that_alone_breaks_a_limit_is_not_taken() -> None:
    problem = two()
    crowded = replace(problem.cluster.devices[0], memory_bytes=1)
    net = problem.applications[0].network
    net = replace(net, blocks=(*net.blocks[:3], replace(net.blocks[3], weight_bytes=2)))
    application = replace(problem.applications[0], network=net, latency_s=10.0)
    problem = replace(
        problem,
        applications=(application,),
        cluster=replace(problem.cluster, devices=(crowded, problem.cluster.devices[1])),
    )
    assert fin_path(geometry(problem, 0), Limits.of(problem)) == (0, 0, 0, 1)
    assert min(plan.placements[0].nodes for _, plan in feasible(problem)) == (0, 0, 0, 1)


def test_several_applications_share_what_is_left() -> None:
    feasible_ones = 0
    for seed in range(40):
        problem = tiny_problem(seed, "any", applications=2, most_blocks=3)
        result = solve(problem, "fin")
        if result.status is Status.FEASIBLE:
            assert result.plan is not None
            assert not judge(problem, result.plan).broken
            assert result.objective is not None
            assert result.objective >= least_energy(problem) * (1 - 1e-9)
            feasible_ones += 1
    assert feasible_ones > 10

"""Heuristics and bounds: on which side of the optimum each is, and that none breaks a limit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from math import inf
from typing import Any

import numpy as np
import pytest

from iopt.cluster import Cluster, Device, Network
from iopt.exits.geometry import Geometry, geometry
from iopt.exits.heuristics.larac import larac
from iopt.exits.heuristics.mcp import mcp_path
from iopt.exits.heuristics.tiers import tier_path
from iopt.exits.limits import Limits
from iopt.exits.methods import solve
from iopt.exits.milp import worthwhile
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.paths import least_path, path_weight
from iopt.exits.plan import Plan
from iopt.exits.problem import Application, Problem
from iopt.exits.search.ascent import ascend
from iopt.exits.search.columns import generate
from iopt.exits.search.each import Path
from iopt.exits.search.pool import Pool
from iopt.exits.search.reroute import energy_of, reroute, sequential
from iopt.exits.search.routes import close
from iopt.result import Status
from tests.exits.instances import Limited, tiny_problem
from tests.exits.reference import feasible, judge, least_energy

SHARED = ("compute", "memory", "bandwidth")


@cache
def solvable(count: int, limited: Limited, applications: int = 1, most_blocks: int = 3) -> list[tuple[Problem, float]]:
    """With their optimum; those where each application has an exit that is accurate enough."""
    problems = [tiny_problem(seed, limited, applications, most_blocks=most_blocks) for seed in range(count)]
    return [
        (problem, least_energy(problem))
        for problem in problems
        if all(
            max(leave.accuracy for leave in app.network.exits) >= app.accuracy * (1 - 1e-9)
            for app in problem.applications
        )
    ]


def shapes_of(problem: Problem) -> list[Geometry]:
    return [geometry(problem, index) for index in range(len(problem.applications))]


def plan_of(shapes: list[Geometry], paths: list[Path | None]) -> Plan:
    return Plan(tuple(shape.placement(path or ()) for shape, path in zip(shapes, paths, strict=True)))


def every_path(shape: Geometry) -> list[Path]:
    return [
        path
        for path in product(range(shape.nodes), repeat=shape.depth)
        if np.isfinite(path_weight(shape.energy, shape.source, path))
    ]


# LARAC


def test_larac_brackets_the_optimum_without_shared_limits() -> None:
    priced = free = none = gaps = 0
    for problem, _ in solvable(150, "none", most_blocks=4):
        shape, best = geometry(problem, 0), least_energy(problem, SHARED)
        found = larac(shape)
        if best == inf:
            assert (found.path, found.bound) == (None, inf)
            none += 1
            continue
        assert found.path is not None
        energy = path_weight(shape.energy, shape.source, found.path)
        assert path_weight(shape.time, shape.source, found.path) <= shape.longest_s
        assert found.bound <= best * (1 + 1e-9)
        assert best <= energy * (1 + 1e-9)
        if found.price == 0:
            free += 1
            assert energy == pytest.approx(best, rel=1e-12)
            assert found.bound == pytest.approx(best, rel=1e-12)
        else:
            priced += 1
            gaps += found.bound < energy * (1 - 1e-9)
            lagrangian = max(  # the best bound that any price proves, from all paths
                min(
                    path_weight(shape.energy, shape.source, path)
                    + price * (path_weight(shape.time, shape.source, path) - shape.longest_s)
                    for path in every_path(shape)
                )
                for price in (0.5 * found.price, found.price, 2 * found.price)
            )
            assert found.bound == pytest.approx(lagrangian, rel=1e-9)
    assert min(priced, free, none, gaps) >= 3


def test_larac_as_a_method_has_a_bound_and_keeps_the_limits() -> None:
    proved = 0
    for limited in ("none", "any"):
        for problem, best in solvable(80, limited):
            result = solve(problem, "larac")
            if result.bound is not None:
                assert result.bound <= best * (1 + 1e-9)
            if result.status in (Status.OPTIMAL, Status.FEASIBLE):
                assert result.plan is not None
                assert result.objective is not None
                assert not judge(problem, result.plan).broken
                assert result.objective >= best * (1 - 1e-9)
                if result.status is Status.OPTIMAL:
                    proved += 1
                    assert result.objective == pytest.approx(best, rel=1e-7)
    assert proved > 40


# MCP and whole tiers, by hand


def three(latency_s: float = 4.0, links: float = 8.0) -> Problem:
    """Blocks of 2 s on `a`, 1 s on `b`, 0.5 s on `c`, for 2, 6 and 8 J; 8 bits between blocks, 1 s each, free."""
    devices = (
        Device("a", 1.0, tier="low", power_w=1.0, energy_per_bit_j=0.0),
        Device("b", 2.0, tier="middle", power_w=6.0, energy_per_bit_j=0.0),
        Device("c", 4.0, tier="high", power_w=16.0, energy_per_bit_j=0.0),
    )
    blocks = (Block("b1", 2.0, 8.0), Block("b2", 2.0, 8.0), Block("b3", 2.0, 0.0))
    exits = (Exit("e1", 2, 0.5, 0.6), Exit("e2", 3, 0.5, 0.9))
    net = ExitNetwork("net", 8.0, blocks, exits)
    place = Cluster("three", devices, Network(0.0, (1.0,) * 3, (links,) * 3), tiers=("low", "middle", "high"))
    return Problem((Application(net, 0.9, latency_s),), place, energy="unconditional", max_load=100.0)


def test_mcp_takes_the_least_of_the_larger_quotients_by_hand() -> None:
    """Fastest of three blocks: b1 on `a`, then `c`: 2 + 1 + 0.5 + 0.5 = 4 s, 2 + 8 + 8 = 18 J. Steps, in parts of 4 s
    and 18 J: stay on `a` 1/2 and 1/9; to `b` 1/2 and 1/3, stay 1/4 and 1/3; to `c` 3/8 and 4/9, stay 1/8 and 4/9."""
    shape = geometry(three(), 0)
    assert least_path(shape.time, 0) == ((0, 2, 2), 4.0)
    # after b1: a, a 1/2 + 1/2; b, b 1/2 + 1/3; c, c 4/9 + 4/9; a, b 1/2 + 1/2: b, b has the least, 5/6
    assert mcp_path(shape) == (0, 1, 1)
    weights = np.maximum(shape.time / 4, shape.energy / 18)
    found = least_path(weights, 0)
    assert found is not None
    assert found[0] == min(every_path(shape), key=lambda path: path_weight(weights, 0, path))
    result = solve(three(), "mcp")  # 2 + 1 + 1 + 1 s: the baseline breaks the latency, and is told so
    assert result.status is Status.UNKNOWN
    assert result.message == "net: takes 5 s, limit 4 s"


def test_the_two_variants_of_mcp() -> None:
    """A stops at the shallowest admissible exit, B never; the optimum is that of A's exit."""
    problem = three(latency_s=40.0)
    easy = replace(problem, applications=(replace(problem.applications[0], accuracy=0.5),))
    shallow, full = solve(easy, "mcp"), solve(easy, "mcp-full")
    assert shallow.plan is not None
    assert full.plan is not None
    assert [plan.placements[0].exit for plan in (shallow.plan, full.plan)] == [0, 1]
    assert [len(plan.placements[0].nodes) for plan in (shallow.plan, full.plan)] == [2, 3]
    assert shallow.objective is not None
    assert full.objective is not None
    assert shallow.objective < full.objective


def test_mcp_path_is_the_least_of_every_path() -> None:
    for problem, _ in solvable(60, "none", most_blocks=4):
        shape = geometry(problem, 0)
        paths = every_path(shape)
        found = mcp_path(shape)
        assert (found is None) == (not paths)
        if found is None:
            continue

        def total(weights: Any, path: Path, source: int = shape.source) -> float:
            return path_weight(weights, source, path)

        budget = total(shape.energy, min(paths, key=lambda path: total(shape.time, path)))
        larger = shape.time / shape.latency_s
        if budget > 0:
            larger = np.maximum(larger, shape.energy / budget)
        assert total(larger, found) == pytest.approx(min(total(larger, path) for path in paths), rel=1e-12)


def test_whole_tiers_by_hand() -> None:
    problem = three(latency_s=5.0)
    low, middle, high = (solve(problem, f"all-{tier}") for tier in ("low", "middle", "high"))
    assert low.plan == Plan((geometry(problem, 0).placement((0, 0, 0)),))
    assert low.status is Status.UNKNOWN  # 6 s
    assert middle.plan == Plan((geometry(problem, 0).placement((0, 1, 1)),))  # block 1 stays where it must
    assert (middle.status, middle.objective) == (Status.FEASIBLE, 14.0)
    assert (high.status, high.objective) == (Status.FEASIBLE, 18.0)
    free = replace(problem, pinned=False)
    assert solve(free, "all-high").plan == Plan((geometry(problem, 0).placement((2, 2, 2)),))


def test_the_best_node_of_a_tier_is_taken() -> None:
    for problem, _ in solvable(60, "none"):
        shape, tiers = geometry(problem, 0), problem.cluster.tier_of
        for tier in set(tiers):
            nodes = [node for node, of in enumerate(tiers) if of == tier]
            options = [(node, *(node,) * (shape.depth - 1)) for node in nodes]
            if problem.pinned:
                options = [(shape.source, *path[1:]) for path in options]
            known = [path for path in options if np.isfinite(path_weight(shape.energy, shape.source, path))]
            best = tier_path(shape, nodes)
            if not known:
                continue
            assert best is not None
            ranks = [
                (
                    path_weight(shape.time, shape.source, path) > shape.longest_s,
                    path_weight(shape.energy, shape.source, path),
                )
                for path in (best, *known)
            ]
            assert ranks[0] == min(ranks)


# One after another, and together


def test_one_after_another_and_rerouting_keep_the_limits() -> None:
    better = placed = optimal = 0
    for limited in ("any", "all", "links"):
        for problem, best in solvable(18, limited, applications=2):
            shapes, limits = shapes_of(problem), Limits.of(problem)
            first, again = sequential(shapes, limits), reroute(shapes, limits)
            assert again.count(None) <= first.count(None)
            for paths in (first, again):
                if None in paths:
                    continue
                judged = judge(problem, plan_of(shapes, paths))
                assert not judged.broken
                assert judged.energy_rate >= best * (1 - 1e-9)
                assert judged.energy_rate == pytest.approx(energy_of(shapes, paths), rel=1e-12)
            if None not in first and None not in again:
                placed += 1
                ours, theirs = energy_of(shapes, again), energy_of(shapes, first)
                assert ours <= theirs * (1 + 1e-9)
                better += ours < theirs * (1 - 1e-9)
                optimal += ours <= best * (1 + 1e-9)
    assert placed > 20
    assert optimal >= 0.9 * placed


def test_rerouting_helps_where_the_tightest_deadline_takes_the_wrong_node() -> None:
    """Both want the node that has room for one. The first to choose saves 1 J there, the other 4 J."""
    devices = (
        Device("far", 1.0, power_w=5.0, energy_per_bit_j=0.0),
        Device("near", 1.0, memory_bytes=1, power_w=1.0, energy_per_bit_j=0.0),
        Device("half", 1.0, power_w=2.0, energy_per_bit_j=0.0, memory_bytes=1),
    )
    place = Cluster("c", devices, Network(0.0, (1e9,) * 3, (1e9,) * 3))
    one = ExitNetwork("one", 0.0, (Block("b", 1.0, 0.0, 1),), (Exit("e", 1, 1.0, 1.0),))
    two = ExitNetwork("two", 0.0, (Block("b", 4.0, 0.0, 1),), (Exit("e", 1, 1.0, 1.0),))
    asked = (Application(one, 0.0, 10.0), Application(two, 0.0, 20.0))
    problem = Problem(asked, place, pinned=False, max_load=100.0)
    shapes, limits = shapes_of(problem), Limits.of(problem)
    assert energy_of(shapes, sequential(shapes, limits)) == 1 + 8
    assert energy_of(shapes, reroute(shapes, limits)) == 2 + 4 == least_energy(problem)


@pytest.mark.full
@pytest.mark.parametrize("limited", ["any", "all", "links"])
def test_rerouting_is_never_worse_on_more(limited: Limited) -> None:
    for problem, best in solvable(120, limited, applications=3, most_blocks=2):
        shapes, limits = shapes_of(problem), Limits.of(problem)
        first, again = sequential(shapes, limits), reroute(shapes, limits)
        assert again.count(None) <= first.count(None)
        if None not in again:
            assert not judge(problem, plan_of(shapes, again)).broken
            assert energy_of(shapes, again) >= best * (1 - 1e-9)
            if None not in first:
                assert energy_of(shapes, again) <= energy_of(shapes, first) * (1 + 1e-9)


# Prices and columns


def test_prices_prove_a_bound() -> None:
    near = 0
    for limited, count in (("none", 1), ("any", 1), ("all", 2)):
        for problem, best in solvable(12, limited, applications=count):
            shapes, limits = shapes_of(problem), Limits.of(problem)
            shapes = [shape.within(limits) for shape in shapes]
            for known in (inf, best):
                dual = ascend(shapes, limits, known, 60)
                assert dual.bound <= best * (1 + 1e-9)
            near += best < inf and dual.bound > 0.9 * best
            for pairs in pairwise(dual.prices):
                assert all(
                    (ours == theirs).all()
                    for ours, theirs in zip(*(vars(p.shared).values() for p in pairs), strict=True)
                )
    assert near > 10


@pytest.mark.parametrize("limited", ["any", "all", "links"])
@pytest.mark.parametrize("applications", [1, 2])
def test_columns_bracket_the_optimum(limited: Limited, applications: int) -> None:
    found = proved = 0
    for problem, best in solvable(12, limited, applications=applications):
        shapes, limits = shapes_of(problem), Limits.of(problem)
        pool = Pool(shapes, limits)
        priced = generate(pool, limits)
        assert priced.bound <= best * (1 + 1e-9)
        if priced.bound == inf:
            continue
        assert pool.prices()[0] >= priced.bound * (1 - 1e-9)  # it mixes fewer columns than there are
        paths, chosen = pool.choice(5.0)
        if paths is None:
            assert chosen == inf
            continue
        energy = energy_of(shapes, paths)
        assert not judge(problem, plan_of(shapes, list(paths))).broken
        assert chosen <= energy * (1 + 1e-9)
        assert chosen >= energy * (1 - 1e-6)
        assert energy >= best * (1 - 1e-9)
        found += 1
        proved += priced.bound >= energy * (1 - 1e-6)
    assert found > 5
    assert proved > 3


@pytest.mark.parametrize("limited", ["any", "all", "links"])
@pytest.mark.parametrize("applications", [1, 2])
@pytest.mark.parametrize("is_known", [False, True])
def test_all_columns_that_matter_close_the_gap(limited: Limited, applications: int, is_known: bool) -> None:
    """Whatever is known at the start, what is chosen in the end is the best of all, and proved."""
    closed = 0
    for problem, best in solvable(10, limited, applications=applications):
        shapes, limits, plans = shapes_of(problem), Limits.of(problem), []
        pool = Pool(shapes, limits)
        known = best * 1.05 if is_known and best < inf else inf
        priced = generate(pool, limits, known)
        if priced.bound == inf:
            assert best == inf
            continue

        def found(paths: list[Path], shapes: list[Geometry] = shapes, plans: list[Plan] = plans) -> float:
            plans.append(plan_of(shapes, list(paths)))
            return energy_of(shapes, paths)

        bound = close(pool, limits, priced, known, lambda: 10.0, found)
        assert all(not judge(problem, plan).broken for plan in plans)
        if best == inf:
            assert (plans, bound) == ([], inf)
            continue
        closed += 1
        energies = [judge(problem, plan).energy_rate for plan in plans]
        assert min(energies) == pytest.approx(best, rel=1e-9)
        assert bound == pytest.approx(best, rel=1e-7)
        assert bound <= best * (1 + 1e-8)
    assert closed > 3


@pytest.mark.parametrize("width", [1, 2, 4])
def test_columns_cut_away_leave_a_bound(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iopt.exits.search.routes.WIDTHS", (width,))
    monkeypatch.setattr("iopt.exits.search.columns.ROUNDS", 0)
    opened = 0
    for problem, best in solvable(20, "all", applications=2):
        shapes, limits, energies = shapes_of(problem), Limits.of(problem), [inf]
        pool = Pool(shapes, limits)
        priced = generate(pool, limits)
        if priced.bound == inf:
            continue

        def found(paths: list[Path], shapes: list[Geometry] = shapes, energies: list[float] = energies) -> float:
            energies.append(energy_of(shapes, paths))
            return energies[-1]

        bound = close(pool, limits, priced, inf, lambda: 10.0, found)
        assert bound <= best * (1 + 1e-8)
        opened += bound < min(energies) * (1 - 1e-6)
    if width == 1:
        assert opened > 2


def test_the_choice_among_columns_that_are_known_is_the_best() -> None:
    """Handed every placement of every application, the pool chooses the optimum."""
    for problem, best in solvable(15, "all", applications=2):
        shapes, limits = shapes_of(problem), Limits.of(problem)
        pool = Pool(shapes, limits)
        for index, shape in enumerate(shapes):
            for path in every_path(shape):
                if path_weight(shape.time, shape.source, path) <= shape.longest_s:
                    assert pool.add_one(index, path)
                    assert not pool.add_one(index, path)
        if any(not any(True for path in every_path(shape)) for shape in shapes) or len(pool) < 2:
            continue
        paths, bound = pool.choice(10.0)
        assert (paths is None) == (best == inf)
        if paths is not None:
            assert energy_of(shapes, paths) == pytest.approx(best, rel=1e-9)
            assert bound == pytest.approx(best, rel=1e-7)
            assert pool.prices()[0] <= best * (1 + 1e-9)


@pytest.mark.parametrize("limited", ["none", "any", "all", "links"])
@pytest.mark.parametrize("applications", [1, 2])
def test_no_step_of_a_plan_that_is_as_good_is_taken_out(limited: Limited, applications: int) -> None:
    kept = dropped = 0
    for problem, best in solvable(8, limited, applications=applications):
        if best == inf:
            continue
        shapes, limits = shapes_of(problem), Limits.of(problem)
        plans = [(judged.energy_rate, plan) for judged, plan in feasible(problem)]
        priced = generate(Pool(shapes, limits), limits)
        for known in (best, best * 1.1, inf):
            left = worthwhile(shapes, limits, priced, known)
            dropped += sum(
                int(np.isfinite(shape.energy).sum() - np.isfinite(less.energy).sum())
                for shape, less in zip(shapes, left, strict=True)
            )
            for energy, plan in plans:
                if energy > known * (1 + 1e-9):
                    continue
                if any(place.exit != shape.exit for place, shape in zip(plan.placements, shapes, strict=True)):
                    continue
                kept += 1
                for shape, placement in zip(left, plan.placements, strict=True):
                    assert np.isfinite(path_weight(shape.energy, shape.source, placement.nodes))
                    assert np.isfinite(path_weight(shape.time, shape.source, placement.nodes))
    assert kept > 5
    assert dropped > 30

"""Heuristics and bounds for one application: on which side of the optimum each is."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest

from iopt.exits.geometry import geometry
from iopt.exits.heuristics.larac import larac
from iopt.exits.heuristics.mcp import mcp_path
from iopt.exits.heuristics.tiers import tier_path
from iopt.exits.methods import solve
from iopt.exits.paths import least_path, path_weight
from iopt.exits.plan import Plan
from iopt.exits.search.each import Path
from iopt.result import Status
from tests.exits.by_hand import three
from tests.exits.reference import judge, least_energy
from tests.exits.solved import SHARED, every_path, solvable


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
